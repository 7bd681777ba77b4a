// Operators of our models that ONNX Runtime has not got. A model that uses one carries it as a function besides, in ONNX's
// own operators (Documentation/Models.md): so any runtime can run it, and ours, which has the operator, faster.
#ifndef C_OPERATORS_H
#define C_OPERATORS_H
#include "COnnxRuntime.h"

/// The operators' domain in a model.
#define ECHOEL_OPERATOR_DOMAIN "com.echoelmusic"

/// Makes the domain with its operators, which sessions of this library can be given; it has to outlive them.
OrtStatus *echoel_operators_create(const OrtTable *, OrtCustomOpDomain **);
#endif
