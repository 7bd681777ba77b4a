#define _GNU_SOURCE
#include "host.h"
#include <pthread.h>
#include <stdarg.h>
#include <time.h>

static unsigned passed;

void check_at(const char *file, int line, int is_true, const char *format, ...) {
    if (is_true) {
        passed++;
        return;
    }
    va_list words;
    va_start(words, format);
    fprintf(stderr, "%s:%d: failed: ", file, line);
    vfprintf(stderr, format, words);
    fprintf(stderr, "\n");
    va_end(words);
    exit(1);
}

unsigned checks(void) { return passed; }

static uint64_t state;

void seed_random(uint64_t seed) {
    if (seed == 0) seed = (uint64_t)time(NULL) % 1000000 + 1;
    state = seed;
    printf("seed %llu\n", (unsigned long long)seed);
}

uint64_t random_number(void) { /* SplitMix64 (Steele, Lea and Flood 2014) */
    uint64_t z = state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

struct api api;
const char *fixtures;

const char *fixture(const char *name) {
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s", fixtures, name);
    return path;
}

echoel *loaded(const char *path) {
    echoel *instance = NULL;
    check(api.create(path, NULL, &instance) == ECHOEL_OK, "%s", api.last_error());
    check(instance != NULL && api.last_error()[0] == '\0', "a good call leaves no error");
    return instance;
}

void prepare(echoel *instance, uint32_t max_block, uint32_t look_ahead) {
    check(api.prepare(instance, api.sample_rate(instance), max_block, look_ahead) == ECHOEL_OK, "%s",
          api.last_error());
}

void *open_library(const char *path) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    check(library != NULL, "%s", library ? "" : dlerror());
    static const char *const names[] = {
        "version", "abi_version", "result_text", "last_error", "create", "destroy", "sample_rate", "prepare",
        "set_offline", "latency", "send", "process", "reset", "parameter_count", "parameter_info", "get_parameter",
        "set_parameter", "get_status", "effect_create", "effect_destroy", "effect_channels", "effect_sample_rate",
        "effect_prepare", "effect_set_offline", "effect_latency", "effect_process", "effect_reset", "effect_get_status",
    };
    check(sizeof names / sizeof names[0] * sizeof(void (*)(void)) == sizeof api, "every function has its name");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char symbol[64];
        snprintf(symbol, sizeof symbol, "echoel_%s", names[i]);
        void *function = dlsym(library, symbol);
        check(function != NULL, "there is no %s", symbol);
        memcpy((char *)&api + i * sizeof function, &function, sizeof function);
    }
    return library;
}

void on_a_thread(void *(*work)(void *), void *argument) {
    pthread_t thread;
    check(pthread_create(&thread, NULL, work, argument) == 0, "a thread starts");
    check(pthread_join(thread, NULL) == 0, "a thread ends");
}

#ifdef COUNT_ALLOCATIONS
static __thread int is_counting;
static __thread uint32_t counted;

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static void count_one(void) {
    if (is_counting) counted++;
}

void *malloc(size_t size) { return count_one(), __libc_malloc(size); }
void *calloc(size_t count, size_t size) { return count_one(), __libc_calloc(count, size); }
void *realloc(void *memory, size_t size) { return count_one(), __libc_realloc(memory, size); }
void *aligned_alloc(size_t alignment, size_t size) { return count_one(), __libc_memalign(alignment, size); }
int posix_memalign(void **memory, size_t alignment, size_t size) {
    count_one();
    *memory = __libc_memalign(alignment, size);
    return *memory ? 0 : 12;
}
void free(void *memory) {
    if (memory) count_one();
    __libc_free(memory);
}

void allocations_begin(void) {
    counted = 0;
    is_counting = 1;
}
uint32_t allocations_end(void) {
    is_counting = 0;
    return counted;
}
#else
void allocations_begin(void) {}
uint32_t allocations_end(void) { return 0; }
#endif
