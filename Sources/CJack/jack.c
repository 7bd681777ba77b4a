#include "CJack.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

// As <jack/types.h> and <jack/midiport.h> have them.
enum { NO_START_SERVER = 0x01 };
enum { SERVER_FAILED = 0x10 };
enum { PORT_IS_INPUT = 0x1, PORT_IS_OUTPUT = 0x2, PORT_IS_PHYSICAL = 0x4, PORT_IS_TERMINAL = 0x10 };
#define AUDIO_TYPE "32 bit float mono audio"
#define MIDI_TYPE "8 bit raw midi"
struct latency_range {
    uint32_t least, most;
};
struct midi_event {
    uint32_t frame;
    size_t size;
    uint8_t *bytes;
};

#define FUNCTIONS(X)                                                                                             \
    X(struct jack_client *, client_open, (const char *, int, int *, ...))                                        \
    X(int, client_close, (struct jack_client *))                                                                 \
    X(char *, get_client_name, (struct jack_client *))                                                           \
    X(uint32_t, get_sample_rate, (struct jack_client *))                                                         \
    X(uint32_t, get_buffer_size, (struct jack_client *))                                                         \
    X(int, is_realtime, (struct jack_client *))                                                                  \
    X(float, cpu_load, (struct jack_client *))                                                                   \
    X(int, activate, (struct jack_client *))                                                                     \
    X(int, deactivate, (struct jack_client *))                                                                   \
    X(int, set_process_callback, (struct jack_client *, int (*)(uint32_t, void *), void *))                      \
    X(int, set_buffer_size_callback, (struct jack_client *, int (*)(uint32_t, void *), void *))                  \
    X(int, set_xrun_callback, (struct jack_client *, int (*)(void *), void *))                                   \
    X(int, set_freewheel_callback, (struct jack_client *, void (*)(int, void *), void *))                        \
    X(void, on_shutdown, (struct jack_client *, void (*)(void *), void *))                                       \
    X(int, set_latency_callback, (struct jack_client *, void (*)(int, void *), void *))                          \
    X(struct jack_port *, port_register, (struct jack_client *, const char *, const char *, unsigned long, unsigned long)) \
    X(const char *, port_name, (struct jack_port *))                                                             \
    X(void *, port_get_buffer, (struct jack_port *, uint32_t))                                                   \
    X(void, port_get_latency_range, (struct jack_port *, int, struct latency_range *))                           \
    X(void, port_set_latency_range, (struct jack_port *, int, struct latency_range *))                           \
    X(int, connect, (struct jack_client *, const char *, const char *))                                          \
    X(const char **, get_ports, (struct jack_client *, const char *, const char *, unsigned long))               \
    X(void, free, (void *))                                                                                      \
    X(uint32_t, midi_get_event_count, (void *))                                                                  \
    X(int, midi_event_get, (struct midi_event *, void *, uint32_t))                                              \
    X(void, set_error_function, (void (*)(const char *)))                                                        \
    X(void, set_info_function, (void (*)(const char *)))

static struct {
#define MEMBER(result, name, arguments) result(*name) arguments;
    FUNCTIONS(MEMBER)
#undef MEMBER
} jack;

static pthread_mutex_t loading = PTHREAD_MUTEX_INITIALIZER;
static int isLoaded;

// What the library has to say, it says to whoever calls it, by what it returns.
static void say_nothing(const char *message) { (void)message; }

static int load(char *message, int size) {
#if defined(__APPLE__)
    static const char *const names[] = {"libjack.0.dylib", "/opt/homebrew/lib/libjack.0.dylib", "/usr/local/lib/libjack.0.dylib", NULL};
#else
    static const char *const names[] = {"libjack.so.0", NULL};
#endif
    void *library = NULL;
    for (int i = 0; names[i] && !library; i++) library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        snprintf(message, (size_t)size, "%s", dlerror());
        return 1;
    }
