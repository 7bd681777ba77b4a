#if defined(__linux__)
#define _GNU_SOURCE // dladdr
#endif
#include "include/support.h"
#include "include/echoel.h"
#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

static _Thread_local char last_error[2048];

void support_set_error(const char *text) {
    size_t length = strlen(text);
    if (length >= sizeof last_error) {
        length = sizeof last_error - 1;
        // Not within a character.
        while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80) length--;
    }
    memcpy(last_error, text, length);
    last_error[length] = '\0';
}

const char *echoel_last_error(void) { return last_error; }

uint32_t echoel_abi_version(void) { return ECHOEL_ABI_VERSION; }

const char *echoel_result_text(echoel_result result) {
    switch (result) {
    case ECHOEL_OK: return "It worked.";
    case ECHOEL_INVALID_ARGUMENT: return "An argument is missing or out of its range.";
    case ECHOEL_NOT_PREPARED: return "The instrument or the effect has not been prepared.";
    case ECHOEL_CANNOT_LOAD: return "The instrument or the effect cannot be loaded.";
    case ECHOEL_NO_RUNTIME: return "No usable ONNX Runtime library was found.";
    case ECHOEL_UNSUPPORTED_RATE: return "There is no playing at this sample rate.";
    case ECHOEL_QUEUE_FULL: return "There are too many messages in one block.";
    case ECHOEL_INFERENCE_FAILED: return "The neural network broke off.";
    case ECHOEL_OUT_OF_RESOURCES: return "The system has no more threads or memory.";
    }
    return "It failed for a reason that this version does not know.";
}

const char *support_library_path(void) {
    Dl_info info;
    static const char here;
    return dladdr(&here, &info) ? info.dli_fname : NULL;
}
