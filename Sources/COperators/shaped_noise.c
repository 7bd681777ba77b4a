// `echoel_training.noise.ShapedNoise`: every convolution reads its taps where they lie, one voice after the other, so that
// a voice's frames stay in the cache from the noise to the samples.
#include "kernels.h"
#include "vector.h"

enum { ROWS = 4, PANEL = 2 * WIDTH, SLOT_FRAMES = NOISE_SLOT_FRAMES, BANDS = NOISE_BANDS, TAPS = 3 };

/// Four rows, `stride` apart, times `depth` rows of a weight that is `width` wide: its next 16 columns.
INLINE void add_product(Floats sum[ROWS][2], const float *rows, int64_t stride, const float *weight, int64_t width,
                        int64_t depth) {
    for (int64_t i = 0; i < depth; i++) {
        const Floats first = *load(weight + i * width), second = *load(weight + i * width + WIDTH);
        for (int row = 0; row < ROWS; row++) {
            const float value = rows[row * stride + i];
            sum[row][0] += value * first;
            sum[row][1] += value * second;
        }
    }
}

/// A causal convolution of `frames` frames of `inputs` numbers, whose past is before them: `weight [taps · inputs, width]`.
INLINE void convolve(const float *history, int64_t inputs, int64_t taps, int64_t dilation, const float *weight,
                     const float *bias, int64_t width, int64_t frames, float *out) {
    // Neighbouring taps are one long row.
    const int64_t parts = dilation == 1 ? 1 : taps, depth = dilation == 1 ? taps * inputs : inputs;
    for (int64_t column = 0; column < width; column += PANEL) {
        for (int64_t frame = 0; frame < frames; frame += ROWS) {
            Floats sum[ROWS][2];
            for (int row = 0; row < ROWS; row++) {
                for (int half = 0; half < 2; half++) {
                    sum[row][half] = bias ? *load(bias + column + half * WIDTH) : ALL(0.0f);
                }
            }
            for (int64_t part = 0; part < parts; part++) {
                add_product(sum, history + (frame + part * dilation) * inputs, inputs, weight + part * depth * width + column,
                            width, depth);
            }
            for (int row = 0; row < ROWS; row++) {
                for (int half = 0; half < 2; half++) {
                    *place(out + (frame + row) * width + column + half * WIDTH) = sum[row][half];
                }
            }
        }
    }
}

INLINE void rectify(Floats *x) { *x = __builtin_elementwise_max(*x, *x * 0.2f); }

/// Puts `frames` after what is remembered of those before them, and remembers the last ones.
INLINE void follow(float *history, const float *remembered, int64_t memory, const float *frames, int64_t count, int64_t width,
                   int is_rectified, float *next) {
    memcpy(history, remembered, (size_t)(memory * width) * sizeof(float));
    for (int64_t i = 0; i < count * width; i += WIDTH) {
        Floats x = *load(frames + i);
        if (is_rectified) rectify(&x);
        *place(history + memory * width + i) = x;
    }
    memcpy(next, history + count * width, (size_t)(memory * width) * sizeof(float));
}

/// A film's values at a frame, on a line from the slot's start to its end.
INLINE void between(Floats *value, const float *start, const float *end, int64_t frame) {
    const float later = (float)(frame % SLOT_FRAMES + 1) / SLOT_FRAMES;
    *value = *load(start) * (1.0f - later) + *load(end) * later;
}

/// What a block's film makes of its dilated convolution: leaky(scale · x + shift).
INLINE void apply_film(float *x, const float *films, int64_t film, int64_t channels, int64_t frames) {
    for (int64_t frame = 0; frame < frames; frame++) {
        const float *start = films + frame / SLOT_FRAMES * film, *end = start + film;
        for (int64_t i = 0; i < channels; i += WIDTH) {
            Floats scale, shift, *value = place(x + frame * channels + i);
            between(&scale, start + i, end + i, frame);
            between(&shift, start + channels + i, end + channels + i, frame);
            *value = *value * scale + shift;
            rectify(value);
        }
    }
}

