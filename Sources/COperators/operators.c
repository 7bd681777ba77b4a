#include "COperators.h"

enum { FLOAT32 = 1, SLOT_SAMPLES = 128, INVALID_ARGUMENT = 2, PARTIAL_BANK_INPUTS = 4 };

// A kernel keeps no state but the table of the library that it belongs to.
static void *create(const OrtOperator *operator, const OrtTable *table, const OrtKernelInfo *info) {
    (void)operator, (void)info;
    return (void *)table;
}
static void destroy(void *kernel) { (void)kernel; }
static const char *on_cpu(const OrtOperator *operator) { return (void)operator, NULL; }
static int float32(const OrtOperator *operator, size_t index) { return (void)operator, (void)index, FLOAT32; }
static int required(const OrtOperator *operator, size_t index) { return (void)operator, (void)index, 0; }
static int ordinary_memory(const OrtOperator *operator, size_t index) { return (void)operator, (void)index, 0; }
static const char *partial_bank_name(const OrtOperator *operator) { return (void)operator, "PartialBank"; }
static size_t partial_bank_inputs(const OrtOperator *operator) { return (void)operator, PARTIAL_BANK_INPUTS; }
static size_t partial_bank_outputs(const OrtOperator *operator) { return (void)operator, 2; }

typedef struct Input {
    const float *values;
    int64_t size[4];
} Input;

static const char *const wrong_inputs[PARTIAL_BANK_INPUTS] = {
    "PartialBank: hertz is not [batch, slots, 2, lines]; export the model again",
    "PartialBank: amplitude is not [batch, slots, lines + layered]; export the model again",
    "PartialBank: before is not [batch, lines + layered]; export the model again",
    "PartialBank: phase is not [batch, lines]; export the model again",
};

/// An input of so many axes.
static OrtStatus *read_input(const OrtTable *table, const OrtKernelContext *context, size_t index, size_t axes, Input *input) {
    const OrtValue *value = NULL;
    OrtTensorTypeAndShapeInfo *info = NULL;
    size_t found = 0;
    OrtStatus *status = table->KernelContext_GetInput(context, index, &value);
    if (!status && !value) status = table->CreateStatus(INVALID_ARGUMENT, wrong_inputs[index]);
    if (!status) status = table->GetTensorMutableData((OrtValue *)value, (void **)&input->values);
    if (!status) status = table->GetTensorTypeAndShape(value, &info);
    if (!status) status = table->GetDimensionsCount(info, &found);
    if (!status && found != axes) status = table->CreateStatus(INVALID_ARGUMENT, wrong_inputs[index]);
    if (!status) status = table->GetDimensions(info, input->size, axes);
    if (info) table->ReleaseTensorTypeAndShapeInfo(info);
    return status;
}

static OrtStatus *make_output(const OrtTable *table, OrtKernelContext *context, size_t index, const int64_t *size,
                              size_t axes, float **values) {
    OrtValue *value = NULL;
    OrtStatus *status = table->KernelContext_GetOutput(context, index, size, axes, &value);
    if (!status && !value) status = table->CreateStatus(INVALID_ARGUMENT, "PartialBank: an output is not used");
    return status ? status : table->GetTensorMutableData(value, (void **)values);
}

static int fits(const Input *inputs, const PartialBankShape *shape) {
    const int64_t levels = shape->lines + shape->layered;
    return inputs[0].size[2] == 2 && shape->layered >= 0 && shape->layered <= shape->lines &&
           inputs[1].size[0] == shape->batch && inputs[1].size[1] == shape->slots && inputs[2].size[0] == shape->batch &&
           inputs[2].size[1] == levels && inputs[3].size[0] == shape->batch && inputs[3].size[1] == shape->lines;
}

static OrtStatus *partial_bank(void *kernel, OrtKernelContext *context) {
    const OrtTable *table = kernel;
    static const size_t axes[PARTIAL_BANK_INPUTS] = {4, 3, 2, 2};   // hertz, amplitude, before, phase
    Input inputs[PARTIAL_BANK_INPUTS];
    for (size_t index = 0; index < PARTIAL_BANK_INPUTS; index++) {
        OrtStatus *status = read_input(table, context, index, axes[index], &inputs[index]);
        if (status) return status;
    }
    const int64_t lines = inputs[0].size[3];
    const PartialBankShape shape = {inputs[0].size[0], inputs[0].size[1], lines, inputs[1].size[2] - lines};
    if (!fits(inputs, &shape)) {
        return table->CreateStatus(INVALID_ARGUMENT, "PartialBank: the inputs' shapes do not belong together; export the model again");
    }
    float *samples = NULL, *next_phase = NULL;
    OrtStatus *status = make_output(table, context, 0, (int64_t[]){shape.batch, shape.slots, SLOT_SAMPLES}, 3, &samples);
    if (!status) status = make_output(table, context, 1, (int64_t[]){shape.batch, lines}, 2, &next_phase);
    if (status) return status;
    echoel_partial_bank(&shape, inputs[0].values, inputs[1].values, inputs[2].values, inputs[3].values, samples, next_phase);
    return NULL;
}

static const OrtOperator partial_bank_operator = {
    .version = ORT_OPERATOR_API_VERSION,
    .CreateKernel = create,
    .GetName = partial_bank_name,
    .GetExecutionProviderType = on_cpu,
    .GetInputType = float32,
    .GetInputTypeCount = partial_bank_inputs,
    .GetOutputType = float32,
    .GetOutputTypeCount = partial_bank_outputs,
    .KernelDestroy = destroy,
    .GetInputCharacteristic = required,
    .GetOutputCharacteristic = required,
    .GetInputMemoryType = ordinary_memory,
    .KernelComputeV2 = partial_bank,
};

OrtStatus *echoel_operators_create(const OrtTable *table, OrtCustomOpDomain **domain) {
    OrtStatus *status = table->CreateCustomOpDomain(ECHOEL_OPERATOR_DOMAIN, domain);
    return status ? status : table->CustomOpDomain_Add(*domain, &partial_bank_operator);
}
