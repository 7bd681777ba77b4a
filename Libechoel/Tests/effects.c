/* Effects: the echo of both channels at 44.1 kHz (half and a quarter as loud, and once more 300 samples later), and a model
 * without a manifest that makes one channel half as loud. */
#define _GNU_SOURCE
#include "host.h"
#include <math.h>
#include <pthread.h>

enum { FRAMES = 40000, MOST = 8192 };

static echoel_effect *opened(const char *name, uint32_t hop) {
    echoel_effect *effect = NULL;
    check(api.effect_create(fixture(name), hop, NULL, &effect) == ECHOEL_OK, "%s", api.last_error());
    check(effect != NULL && api.last_error()[0] == '\0', "a good call leaves no error");
    return effect;
}

static void prepare_effect(echoel_effect *effect, double rate, uint32_t channels, uint32_t max_block, uint32_t work) {
    check(api.effect_prepare(effect, rate, channels, max_block, work) == ECHOEL_OK, "%s", api.last_error());
    check(api.effect_set_offline(effect, 1) == ECHOEL_OK, "offline");
}

static float noise(uint32_t frame, uint32_t channel) {
    const uint32_t mixed = (frame * 2654435761u) ^ (channel * 40503u + 977u) * 2246822519u;
    return (float)(int32_t)(mixed ^ mixed >> 15) / 4294967296.0f;
}

static float tone(double rate, double hertz, double frame) {
    return (float)sin(2 * 3.14159265358979 * hertz * frame / rate);
}

/* Sends `input` through, cut as it is said, and gives what comes out of it in time with it. `in_place`: into the input. */
static void send_through(echoel_effect *effect, uint32_t channels, struct cutting cutting, int in_place,
                         float (*input)[FRAMES], float (*heard)[FRAMES]) {
    static float in[16][MOST], out[16][MOST];
    const float *inputs[16];
    float *outputs[16];
    for (uint32_t channel = 0; channel < channels; channel++) {
        inputs[channel] = in[channel];
        outputs[channel] = in_place ? in[channel] : out[channel];
    }
    const uint32_t latency = api.effect_latency(effect);
    uint32_t position = 0;
    while (position < FRAMES + latency) {
        const uint32_t frames = cutting.is_random ? 1 + (uint32_t)(random_number() % cutting.size) : cutting.size;
        for (uint32_t channel = 0; channel < channels; channel++)
            for (uint32_t i = 0; i < frames; i++)
                in[channel][i] = position + i < FRAMES ? input[channel][position + i] : 0;
        allocations_begin();
        check(api.effect_process(effect, inputs, outputs, frames) == ECHOEL_OK, "a block is played");
        allocations_while_playing += allocations_end();
        for (uint32_t channel = 0; channel < channels; channel++)
            for (uint32_t i = 0; i < frames; i++)
                if (position + i >= latency && position + i - latency < FRAMES)
                    heard[channel][position + i - latency] = outputs[channel][i];
        position += frames;
    }
    echoel_effect_status status;
    check(api.effect_get_status(effect, &status) == ECHOEL_OK, "%s", api.last_error());
    check(status.missed_frames == 0 && status.overloads == 0 && status.late_hops == 0, "nothing is late offline");
    check(status.input_level > 0 && status.output_level > 0, "the levels are noted");
}

static float input[3][FRAMES], heard[3][FRAMES], expected[3][FRAMES];

static const struct {
    uint32_t max_block, work;
    struct cutting cutting;
} cases[] = {
    {512, ECHOEL_WORK_OF_A_HOP, {512, 0, 0}}, {1, 1, {7, 1, 0}},
    {64, 200, {64, 0, 0}},                    {8192, 17, {8192, 1, 0}},
    {100, ECHOEL_WORK_OF_A_HOP, {5000, 1, 0}}, {ECHOEL_MAXIMUM_BLOCK, ECHOEL_MAXIMUM_WORK, {999, 1, 0}},
};

