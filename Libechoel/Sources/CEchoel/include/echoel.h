/* libechoel: neural instruments and effects in a host that speaks C. C99 and C++.
 *
 * One `echoel` is one instrument, played by MIDI messages into two channels of sound. Its voices are rendered by a thread
 * of its own; a message sounds exactly `echoel_latency` frames after its own frame. One `echoel_effect` is one model that
 * sound is sent through, by a thread of its own; what comes in comes out exactly `echoel_effect_latency` frames later.
 * Frames are always the host's, at whatever rate was prepared.
 *
 * Threads. Each function says from where it may be called:
 *
 *   [control]  any thread but the audio thread. Of one instance one call at a time, and where it says so none while
 *              audio runs. May allocate, read files and wait.
 *   [audio]    the thread that calls `echoel_process` or `echoel_effect_process`, one at a time. Never waits, allocates
 *              or locks.
 *   [any]      any thread, at any time between an instance's creation and its end.
 *
 * Instances know nothing of each other: any number of them may be used at once, each by threads of its own.
 *
 * NULL is refused where it makes no sense, and never crashes. A handle that was destroyed, or that is none, cannot be
 * told from a good one: what it then does is undefined.
 *
 * The library stays loaded when it is closed (`dlclose`): its threads and ONNX Runtime's could not be taken away.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ECHOEL_H
#define ECHOEL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The number of this interface. A library with the same number has everything that is declared here. */
#define ECHOEL_ABI_VERSION 1

/* An instrument. Made by `echoel_create`, ended by `echoel_destroy`. */
typedef struct echoel echoel;

/* An effect. Made by `echoel_effect_create`, ended by `echoel_effect_destroy`. */
typedef struct echoel_effect echoel_effect;

/* What became of a call. There may be more codes one day: treat those that you do not know as failures. */
typedef enum echoel_result {
    ECHOEL_OK = 0,
    ECHOEL_INVALID_ARGUMENT = 1, /* NULL where something is needed, or a value out of its range */
    ECHOEL_NOT_PREPARED = 2,     /* `echoel_prepare` or `echoel_effect_prepare` comes first */
    ECHOEL_CANNOT_LOAD = 3,      /* the instrument, the effect or a model cannot be read, or is not what it says */
    ECHOEL_NO_RUNTIME = 4,       /* no usable ONNX Runtime library */
    ECHOEL_UNSUPPORTED_RATE = 5, /* no whole number of 8000 to 384000 Hz, or too unlike the model's rate */
    ECHOEL_QUEUE_FULL = 6,       /* more messages than one block may have */
    ECHOEL_INFERENCE_FAILED = 7, /* the neural network broke off, until the instance is prepared again */
    ECHOEL_OUT_OF_RESOURCES = 8  /* the system has no more threads or memory */
} echoel_result;

/* ---- The library ------------------------------------------------------------------------------------------------ */

/* The library's version, such as "0.1.0". The text is the library's own. [any] */
const char *echoel_version(void);

/* The library's ECHOEL_ABI_VERSION, for hosts that open it at run time. [any] */
uint32_t echoel_abi_version(void);

/* A result in words, for people: a sentence that is the library's own, whatever the number. [any] */
const char *echoel_result_text(echoel_result result);

/* Why the [control] function that this thread called last failed: what it was about, what is wrong and what to do, in
 * UTF-8; empty where it did not fail. The text is the library's own, valid until the thread's next [control] call.
 * [audio] functions leave it as it is. [control] */
const char *echoel_last_error(void);

/* ---- An instance's life ----------------------------------------------------------------------------------------- */

/* Loads an instrument, verifies its models and opens them.
 *
 * instrument: the path of its file, `<name>.instrument.json`, with its models beside it. UTF-8.
 * runtime: the ONNX Runtime library, a file or a folder that holds it; NULL looks for it where the environment variable
 *     ECHOEL_ONNXRUNTIME says, else beside this library, beside the executable, in echoel's data folder, by the
 *     system's loader.
 * instance: receives the instrument, which is yours to destroy; NULL where the call fails.
 *
 * Returns ECHOEL_CANNOT_LOAD, ECHOEL_NO_RUNTIME, ECHOEL_INVALID_ARGUMENT. [control] */
