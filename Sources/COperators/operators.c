#include "COperators.h"
#include "kernels.h"
#include <stdlib.h>
#include <string.h>

enum { FLOAT32 = 1, INVALID_ARGUMENT = 2, MOST_TENSORS = 16, MOST_AXES = 4 };

typedef struct Shape {
    int64_t axes, size[MOST_AXES];
} Shape;

typedef struct Tensor {
    float *values;
    Shape shape;
} Tensor;

/// An operator as this file knows it, after what ONNX Runtime wants to know.
typedef struct Own {
    OrtOperator operator;
    const char *name, *wrong;
    size_t inputs, outputs;
    /// Of inputs that fit: the shapes of the outputs. 0 where they do not.
    int (*fits)(const Tensor *inputs, Shape *outputs);
    void (*compute)(const Tensor *inputs, const Tensor *outputs);
} Own;

typedef struct Kernel {
    const Own *own;
    const OrtTable *table;
} Kernel;

// Shapes

static int has(const Tensor *tensor, int64_t axes, int64_t a, int64_t b, int64_t c) {
    const Shape *shape = &tensor->shape;
    return shape->axes == axes && shape->size[0] == a && (axes < 2 || shape->size[1] == b) && (axes < 3 || shape->size[2] == c);
}

static Shape of(int64_t axes, int64_t a, int64_t b, int64_t c) { return (Shape){axes, {a, b, c}}; }

// ShapedPartials

enum { PITCH, INHARMONICITY, DETUNE, ENVELOPE, OWN, MOVED, LAST_PITCH, LAST_AMPLITUDE, PHASE, RATE, PARTIALS_INPUTS };

static PartialsShape partials_shape(const Tensor *in) {
    const int64_t layered = in[OWN].shape.size[2] / 3;
    return (PartialsShape){
        .batch = in[PITCH].shape.size[0],
        .slots = in[PITCH].shape.size[1],
        .count = in[PHASE].shape.size[1] - layered,
        .layered = layered,
        .moving = in[MOVED].shape.size[2],
        .points = in[ENVELOPE].shape.size[2],
    };
}

static int partials_fit(const Tensor *in, Shape *out) {
    if (in[PITCH].shape.axes != 3 || in[OWN].shape.axes != 3 || in[PHASE].shape.axes != 2) return 0;
    if (in[MOVED].shape.axes != 3 || in[ENVELOPE].shape.axes != 3) return 0;
    const PartialsShape shape = partials_shape(in);
    const int64_t n = shape.batch, k = shape.slots, lines = shape.count + shape.layered, levels = lines + shape.layered;
    if (shape.count < 8 || levels > PARTIALS_MOST || (shape.count | shape.layered | shape.moving) % 8 != 0) return 0;
    if (shape.layered > shape.count || shape.moving > shape.count || shape.points < 2 || shape.points > INT32_MAX) return 0;
    out[0] = of(3, n, k, SLOT_SAMPLES);
    out[1] = of(2, n, levels, 0);
    out[2] = of(2, n, lines, 0);
    return k > 0 && k <= MOST_SLOTS && has(&in[PITCH], 3, n, k, 1) && has(&in[INHARMONICITY], 3, n, k, 1) && has(&in[DETUNE], 3, n, k, 1) &&
           has(&in[ENVELOPE], 3, n, k, shape.points) && has(&in[OWN], 3, n, k, 3 * shape.layered) &&
           has(&in[MOVED], 3, n, k, shape.moving) && has(&in[LAST_PITCH], 2, n, 1, 0) &&
           has(&in[LAST_AMPLITUDE], 2, n, levels, 0) && has(&in[PHASE], 2, n, lines, 0) && has(&in[RATE], 1, shape.layered, 0, 0);
}

