#define _GNU_SOURCE   // memmem
#include "CDigest.h"
#include <string.h>

int bytes_contain(const void *bytes, size_t count, const void *wanted, size_t wantedCount) {
    return memmem(bytes, count, wanted, wantedCount) != NULL;
}