echoel_result echoel_create(const char *instrument, const char *runtime, echoel **instance);

/* Ends an instance and its thread, prepared or not; no other call may be under way. NULL does nothing. [control, audio
 * stopped] */
void echoel_destroy(echoel *instance);

/* The instrument's own sample rate, in Hz; at others its sound is resampled. 0 for NULL. [any] */
double echoel_sample_rate(const echoel *instance);

#define ECHOEL_MAXIMUM_BLOCK 16384
#define ECHOEL_MAXIMUM_LOOK_AHEAD 16384
#define ECHOEL_DEFAULT_LOOK_AHEAD 256

/* Makes the instance ready to play, or ready again: notes end, messages that wait are forgotten, and what was set with
 * ECHOEL_PARAMETER_AT_PREPARE takes effect. Where it fails, everything stays as it was.
 *
 * sample_rate: the host's in Hz, a whole number of 8000 to 384000. Where it is not `echoel_sample_rate`, the sound is
 *     resampled, which adds to the latency, and "exactly" means within half a sample of the instrument's.
 * max_block: the most frames that blocks are expected to have, 1 to ECHOEL_MAXIMUM_BLOCK. Larger ones are played all the
 *     same, but in real time the voices may come too late for them.
 * look_ahead: the frames of time that the rendering thread has at least, 0 to ECHOEL_MAXIMUM_LOOK_AHEAD;
 *     ECHOEL_DEFAULT_LOOK_AHEAD where you do not know better. It is part of the latency.
 *
 * Returns ECHOEL_UNSUPPORTED_RATE, ECHOEL_INVALID_ARGUMENT, ECHOEL_CANNOT_LOAD, ECHOEL_OUT_OF_RESOURCES. [control, audio
 * stopped] */
echoel_result echoel_prepare(echoel *instance, double sample_rate, uint32_t max_block, uint32_t look_ahead);

/* Other than 0: blocks wait until the voices that they need have been rendered, so that nothing is late however fast the
 * host calls; a voice that takes longer than ten seconds is given up, and counted as missed. For rendering to a file; the latency stays. Off at first. [any] */
echoel_result echoel_set_offline(echoel *instance, int32_t is_offline);

/* ---- Playing ---------------------------------------------------------------------------------------------------- */

/* The frames from a message to its sound, for the host to report or compensate; 0 for NULL and before
 * `echoel_prepare`. It changes in `echoel_prepare` only. [audio, control] */
uint32_t echoel_latency(const echoel *instance);

/* Gives the instrument a MIDI channel message.
 *
 * frame: counted from the first frame of the next `echoel_process`. One beyond that block waits for a later one. Those
 *     of one frame are acted on in the order in which they were sent.
 * status: 0x80 to 0xEF; channels all play the same instrument, each with controllers of its own.
 * data1, data2: 0 to 127; data2 is 0 where the message has one data byte.
 *
 * Returns ECHOEL_INVALID_ARGUMENT, ECHOEL_NOT_PREPARED, and ECHOEL_QUEUE_FULL where 1024 messages wait. [audio] */
echoel_result echoel_send(echoel *instance, uint32_t frame, uint8_t status, uint8_t data1, uint8_t data2);

/* Plays the next block: fills both channels, whatever they held.
 *
 * left, right: of `frames` samples, which do not overlap; where one is NULL its channel is left out.
 * frames: any number; 0 does nothing.
 *
 * Whatever it returns, the channels are filled: with silence where it fails; where the network has broken off, with what
 * had been rendered before, then silence. A refused call acts on no message. Returns ECHOEL_INVALID_ARGUMENT,
 * ECHOEL_NOT_PREPARED, ECHOEL_INFERENCE_FAILED. [audio] */
echoel_result echoel_process(echoel *instance, float *left, float *right, uint32_t frames);