#define FIND(result, name, arguments)                                                                            \
    if (!(jack.name = (result(*) arguments)dlsym(library, "jack_" #name))) {                                     \
        snprintf(message, (size_t)size, "it has no jack_%s", #name);                                             \
        return 1;                                                                                                \
    }
    FUNCTIONS(FIND)
#undef FIND
    jack.set_error_function(say_nothing);
    jack.set_info_function(say_nothing);
    return 0;
}

int cjack_load(char *message, int size) {
    pthread_mutex_lock(&loading);
    if (!isLoaded) isLoaded = load(message, size) == 0;
    int result = isLoaded ? 0 : 1;
    pthread_mutex_unlock(&loading);
    return result;
}

struct jack_client *cjack_open(const char *name, enum cjack_status *status) {
    int why = 0;
    struct jack_client *client = jack.client_open(name, NO_START_SERVER, &why);
    *status = client ? CJACK_OK : (why & SERVER_FAILED) ? CJACK_NO_SERVER : CJACK_REFUSED;
    return client;
}

void cjack_close(struct jack_client *client) { jack.client_close(client); }
const char *cjack_name(struct jack_client *client) { return jack.get_client_name(client); }
uint32_t cjack_sample_rate(struct jack_client *client) { return jack.get_sample_rate(client); }
uint32_t cjack_buffer_size(struct jack_client *client) { return jack.get_buffer_size(client); }
int cjack_is_realtime(struct jack_client *client) { return jack.is_realtime(client); }
float cjack_load_percent(struct jack_client *client) { return jack.cpu_load(client); }

int cjack_activate(struct jack_client *client, struct cjack_callbacks calls) {
    jack.on_shutdown(client, calls.shutdown, calls.context);
    if (jack.set_process_callback(client, calls.process, calls.context)) return 1;
    if (jack.set_buffer_size_callback(client, calls.buffer_size, calls.context)) return 1;
    if (jack.set_xrun_callback(client, calls.xrun, calls.context)) return 1;
    if (jack.set_freewheel_callback(client, calls.freewheel, calls.context)) return 1;
    if (jack.set_latency_callback(client, calls.latency, calls.context)) return 1;
    return jack.activate(client);
}

void cjack_deactivate(struct jack_client *client) { jack.deactivate(client); }

struct jack_port *cjack_register(struct jack_client *client, const char *name, enum cjack_port_kind kind) {
    const char *type = kind == CJACK_MIDI_IN ? MIDI_TYPE : AUDIO_TYPE;
    unsigned long flags = kind == CJACK_AUDIO_OUT ? PORT_IS_OUTPUT : PORT_IS_INPUT;
    return jack.port_register(client, name, type, flags, 0);
}

const char *cjack_port_name(struct jack_port *port) { return jack.port_name(port); }

void cjack_port_latency(struct jack_port *port, int mode, uint32_t *least, uint32_t *most) {
    struct latency_range range = {0, 0};
    jack.port_get_latency_range(port, mode, &range);
    *least = range.least;
    *most = range.most;
}

void cjack_set_port_latency(struct jack_port *port, int mode, uint32_t least, uint32_t most) {
    struct latency_range range = {least, most};
    jack.port_set_latency_range(port, mode, &range);
}

int cjack_connect(struct jack_client *client, const char *source, const char *destination) {
    return jack.connect(client, source, destination);
}

const char **cjack_physical_ports(struct jack_client *client, enum cjack_port_kind kind) {
    // The machine's inputs are where sound comes out of JACK's graph.
    unsigned long flags = PORT_IS_PHYSICAL | (kind == CJACK_AUDIO_OUT ? PORT_IS_INPUT : PORT_IS_OUTPUT);
    return jack.get_ports(client, NULL, kind == CJACK_MIDI_IN ? MIDI_TYPE : AUDIO_TYPE, flags);
}

void cjack_free(const char **ports) { jack.free(ports); }

float *cjack_audio(struct jack_port *port, uint32_t frames) { return jack.port_get_buffer(port, frames); }
void *cjack_midi(struct jack_port *port, uint32_t frames) { return jack.port_get_buffer(port, frames); }
uint32_t cjack_midi_count(void *midi) { return jack.midi_get_event_count(midi); }

int cjack_midi_event(void *midi, uint32_t index, uint32_t *frame, uint8_t *bytes) {
    struct midi_event event = {0, 0, NULL};
    bytes[0] = bytes[1] = bytes[2] = 0;
    if (jack.midi_event_get(&event, midi, index)) return 0;
    *frame = event.frame;
    for (size_t i = 0; i < 3 && i < event.size; i++) bytes[i] = event.bytes[i];
    return event.size > 1000 ? 1000 : (int)event.size;
}
