// What the library keeps for itself, in C because Swift has no variables of a thread.
#ifndef ECHOEL_SUPPORT_H
#define ECHOEL_SUPPORT_H

/// What `echoel_last_error` returns on this thread from now on. Room: control.
void support_set_error(const char *text);

/// The path of the file that holds this code; NULL where the loader does not say.
const char *support_library_path(void);
#endif
