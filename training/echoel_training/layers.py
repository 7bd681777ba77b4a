"""Streaming layers: causal convolutions on channels-last frames, with their memory outside.

All sequences are ``[batch, time, channels]``. A causal convolution is written as a gather of its taps into one
wide row followed by one matrix product, so that a batch of short slices is a single large GEMM on the CPU.
Nothing is padded: the frames before the slice come from a state tensor, and zero states are a fresh start.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Taps(nn.Module):
    """Gathers ``taps`` frames, ``dilation`` apart, into each row: ``[B, T + reach, C]`` to ``[B, T, taps*C]``, oldest
    first, where the reach is ``(taps-1)*dilation``.

    A graph that is exported for slices of at most ``longest`` frames looks the frames up in a table, which is one
    operator instead of one a tap.
    """

    def __init__(self, taps: int, dilation: int = 1, longest: int | None = None) -> None:
        super().__init__()
        self.taps, self.dilation, self.reach = taps, dilation, (taps - 1) * dilation
        table = torch.arange(longest or 0)[:, None] + dilation * torch.arange(taps)
        self.register_buffer("table", table.flatten(), persistent=False)

    def forward(self, history: Tensor) -> Tensor:
        if len(self.table) and torch.compiler.is_exporting():
            frames = history.shape[1] - self.reach
            found = torch.index_select(history, 1, self.table[: frames * self.taps])
            return found.reshape(history.shape[0], frames, self.taps * history.shape[2])
        if torch.is_grad_enabled() and history.requires_grad:
            return _GatherTaps.apply(history, self.taps, self.dilation)
        return _gather(history, self.taps, self.dilation)


def _gather(history: Tensor, taps: int, dilation: int) -> Tensor:
    reach = (taps - 1) * dilation
    rows = []
    for tap in range(taps):
        last = tap * dilation - reach
        rows.append(history[:, tap * dilation : last] if last else history[:, reach:])
    return torch.cat(rows, dim=-1)


class _GatherTaps(torch.autograd.Function):
    """``_gather`` whose gradient is summed in place: that of slices fills one whole tensor per tap."""

    @staticmethod
    def forward(context, history: Tensor, taps: int, dilation: int) -> Tensor:
        context.taps, context.dilation, context.frames = taps, dilation, history.shape[1]
        return _gather(history, taps, dilation)

    @staticmethod
    def backward(context, gradient: Tensor) -> tuple[Tensor, None, None]:
        width = gradient.shape[2] // context.taps
        length = gradient.shape[1]
        total = gradient.new_zeros(gradient.shape[0], context.frames, width)
        for tap in range(context.taps):
            first = tap * context.dilation
            total[:, first : first + length] += gradient[:, :, tap * width : (tap + 1) * width]
        return total, None, None


def last_frames(history: Tensor, count: int) -> Tensor:
    """The newest ``count`` frames of ``[B, T, C]``: the memory for the next slice."""
    return history[:, -count:]


class CausalConvolution(nn.Module):
    """A causal dilated convolution, ``[B, T, in]`` and a state ``[B, memory, in]`` to ``[B, T, out]``; ``longest`` as
    ``Taps`` says."""

    def __init__(
        self, inputs: int, outputs: int, taps: int = 3, dilation: int = 1, bias: bool = True, longest: int | None = None
    ) -> None:
        super().__init__()
        self.taps = Taps(taps, dilation, longest)
        self.memory = self.taps.reach
        self.mix = nn.Linear(taps * inputs, outputs, bias=bias)

    def forward(self, frames: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        history = torch.cat([state, frames], dim=1)
        return self.mix(self.taps(history)), last_frames(history, self.memory)


class StridedConvolution(nn.Module):
    """A causal convolution of ``2*stride`` taps and step ``stride``: ``[B, stride*T, in]`` and the previous row
    ``[B, 1, stride*in]`` to ``[B, T, out]``."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.width = stride * inputs
        self.taps = Taps(2)
        self.mix = nn.Linear(2 * self.width, outputs)

    def forward(self, frames: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        rows = frames.reshape(frames.shape[0], -1, self.width)
        history = torch.cat([state, rows], dim=1)
        return self.mix(self.taps(history)), last_frames(history, 1)
