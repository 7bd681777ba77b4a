/* What the host needs besides its tests: checks, random numbers, allocations counted, the library opened. */
#ifndef HOST_H
#define HOST_H
#include "echoel.h"
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Every function of echoel.h. */
struct api {
    const char *(*version)(void);
    uint32_t (*abi_version)(void);
    const char *(*result_text)(echoel_result);
    const char *(*last_error)(void);
    echoel_result (*create)(const char *, const char *, echoel **);
    void (*destroy)(echoel *);
    double (*sample_rate)(const echoel *);
    echoel_result (*prepare)(echoel *, double, uint32_t, uint32_t);
    echoel_result (*set_offline)(echoel *, int32_t);
    uint32_t (*latency)(const echoel *);
    echoel_result (*send)(echoel *, uint32_t, uint8_t, uint8_t, uint8_t);
    echoel_result (*process)(echoel *, float *, float *, uint32_t);
    echoel_result (*reset)(echoel *);
    uint32_t (*parameter_count)(const echoel *);
    echoel_result (*parameter_info)(const echoel *, uint32_t, echoel_parameter *);
    float (*get_parameter)(const echoel *, uint32_t);
    echoel_result (*set_parameter)(echoel *, uint32_t, float);
    echoel_result (*get_status)(echoel *, echoel_status *);
    echoel_result (*effect_create)(const char *, uint32_t, const char *, echoel_effect **);
    void (*effect_destroy)(echoel_effect *);
    uint32_t (*effect_channels)(const echoel_effect *);
    double (*effect_sample_rate)(const echoel_effect *);
    echoel_result (*effect_prepare)(echoel_effect *, double, uint32_t, uint32_t, uint32_t);
    echoel_result (*effect_set_offline)(echoel_effect *, int32_t);
    uint32_t (*effect_latency)(const echoel_effect *);
    echoel_result (*effect_process)(echoel_effect *, const float *const *, float *const *, uint32_t);
    echoel_result (*effect_reset)(echoel_effect *);
    echoel_result (*effect_get_status)(echoel_effect *, echoel_effect_status *);
};

extern struct api api;
void *open_library(const char *path);

/* The folder of the tests' models, and the path of one of its files, until this is asked again. */
extern const char *fixtures;
const char *fixture(const char *name);

/* An instrument, and one that is prepared for its own rate. */
echoel *loaded(const char *path);
void prepare(echoel *instance, uint32_t max_block, uint32_t look_ahead);

/* Ends the program where `is_true` is 0, with the place and the words. */
#define check(is_true, ...) check_at(__FILE__, __LINE__, (is_true), __VA_ARGS__)
void check_at(const char *file, int line, int is_true, const char *format, ...);
unsigned checks(void);

/* The last error says `words`, and is a sentence. */
#define check_error(words) \
    check(strstr(api.last_error(), (words)) != NULL, "“%s” says “%s”", api.last_error(), (words))

/* Says its seed; 0 takes one of its own. */
void seed_random(uint64_t seed);
uint64_t random_number(void);

/* Runs `work(argument)` on a new thread and waits for it. */
void on_a_thread(void *(*work)(void *), void *argument);

/* Counts what this thread takes from and gives back to the heap: with glibc, and without sanitizers, which have an
 * allocator of their own. */
#ifdef COUNT_ALLOCATIONS
#define ALLOCATIONS_ARE_COUNTED 1
#else
#define ALLOCATIONS_ARE_COUNTED 0
#endif
void allocations_begin(void);
uint32_t allocations_end(void);
extern uint32_t allocations_while_playing;

/* ---- What is played: the same messages, whatever the blocks. ---- */

enum { LENGTH = 80000, LAST = 60001 };

/* How a host cuts its time: into blocks of `size`, or of 1 to `size` at random; `ahead` sends messages a block early. */
struct cutting {
    uint32_t size;
    int is_random;
    int ahead;
};

/* Plays the song into `left`, from `early` frames before the latency is over. */
void play(echoel *instance, struct cutting cutting, uint32_t early, float *left);

/* ---- Tests of other files. ---- */

void test_rates(const char *instrument);
void test_effects(void);
void test_effects_null(void);
void test_together(const char *instrument);
#endif