INLINE void apply_gains(float *bands, const float *films, int64_t film, int64_t frames) {
    for (int64_t frame = 0; frame < frames; frame++) {
        const float *start = films + frame / SLOT_FRAMES * film, *end = start + film;
        for (int64_t i = 0; i < BANDS; i += WIDTH) {
            Floats gain;
            between(&gain, start + i, end + i, frame);
            limit(&gain, QUIETEST, LOUDEST);
            exponentials(&gain);
            *place(bands + frame * BANDS + i) *= gain;
        }
    }
}

INLINE void shape_noise(const NoiseShape *shape, const NoiseInputs *in, const NoiseOutputs *out) {
    const int64_t channels = shape->channels, frames = shape->slots * SLOT_FRAMES, square = channels * channels;
    const int64_t film = 2 * channels * shape->blocks + BANDS;
    float history[(NOISE_LONGEST_MEMORY + NOISE_MOST_FRAMES) * NOISE_MOST_CHANNELS];
    float x[NOISE_MOST_FRAMES * NOISE_MOST_CHANNELS], hidden[NOISE_MOST_FRAMES * NOISE_MOST_CHANNELS];
    for (int64_t voice = 0; voice < shape->batch; voice++) {
        const float *films = in->films + voice * (shape->slots + 1) * film;
        int64_t row = voice * shape->remembered * channels;
        follow(history, in->entered + voice * (TAPS - 1) * BANDS, TAPS - 1, in->noise + voice * frames * BANDS, frames, BANDS, 0,
               out->entered + voice * (TAPS - 1) * BANDS);
        convolve(history, BANDS, TAPS, 1, in->input_weight, in->input_bias, channels, frames, x);
        for (int64_t block = 0; block < shape->blocks; block++) {
            const int64_t dilation = (int64_t)in->dilations[block], memory = (TAPS - 1) * dilation;
            follow(history, in->remembered + row, memory, x, frames, channels, 1, out->remembered + row);
            convolve(history, channels, TAPS, dilation, in->dilated_weight + block * TAPS * square, NULL, channels, frames, hidden);
            apply_film(hidden, films + 2 * block * channels, film, channels, frames);
            convolve(hidden, channels, 1, 1, in->mix_weight + block * square, in->mix_bias + block * channels, channels, frames,
                     history);
            for (int64_t i = 0; i < frames * channels; i += WIDTH) *place(x + i) += *load(history + i);
            row += memory * channels;
        }
        follow(history, in->remembered + row, TAPS - 1, x, frames, channels, 1, out->remembered + row);
        convolve(history, channels, TAPS, 1, in->output_weight, in->output_bias, BANDS, frames, hidden);
        apply_gains(hidden, films + 2 * shape->blocks * channels, film, frames);
        follow(history, in->synthesised + voice * NOISE_SYNTHESIS_MEMORY * BANDS, NOISE_SYNTHESIS_MEMORY, hidden, frames, BANDS, 0,
               out->synthesised + voice * NOISE_SYNTHESIS_MEMORY * BANDS);
        convolve(history, BANDS, NOISE_SYNTHESIS_MEMORY + 1, 1, in->synthesis_matrix, NULL, BANDS, frames,
                 out->samples + voice * frames * BANDS);
    }
}

static void shape_noise_plain(const NoiseShape *shape, const NoiseInputs *in, const NoiseOutputs *out) {
    shape_noise(shape, in, out);
}
#if defined(AVX2)
AVX2 static void shape_noise_avx2(const NoiseShape *shape, const NoiseInputs *in, const NoiseOutputs *out) {
    shape_noise(shape, in, out);
}
#endif

void echoel_shape_noise(const NoiseShape *shape, const NoiseInputs *in, const NoiseOutputs *out) {
    CHOSEN(shape_noise, shape, in, out);
}