/* At its own rate the echo is known to the bit; at others it is what blocks of 512 make of it, and the echo of a tone. */
static void test_echo(echoel_effect *effect, double rate) {
    for (uint32_t i = 0; i < FRAMES; i++) {
        input[0][i] = noise(i, 0);
        input[1][i] = rate == 44100 ? noise(i, 1) : tone(rate, 1234.5, i);
    }
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        prepare_effect(effect, rate, 2, cases[i].max_block, cases[i].work);
        memset(heard, 0, sizeof heard);
        send_through(effect, 2, cases[i].cutting, (int)i % 2, input, heard);
        if (i == 0) memcpy(expected, heard, sizeof heard);
        for (uint32_t channel = 0; channel < 2; channel++)
            for (uint32_t k = 0; k < FRAMES; k++)
                check(heard[channel][k] == expected[channel][k], "%g Hz, case %zu: sample %u", rate, i, k);
    }
    for (uint32_t k = 0; k < FRAMES - 2000; k++) {
        if (rate == 44100) {
            for (uint32_t channel = 0; channel < 2; channel++) {
                const float before = k < 300 ? 0 : input[channel][k - 300];
                check(expected[channel][k] == (channel ? 0.25f : 0.5f) * (input[channel][k] + before), "sample %u", k);
            }
        } else if (k > 4000) {
            const double both = tone(rate, 1234.5, k) + tone(rate, 1234.5, k - 300 * rate / 44100);
            check(fabs(expected[1][k] - 0.25 * both) < 3e-5, "%g Hz: sample %u is %g", rate, k, expected[1][k]);
        }
    }
    /* Forgotten, it begins anew. */
    check(api.effect_reset(effect) == ECHOEL_OK, "a reset");
    memset(heard, 0, sizeof heard);
    send_through(effect, 2, (struct cutting){700, 1, 0}, 0, input, heard);
    check(memcmp(heard, expected, sizeof heard) == 0, "after a reset it is as it was at %g Hz", rate);
}

/* A model without a manifest, whose hops are given; each channel goes through by itself. */
static void test_bare(void) {
    for (uint32_t channels = 1; channels <= 3; channels++) {
        echoel_effect *effect = opened("gain_effect.onnx", 100 + channels);
        check(api.effect_channels(effect) == 1 && api.effect_sample_rate(effect) == 0, "one channel, any rate");
        for (uint32_t channel = 0; channel < channels; channel++)
            for (uint32_t i = 0; i < FRAMES; i++) input[channel][i] = noise(i, channel + 5);
        prepare_effect(effect, 384000, channels, 256, ECHOEL_WORK_OF_A_HOP);
        send_through(effect, channels, (struct cutting){700, 1, 0}, 1, input, heard);
        for (uint32_t channel = 0; channel < channels; channel++)
            for (uint32_t i = 0; i < FRAMES; i++)
                check(heard[channel][i] == 0.5f * input[channel][i], "half as loud, at %u", i);
        api.effect_destroy(effect);
    }
}

/* In real time what is late is the sound as it came in; nothing waits, and nothing breaks. */
static void *play_in_time(void *argument) {
    echoel_effect *effect = argument;
    static float in[2][MOST], out[2][MOST];
    const float *inputs[] = {in[0], in[1]};
    float *outputs[] = {out[0], out[1]};
    for (uint32_t i = 0; i < MOST; i++) in[0][i] = in[1][i] = noise(i, 9);
    in[0][17] = NAN;
    in[1][18] = INFINITY;
    for (int block = 0; block < 300; block++) {
        const uint32_t frames = 1 + (uint32_t)(random_number() % MOST);
        allocations_begin();
        check(api.effect_process(effect, inputs, outputs, frames) == ECHOEL_OK, "a block is played");
        if (block % 50 == 49) check(api.effect_reset(effect) == ECHOEL_OK, "a reset");
        check(api.effect_latency(effect) > 0, "the latency is known");
        allocations_while_playing += allocations_end();
        for (uint32_t i = 0; i < frames; i++)
            check(fabsf(out[0][i]) < 4 && fabsf(out[1][i]) < 4, "the sound is finite, at %u: %g", i, out[0][i]);
    }
    return NULL;
}

