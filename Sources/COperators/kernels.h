// What the operators compute; `operators.c` reads the tensors and holds their shapes against what is said here.
// All tensors are as the classes of the same names in `echoel_training` say.
//
// Room: worker. They allocate nothing.
#ifndef KERNELS_H
#define KERNELS_H
#include <stdint.h>

/// Natural logarithms: the range of a partial's amplitude and of a noise band's gain.
#define QUIETEST (-14.0f)
#define LOUDEST 2.0f

/// Of all operators, the most slots in a run, and the samples of each.
enum { MOST_SLOTS = 16, SLOT_SAMPLES = 128 };

enum { PARTIALS_MOST = 512 };   // amplitudes of a slot

/// `count` partials with `layered` second lines, of which the lowest `moving` are moved; an envelope of `points`.
/// All but the points are multiples of 8; layered and moving ≤ count, and count + 2 · layered ≤ PARTIALS_MOST; points ≥ 2.
typedef struct PartialsShape {
    int64_t batch, slots, count, layered, moving, points;
} PartialsShape;

typedef struct PartialsInputs {
    const float *pitch, *inharmonicity, *detune, *envelope, *own, *shimmer, *last_pitch, *amplitude, *phase, *rate;
} PartialsInputs;

typedef struct PartialsOutputs {
    float *samples, *amplitude, *phase;
} PartialsOutputs;

void echoel_shape_partials(const PartialsShape *, const PartialsInputs *, const PartialsOutputs *);

enum {
    NOISE_BANDS = 16,
    NOISE_SLOT_FRAMES = 8,
    NOISE_SYNTHESIS_MEMORY = 15,
    NOISE_LONGEST_MEMORY = 128,
    NOISE_MOST_FRAMES = MOST_SLOTS * NOISE_SLOT_FRAMES,
    NOISE_MOST_CHANNELS = 64,
};

/// `channels` is a multiple of 16 up to NOISE_MOST_CHANNELS; 2 · dilation ≤ NOISE_LONGEST_MEMORY for each of `blocks`, and
/// `remembered` = the sum of these + 2.
typedef struct NoiseShape {
    int64_t batch, slots, channels, blocks, remembered;
} NoiseShape;

typedef struct NoiseInputs {
    const float *noise, *films, *entered, *remembered, *synthesised;
    const float *input_weight, *input_bias, *dilated_weight, *mix_weight, *mix_bias, *output_weight, *output_bias, *dilations;
    const float *synthesis_matrix;
} NoiseInputs;

typedef struct NoiseOutputs {
    float *samples, *entered, *remembered, *synthesised;
} NoiseOutputs;

void echoel_shape_noise(const NoiseShape *, const NoiseInputs *, const NoiseOutputs *);

enum { SHIMMER_PARTS = 4, SHIMMER_PARTIALS = 128, SHIMMER_FILTER = 5 };

typedef struct ShimmerShape {
    int64_t batch, slots;
} ShimmerShape;

typedef struct ShimmerInputs {
    const float *depth, *noise, *last_pitch, *walks, *filters;
} ShimmerInputs;

typedef struct ShimmerOutputs {
    float *moved, *walks;
} ShimmerOutputs;

void echoel_shimmer(const ShimmerShape *, const ShimmerInputs *, const ShimmerOutputs *);
#endif