static void compute_partials(const Tensor *in, const Tensor *out) {
    const PartialsShape shape = partials_shape(in);
    const PartialsInputs inputs = {
        in[PITCH].values,      in[INHARMONICITY].values,  in[DETUNE].values, in[ENVELOPE].values, in[OWN].values, in[MOVED].values,
        in[LAST_PITCH].values, in[LAST_AMPLITUDE].values, in[PHASE].values,  in[RATE].values,
    };
    const PartialsOutputs outputs = {out[0].values, out[1].values, out[2].values};
    echoel_shape_partials(&shape, &inputs, &outputs);
}

// ShapedNoise

enum {
    NOISE, FILMS, ENTERED, REMEMBERED, SYNTHESISED, INPUT_WEIGHT, INPUT_BIAS, DILATED_WEIGHT, MIX_WEIGHT, MIX_BIAS,
    OUTPUT_WEIGHT, OUTPUT_BIAS, DILATIONS, SYNTHESIS_MATRIX, NOISE_INPUTS
};

static NoiseShape noise_shape(const Tensor *in) {
    return (NoiseShape){
        .batch = in[NOISE].shape.size[0],
        .slots = in[NOISE].shape.size[1] / NOISE_SLOT_FRAMES,
        .channels = in[INPUT_WEIGHT].shape.size[1],
        .blocks = in[DILATIONS].shape.size[0],
        .remembered = in[REMEMBERED].shape.size[1],
    };
}

static int dilations_fit(const float *dilations, const NoiseShape *shape) {
    int64_t memory = 2;
    for (int64_t block = 0; block < shape->blocks; block++) {
        const float dilation = dilations[block];
        if (!(dilation >= 1 && 2 * dilation <= NOISE_LONGEST_MEMORY && dilation == (float)(int64_t)dilation)) return 0;
        memory += 2 * (int64_t)dilation;
    }
    return memory == shape->remembered;
}

static int noise_weights_fit(const Tensor *in, const NoiseShape *shape) {
    const int64_t c = shape->channels, blocks = shape->blocks, bands = NOISE_BANDS;
    return has(&in[INPUT_WEIGHT], 2, 3 * bands, c, 0) && has(&in[INPUT_BIAS], 1, c, 0, 0) &&
           has(&in[DILATED_WEIGHT], 3, blocks, 3 * c, c) && has(&in[MIX_WEIGHT], 3, blocks, c, c) &&
           has(&in[MIX_BIAS], 2, blocks, c, 0) && has(&in[OUTPUT_WEIGHT], 2, 3 * c, bands, 0) &&
           has(&in[OUTPUT_BIAS], 1, bands, 0, 0) && has(&in[DILATIONS], 1, blocks, 0, 0) &&
           has(&in[SYNTHESIS_MATRIX], 2, bands * (NOISE_SYNTHESIS_MEMORY + 1), bands, 0) &&
           dilations_fit(in[DILATIONS].values, shape);
}

static int noise_fits(const Tensor *in, Shape *out) {
    if (in[NOISE].shape.axes != 3 || in[INPUT_WEIGHT].shape.axes != 2 || in[DILATIONS].shape.axes != 1) return 0;
    if (in[REMEMBERED].shape.axes != 3) return 0;
    const NoiseShape shape = noise_shape(in);
    const int64_t n = shape.batch, frames = shape.slots * NOISE_SLOT_FRAMES, c = shape.channels, bands = NOISE_BANDS;
    if (shape.slots < 1 || shape.slots > MOST_SLOTS || c < 16 || c > NOISE_MOST_CHANNELS || c % 16 != 0) return 0;
    out[0] = of(3, n, frames, bands);
    out[1] = of(3, n, 2, bands);
    out[2] = of(3, n, shape.remembered, c);
    out[3] = of(3, n, NOISE_SYNTHESIS_MEMORY, bands);
    return has(&in[NOISE], 3, n, frames, bands) && has(&in[FILMS], 3, n, shape.slots + 1, 2 * c * shape.blocks + bands) &&
           has(&in[ENTERED], 3, n, 2, bands) && has(&in[REMEMBERED], 3, n, shape.remembered, c) &&
           has(&in[SYNTHESISED], 3, n, NOISE_SYNTHESIS_MEMORY, bands) && noise_weights_fit(in, &shape);
}

