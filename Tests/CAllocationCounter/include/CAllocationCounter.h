// Counts the calling thread's heap allocations, by standing in front of the C library's allocator. For tests.
#ifndef C_ALLOCATION_COUNTER_H
#define C_ALLOCATION_COUNTER_H
#include <stdint.h>

/// Whether this build counts at all: not under a sanitizer, which has its own allocator, nor without glibc.
int allocation_counter_works(void);

/// Starts counting on this thread, from 0.
void allocation_counter_start(void);

/// Stops, and returns the allocations since the start.
int64_t allocation_counter_stop(void);

/// Of those that were counted last, how many ONNX Runtime made for itself.
int64_t allocation_counter_runtime(void);
#endif