static void test_errors(echoel_effect *effect) {
    const double wrong_rates[] = {7999, 384001, 0, -1, NAN, INFINITY, 44100.5, 44101};
    prepare_effect(effect, 48000, 0, 64, 10);
    const uint32_t latency = api.effect_latency(effect);
    for (size_t i = 0; i < sizeof wrong_rates / sizeof wrong_rates[0]; i++) {
        check(api.effect_prepare(effect, wrong_rates[i], 2, 64, 10) == ECHOEL_UNSUPPORTED_RATE, "%g", wrong_rates[i]);
        check_error("44100 Hz");
    }
    const struct {
        uint32_t channels, max_block, work;
        const char *says;
    } wrong[] = {
        {1, 64, 1, "2 channels"},      {3, 64, 1, "3"},       {UINT32_MAX, 64, 1, "2 channels"},
        {2, 0, 1, "1 to 16384"},       {2, 16385, 1, "16385"}, {2, UINT32_MAX, 1, "16384"},
        {2, 64, 65537, "65537"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        check(api.effect_prepare(effect, 48000, wrong[i].channels, wrong[i].max_block, wrong[i].work) ==
                  ECHOEL_INVALID_ARGUMENT, "case %zu", i);
        check_error(wrong[i].says);
    }
    check(api.effect_latency(effect) == latency, "what was prepared stays prepared");
    send_through(effect, 2, (struct cutting){64, 0, 0}, 0, input, heard);

    const struct {
        const char *name, *says;
        uint32_t hop;
        echoel_result result;
    } models[] = {
        {"no_such.onnx", "no_such.onnx", 0, ECHOEL_CANNOT_LOAD},
        {"sine.instrument.json", ".onnx", 0, ECHOEL_CANNOT_LOAD},
        {"gain_effect.onnx", "hop", 0, ECHOEL_CANNOT_LOAD},
        {"gain_effect.onnx", "65537", 65537, ECHOEL_INVALID_ARGUMENT},
        {"sine_decoder.onnx", "inputs", 128, ECHOEL_CANNOT_LOAD},
        {"nan_weights.onnx", "", 0, ECHOEL_CANNOT_LOAD},
    };
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        echoel_effect *none = (echoel_effect *)input;
        check(api.effect_create(fixture(models[i].name), models[i].hop, NULL, &none) == models[i].result && !none,
              "%s: %s", models[i].name, api.last_error());
        check_error(models[i].says);
    }
    echoel_effect *none = NULL;
    check(api.effect_create(fixture("echo_effect.onnx"), 0, "/no/such/onnxruntime.so", &none) == ECHOEL_NO_RUNTIME,
          "no ONNX Runtime");
}

void test_effects_null(void) {
    echoel_effect_status status;
    float sound[64] = {1};
    const float *inputs[] = {sound, NULL};
    float *outputs[] = {NULL, sound};
    echoel_effect *effect = (echoel_effect *)&status;
    check(api.effect_create(NULL, 0, NULL, &effect) == ECHOEL_INVALID_ARGUMENT && effect == NULL, "no path");
    check_error("model");
    check(api.effect_create(fixture("echo_effect.onnx"), 0, NULL, NULL) == ECHOEL_INVALID_ARGUMENT, "nowhere to put it");
    api.effect_destroy(NULL);
    check(api.effect_prepare(NULL, 48000, 2, 64, 1) == ECHOEL_INVALID_ARGUMENT, "prepare");
    check(api.effect_channels(NULL) == 0 && api.effect_sample_rate(NULL) == 0, "no channels, no rate");
    check(api.effect_latency(NULL) == 0 && api.effect_set_offline(NULL, 1) == ECHOEL_INVALID_ARGUMENT, "no latency");
    check(api.effect_process(NULL, inputs, outputs, 64) == ECHOEL_INVALID_ARGUMENT, "process");
    check(api.effect_reset(NULL) == ECHOEL_INVALID_ARGUMENT, "reset");
    check(api.effect_get_status(NULL, &status) == ECHOEL_INVALID_ARGUMENT, "status");

    effect = opened("echo_effect.onnx", 0);
    check(api.effect_channels(effect) == 2 && api.effect_sample_rate(effect) == 44100, "what the manifest says");
    check(api.effect_process(effect, inputs, outputs, 64) == ECHOEL_NOT_PREPARED && sound[0] == 1, "not prepared");
    check(api.effect_reset(effect) == ECHOEL_NOT_PREPARED && api.effect_latency(effect) == 0, "not prepared");
    check(api.effect_get_status(effect, &status) == ECHOEL_NOT_PREPARED, "not prepared");
    check_error("echoel_effect_prepare");
    prepare_effect(effect, 44100, 0, 64, 1);
    check(api.effect_get_status(effect, NULL) == ECHOEL_INVALID_ARGUMENT, "status to nowhere");
    for (int block = 0; block < 20; block++) {
        sound[0] = 1;
        check(api.effect_process(effect, block % 2 ? inputs : NULL, block % 3 ? outputs : NULL, 64) == ECHOEL_OK, "NULL");
        check(sound[0] == (block % 3 ? 0 : 1), "silence comes out of silence, where somebody asks for it");
    }
    check(api.effect_process(effect, NULL, NULL, 0) == ECHOEL_OK, "no frames");
    api.effect_destroy(effect);
}

