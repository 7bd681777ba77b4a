// The part of LiteRT's C ABI that the engine calls, found in the library by name when it is opened, so that neither a
// header nor the library itself is needed to build.
#ifndef C_LITERT_H
#define C_LITERT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct LiteRtEnvironmentT LiteRtEnvironment;
typedef struct LiteRtModelT LiteRtModel;
typedef struct LiteRtSignatureT LiteRtSignature;
typedef struct LiteRtTensorT LiteRtTensor;
typedef struct LiteRtOptionsT LiteRtOptions;
typedef struct LiteRtOpaqueOptionsT LiteRtOpaqueOptions;
typedef struct LiteRtCompiledModelT LiteRtCompiledModel;
typedef struct LiteRtTensorBufferT LiteRtTensorBuffer;

// Values of the API's enumerations, in use here.
enum { LITERT_OK = 0 };
enum { LITERT_ACCELERATOR_CPU = 1, LITERT_ACCELERATOR_GPU = 2 };
enum { LITERT_ENV_RUNTIME_FOLDER = 22, LITERT_ENV_ACCELERATORS = 24, LITERT_ENV_LOG_SEVERITY = 25 };
enum { LITERT_LOG_SILENT = 4 };

enum { LITERT_MAXIMUM_RANK = 8 };

/// A shape.
typedef struct LiteRtShape {
    unsigned int rank : 7;
    unsigned int hasStrides : 1;
    int32_t sizes[LITERT_MAXIMUM_RANK];
    uint32_t strides[LITERT_MAXIMUM_RANK];
} LiteRtShape;

/// An element type (TensorFlow Lite's number) and a shape.
typedef struct LiteRtTensorType {
    int elementType;
    LiteRtShape shape;
} LiteRtTensorType;

_Static_assert(sizeof(LiteRtShape) == 68, "a shape has 68 bytes");
_Static_assert(sizeof(LiteRtTensorType) == 72, "a tensor's type has 72 bytes");

typedef struct LiteRtTable {
    int (*CreateModelFromBuffer)(LiteRtEnvironment *, const void *bytes, size_t count, LiteRtModel **);
    void (*DestroyModel)(LiteRtModel *);
    int (*GetNumModelSignatures)(LiteRtModel *, size_t *);
    int (*GetModelSignature)(LiteRtModel *, size_t index, LiteRtSignature **);
    int (*GetNumSignatureInputs)(LiteRtSignature *, size_t *);
    int (*GetSignatureInputName)(LiteRtSignature *, size_t index, const char **);
    int (*GetSignatureInputTensorByIndex)(LiteRtSignature *, size_t index, LiteRtTensor **);
    int (*GetNumSignatureOutputs)(LiteRtSignature *, size_t *);
    int (*GetSignatureOutputName)(LiteRtSignature *, size_t index, const char **);
    int (*GetSignatureOutputTensorByIndex)(LiteRtSignature *, size_t index, LiteRtTensor **);
    int (*GetTensorIndex)(LiteRtTensor *, uint32_t *);
    int (*CreateOptions)(LiteRtOptions **);
    void (*DestroyOptions)(LiteRtOptions *);
    int (*SetOptionsHardwareAccelerators)(LiteRtOptions *, int accelerators);
    /// The payload is text in TOML, which the destructor frees.
    int (*CreateOpaqueOptions)(const char *kind, void *payload, void (*destructor)(void *), LiteRtOpaqueOptions **);
    int (*AddOpaqueOptions)(LiteRtOptions *, LiteRtOpaqueOptions *);
    int (*CreateCompiledModel)(LiteRtEnvironment *, LiteRtModel *, LiteRtOptions *, LiteRtCompiledModel **);
    void (*DestroyCompiledModel)(LiteRtCompiledModel *);
    int (*CompiledModelIsNonCpuFullyAccelerated)(LiteRtCompiledModel *, bool *);
    int (*CompiledModelResizeInputTensor)(LiteRtCompiledModel *, size_t signature, size_t input, const int *sizes,
                                          size_t rank);
    int (*GetCompiledModelOutputTensorLayouts)(LiteRtCompiledModel *, size_t signature, size_t count, LiteRtShape *,
                                               bool allocate);
    /// The memory's address is a multiple of 64.
    int (*CreateTensorBufferFromHostMemory)(const LiteRtTensorType *, void *memory, size_t bytes,
                                            void (*deallocator)(void *), LiteRtTensorBuffer **);
    void (*DestroyTensorBuffer)(LiteRtTensorBuffer *);
    int (*RunCompiledModel)(LiteRtCompiledModel *, size_t signature, size_t inputCount, LiteRtTensorBuffer **inputs,
                            size_t outputCount, LiteRtTensorBuffer **outputs);
    /// The text is the caller's to free.
    int (*CompiledModelGetErrorMessages)(LiteRtCompiledModel *, char **);
    int (*CompiledModelClearErrors)(LiteRtCompiledModel *);
} LiteRtTable;

typedef enum LiteRtOpenResult {
    LITERT_OPEN_OK,
    LITERT_OPEN_CANNOT_LOAD,
    /// A shared library, but not LiteRT.
    LITERT_OPEN_NOT_LITERT,
    /// LiteRT that lacks what is called here; `message` is the name of the first function that is missing.
    LITERT_OPEN_UNSUITABLE,
} LiteRtOpenResult;

typedef struct LiteRtLibrary {
    LiteRtTable table;
    /// The file that the loader found; null where it does not say. Owned by the loader.
    const char *path;
    void *handle;
} LiteRtLibrary;

/// Opens a library, which then stays open.
LiteRtOpenResult litert_library_open(const char *path, LiteRtLibrary *library, char *message, size_t messageCapacity);

/// An environment whose models run on `accelerators`, with the libraries of `folder`. - Returns: LiteRT's status.
int litert_environment_create(const LiteRtLibrary *library, int accelerators, const char *folder,
                              LiteRtEnvironment **environment);

/// Sets one group of options; `text` is copied. - Returns: LiteRT's status.
int litert_options_add(const LiteRtTable *table, LiteRtOptions *options, const char *kind, const char *text);

/// Frees a text that LiteRT allocated.
void litert_text_free(char *text);

/// Nanoseconds of `count` runs; 0 where one failed.
uint64_t litert_bare_runs(const LiteRtTable *table, LiteRtCompiledModel *model, size_t inputCount,
                          LiteRtTensorBuffer **inputs, size_t outputCount, LiteRtTensorBuffer **outputs,
                          int64_t count);
#endif
