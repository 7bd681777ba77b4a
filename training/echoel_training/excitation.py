"""The harmonic excitation: a band-limited pulse train in closed form, from a pitch in hertz per slot.

The pulse is the sum of K equal cosines, K the partials below 0.98 of the Nyquist frequency (the Dirichlet
kernel; Moorer, *Discrete summation formulae*, 1976). The partial that is entering or leaving has a fractional
weight, so a glide makes no step. It plays the role of DDSP's harmonic oscillator (Engel et al. 2020).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

SAMPLE_RATE = 48_000
SLOT_SAMPLES = 128
HIGHEST_PARTIAL_HERTZ = 0.98 * SAMPLE_RATE / 2
LOWEST_HERTZ = 4.0
HIGHEST_HERTZ = 20_000.0
PHASE_STEPS = 2.0**19
"""Phase increments per slot are multiples of 1/PHASE_STEPS cycles: sums of 17 of them are exact in float32."""

SMALLEST_PHASE = 1e-6
"""Cycles. Nearer to a pulse's centre, 0/0 is replaced by the (equal) value here."""


class Excitation(nn.Module):
    """``pitch [B, K]`` in Hz at the slots' ends, ``phase [B, 1]`` in cycles and the previous slot's
    ``pitch [B, 1]`` (0: fresh) to samples ``[B, K, 128]`` of root mean square ≈ 0.7, and the next states."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("ramp", torch.arange(SLOT_SAMPLES, dtype=torch.float32), persistent=False)

    def forward(self, pitch: Tensor, phase_state: Tensor, pitch_state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        pitch = pitch.clamp(LOWEST_HERTZ, HIGHEST_HERTZ)
        before = torch.where(pitch_state > 0, pitch_state, pitch[:, :1])
        bounds = torch.cat([before, pitch], dim=1)
        start, end = bounds[:, :-1], bounds[:, 1:]

        # Exact phase: the slot's cycles on a grid of 2^-19, wrapped before and after the sum.
        steps = torch.round((start + end) * (0.5 * SLOT_SAMPLES / SAMPLE_RATE * PHASE_STEPS))
        cycles = steps * (1.0 / PHASE_STEPS)
        cycles = cycles - torch.floor(cycles)
        total = torch.cumsum(torch.cat([phase_state, cycles], dim=1), dim=1)
        wrapped = total - torch.floor(total)

        # Within the slot the pitch is linear, so the phase is a parabola.
        slope = (end - start) * (1.0 / SLOT_SAMPLES)
        hertz = start[..., None] + slope[..., None] * self.ramp
        position = wrapped[:, :-1, None] + (hertz + start[..., None]) * (self.ramp * (0.5 / SAMPLE_RATE))
        return _pulse(position, hertz), wrapped[:, -1:], bounds[:, -1:]


def _pulse(position: Tensor, hertz: Tensor) -> Tensor:
    """The sum of cos(2π k position) for k up to HIGHEST_PARTIAL_HERTZ / hertz, of power ½."""
    offset = position - torch.round(position)
    angle = torch.clamp(torch.abs(offset), min=SMALLEST_PHASE) * (2 * math.pi)
    partials = HIGHEST_PARTIAL_HERTZ / hertz
    whole = torch.floor(partials)
    kernel = 0.5 * torch.sin((whole + 0.5) * angle) / torch.sin(0.5 * angle) - 0.5
    entering = (partials - whole) * torch.cos((whole + 1.0) * angle)
    return (kernel + entering) * torch.rsqrt(partials)
