#if defined(__linux__)
#define _GNU_SOURCE   // dladdr
#endif
#include "CLiteRT.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// A function's name without `LiteRt`, and its place in the table.
typedef struct Entry {
    const char *name;
    size_t offset;
} Entry;

#define ENTRY(name) {#name, offsetof(LiteRtTable, name)}

static const Entry entries[] = {
    ENTRY(CreateModelFromBuffer), ENTRY(DestroyModel), ENTRY(GetNumModelSignatures), ENTRY(GetModelSignature),
    ENTRY(GetNumSignatureInputs), ENTRY(GetSignatureInputName), ENTRY(GetSignatureInputTensorByIndex),
    ENTRY(GetNumSignatureOutputs), ENTRY(GetSignatureOutputName), ENTRY(GetSignatureOutputTensorByIndex),
    ENTRY(GetTensorIndex), ENTRY(CreateOptions), ENTRY(DestroyOptions), ENTRY(SetOptionsHardwareAccelerators),
    ENTRY(CreateOpaqueOptions), ENTRY(AddOpaqueOptions), ENTRY(CreateCompiledModel), ENTRY(DestroyCompiledModel),
    ENTRY(CompiledModelIsNonCpuFullyAccelerated), ENTRY(CompiledModelResizeInputTensor),
    ENTRY(GetCompiledModelOutputTensorLayouts), ENTRY(CreateTensorBufferFromHostMemory), ENTRY(DestroyTensorBuffer),
    ENTRY(RunCompiledModel), ENTRY(CompiledModelGetErrorMessages), ENTRY(CompiledModelClearErrors),
};

_Static_assert(sizeof(entries) / sizeof(*entries) * sizeof(void *) == sizeof(LiteRtTable), "every function is looked up");

LiteRtOpenResult litert_library_open(const char *path, LiteRtLibrary *library, char *message, size_t messageCapacity) {
    message[0] = '\0';
    *library = (LiteRtLibrary){0};
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        const char *reason = dlerror();
        if (reason) snprintf(message, messageCapacity, "%s", reason);
        return LITERT_OPEN_CANNOT_LOAD;
    }
    void *symbol = dlsym(handle, "LiteRtCreateEnvironment");
    if (!symbol) {
        dlclose(handle);
        return LITERT_OPEN_NOT_LITERT;
    }
    for (size_t i = 0; i < sizeof(entries) / sizeof(*entries); i++) {
        char name[128];
        snprintf(name, sizeof name, "LiteRt%s", entries[i].name);
        void *function = dlsym(handle, name);
        if (!function) {
            snprintf(message, messageCapacity, "%s", name);
            return LITERT_OPEN_UNSUITABLE;
        }
        memcpy((char *)&library->table + entries[i].offset, &function, sizeof function);
    }
    Dl_info info;
    if (dladdr(symbol, &info)) library->path = info.dli_fname;
    library->handle = handle;
    return LITERT_OPEN_OK;
}

enum { KIND_INTEGER = 2, KIND_TEXT = 8 };

/// An option of an environment: one of the API's numbers, and a tagged value.
typedef struct EnvironmentOption {
    int tag;
    struct {
        int kind;
        union {
            int64_t integer;
            const char *text;
        };
    } value;
} EnvironmentOption;

_Static_assert(sizeof(EnvironmentOption) == 24, "an environment's option has 24 bytes");

int litert_environment_create(const LiteRtLibrary *library, int accelerators, const char *folder,
                              LiteRtEnvironment **environment) {
    int (*create)(int, const EnvironmentOption *, LiteRtEnvironment **);
    void *symbol = dlsym(library->handle, "LiteRtCreateEnvironment");
    memcpy(&create, &symbol, sizeof create);
    const EnvironmentOption options[] = {
        {LITERT_ENV_LOG_SEVERITY, {KIND_INTEGER, {.integer = LITERT_LOG_SILENT}}},
        {LITERT_ENV_ACCELERATORS, {KIND_INTEGER, {.integer = accelerators}}},
        {LITERT_ENV_RUNTIME_FOLDER, {KIND_TEXT, {.text = folder}}},
    };
    return create(sizeof options / sizeof *options, options, environment);
}

int litert_options_add(const LiteRtTable *table, LiteRtOptions *options, const char *kind, const char *text) {
    LiteRtOpaqueOptions *group = NULL;
    char *copy = strdup(text);
    int status = table->CreateOpaqueOptions(kind, copy, free, &group);
    if (status != LITERT_OK) {
        free(copy);
        return status;
    }
    return table->AddOpaqueOptions(options, group);
}

void litert_text_free(char *text) { free(text); }
