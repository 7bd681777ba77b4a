// The partials' sum of `echoel_training.partials.PartialBank`, which says how it is cut: 16 steps of 8 samples, and in each
// step pairs of samples around its middle, so that cos(a ± b) = cos a cos b ∓ sin a sin b needs few sines.
#include "COperators.h"
#include <math.h>
#include <string.h>

enum { SLOT_SAMPLES = 128, STEPS = 16, STEP_SAMPLES = 8, PAIRS = 4, WIDTH = 8 };
#define SAMPLE_RATE 48000.0
#define PHASE_STEPS 524288.0f   // a slot's cycles lie on a grid, so that their sum is exact

typedef float Floats __attribute__((vector_size(4 * WIDTH), aligned(4)));
typedef int32_t Bits __attribute__((vector_size(4 * WIDTH), aligned(4)));
#define INLINE static inline __attribute__((always_inline))

/// sin(2π x), to 2e-7: x folded onto a quarter turn, and there the odd polynomial of least largest error.
INLINE void sines(Floats *x) {
    Floats turn = *x;
    const Floats whole = (Floats){0} + 12582912.0f;   // 1.5 · 2^23: adding it rounds
    turn -= (turn + whole) - whole;
    const Bits sign = (Bits)turn & ((Bits){0} + INT32_MIN);
    Floats apart = (Floats)((Bits)turn ^ sign) - 0.25f;
    apart = (Floats)((Bits)apart & ((Bits){0} + INT32_MAX));
    turn = (Floats)((Bits)(0.25f - apart) | sign);
    const Floats square = turn * turn;
    Floats sum = square * -14.3370252f + 41.9999900f;
    sum = sum * square + -76.7036678f;
    sum = sum * square + 81.6052094f;
    sum = sum * square + -41.3417019f;
    *x = (sum * square + 6.28318531f) * turn;
}

/// What a slot's samples are made of: per amplitude (at the slot's start, at its end), pair and step.
typedef struct Parts {
    Floats even[2][PAIRS][STEPS / WIDTH], odd[2][PAIRS][STEPS / WIDTH];
} Parts;

/// Adds a line of amplitude a cos θ − b sin θ; `turn` is the pairs' cosines and then their sines.
INLINE void add_line(Parts *parts, const Floats *cosine, const Floats *sine, const Floats *turn, const float a[2],
                     const float b[2]) {
    for (int level = 0; level < 2; level++) {
        for (int pair = 0; pair < PAIRS; pair++) {
            const float near = (*turn)[pair], far = (*turn)[PAIRS + pair];
            for (int half = 0; half < STEPS / WIDTH; half++) {
                Floats even = cosine[half] * (near * a[level]), odd = sine[half] * (far * a[level]);
                if (b) {
                    even -= sine[half] * (near * b[level]);
                    odd += cosine[half] * (far * b[level]);
                }
                parts->even[level][pair][half] += even;
                parts->odd[level][pair][half] += odd;
            }
        }
    }
}

INLINE void write_slot(const Parts *parts, float *samples) {
    for (int step = 0; step < STEPS; step++) {
        for (int n = 0; n < STEP_SAMPLES; n++) {
            const int pair = n < PAIRS ? n : STEP_SAMPLES - 1 - n, half = step / WIDTH, lane = step % WIDTH;
            const float side = n < PAIRS ? 1.0f : -1.0f;
            const float first = parts->even[0][pair][half][lane] + side * parts->odd[0][pair][half][lane];
            const float last = parts->even[1][pair][half][lane] + side * parts->odd[1][pair][half][lane];
            const int sample = step * STEP_SAMPLES + n;
            samples[sample] = first + (last - first) * ((float)sample / SLOT_SAMPLES);
        }
    }
}

/// The phase a slot later.
INLINE float phase_after(float phase, float both) {
    float cycles = nearbyintf(both * (float)(0.5 * SLOT_SAMPLES / SAMPLE_RATE * PHASE_STEPS)) * (1.0f / PHASE_STEPS);
    phase += cycles - floorf(cycles);
    return phase - floorf(phase);
}

INLINE void sum_partials(const PartialBankShape *shape, const float *hertz, const float *amplitude, const float *before,
                         const float *phase, float *samples, float *next_phase) {
    const int64_t lines = shape->lines, layered = shape->layered, levels = lines + layered, single = lines - layered;
    // The frequency is linear within a slot, so the phase is a parabola: seconds of the first, and of the last frequency
    // until each step's middle. From there to a sample it goes on at their mean.
    Floats early[STEPS / WIDTH], late[STEPS / WIDTH], away;
    for (int step = 0; step < STEPS; step++) {
        const double seconds = (step * STEP_SAMPLES + (STEP_SAMPLES - 1) / 2.0) / SAMPLE_RATE;
        const double bent = seconds * seconds * (0.5 * SAMPLE_RATE / SLOT_SAMPLES);
        early[step / WIDTH][step % WIDTH] = (float)(seconds - bent);
        late[step / WIDTH][step % WIDTH] = (float)bent;
    }
    for (int n = 0; n < WIDTH; n++) away[n] = (float)(((STEP_SAMPLES - 1) / 2.0 - n % PAIRS) * 0.5 / SAMPLE_RATE);
    const Floats quarter = {0.25f, 0.25f, 0.25f, 0.25f};

    for (int64_t voice = 0; voice < shape->batch; voice++) {
        float *now = next_phase + voice * lines;
        memcpy(now, phase + voice * lines, (size_t)lines * sizeof(float));
        for (int64_t slot = 0; slot < shape->slots; slot++) {
            const int64_t row = voice * shape->slots + slot;
            const float *start = hertz + row * 2 * lines, *end = start + lines;
            const float *last = amplitude + row * levels;
            const float *first = slot > 0 ? last - levels : before + voice * levels;
            Parts parts;
            memset(&parts, 0, sizeof parts);
            for (int64_t line = 0; line < lines; line++) {
                const float both = start[line] + end[line], began = now[line];
                now[line] = phase_after(began, both);
                const float a[2] = {first[line], last[line]};
                const int64_t along = layered + line;   // where a second line's other amplitude is
                const float b[2] = {line < single ? 0 : first[along], line < single ? 0 : last[along]};
                if (a[0] == 0 && a[1] == 0 && b[0] == 0 && b[1] == 0) continue;
                Floats cosine[STEPS / WIDTH], sine[STEPS / WIDTH], turn = away * both + quarter;
                for (int half = 0; half < STEPS / WIDTH; half++) {
                    sine[half] = began + (early[half] * start[line] + late[half] * end[line]);
                    cosine[half] = sine[half] + 0.25f;
                    sines(&sine[half]);
                    sines(&cosine[half]);
                }
                sines(&turn);
                if (line < single) {
                    add_line(&parts, cosine, sine, &turn, a, NULL);
                } else {
                    add_line(&parts, cosine, sine, &turn, a, b);
                }
            }
            write_slot(&parts, samples + row * SLOT_SAMPLES);
        }
    }
}

#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) static void sum_partials_avx2(
    const PartialBankShape *shape, const float *hertz, const float *amplitude, const float *before, const float *phase,
    float *samples, float *next_phase) {
    sum_partials(shape, hertz, amplitude, before, phase, samples, next_phase);
}
#endif

void echoel_partial_bank(const PartialBankShape *shape, const float *hertz, const float *amplitude, const float *before,
                         const float *phase, float *samples, float *next_phase) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        sum_partials_avx2(shape, hertz, amplitude, before, phase, samples, next_phase);
        return;
    }
#endif
    sum_partials(shape, hertz, amplitude, before, phase, samples, next_phase);
}
