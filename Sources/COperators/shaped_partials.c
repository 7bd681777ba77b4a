// `echoel_training.spectrum.ShapedPartials`, and the partials' sum of `echoel_training.partials.PartialBank`, which says how
// it is cut: 16 steps of 8 samples, and in each step pairs of samples around its middle, so that
// cos(a ± b) = cos a cos b ∓ sin a sin b needs few sines.
#include "kernels.h"
#include "vector.h"
#include <math.h>

enum { STEPS = 16, STEP_SAMPLES = 8, PAIRS = 4, HALVES = STEPS / WIDTH };
#define SAMPLE_RATE 48000.0
#define PHASE_STEPS 524288.0f   // a slot's cycles lie on a grid, so that their sum is exact
#define ENVELOPE_HERTZ 700.0
#define BETWEEN_LAYERS (2.0f / 3.0f)
#define BEAT_SHARE 0.002f
#define FASTEST_BEAT 1.5f
#define STRONGEST_STRING 0.7f
#define STRONGEST_LAYER 100.0f
#define SILENT_HERTZ 23500.0f
#define FULL_HERTZ 22500.0f

/// The lines' frequencies at a pitch.
INLINE void find_frequencies(const PartialsShape *shape, float pitch, float inharmonicity, float detune, const float *rate,
                             float *hertz) {
    const float base = pitch * (1.0f - BETWEEN_LAYERS * detune);
    Floats order = {1, 2, 3, 4, 5, 6, 7, 8};
    for (int64_t k = 0; k < shape->count; k += WIDTH) {
        const Floats stretch = __builtin_elementwise_sqrt((1.0f + inharmonicity * (order * order)) / (1.0f + inharmonicity));
        *place(hertz + k) = base * (order * stretch);
        order += WIDTH;
    }
    const float beats = inharmonicity > 0 ? 1 : 0;
    for (int64_t k = 0; k < shape->layered; k += WIDTH) {
        const Floats first = *load(hertz + k), beat = __builtin_elementwise_min(first * BEAT_SHARE, ALL(FASTEST_BEAT));
        *place(hertz + shape->count + k) = first + (first * detune + beat * (*load(rate + k) * beats));
    }
}

/// The lines' amplitudes: at their frequencies, the second lines at most so much as strong as the first.
INLINE void find_amplitudes(const PartialsShape *shape, const float *hertz, const float *envelope, const float *own,
                            const float *shimmer, float strongest, float *amplitude) {
    const int64_t layered = shape->layered;
    const float scale = (float)((double)(shape->points - 1) / log1p(SAMPLE_RATE / 2 / ENVELOPE_HERTZ));
    const float highest = (float)shape->points - 1.001f;
    for (int64_t k = 0; k < shape->count; k += WIDTH) {
        const Floats at = *load(hertz + k);
        Floats point = at * (float)(1.0 / ENVELOPE_HERTZ) + 1.0f;
        logarithms(&point);
        point *= scale;
        limit(&point, 0, highest);
        // Whatever comes in, even what is no number: within the envelope.
        Bits below = __builtin_convertvector(point, Bits);
        below = __builtin_elementwise_min(__builtin_elementwise_max(below, (Bits){0}), (Bits){0} + (int32_t)shape->points - 2);
        Floats low, high;
        for (int lane = 0; lane < WIDTH; lane++) {
            low[lane] = envelope[below[lane]];
            high[lane] = envelope[below[lane] + 1];
        }
        Floats level = low + (high - low) * (point - __builtin_convertvector(below, Floats));
        if (k < layered) level += *load(own + k);
        limit(&level, QUIETEST, LOUDEST);
        if (k < shape->moving) level += *load(shimmer + k);
        exponentials(&level);
        Floats audible = (SILENT_HERTZ - at) * (1.0f / (SILENT_HERTZ - FULL_HERTZ));
        limit(&audible, 0, 1);
        *place(amplitude + k) = level * audible;
    }
    // A second line's complex amplitude is across + i along times the first's; their powers' sum stays.
    for (int64_t k = 0; k < layered; k += WIDTH) {
        Floats across = *load(own + layered + k), along = *load(own + 2 * layered + k);
        const Floats size = __builtin_elementwise_sqrt(across * across + along * along + 1e-9f);
        const Floats kept = __builtin_elementwise_min(strongest / size, ALL(1.0f));
        across *= kept;
        along *= kept;
        const Floats first = *load(amplitude + k) / __builtin_elementwise_sqrt(1.0f + across * across + along * along);
        *place(amplitude + k) = first;
        *place(amplitude + shape->count + k) = first * across;
        *place(amplitude + shape->count + layered + k) = first * along;
    }
}

/// What a slot's samples are made of: per amplitude (at the slot's start, at its end), pair and step.
typedef struct Parts {
    Floats even[2][PAIRS][HALVES], odd[2][PAIRS][HALVES];
} Parts;

