// `echoel_training.shimmer.Shimmer`: noise through two equal one-pole filters, slot by slot.
#include "kernels.h"
#include "vector.h"

enum { PARTS = SHIMMER_PARTS, PARTIALS = SHIMMER_PARTIALS, BLOCK = 8, NEIGHBOURS = 8, AWAY = PARTIALS / BLOCK / PARTS };
#define LOGARITHM_OF_DEEPEST -0.223143551f   // of 0.8
#define HIGHEST 1.0f

/// The noise that drives one part's walks: a slot's in other blocks, the last part's summed over neighbours.
INLINE void find_drive(float *drive, const float *noise, int part, int turn) {
    float moved[PARTIALS + NEIGHBOURS];
    const int blocks = PARTIALS / BLOCK;
    for (int block = 0; block < blocks; block++) {
        const int source = (block + 2 * blocks - part * AWAY - turn) % blocks;
        memcpy(moved + block * BLOCK, noise + source * BLOCK, BLOCK * sizeof(float));
    }
    if (part < PARTS - 1) {
        memcpy(drive, moved, PARTIALS * sizeof(float));
        return;
    }
    memcpy(moved + PARTIALS, moved, NEIGHBOURS * sizeof(float));
    for (int i = 0; i < PARTIALS; i += WIDTH) {
        Floats sum = ALL(0.0f);
        for (int near = 0; near < NEIGHBOURS; near++) sum += *load(moved + i + near);
        *place(drive + i) = sum * 0.353553391f;   // 1 / √8
    }
}

/// Where the walks of a voice that starts now are: anywhere.
INLINE void begin(float *first, float *second, const float *noise, int part, const float *filter) {
    float twice[PARTIALS];
    find_drive(second, noise, part, 1);
    find_drive(twice, noise, part, 2);
    for (int i = 0; i < PARTIALS; i += WIDTH) {
        *place(first + i) = filter[3] * *load(second + i) + filter[4] * *load(twice + i);
    }
}

INLINE void shimmer(const ShimmerShape *shape, const ShimmerInputs *in, const ShimmerOutputs *out) {
    enum { STATE = 2 * PARTS * PARTIALS };
    for (int64_t voice = 0; voice < shape->batch; voice++) {
        const float *noise = in->noise + voice * shape->slots * PARTIALS;
        const float *depth = in->depth + voice * shape->slots * PARTS * PARTIALS;
        float *moved = out->moved + voice * shape->slots * PARTIALS, *walks = out->walks + voice * STATE;
        const int is_fresh = in->last_pitch[voice] <= 0;
        if (!is_fresh) memcpy(walks, in->walks + voice * STATE, STATE * sizeof(float));
        memset(moved, 0, (size_t)(shape->slots * PARTIALS) * sizeof(float));
        for (int part = 0; part < PARTS; part++) {
            const float *filter = in->filters + part * SHIMMER_FILTER;
            float *first = walks + part * PARTIALS, *second = first + PARTS * PARTIALS, drive[PARTIALS];
            if (is_fresh) begin(first, second, noise, part, filter);
            for (int64_t slot = 0; slot < shape->slots; slot++) {
                find_drive(drive, noise + slot * PARTIALS, part, 0);
                for (int i = 0; i < PARTIALS; i += WIDTH) {
                    const Floats a = *load(first + i) * filter[0] + *load(drive + i) * filter[1];
                    const Floats b = *load(second + i) * filter[0] + a * filter[2];
                    Floats deep = *load(depth + (slot * PARTS + part) * PARTIALS + i);
                    limit(&deep, -87, LOGARITHM_OF_DEEPEST);
                    exponentials(&deep);
                    *place(first + i) = a;
                    *place(second + i) = b;
                    // E exp(2 d w) = exp(2 d²): taken off, so that the depth moves no level.
                    *place(moved + slot * PARTIALS + i) += deep * (b - deep);
                }
            }
        }
        for (int64_t i = 0; i < shape->slots * PARTIALS; i += WIDTH) {
            limit(place(moved + i), -1e30f, HIGHEST);
        }
    }
}

static void shimmer_plain(const ShimmerShape *shape, const ShimmerInputs *in, const ShimmerOutputs *out) {
    shimmer(shape, in, out);
}
#if defined(AVX2)
AVX2 static void shimmer_avx2(const ShimmerShape *shape, const ShimmerInputs *in, const ShimmerOutputs *out) {
    shimmer(shape, in, out);
}
#endif

void echoel_shimmer(const ShimmerShape *shape, const ShimmerInputs *in, const ShimmerOutputs *out) {
    CHOSEN(shimmer, shape, in, out);
}
