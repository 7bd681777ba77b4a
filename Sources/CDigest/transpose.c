#include "CDigest.h"

/// In squares whose lines stay in the cache.
enum { SIDE = 32 };

void transpose_words(const uint32_t *matrix, uint32_t *transposed, size_t rows, size_t columns) {
    for (size_t top = 0; top < rows; top += SIDE) {
        for (size_t left = 0; left < columns; left += SIDE) {
            for (size_t row = top; row < rows && row < top + SIDE; row++) {
                for (size_t column = left; column < columns && column < left + SIDE; column++) {
                    transposed[column * rows + row] = matrix[row * columns + column];
                }
            }
        }
    }
}
