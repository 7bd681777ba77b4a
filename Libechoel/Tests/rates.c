/* An instrument at other rates than its own. */
#define _GNU_SOURCE
#include "host.h"
#include <math.h>

static const double rates[] = {48000, 22050, 44100, 88200, 96000, 192000, 8000, 11025, 384000, 48000};

/* The filter reaches so far, 72 samples of the lower rate and one of the instrument's. */
static uint32_t reach(double rate) { return rate == 48000 ? 0 : (uint32_t)ceil(74 * fmax(1, rate / 48000)); }

static void prepare_at(echoel *instance, double rate, uint32_t max_block, uint32_t look_ahead) {
    check(api.prepare(instance, rate, max_block, look_ahead) == ECHOEL_OK, "%s", api.last_error());
    check(api.latency(instance) >= max_block + look_ahead + reach(rate) * 9 / 10, "the latency has its parts");
    api.set_offline(instance, 1);
}

static float peak(const float *samples, uint32_t count) {
    float peak = 0;
    for (uint32_t i = 0; i < count; i++) peak = fmaxf(peak, fabsf(samples[i]));
    return peak;
}

/* Sound that does not depend on blocks, what was prepared, or what was played before. */
static void test_blocks(echoel *first, echoel *second, double rate) {
    static float expected[LENGTH], heard[LENGTH], first_at_own[LENGTH];
    static int has_own;
    const uint32_t early = reach(rate);
    prepare_at(first, rate, 512, ECHOEL_DEFAULT_LOOK_AHEAD);
    play(first, (struct cutting){512, 0, 0}, early, expected);
    const uint32_t step = (uint32_t)ceil(4 * fmax(1, rate / 48000));
    const float *last = expected + LAST + early;
    check(peak(last - 4 * step, 2 * step) < 0.3f * peak(last, 4 * step), "at %g Hz the last note begins in time", rate);
    check(peak(expected, LENGTH) > 0.01f && peak(expected, LENGTH) < 10, "the sound is heard at %g Hz", rate);

    const struct {
        uint32_t max_block, look_ahead;
        struct cutting cutting;
    } cases[] = {{1, 0, {3, 1, 0}}, {64, 0, {64, 0, 1}}, {8192, 100, {8192, 1, 0}}, {333, 7, {5000, 1, 1}}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        prepare_at(second, rate, cases[i].max_block, cases[i].look_ahead);
        memset(heard, 0, sizeof heard);
        play(second, cases[i].cutting, early, heard);
        for (int k = 0; k < LENGTH; k++)
            check(heard[k] == expected[k], "%g Hz, case %zu: sample %d is %g, and in blocks of 512 it is %g", rate, i, k,
                  heard[k], expected[k]);
        echoel_status status;
        check(api.get_status(second, &status) == ECHOEL_OK && status.missed_frames == 0, "nothing is late offline");
        check(status.frames >= LENGTH, "frames are the host's");
    }
    if (rate == 48000 && !has_own) memcpy(first_at_own, expected, sizeof expected);
    if (rate == 48000 && has_own) check(memcmp(first_at_own, expected, sizeof expected) == 0, "as before");
    if (rate == 48000) has_own = 1;
}

/* A4 is A4: as many periods in half a second, one more or less. */
static void test_pitch(echoel *instance, double rate) {
    static float left[1024];
    prepare_at(instance, rate, 512, 0);
    api.send(instance, 0, 0x90, 69, 100);
    const uint32_t begin = (uint32_t)(rate / 4), end = (uint32_t)(rate * 3 / 4);
    int periods = 0;
    float before = 0;
    for (uint32_t position = 0; position < end; position += 512) {
        check(api.process(instance, left, NULL, 512) == ECHOEL_OK, "a block is played");
        for (uint32_t i = 0; i < 512; i++) {
            if (position + i >= begin && position + i < end && before <= 0 && left[i] > 0) periods++;
            before = left[i];
        }
    }
    check(abs(periods - 220) <= 1, "%d periods of A4 in half a second at %g Hz", periods, rate);
}

void test_rates(const char *instrument) {
    echoel *first = loaded(instrument), *second = loaded(instrument);
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        test_blocks(first, second, rates[i]);
        test_pitch(second, rates[i]);
    }
    api.destroy(first);
    api.destroy(second);
}
