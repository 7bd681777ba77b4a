// Work on a model's bytes: SHA-256 (FIPS 180-4, 6.2) with the processor's own instructions where it has them.
#ifndef C_DIGEST_H
#define C_DIGEST_H
#include <stddef.h>
#include <stdint.h>

/// Takes `blocks` blocks of 64 bytes into the state.
void sha256_compress(uint32_t state[8], const uint8_t *bytes, size_t blocks);

/// The same without the processor's instructions for it.
void sha256_compress_portable(uint32_t state[8], const uint8_t *bytes, size_t blocks);

/// Whether `wanted` is somewhere in the bytes.
int bytes_contain(const void *bytes, size_t count, const void *wanted, size_t wantedCount);

/// Writes the transpose of a matrix of `rows` rows to `transposed`.
void transpose_words(const uint32_t *matrix, uint32_t *transposed, size_t rows, size_t columns);

#endif