/* Silences everything at once, forgets the messages that wait and resets the controllers. Parameters stay.
 * Returns ECHOEL_INVALID_ARGUMENT, ECHOEL_NOT_PREPARED. [audio] */
echoel_result echoel_reset(echoel *instance);

/* ---- Parameters ------------------------------------------------------------------------------------------------- */

/* Parameters have the numbers 0 to `echoel_parameter_count` - 1, which stay the same in later versions. */
enum {
    ECHOEL_VOLUME = 0,  /* of the sum, in dB; -80 is silence. Takes effect in the next block, within 256 frames */
    ECHOEL_VOICES = 1,  /* notes that sound at once, a whole number */
    ECHOEL_MOVEMENT = 2 /* how much sustained notes move: 1 as recorded, 0 not at all */
};

/* A change takes effect in the next `echoel_prepare`. */
#define ECHOEL_PARAMETER_AT_PREPARE 1u

typedef struct echoel_parameter {
    const char *identifier; /* such as "volume": for files, never changed */
    const char *name;       /* for people; these texts are the library's own */
    const char *unit;       /* such as "dB"; empty where there is none */
    float minimum;
    float maximum;
    float initial; /* of this instance */
    uint32_t flags;
} echoel_parameter;

/* How many parameters there are; 0 for NULL. [any] */
uint32_t echoel_parameter_count(const echoel *instance);

/* Describes a parameter. Returns ECHOEL_INVALID_ARGUMENT where there is none of that number. [control] */
echoel_result echoel_parameter_info(const echoel *instance, uint32_t number, echoel_parameter *parameter);

/* The value that was set last; 0 where there is no such parameter. [any] */
float echoel_get_parameter(const echoel *instance, uint32_t number);

/* Sets a value. Returns ECHOEL_INVALID_ARGUMENT, and nothing changes, where it is out of range or not a number. [any] */
echoel_result echoel_set_parameter(echoel *instance, uint32_t number, float value);

/* ---- What has happened ------------------------------------------------------------------------------------------ */

/* Since the last `echoel_prepare`. */
typedef struct echoel_status {
    uint64_t frames;             /* played */
    uint64_t missed_frames;      /* of the instrument's rate that were concealed, because their voices were late */
    uint64_t dropped_notes;      /* for which there was no room */
    uint32_t voices;             /* that sounded in the last block */
    uint32_t voices_peak;        /* the most at once */
    float level;                 /* the loudest sample of the last block, linear, before the volume */
    int32_t worker_is_real_time; /* whether the system lets the rendering thread run ahead of other programs */
} echoel_status;

/* Returns ECHOEL_INVALID_ARGUMENT, ECHOEL_NOT_PREPARED; ECHOEL_INFERENCE_FAILED with the reason in
 * `echoel_last_error`, and the status filled. [control] */
echoel_result echoel_get_status(echoel *instance, echoel_status *status);

/* ---- Effects ---------------------------------------------------------------------------------------------------- */

/* Loads a model that sound is sent through, and verifies it where it has a manifest.
 *
 * model: the path of its file, `<name>.onnx`. UTF-8. With a manifest `<name>.json` of the kind `effect` beside it that one
 *     says how sound goes through it; without, it takes and gives float32 [1, channels, hop] and remembers nothing from one
 *     hop to the next.
 * hop: samples that a run takes, up to 65536; 0 where the model or its manifest says so.
 * runtime: as in `echoel_create`.
 * effect: receives the effect, which is yours to destroy; NULL where the call fails.
 *
 * Returns ECHOEL_CANNOT_LOAD, ECHOEL_NO_RUNTIME, ECHOEL_INVALID_ARGUMENT. [control] */
echoel_result echoel_effect_create(const char *model, uint32_t hop, const char *runtime, echoel_effect **effect);

/* Ends an effect and its thread, prepared or not; no other call may be under way. NULL does nothing. [control, audio
 * stopped] */
void echoel_effect_destroy(echoel_effect *effect);

/* How many channels the model has, 1 to 16; 0 for NULL. [any] */
uint32_t echoel_effect_channels(const echoel_effect *effect);

