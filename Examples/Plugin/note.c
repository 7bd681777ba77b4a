/* Plays one note, as fast as it can: note <name>.instrument.json */
#include <echoel.h>
#include <math.h>
#include <stdio.h>

int main(int count, char **arguments) {
    static float left[512], right[512];
    const char *path = count > 1 ? arguments[1] : "strings.instrument.json";
    echoel *instrument = NULL;
    /* Control: once, and again whenever the host's rate or its blocks change. */
    if (echoel_create(path, NULL, &instrument) != ECHOEL_OK ||
        echoel_prepare(instrument, echoel_sample_rate(instrument), 512, ECHOEL_DEFAULT_LOOK_AHEAD) != ECHOEL_OK) {
        fprintf(stderr, "%s\n", echoel_last_error());
        echoel_destroy(instrument);
        return 1;
    }
    echoel_set_offline(instrument, 1); /* this host does not play in real time, and so may wait */

    /* Audio: the messages of a block, then the block. */
    const uint32_t latency = echoel_latency(instrument);
    long first = -1;
    float peak = 0;
    for (uint32_t position = 0; position < 48000; position += 512) {
        if (position == 0) echoel_send(instrument, 100, 0x90, 69, 100); /* frame 100: note on, A4, velocity 100 */
        if (position == 24064) echoel_send(instrument, 0, 0x80, 69, 0);
        echoel_process(instrument, left, right, 512);
        for (uint32_t i = 0; i < 512; i++) {
            if (first < 0 && left[i] != 0) first = (long)(position + i);
            peak = fmaxf(peak, fabsf(left[i]));
        }
    }
    printf("latency %u, first sound at frame %ld, peak %.3f\n", (unsigned)latency, first, peak);
    echoel_destroy(instrument);
    return 0;
}