static void compute_noise(const Tensor *in, const Tensor *out) {
    const NoiseShape shape = noise_shape(in);
    const NoiseInputs inputs = {
        in[NOISE].values,        in[FILMS].values,       in[ENTERED].values,        in[REMEMBERED].values, in[SYNTHESISED].values,
        in[INPUT_WEIGHT].values, in[INPUT_BIAS].values,  in[DILATED_WEIGHT].values, in[MIX_WEIGHT].values, in[MIX_BIAS].values,
        in[OUTPUT_WEIGHT].values, in[OUTPUT_BIAS].values, in[DILATIONS].values,     in[SYNTHESIS_MATRIX].values,
    };
    const NoiseOutputs outputs = {out[0].values, out[1].values, out[2].values, out[3].values};
    echoel_shape_noise(&shape, &inputs, &outputs);
}

// Shimmer

enum { DEPTH, SLOT_NOISE, BEFORE, WALKS, FILTERS, SHIMMER_INPUTS };

static int shimmer_fits(const Tensor *in, Shape *out) {
    if (in[SLOT_NOISE].shape.axes != 3) return 0;
    const int64_t n = in[SLOT_NOISE].shape.size[0], k = in[SLOT_NOISE].shape.size[1];
    out[0] = of(3, n, k, SHIMMER_PARTIALS);
    out[1] = of(3, n, 2 * SHIMMER_PARTS, SHIMMER_PARTIALS);
    return k > 0 && k <= MOST_SLOTS && has(&in[DEPTH], 3, n, k, SHIMMER_PARTS * SHIMMER_PARTIALS) && has(&in[SLOT_NOISE], 3, n, k, SHIMMER_PARTIALS) &&
           has(&in[BEFORE], 2, n, 1, 0) && has(&in[WALKS], 3, n, 2 * SHIMMER_PARTS, SHIMMER_PARTIALS) &&
           has(&in[FILTERS], 2, SHIMMER_PARTS, SHIMMER_FILTER, 0);
}

static void compute_shimmer(const Tensor *in, const Tensor *out) {
    const ShimmerShape shape = {in[SLOT_NOISE].shape.size[0], in[SLOT_NOISE].shape.size[1]};
    const ShimmerInputs inputs = {
        in[DEPTH].values, in[SLOT_NOISE].values, in[BEFORE].values, in[WALKS].values, in[FILTERS].values,
    };
    const ShimmerOutputs outputs = {out[0].values, out[1].values};
    echoel_shimmer(&shape, &inputs, &outputs);
}

// What ONNX Runtime calls

static OrtStatus *read_input(const Kernel *kernel, const OrtKernelContext *context, size_t index, Tensor *tensor) {
    const OrtTable *table = kernel->table;
    const OrtValue *value = NULL;
    OrtTensorTypeAndShapeInfo *info = NULL;
    size_t axes = 0;
    OrtStatus *status = table->KernelContext_GetInput(context, index, &value);
    if (!status && !value) status = table->CreateStatus(INVALID_ARGUMENT, kernel->own->wrong);
    if (!status) status = table->GetTensorMutableData((OrtValue *)value, (void **)&tensor->values);
    if (!status) status = table->GetTensorTypeAndShape(value, &info);
    if (!status) status = table->GetDimensionsCount(info, &axes);
    if (!status && axes > MOST_AXES) status = table->CreateStatus(INVALID_ARGUMENT, kernel->own->wrong);
    if (!status) status = table->GetDimensions(info, tensor->shape.size, axes);
    tensor->shape.axes = (int64_t)axes;
    if (info) table->ReleaseTensorTypeAndShapeInfo(info);
    return status;
}

