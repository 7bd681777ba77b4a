// Operators of our models that ONNX Runtime has not got. A model that uses one carries it as a function besides, in ONNX's
// own operators (Documentation/Models.md): so any runtime can run it, and ours, which has the operator, faster.
#ifndef C_OPERATORS_H
#define C_OPERATORS_H
#include "COnnxRuntime.h"

/// The operators' domain in a model.
#define ECHOEL_OPERATOR_DOMAIN "com.echoelmusic"

/// Makes the domain with its operators, which sessions of this library can be given; it has to outlive them.
OrtStatus *echoel_operators_create(const OrtTable *, OrtCustomOpDomain **);

/// Sizes of a bank of partials' run: `lines` sines, the last `layered` of which have a sine's amplitude besides a cosine's.
typedef struct PartialBankShape {
    int64_t batch, slots, lines, layered;
} PartialBankShape;

/// Sums sines whose frequencies and amplitudes go on a line from a slot's start to its end, 128 samples later.
///
/// `hertz [batch, slots, 2, lines]`: the frequencies at each slot's start and end, at 48 kHz;
/// `amplitude [batch, slots, lines + layered]`: at each slot's end; `before [batch, lines + layered]`: at the first's start;
/// `phase [batch, lines]`: in cycles, there. To `samples [batch, slots, 128]` and the phase after the last slot.
///
/// Room: worker. Allocates nothing; lines that are silent at both ends cost next to nothing.
void echoel_partial_bank(const PartialBankShape *, const float *hertz, const float *amplitude, const float *before,
                         const float *phase, float *samples, float *next_phase);
#endif
