#if defined(__linux__)
#define _GNU_SOURCE   // dladdr
#endif
#include "CAllocationCounter.h"
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer) || \
    __has_feature(realtime_sanitizer)
#define SANITIZED 1
#endif
#endif

#if defined(__GLIBC__) && !defined(SANITIZED) && !defined(RTSAN)

static __thread int isCounting;
static __thread int64_t count, runtimeCount;

// glibc's own entry points: what its malloc and so on are when nobody stands in front of them.
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t alignment, size_t);

/// Whether that is code of ONNX Runtime, or of the C++ library, which nothing else here allocates by.
static int is_runtime(const void *caller) {
    // The loader takes long to tell, and there are few callers.
    enum { PLACES = 256 };
    static __thread struct { const void *caller; int isRuntime; } known[PLACES];
    const size_t place = ((uintptr_t)caller >> 2) % PLACES;
    if (known[place].caller != caller) {
        Dl_info info;
        const int found = dladdr(caller, &info) && info.dli_fname;
        known[place].caller = caller;
        known[place].isRuntime =
            found && (strstr(info.dli_fname, "libonnxruntime") || strstr(info.dli_fname, "libstdc++"));
    }
    return known[place].isRuntime;
}

static void note_of(const void *caller) {
    if (!isCounting) return;
    isCounting = 0;
    if (is_runtime(caller)) {
        runtimeCount++;
    } else {
        count++;
    }
    isCounting = 1;
}
#define note() note_of(__builtin_return_address(0))

void *malloc(size_t size) {
    note();
    return __libc_malloc(size);
}

void *calloc(size_t elements, size_t size) {
    note();
    return __libc_calloc(elements, size);
}

void *realloc(void *pointer, size_t size) {
    note();
    return __libc_realloc(pointer, size);
}

void *memalign(size_t alignment, size_t size) {
    note();
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    note();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **result, size_t alignment, size_t size) {
    note();
    if (alignment % sizeof(void *) != 0 || alignment == 0 || (alignment & (alignment - 1)) != 0) return EINVAL;
    void *memory = __libc_memalign(alignment, size);
    if (!memory) return ENOMEM;
    *result = memory;
    return 0;
}

int allocation_counter_works(void) { return 1; }

void allocation_counter_start(void) {
    count = 0;
    runtimeCount = 0;
    isCounting = 1;
}

int64_t allocation_counter_stop(void) {
    isCounting = 0;
    return count + runtimeCount;
}

int64_t allocation_counter_runtime(void) { return runtimeCount; }

#else

int allocation_counter_works(void) { return 0; }
void allocation_counter_start(void) {}
int64_t allocation_counter_stop(void) { return 0; }
int64_t allocation_counter_runtime(void) { return 0; }

#endif