void test_effects(void) {
    echoel_effect *effect = opened("echo_effect.onnx", 0);
    const double rates[] = {44100, 22050, 48000, 88200, 96000, 192000, 44100};
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) test_echo(effect, rates[i]);
    test_errors(effect);
    check(api.effect_prepare(effect, 48000, 2, 512, ECHOEL_WORK_OF_A_HOP) == ECHOEL_OK, "%s", api.last_error());
    check(api.effect_set_offline(effect, 0) == ECHOEL_OK, "in real time");
    on_a_thread(play_in_time, effect);
    api.effect_destroy(effect);
    test_bare();
}

/* ---- Two instruments and two effects at once, each on a thread. ---- */

struct part {
    echoel *instrument;
    echoel_effect *effect;
    float sound[2][LENGTH];
};

static void *play_part(void *argument) {
    struct part *part = argument;
    float in[2][512];
    const float *inputs[] = {in[0], in[1]};
    float *outputs[] = {in[0], in[1]};
    for (uint32_t position = 0; position + 512 <= LENGTH; position += 512) {
        if (part->instrument) {
            if (position % 8192 == 0) api.send(part->instrument, 100, 0x90, (uint8_t)(48 + position / 4096), 90);
            check(api.process(part->instrument, in[0], in[1], 512) == ECHOEL_OK, "a block is played");
        } else {
            for (uint32_t i = 0; i < 512; i++) in[0][i] = in[1][i] = noise(position + i, 3);
            check(api.effect_process(part->effect, inputs, outputs, 512) == ECHOEL_OK, "a block is played");
        }
        for (int channel = 0; channel < 2; channel++)
            memcpy(part->sound[channel] + position, in[channel], sizeof in[channel]);
    }
    return NULL;
}

void test_together(const char *instrument) {
    static struct part parts[4], alone[4];
    static const int order[] = {2, 0, 3, 1};
    for (int round = 0; round < 2; round++) {
        struct part *all = round ? parts : alone;
        for (int i = 0; i < 4; i++) {
            if (i < 2) {
                all[i].instrument = loaded(instrument);
                check(api.prepare(all[i].instrument, i ? 44100 : 96000, 512, 0) == ECHOEL_OK, "%s", api.last_error());
                api.set_offline(all[i].instrument, 1);
            } else {
                all[i].effect = opened("echo_effect.onnx", 0);
                prepare_effect(all[i].effect, i == 2 ? 44100 : 48000, 2, 512, 100);
            }
            if (round == 0) play_part(&all[i]);
        }
        if (round == 1) {
            pthread_t threads[4];
            for (int i = 0; i < 4; i++) check(pthread_create(&threads[i], NULL, play_part, &all[i]) == 0, "a thread");
            for (int i = 0; i < 4; i++) check(pthread_join(threads[i], NULL) == 0, "a thread ends");
        }
        for (int i = 0; i < 4; i++) {
            struct part *part = &all[order[i]];
            if (part->instrument) api.destroy(part->instrument);
            else api.effect_destroy(part->effect);
        }
    }
    for (int i = 0; i < 4; i++) {
        float most = 0;
        for (int k = 0; k < LENGTH; k++) most = fmaxf(most, fabsf(alone[i].sound[0][k]));
        check(most > 0.01f, "part %d is heard", i);
        check(memcmp(alone[i].sound, parts[i].sound, sizeof parts[i].sound) == 0, "part %d is as if alone", i);
    }
}
