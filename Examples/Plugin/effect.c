/* Sends a click through a model, as fast as it can: effect <name>.onnx */
#include <echoel.h>
#include <math.h>
#include <stdio.h>

int main(int count, char **arguments) {
    static float sound[16][512];
    const float *inputs[16];
    float *outputs[16];
    const char *path = count > 1 ? arguments[1] : "effect.onnx";
    echoel_effect *effect = NULL;
    /* Control: once, and again whenever the host's rate, its channels or its blocks change. */
    if (echoel_effect_create(path, 0, NULL, &effect) != ECHOEL_OK ||
        echoel_effect_prepare(effect, 48000, 0, 512, ECHOEL_WORK_OF_A_HOP) != ECHOEL_OK) {
        fprintf(stderr, "%s\n", echoel_last_error());
        echoel_effect_destroy(effect);
        return 1;
    }
    echoel_effect_set_offline(effect, 1); /* this host does not play in real time, and so may wait */

    /* Audio: block by block, in place. */
    const uint32_t latency = echoel_effect_latency(effect), channels = echoel_effect_channels(effect);
    for (uint32_t channel = 0; channel < channels; channel++) inputs[channel] = outputs[channel] = sound[channel];
    long loudest = -1;
    float peak = 0;
    for (uint32_t position = 0; position < latency + 24000; position += 512) {
        for (uint32_t channel = 0; channel < channels; channel++)
            for (uint32_t i = 0; i < 512; i++) sound[channel][i] = position + i == 100; /* a click in frame 100 */
        echoel_effect_process(effect, inputs, outputs, 512);
        for (uint32_t i = 0; i < 512; i++)
            if (fabsf(sound[0][i]) > peak) {
                peak = fabsf(sound[0][i]);
                loudest = (long)(position + i);
            }
    }
    printf("latency %u, the click comes out at frame %ld, peak %.3f\n", (unsigned)latency, loudest, peak);
    echoel_effect_destroy(effect);
    return 0;
}
