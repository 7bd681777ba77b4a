"""Transposed convolutions as plain ones: a stride of s is s interleaved convolutions of the input's own rate.

Output sample s·m + r of a transposed convolution sums w[k]·x[n] over the k = s·(m − n) + r + padding that there are, so each
phase r is a convolution of x with every s-th weight. One convolution computes all phases as channels of its own; where the
channels come last, interleaving them moves nothing. (Vaidyanathan, "Multirate Systems and Filter Banks", 1993, section 4.3.)
"""

import torch
from torch import nn
from torch.nn import functional


class PolyphaseConvTranspose1d(nn.Module):
    """What `layer` computes, channels last: [batch, frames, channels] → [batch, stride · frames, channels].

    The layer's padding and output padding have to make its output exactly `stride` times as long as its input; groups and
    dilation are 1.
    """

    def __init__(self, layer: nn.ConvTranspose1d):
        super().__init__()
        (kernel,), (stride,), (padding,) = layer.kernel_size, layer.stride, layer.padding
        if kernel - 2 * padding + layer.output_padding[0] != stride or layer.groups != 1 or layer.dilation != (1,):
            raise ValueError(f"{layer} does not make its input exactly {stride} times as long, or is in groups or dilated")
        # The input frames from m - before to m + after count for the outputs of frame m.
        before = (kernel - 1 - padding) // stride
        after = (stride - 1 + padding) // stride
        taps = before + 1 + after
        channels = layer.out_channels
        weight = torch.zeros(stride, channels, layer.in_channels, taps)
        for phase in range(stride):
            for tap in range(taps):
                index = stride * (before - tap) + phase + padding
                if 0 <= index < kernel:
                    weight[phase, :, :, tap] = layer.weight.detach()[:, :, index].T
        self.channels, self.stride, self.padding = channels, stride, (before, after)
        bias = torch.zeros(channels) if layer.bias is None else layer.bias.detach()
        self.register_buffer("weight", weight.flatten(0, 1)[:, :, None, :])
        self.register_buffer("bias", bias.repeat(stride))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, frames, _ = x.shape
        rows = functional.pad(x, (0, 0, *self.padding))[:, None].permute(0, 3, 1, 2)
        phases = functional.conv2d(rows, self.weight, self.bias).permute(0, 2, 3, 1)
        return phases.reshape(batch, self.stride * frames, self.channels)
