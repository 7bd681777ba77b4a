#define _GNU_SOURCE
#include "host.h"

uint32_t allocations_while_playing;

/* ---- What is played: the same messages, whatever the blocks. ---- */

static const struct note {
    uint32_t start, end;
    uint8_t key, velocity;
} song[] = {{0, 9000, 60, 100}, {1, 20000, 64, 80}, {4097, 4098, 67, 127}, {12345, 30000, 72, 1}, {LAST, 70000, 48, 90}};

struct event {
    uint32_t time;
    uint8_t bytes[3];
};

static size_t events(struct event *list) {
    size_t count = 0;
    for (size_t i = 0; i < sizeof song / sizeof song[0]; i++) {
        list[count++] = (struct event){song[i].start, {0x90, song[i].key, song[i].velocity}};
        list[count++] = (struct event){song[i].end, {0x80, song[i].key, 0}};
    }
    for (size_t i = 1; i < count; i++) /* by time */
        for (size_t k = i; k > 0 && list[k - 1].time > list[k].time; k--) {
            const struct event swap = list[k];
            list[k] = list[k - 1];
            list[k - 1] = swap;
        }
    return count;
}

void play(echoel *instance, struct cutting cutting, uint32_t early, float *left) {
    static float block_left[8192], block_right[8192];
    struct event list[64];
    const size_t count = events(list);
    const uint32_t latency = api.latency(instance) - early;
    size_t next = 0;
    uint32_t position = 0;
    while (position < LENGTH + latency) {
        const uint32_t frames = cutting.is_random ? 1 + (uint32_t)(random_number() % cutting.size) : cutting.size;
        allocations_begin();
        while (next < count && list[next].time < position + frames * (cutting.ahead ? 2 : 1)) {
            const struct event *event = &list[next++];
            check(api.send(instance, event->time - position, event->bytes[0], event->bytes[1], event->bytes[2]) ==
                      ECHOEL_OK,
                  "a message is taken");
        }
        check(api.process(instance, block_left, block_right, frames) == ECHOEL_OK, "a block is played");
        allocations_while_playing += allocations_end();
        for (uint32_t i = 0; i < frames; i++) {
            const uint32_t time = position + i;
            if (time < latency)
                check(block_left[i] == 0 && block_right[i] == 0, "silence before the latency is over, at %u", time);
            else if (time - latency < LENGTH)
                left[time - latency] = block_left[i];
        }
        position += frames;
    }
    check(next == count, "the song was played");
}
