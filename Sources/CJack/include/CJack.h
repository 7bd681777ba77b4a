// The functions of the JACK client library (jackaudio.org/api) that a device needs, found when it is loaded: a machine
// without JACK can still run the rest.
#ifndef C_JACK_H
#define C_JACK_H

#include <stdint.h>

struct jack_client;
struct jack_port;

// Loads the library; 0, or another number and why not in `message`. The other functions may be called after a 0.
// Room: control.
int cjack_load(char *message, int size);

enum cjack_status { CJACK_OK, CJACK_NO_SERVER, CJACK_REFUSED };

// A client of the server that runs; NULL and a status where there is none. Room: control, as all that follow here.
struct jack_client *cjack_open(const char *name, enum cjack_status *status);
void cjack_close(struct jack_client *);
const char *cjack_name(struct jack_client *);
uint32_t cjack_sample_rate(struct jack_client *);
uint32_t cjack_buffer_size(struct jack_client *);
int cjack_is_realtime(struct jack_client *);
float cjack_load_percent(struct jack_client *);

struct cjack_callbacks {
    void *context;
    int (*process)(uint32_t frames, void *context);   // audio; 0 to go on
    int (*buffer_size)(uint32_t frames, void *context);
    int (*xrun)(void *context);
    void (*freewheel)(int starting, void *context);
    void (*shutdown)(void *context);
    // Called when the latencies of ports have changed: those since the sound came in (mode 0), or until it is out (1).
    void (*latency)(int mode, void *context);
};
int cjack_activate(struct jack_client *, struct cjack_callbacks);
void cjack_deactivate(struct jack_client *);

enum cjack_port_kind { CJACK_AUDIO_IN, CJACK_AUDIO_OUT, CJACK_MIDI_IN };
struct jack_port *cjack_register(struct jack_client *, const char *name, enum cjack_port_kind);
const char *cjack_port_name(struct jack_port *);
// The least and the most latency of a port, in frames, of either mode.
void cjack_port_latency(struct jack_port *, int mode, uint32_t *least, uint32_t *most);
void cjack_set_port_latency(struct jack_port *, int mode, uint32_t least, uint32_t most);
int cjack_connect(struct jack_client *, const char *source, const char *destination);
// The ports of the machine's own inputs or outputs, NULL-terminated, or NULL; to be given to cjack_free.
const char **cjack_physical_ports(struct jack_client *, enum cjack_port_kind);
void cjack_free(const char **);

#pragma clang attribute push(__attribute__((swift_attr("@_noLocks"))), apply_to = function)
// Room: audio.
float *cjack_audio(struct jack_port *, uint32_t frames);
void *cjack_midi(struct jack_port *, uint32_t frames);
uint32_t cjack_midi_count(void *midi);
// Event `index` of a block: its frame, and its first three bytes in `bytes`, 0 where there are fewer; returns how many it has.
int cjack_midi_event(void *midi, uint32_t index, uint32_t *frame, uint8_t *bytes);
#pragma clang attribute pop

#endif