/* The model's own sample rate, in Hz; 0 where it works at any, and for NULL. [any] */
double echoel_effect_sample_rate(const echoel_effect *effect);

#define ECHOEL_MAXIMUM_WORK 65536
#define ECHOEL_WORK_OF_A_HOP 0

/* Makes the effect ready, or ready again, as if nothing had come in yet. Where it fails, everything stays as it was.
 *
 * sample_rate: the host's in Hz, a whole number of 8000 to 384000. Where it is not the model's, the sound is resampled
 *     before and behind it, which adds to the latency.
 * channels: of the sound: the model's, or 0, which means those; 1 to 16 for a model of one channel, which each goes through
 *     by itself.
 * max_block: the most frames that blocks are expected to have, 1 to ECHOEL_MAXIMUM_BLOCK. Larger ones are played all the
 *     same, but in real time the model may be too late for them.
 * work: the frames of time that a run of the model takes at most, up to ECHOEL_MAXIMUM_WORK. ECHOEL_WORK_OF_A_HOP is as
 *     long as a model may take that keeps up at all. It is part of the latency.
 *
 * Returns ECHOEL_UNSUPPORTED_RATE, ECHOEL_INVALID_ARGUMENT, ECHOEL_CANNOT_LOAD, ECHOEL_OUT_OF_RESOURCES. [control, audio
 * stopped] */
echoel_result echoel_effect_prepare(
    echoel_effect *effect, double sample_rate, uint32_t channels, uint32_t max_block, uint32_t work);

/* Other than 0: blocks wait until the model has done what they need, so that nothing is late however fast the host calls;
 * they give up after ten seconds. The latency stays. Off at first. Returns ECHOEL_INVALID_ARGUMENT. [any] */
echoel_result echoel_effect_set_offline(echoel_effect *effect, int32_t is_offline);

/* The frames from what comes in to what comes out of it; 0 for NULL and before `echoel_effect_prepare`. It changes there
 * only. [audio, control] */
uint32_t echoel_effect_latency(const echoel_effect *effect);

/* Sends the next block through the model. What is late is replaced by the sound as it came in, just as late, and counted.
 *
 * inputs: an address of `frames` samples for each channel that was prepared; NULL for one, or for all, is silence. What is
 *     no finite number counts as 0.
 * outputs: as many addresses; where one is NULL, or all are, nothing is given there. They may be the inputs; other than
 *     that they do not overlap.
 * frames: any number; 0 does nothing.
 *
 * Returns ECHOEL_INVALID_ARGUMENT and ECHOEL_NOT_PREPARED, and does nothing then; ECHOEL_INFERENCE_FAILED where the
 * network has broken off, with the sound as it came in. [audio] */
echoel_result echoel_effect_process(
    echoel_effect *effect, const float *const *inputs, float *const *outputs, uint32_t frames);

/* Makes the effect forget what has come in: silence for as long as the latency, and fresh states.
 * Returns ECHOEL_INVALID_ARGUMENT, ECHOEL_NOT_PREPARED. [audio] */
echoel_result echoel_effect_reset(echoel_effect *effect);

/* Since the last `echoel_effect_prepare`. */
typedef struct echoel_effect_status {
    uint64_t missed_frames;      /* of the model's rate that were concealed, in the channel with the most */
    uint64_t overloads;          /* stretches of such frames */
    uint64_t late_hops;          /* that came after their first sample was heard, in all channels */
    uint64_t skipped_hops;       /* that were left out */
    float input_level;           /* the largest magnitudes since the last status, linear */
    float output_level;
    int32_t worker_is_real_time; /* whether the system lets the model's thread run ahead of other programs */
} echoel_effect_status;

/* Returns ECHOEL_INVALID_ARGUMENT, ECHOEL_NOT_PREPARED; ECHOEL_INFERENCE_FAILED with the reason in
 * `echoel_last_error`, and the status filled. [control] */
echoel_result echoel_effect_get_status(echoel_effect *effect, echoel_effect_status *status);

#ifdef __cplusplus
}
#endif
#endif
