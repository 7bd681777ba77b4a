/* A plugin host, as unpleasant as one may be: it opens libechoel at run time and checks what echoel.h promises.
 *
 * usage: host LIBRARY FIXTURES [SEED] [ANOTHER-LIBRARY…]
 *
 * FIXTURES is the folder of the tests' models: the instrument `sine` sounds from the first sample of a note on, the network
 * of `faulty` breaks off above key 63. Other libraries (a Swift runtime, say) are opened first, for all to see. */
#define _GNU_SOURCE
#include "host.h"
#include <math.h>

static const char *instrument, *faulty;

static echoel *created(void) { return loaded(instrument); }

static void test_sound(void) {
    static float expected[LENGTH], heard[LENGTH];
    echoel *first = created(), *second = created();
    prepare(first, 512, ECHOEL_DEFAULT_LOOK_AHEAD);
    api.set_offline(first, 1);
    play(first, (struct cutting){512, 0, 0}, 0, expected);

    /* The first note begins with the first sample, and the last exactly where it was struck. */
    check(expected[0] != 0 || expected[1] != 0, "a note sounds exactly the latency after it was sent");
    check(expected[LAST - 1] == 0, "there is silence before the last note");
    check(expected[LAST] != 0 || expected[LAST + 1] != 0, "the last note begins on its sample");
    float peak = 0;
    for (int i = 0; i < LENGTH; i++) {
        check(isfinite(expected[i]), "sound is finite");
        if (fabsf(expected[i]) > peak) peak = fabsf(expected[i]);
    }
    check(peak > 0.01f && peak < 10, "the sound is heard: its peak is %g", peak);

    /* Any blocks, prepared for these or for smaller ones. */
    const struct {
        uint32_t max_block, look_ahead;
        struct cutting cutting;
    } cases[] = {
        {1, 0, {1, 0, 0}},         {64, 0, {64, 0, 1}},         {8192, 256, {8192, 0, 0}}, {8192, 0, {8192, 1, 0}},
        {512, 256, {8192, 1, 0}},  {1, 0, {8192, 1, 1}},        {100, 7, {333, 0, 0}},     {1024, 0, {1025, 0, 0}},
        {16384, 16384, {700, 1, 0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        prepare(second, cases[i].max_block, cases[i].look_ahead);
        api.set_offline(second, 1);
        check(api.latency(second) >= cases[i].max_block + cases[i].look_ahead, "the latency has room for a block");
        memset(heard, 0, sizeof heard);
        play(second, cases[i].cutting, 0, heard);
        for (int k = 0; k < LENGTH; k++)
            check(heard[k] == expected[k], "case %zu: sample %d is %g, and in blocks of 512 it is %g", i, k, heard[k],
                  expected[k]);
        echoel_status status;
        check(api.get_status(second, &status) == ECHOEL_OK, "%s", api.last_error());
        check(status.missed_frames == 0 && status.dropped_notes == 0, "nothing is late offline");
        check(status.voices_peak >= 3 && status.frames >= LENGTH, "the status counts");
    }
    check(allocations_while_playing == 0, "%u allocations while playing", allocations_while_playing);
    /* The one that was made first goes first; then a second one is still good. */
    api.destroy(first);
    prepare(second, 64, 0);
    play(second, (struct cutting){64, 0, 0}, 0, heard);
    check(memcmp(heard, expected, sizeof heard) == 0, "an instance outlives another");
    api.destroy(second);
}

/* The audio thread of a host, which has not called the library before. */
static void *play_in_time(void *argument) {
    echoel **instances = argument;
    static float left[8192], right[8192];
    for (int block = 0; block < 300; block++) {
        echoel *instance = instances[block % 2];
        const uint32_t frames = 1 + (uint32_t)(random_number() % 8192);
        allocations_begin();
        api.send(instance, (uint32_t)(random_number() % (2 * frames)), 0x90, 48 + (uint8_t)(block % 24), 100);
        api.set_parameter(instance, ECHOEL_VOLUME, -(float)(block % 40));
        if (block % 50 == 49) check(api.reset(instance) == ECHOEL_OK, "a reset");
        check(api.process(instance, left, right, frames) == ECHOEL_OK, "a block is played");
        check(api.latency(instance) > 0, "the latency is known");
        allocations_while_playing += allocations_end();
        for (uint32_t i = 0; i < frames; i++) check(isfinite(left[i]) && isfinite(right[i]), "sound is finite");
    }
    return NULL;
}

/* In real time what is late is concealed; the host is never kept waiting, and nothing breaks. */
static void test_in_time(void) {
    echoel *instances[2] = {created(), created()};
    prepare(instances[0], 512, 256);
    prepare(instances[1], 8192, 0);
    on_a_thread(play_in_time, instances);
    check(allocations_while_playing == 0, "%u allocations while playing in time", allocations_while_playing);
    api.destroy(instances[1]);
    api.destroy(instances[0]);
}

static float peak_of(echoel *instance, uint32_t frames) {
    static float left[8192], right[8192];
    float peak = 0;
    check(api.process(instance, left, right, frames) == ECHOEL_OK, "a block is played");
    for (uint32_t i = 0; i < frames; i++) peak = fmaxf(peak, fmaxf(fabsf(left[i]), fabsf(right[i])));
    return peak;
}

static void test_reset_and_parameters(void) {
    echoel *instance = created();
    check(api.parameter_count(instance) == 3, "three parameters");
    for (uint32_t number = 0; number < 3; number++) {
        echoel_parameter info;
        check(api.parameter_info(instance, number, &info) == ECHOEL_OK, "a parameter is described");
        check(info.identifier[0] && info.name[0] && info.unit, "it has names");
        check(info.minimum <= info.initial && info.initial <= info.maximum, "%s begins in its range", info.identifier);
        check(api.get_parameter(instance, number) == info.initial, "%s has its first value", info.identifier);
        const float wrong[] = {info.minimum - 1, info.maximum + 1, NAN, INFINITY, -INFINITY};
        for (int i = 0; i < 5; i++) {
            check(api.set_parameter(instance, number, wrong[i]) == ECHOEL_INVALID_ARGUMENT, "%g is refused", wrong[i]);
            check(api.get_parameter(instance, number) == info.initial, "%s stays", info.identifier);
        }
        check(api.set_parameter(instance, number, info.maximum) == ECHOEL_OK, "its maximum is taken");
        check(api.get_parameter(instance, number) == info.maximum, "and kept");
        check(api.set_parameter(instance, number, info.initial) == ECHOEL_OK, "its first value is taken");
    }
    echoel_parameter info;
    check(api.parameter_info(instance, 3, &info) == ECHOEL_INVALID_ARGUMENT, "there is no fourth");
    check(api.set_parameter(instance, ECHOEL_VOICES, 1.5f) == ECHOEL_INVALID_ARGUMENT, "there are no half voices");

    prepare(instance, 512, 0);
    api.set_offline(instance, 1);
    api.send(instance, 0, 0x90, 60, 100);
    peak_of(instance, 4096);
    const float loud = peak_of(instance, 4096);
    check(loud > 0.01f, "a note sounds");
    api.set_parameter(instance, ECHOEL_VOLUME, -20);
    peak_of(instance, 4096);
    check(fabsf(peak_of(instance, 4096) / loud - 0.1f) < 0.01f, "at -20 dB it is a tenth as loud");
    api.set_parameter(instance, ECHOEL_VOLUME, -80);
    peak_of(instance, 4096);
    check(peak_of(instance, 4096) == 0, "-80 dB is silence");
    api.set_parameter(instance, ECHOEL_VOLUME, 0);
    peak_of(instance, 4096);
    check(peak_of(instance, 4096) > 0.9f * loud, "and back again");

    api.send(instance, 100, 0x90, 62, 100);
    check(api.reset(instance) == ECHOEL_OK, "a reset");
    check(peak_of(instance, 8192) == 0, "after a reset there is silence, and what waited is forgotten");
    for (int i = 0; i < 1024; i++) check(api.send(instance, 9, 0xB0, 1, (uint8_t)(i % 128)) == ECHOEL_OK, "message %d", i);
    check(api.send(instance, 9, 0x90, 60, 1) == ECHOEL_QUEUE_FULL, "one message too many is refused");
    check(peak_of(instance, 8192) == 0, "controllers make no sound");
    check(api.send(instance, 9, 0x90, 60, 100) == ECHOEL_OK, "then there is room again");
    check(peak_of(instance, 8192) > 0.01f, "and the next note sounds");

    api.set_parameter(instance, ECHOEL_VOICES, 1);
    prepare(instance, 512, 0);
    check(peak_of(instance, 8192) == 0, "after preparing again there is silence");
    for (uint8_t key = 60; key < 64; key++) api.send(instance, 0, 0x90, key, 100);
    peak_of(instance, 8192);
    echoel_status status;
    check(api.get_status(instance, &status) == ECHOEL_OK && status.voices_peak == 1, "one voice is one");
    api.destroy(instance);
}

/* A network that breaks off: silence and a reason, until the instance is prepared again. */
static void test_broken_network(void) {
    static float left[8192], right[8192];
    echoel *instance = loaded(faulty);
    for (int round = 0; round < 2; round++) {
        prepare(instance, 512, 0);
        api.set_offline(instance, 1);
        api.send(instance, 0, 0x90, 60, 100);
        check(peak_of(instance, 8192) > 0.01f, "a low note sounds");
        api.send(instance, 0, 0x90, 64, 100);
        echoel_result result = ECHOEL_OK;
        for (int block = 0; block < 2; block++) result = api.process(instance, left, right, 8192);
        check(result == ECHOEL_INFERENCE_FAILED, "then the network breaks off");
        for (int i = 0; i < 8192; i++) check(left[i] == 0 && right[i] == 0, "silence, at %d: %g", i, left[i]);
        echoel_status status;
        check(api.get_status(instance, &status) == ECHOEL_INFERENCE_FAILED, "the status knows it");
        check_error("Gather");
        check(status.missed_frames > 0, "what is missing is counted");
    }
    api.destroy(instance);
}

/* NULL everywhere, and everything before it is prepared. */
static void test_null(void) {
    echoel_status status;
    echoel_parameter info;
    float left[96], right[64];
    echoel *instance = (echoel *)&status;
    check(api.create(NULL, NULL, &instance) == ECHOEL_INVALID_ARGUMENT, "no path");
    check(instance == NULL, "no instance then");
    check_error("instrument");
    check(api.create(instrument, NULL, NULL) == ECHOEL_INVALID_ARGUMENT, "nowhere to put it");
    check_error("instance");
    api.destroy(NULL);
    check(api.prepare(NULL, 48000, 512, 0) == ECHOEL_INVALID_ARGUMENT, "prepare");
    check(api.get_status(NULL, &status) == ECHOEL_INVALID_ARGUMENT, "status");
    check(api.sample_rate(NULL) == 0 && api.latency(NULL) == 0, "no rate, no latency");
    check(api.set_offline(NULL, 1) == ECHOEL_INVALID_ARGUMENT, "offline");
    check(api.send(NULL, 0, 0x90, 60, 100) == ECHOEL_INVALID_ARGUMENT, "send");
    check(api.reset(NULL) == ECHOEL_INVALID_ARGUMENT, "reset");
    check(api.parameter_count(NULL) == 0, "no parameters");
    check(api.parameter_info(NULL, 0, &info) == ECHOEL_INVALID_ARGUMENT, "parameter info");
    check(api.get_parameter(NULL, 0) == 0, "no value");
    check(api.set_parameter(NULL, 0, 0) == ECHOEL_INVALID_ARGUMENT, "set parameter");
    for (int i = 0; i < 64; i++) left[i] = right[i] = 1;
    check(api.process(NULL, left, right, 64) == ECHOEL_INVALID_ARGUMENT, "process");
    for (int i = 0; i < 64; i++) check(left[i] == 0 && right[i] == 0, "the channels are silent all the same");
    check(api.process(NULL, NULL, NULL, 64) == ECHOEL_INVALID_ARGUMENT, "process nothing at all");

    instance = created();
    left[0] = 1;
    check(api.process(instance, left, NULL, 64) == ECHOEL_NOT_PREPARED && left[0] == 0, "play before it is prepared");
    check(api.send(instance, 0, 0x90, 60, 100) == ECHOEL_NOT_PREPARED, "send before it is prepared");
    check(api.reset(instance) == ECHOEL_NOT_PREPARED, "reset before it is prepared");
    check(api.get_status(instance, &status) == ECHOEL_NOT_PREPARED, "status before it is prepared");
    check_error("echoel_prepare");
    check(api.latency(instance) == 0, "no latency before it is prepared");
    check(api.get_status(instance, NULL) == ECHOEL_INVALID_ARGUMENT, "status to nowhere");
    check(api.parameter_info(instance, 0, NULL) == ECHOEL_INVALID_ARGUMENT, "parameter info to nowhere");

    prepare(instance, 64, 0);
    api.set_offline(instance, 1);
    check(api.process(instance, NULL, NULL, 0) == ECHOEL_OK, "no frames, no channels");
    api.send(instance, 0, 0x90, 69, 100);
    for (int i = 0; i < 30; i++) check(api.process(instance, NULL, NULL, 64) == ECHOEL_OK, "no channels");
    check(api.process(instance, left, NULL, 64) == ECHOEL_OK, "left only");
    check(left[10] != 0 || left[11] != 0, "the left one sounds");
    check(api.process(instance, NULL, right, 64) == ECHOEL_OK, "right only");
    check(right[10] != 0 || right[11] != 0, "the right one sounds");
    check(api.process(instance, left, left + 32, 64) == ECHOEL_INVALID_ARGUMENT, "channels that overlap");
    const struct {
        uint8_t status, data1, data2;
    } wrong[] = {{0x7F, 0, 0}, {0xF0, 0, 0}, {0xFF, 0, 0}, {0x90, 128, 0}, {0x90, 0, 128}, {0, 0, 0}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        check(api.send(instance, 0, wrong[i].status, wrong[i].data1, wrong[i].data2) == ECHOEL_INVALID_ARGUMENT,
              "a message that is none is refused");
    api.destroy(instance);
}

static void *last_error_elsewhere(void *error) {
    *(const char **)error = api.last_error();
    check((*(const char **)error)[0] == '\0', "another thread's error is not ours");
    return NULL;
}

/* What fails says what it was about, and leaves everything as it was. */
static void test_errors(void) {
    echoel *instance = created();
    const double wrong_rates[] = {7999, 384001, 0, -48000, NAN, INFINITY, 48000.5, 1e300, 47999};
    prepare(instance, 64, 10);
    const uint32_t latency = api.latency(instance);
    for (size_t i = 0; i < sizeof wrong_rates / sizeof wrong_rates[0]; i++) {
        check(api.prepare(instance, wrong_rates[i], 64, 0) == ECHOEL_UNSUPPORTED_RATE, "%g Hz", wrong_rates[i]);
        check_error("48000 Hz");
    }
    check(api.prepare(instance, 48000, 0, 0) == ECHOEL_INVALID_ARGUMENT, "blocks of nothing");
    check(api.prepare(instance, 48000, ECHOEL_MAXIMUM_BLOCK + 1, 0) == ECHOEL_INVALID_ARGUMENT, "blocks too large");
    check_error("16385");
    const char *theirs = NULL;
    on_a_thread(last_error_elsewhere, &theirs);
    check(theirs != api.last_error(), "each thread has an error of its own");
    check(api.prepare(instance, 48000, 1, UINT32_MAX) == ECHOEL_INVALID_ARGUMENT, "too far ahead");
    check(api.latency(instance) == latency, "what was prepared stays prepared");
    check(peak_of(instance, 64) == 0, "and plays");
    api.destroy(instance);

    char path[4200], long_path[4096];
    memset(long_path, 'x', sizeof long_path - 1);
    long_path[sizeof long_path - 1] = '\0';
    snprintf(path, sizeof path, "%s", instrument);
    char *slash = strrchr(path, '/');
    check(slash != NULL, "the instrument's path has a folder");
    const struct {
        const char *name, *says;
    } wrong_paths[] = {
        {"", "instrument.json"},
        {"no_such.instrument.json", "no_such.instrument.json"},
        {"sine_decoder.json", "sine_decoder.json"},
        {"\xFF\xFE.instrument.json", "instrument.json"},
        {long_path, "xxx"},
    };
    for (size_t i = 0; i < sizeof wrong_paths / sizeof wrong_paths[0]; i++) {
        snprintf(slash + 1, sizeof path - (size_t)(slash + 1 - path), "%s", wrong_paths[i].name);
        instance = (echoel *)path;
        check(api.create(path, NULL, &instance) == ECHOEL_CANNOT_LOAD && instance == NULL, "%s", path);
        check_error(wrong_paths[i].says);
    }
    check(api.create(instrument, "/no/such/onnxruntime.so", &instance) == ECHOEL_NO_RUNTIME, "no ONNX Runtime");
    check_error("/no/such/onnxruntime.so");
    for (int result = -1; result < 12; result++) check(api.result_text((echoel_result)result)[0], "a result in words");
}

int main(int count, char **arguments) {
    if (count < 3) return 64;
    fixtures = arguments[2];
    static char paths[2][4096];
    snprintf(paths[0], sizeof paths[0], "%s", fixture("sine.instrument.json"));
    snprintf(paths[1], sizeof paths[1], "%s", fixture("faulty.instrument.json"));
    instrument = paths[0];
    faulty = paths[1];
    seed_random(count > 3 ? strtoull(arguments[3], NULL, 10) : 0);
    for (int i = 4; i < count; i++) check(dlopen(arguments[i], RTLD_NOW | RTLD_GLOBAL) != NULL, "%s", dlerror());
    /* Opened, closed, and opened again. */
    for (int round = 0; round < 2; round++) {
        void *library = open_library(arguments[1]);
        check(api.abi_version() == ECHOEL_ABI_VERSION && api.version()[0], "the library is of this interface");
        allocations_begin();
        echoel *left_open = created();
        check(allocations_end() > 0 || !ALLOCATIONS_ARE_COUNTED, "the library's allocations are counted");
        prepare(left_open, 128, 0);
        test_null();
        test_effects_null();
        if (round == 1) {
            test_errors();
            test_broken_network();
            test_reset_and_parameters();
            test_sound();
            test_in_time();
            test_rates(instrument);
            test_effects();
            test_together(instrument);
            check(allocations_while_playing == 0, "%u allocations while playing", allocations_while_playing);
        }
        api.destroy(left_open);
        check(dlclose(library) == 0, "it closes");
    }
    printf("%u checks\n", checks());
    return 0;
}
