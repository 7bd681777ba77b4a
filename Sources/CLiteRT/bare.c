#include "CLiteRT.h"
#include <time.h>

static uint64_t nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t litert_bare_runs(const LiteRtTable *table, LiteRtCompiledModel *model, size_t inputCount,
                          LiteRtTensorBuffer **inputs, size_t outputCount, LiteRtTensorBuffer **outputs,
                          int64_t count) {
    const uint64_t start = nanoseconds();
    for (int64_t i = 0; i < count; i++) {
        if (table->RunCompiledModel(model, 0, inputCount, inputs, outputCount, outputs) != LITERT_OK) return 0;
    }
    return nanoseconds() - start;
}
