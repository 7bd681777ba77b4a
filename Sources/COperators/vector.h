// Eight numbers at a time. What is written for any processor is compiled for AVX2 besides: `CHOSEN` calls the better one.
#ifndef VECTOR_H
#define VECTOR_H
#include <stdint.h>
#include <string.h>

enum { WIDTH = 8 };
typedef float Floats __attribute__((vector_size(4 * WIDTH), aligned(4)));
typedef int32_t Bits __attribute__((vector_size(4 * WIDTH), aligned(4)));
#define INLINE static inline __attribute__((always_inline))
#define ALL(x) ((Floats){0} + (x))

INLINE const Floats *load(const float *values) { return (const Floats *)values; }
INLINE Floats *place(float *values) { return (Floats *)values; }

/// x from `low` to `high`; what is no number stays none, so that a run tells of it.
INLINE void limit(Floats *x, float low, float high) {
    const Bits number = *x == *x;
    const Floats within = __builtin_elementwise_min(__builtin_elementwise_max(*x, ALL(low)), ALL(high));
    *x = (Floats)(((Bits)within & number) | ((Bits)*x & ~number));
}

/// sin(2π x), to 2e-7: x folded onto a quarter turn, and there the odd polynomial of least largest error.
INLINE void sines(Floats *x) {
    Floats turn = *x;
    const Floats whole = ALL(12582912.0f);   // 1.5 · 2^23: adding it rounds
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

/// exp(x) for x from −87 to 88, to 2e-7 of it: 2 to the power of a whole number and of a rest, as in Cephes (Moshier).
INLINE void exponentials(Floats *x) {
    const Floats power = *x * 1.44269504f, whole = ALL(12582912.0f);
    const Floats nearest = (power + whole) - whole, rest = power - nearest;
    Floats sum = rest * 1.535336188e-4f + 1.339887440e-3f;
    sum = sum * rest + 9.618437357e-3f;
    sum = sum * rest + 5.550332471e-2f;
    sum = sum * rest + 2.402264791e-1f;
    sum = sum * rest + 6.931472028e-1f;
    const Bits scale = (__builtin_convertvector(nearest, Bits) + 127) << 23;
    *x = (sum * rest + 1.0f) * (Floats)scale;
}

/// The natural logarithm of x, a normal number above 0, to 1e-7: of its power of 2 and of the rest, as in Cephes (Moshier).
INLINE void logarithms(Floats *x) {
    // The rest lies between √½ and √2.
    const Bits bits = (Bits)*x - 0x3F3504F3;
    const Floats power = __builtin_convertvector(bits >> 23, Floats);
    const Floats rest = (Floats)((bits & 0x7FFFFF) + 0x3F3504F3) - 1.0f, square = rest * rest;
    Floats sum = rest * 7.0376836292e-2f + -1.1514610310e-1f;
    sum = sum * rest + 1.1676998740e-1f;
    sum = sum * rest + -1.2420140846e-1f;
    sum = sum * rest + 1.4249322787e-1f;
    sum = sum * rest + -1.6668057665e-1f;
    sum = sum * rest + 2.0000714765e-1f;
    sum = sum * rest + -2.4999993993e-1f;
    sum = sum * rest + 3.3333331174e-1f;
    *x = rest + (sum * rest * square + power * -2.12194440e-4f - square * 0.5f) + power * 0.693359375f;
}

#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2,fma")))
#define CHOSEN(function, ...) \
    (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? function##_avx2(__VA_ARGS__) : function##_plain(__VA_ARGS__))
#else
#define CHOSEN(function, ...) function##_plain(__VA_ARGS__)
#endif
#endif