static OrtStatus *make_output(const Kernel *kernel, OrtKernelContext *context, size_t index, Tensor *tensor) {
    const Shape *shape = &tensor->shape;
    OrtValue *value = NULL;
    OrtStatus *status = kernel->table->KernelContext_GetOutput(context, index, shape->size, (size_t)shape->axes, &value);
    if (!status && !value) status = kernel->table->CreateStatus(INVALID_ARGUMENT, kernel->own->wrong);
    return status ? status : kernel->table->GetTensorMutableData(value, (void **)&tensor->values);
}

static OrtStatus *compute(void *made, OrtKernelContext *context) {
    const Kernel *kernel = made;
    Tensor inputs[MOST_TENSORS], outputs[MOST_TENSORS];
    Shape shapes[MOST_TENSORS];
    memset(inputs, 0, sizeof inputs);
    for (size_t index = 0; index < kernel->own->inputs; index++) {
        OrtStatus *status = read_input(kernel, context, index, &inputs[index]);
        if (status) return status;
    }
    if (!kernel->own->fits(inputs, shapes)) return kernel->table->CreateStatus(INVALID_ARGUMENT, kernel->own->wrong);
    for (size_t index = 0; index < kernel->own->outputs; index++) {
        outputs[index].shape = shapes[index];
        OrtStatus *status = make_output(kernel, context, index, &outputs[index]);
        if (status) return status;
    }
    kernel->own->compute(inputs, outputs);
    return NULL;
}

static const Own *own(const OrtOperator *operator) { return (const Own *)operator; }
static void *create(const OrtOperator *operator, const OrtTable *table, const OrtKernelInfo *info) {
    (void)info;
    Kernel *kernel = malloc(sizeof *kernel);
    if (kernel) *kernel = (Kernel){own(operator), table};
    return kernel;
}
static void destroy(void *kernel) { free(kernel); }
static const char *name(const OrtOperator *operator) { return own(operator)->name; }
static size_t input_count(const OrtOperator *operator) { return own(operator)->inputs; }
static size_t output_count(const OrtOperator *operator) { return own(operator)->outputs; }
static const char *on_cpu(const OrtOperator *operator) { return (void)operator, NULL; }
static int float32(const OrtOperator *operator, size_t index) { return (void)operator, (void)index, FLOAT32; }
static int required(const OrtOperator *operator, size_t index) { return (void)operator, (void)index, 0; }
static int ordinary_memory(const OrtOperator *operator, size_t index) { return (void)operator, (void)index, 0; }

#define CALLS                                                                                                       \
    {                                                                                                               \
        .version = ORT_OPERATOR_API_VERSION, .CreateKernel = create, .GetName = name,                               \
        .GetExecutionProviderType = on_cpu, .GetInputType = float32, .GetInputTypeCount = input_count,              \
        .GetOutputType = float32, .GetOutputTypeCount = output_count, .KernelDestroy = destroy,                     \
        .GetInputCharacteristic = required, .GetOutputCharacteristic = required, .GetInputMemoryType = ordinary_memory, \
        .KernelComputeV2 = compute,                                                                                 \
    }

static const Own operators[] = {
    {CALLS, "ShapedPartials", "ShapedPartials: the inputs' shapes do not belong together; export the model again", PARTIALS_INPUTS, 3,
     partials_fit, compute_partials},
    {CALLS, "ShapedNoise", "ShapedNoise: the inputs' shapes or dilations do not belong together; export the model again", NOISE_INPUTS, 4,
     noise_fits, compute_noise},
    {CALLS, "Shimmer", "Shimmer: the inputs' shapes do not belong together; export the model again", SHIMMER_INPUTS, 2, shimmer_fits,
     compute_shimmer},
};

OrtStatus *echoel_operators_create(const OrtTable *table, OrtCustomOpDomain **domain) {
    OrtStatus *status = table->CreateCustomOpDomain(ECHOEL_OPERATOR_DOMAIN, domain);
    for (size_t index = 0; !status && index < sizeof operators / sizeof operators[0]; index++) {
        status = table->CustomOpDomain_Add(*domain, &operators[index].operator);
    }
    return status;
}
