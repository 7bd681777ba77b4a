"""Transposed convolutions as plain ones: a stride of s is s interleaved convolutions of the input's own rate.

Output sample s·m + r of a transposed convolution sums w[k]·x[n] over the k = s·(m − n) + r + padding that there are, so each
phase r is a convolution of x with every s-th weight. Where the channels come last, the phases beside each other are the
interleaved output already. (Vaidyanathan, "Multirate Systems and Filter Banks", 1993, section 4.3.)
"""

import torch
from torch import nn
from torch.nn import functional

# A convolution computes so many channels at once or more: phases of fewer share one, at the price of a zero weight.
_VECTOR_CHANNELS = 16


class PolyphaseConvTranspose1d(nn.Module):
    """What `layer` computes, channels last: [batch, frames, channels] → [batch, stride · frames, channels].

    The layer's padding and output padding have to make its output exactly `stride` times as long as its input; groups and
    dilation are 1.
    """

    def __init__(self, layer: nn.ConvTranspose1d):
        super().__init__()
        (kernel,), (self.stride,), (padding,) = layer.kernel_size, layer.stride, layer.padding
        length = kernel - 2 * padding + layer.output_padding[0]
        if length != self.stride or layer.groups != 1 or layer.dilation != (1,):
            raise ValueError(f"{layer} does not make its input {self.stride} times as long, or has groups or dilation")
        self.channels = layer.out_channels
        # The input frames from m - before to m + after count for the outputs of frame m.
        self.before = (kernel - 1 - padding) // self.stride + 1
        self.after = (self.stride - 1 + padding) // self.stride
        phases = range(self.stride)
        groups = [[phase] for phase in phases] if self.channels >= _VECTOR_CHANNELS else [list(phases)]
        self.firsts, self.taps = [], []
        for number, group in enumerate(groups):
            weight = torch.zeros(len(group), self.channels, layer.in_channels, self.before + 1 + self.after)
            used = []
            for row, phase in enumerate(group):
                for tap in range(weight.size(-1)):
                    index = self.stride * (self.before - tap) + phase + padding
                    if 0 <= index < kernel:
                        weight[row, :, :, tap] = layer.weight.detach()[:, :, index].T
                        used.append(tap)
            first, last = min(used, default=self.before), max(used, default=self.before)
            self.firsts.append(first)
            self.taps.append(last + 1 - first)
            self.register_buffer(f"weight{number}", weight[..., first : last + 1].flatten(0, 1)[:, :, None, :].clone())
            bias = torch.zeros(self.channels) if layer.bias is None else layer.bias.detach()
            self.register_buffer(f"bias{number}", bias.repeat(len(group)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, frames, _ = x.shape
        rows = functional.pad(x, (0, 0, self.before, self.after))[:, None].permute(0, 3, 1, 2)
        parts = []
        for number, (first, taps) in enumerate(zip(self.firsts, self.taps)):
            weight, bias = getattr(self, f"weight{number}"), getattr(self, f"bias{number}")
            part = functional.conv2d(rows[..., first : first + frames + taps - 1], weight, bias)
            parts.append(part.permute(0, 2, 3, 1))
        return torch.cat(parts, -1).reshape(batch, self.stride * frames, self.channels)