/// Adds a line of amplitude a cos θ − b sin θ; `turn` is the pairs' cosines and then their sines.
INLINE void add_line(Parts *parts, const Floats *cosine, const Floats *sine, const Floats *turn, const float a[2],
                     const float b[2]) {
    for (int level = 0; level < 2; level++) {
        for (int pair = 0; pair < PAIRS; pair++) {
            const float near = (*turn)[pair], far = (*turn)[PAIRS + pair];
            for (int half = 0; half < HALVES; half++) {
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

/// Seconds of the first, and of the last frequency, until each step's middle: the frequency is linear within a slot, so the
/// phase is a parabola. From there to a sample it goes on at their mean, for `away` of their sum.
typedef struct Times {
    Floats early[HALVES], late[HALVES], away;
} Times;

INLINE void find_times(Times *times) {
    for (int step = 0; step < STEPS; step++) {
        const double seconds = (step * STEP_SAMPLES + (STEP_SAMPLES - 1) / 2.0) / SAMPLE_RATE;
        const double bent = seconds * seconds * (0.5 * SAMPLE_RATE / SLOT_SAMPLES);
        times->early[step / WIDTH][step % WIDTH] = (float)(seconds - bent);
        times->late[step / WIDTH][step % WIDTH] = (float)bent;
    }
    for (int n = 0; n < WIDTH; n++) {
        times->away[n] = (float)(((STEP_SAMPLES - 1) / 2.0 - n % PAIRS) * 0.5 / SAMPLE_RATE);
    }
}

/// A slot of the lines' sum. Lines that are silent at both ends cost next to nothing.
INLINE void sum_slot(const PartialsShape *shape, const Times *times, const float *start, const float *end, const float *first,
                     const float *last, float *phase, float *samples) {
    const int64_t lines = shape->count + shape->layered;
    const Floats quarter = {0.25f, 0.25f, 0.25f, 0.25f};
    Parts parts;
    memset(&parts, 0, sizeof parts);
    for (int64_t line = 0; line < lines; line++) {
        const float both = start[line] + end[line], began = phase[line];
        phase[line] = phase_after(began, both);
        const int is_second = line >= shape->count;
        const int64_t along = shape->layered + line;
        const float a[2] = {first[line], last[line]};
        const float b[2] = {is_second ? first[along] : 0, is_second ? last[along] : 0};
        if (a[0] == 0 && a[1] == 0 && b[0] == 0 && b[1] == 0) continue;
        Floats cosine[HALVES], sine[HALVES], turn = times->away * both + quarter;
        for (int half = 0; half < HALVES; half++) {
            sine[half] = began + (times->early[half] * start[line] + times->late[half] * end[line]);
            cosine[half] = sine[half] + 0.25f;
            sines(&sine[half]);
            sines(&cosine[half]);
        }
        sines(&turn);
        if (is_second) {
            add_line(&parts, cosine, sine, &turn, a, b);
        } else {
            add_line(&parts, cosine, sine, &turn, a, NULL);
        }
    }
    write_slot(&parts, samples);
}

INLINE void shape_partials(const PartialsShape *shape, const PartialsInputs *in, const PartialsOutputs *out) {
    const int64_t lines = shape->count + shape->layered, levels = lines + shape->layered;
    Times times;
    find_times(&times);
    float start[PARTIALS_MOST], end[PARTIALS_MOST], amplitude[2][PARTIALS_MOST];
    for (int64_t voice = 0; voice < shape->batch; voice++) {
        float *phase = out->phase + voice * lines, *last = out->amplitude + voice * levels;
        memcpy(phase, in->phase + voice * lines, (size_t)lines * sizeof(float));
        memcpy(amplitude[0], in->amplitude + voice * levels, (size_t)levels * sizeof(float));
        const float *pitch = in->pitch + voice * shape->slots;
        float before = in->last_pitch[voice] <= 0 ? pitch[0] : in->last_pitch[voice];
        for (int64_t slot = 0; slot < shape->slots; slot++) {
            const int64_t row = voice * shape->slots + slot;
            const float inharmonicity = in->inharmonicity[row], detune = in->detune[row];
            const float strongest = (inharmonicity > 0 ? STRONGEST_STRING : 0) + (detune != 0 ? STRONGEST_LAYER : 0);
            find_frequencies(shape, before, inharmonicity, detune, in->rate, start);
            find_frequencies(shape, pitch[slot], inharmonicity, detune, in->rate, end);
            find_amplitudes(shape, end, in->envelope + row * shape->points, in->own + row * 3 * shape->layered,
                            in->shimmer + row * shape->moving, strongest, amplitude[(slot + 1) % 2]);
            sum_slot(shape, &times, start, end, amplitude[slot % 2], amplitude[(slot + 1) % 2], phase,
                     out->samples + row * SLOT_SAMPLES);
            before = pitch[slot];
        }
        memcpy(last, amplitude[shape->slots % 2], (size_t)levels * sizeof(float));
    }
}

static void shape_partials_plain(const PartialsShape *shape, const PartialsInputs *in, const PartialsOutputs *out) {
    shape_partials(shape, in, out);
}
#if defined(AVX2)
AVX2 static void shape_partials_avx2(const PartialsShape *shape, const PartialsInputs *in, const PartialsOutputs *out) {
    shape_partials(shape, in, out);
}
#endif

void echoel_shape_partials(const PartialsShape *shape, const PartialsInputs *in, const PartialsOutputs *out) {
    CHOSEN(shape_partials, shape, in, out);
}
