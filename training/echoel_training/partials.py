"""A bank of partials: sines of given amplitudes whose frequencies follow a pitch and an inharmonicity.

The harmonic oscillator of DDSP (Engel et al. 2020) with partials of a stiff string (Fletcher 1964): partial k lies at
k · f · sqrt((1 + B k²) / (1 + B)), where f is the pitch (of partial 1) and B the inharmonicity, 0 for a harmonic tone.
Every partial keeps a phase of its own, since those of a stiff string are no multiples of one phase.

A slot's 128 samples are 16 steps of 8: cos(a + b) = cos a cos b − sin a sin b turns the sum over partials into a
product of a matrix per step and a matrix per sample within it, which takes 48 sines a partial and slot where the
plain sum takes 128.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

SAMPLE_RATE = 48_000
SLOT_SAMPLES = 128
STEPS, STEP_SAMPLES = 16, 8
LOWEST_HERTZ = 4.0
HIGHEST_HERTZ = 20_000.0
SILENT_HERTZ, FULL_HERTZ = 23_500.0, 22_500.0
"""A partial fades out between these frequencies, so that a glide makes no step."""

PHASE_STEPS = 2.0**19
"""Phase increments per slot are multiples of 1/PHASE_STEPS cycles: sums of 17 of them are exact in float32."""

SMALLEST_INHARMONICITY = 1e-5


DETUNE_CENTS = 10.0
"""One unit of a latent's detune channel."""


def inharmonicity_from(z: Tensor) -> Tensor:
    """The inharmonicity B ≥ 0 that a latent's last channel ``z`` stands for: 1e-5 (exp(z) − 1), 0 below 0."""
    return SMALLEST_INHARMONICITY * (torch.exp(z.clamp(0.0, 8.0)) - 1.0)


def inharmonicity_code(inharmonicity: Tensor) -> Tensor:
    """The inverse of ``inharmonicity_from``."""
    return torch.log1p(inharmonicity / SMALLEST_INHARMONICITY)


def detune_ratio(code: Tensor) -> Tensor:
    """By what share of its frequency the second of two layers is above the first, for a latent's detune ``code``."""
    return torch.exp2(code.clamp(-10.0, 10.0) * (DETUNE_CENTS / 1200)) - 1.0


def detune_code(cents: Tensor) -> Tensor:
    """The code of a detune in cents."""
    return cents / DETUNE_CENTS


class PartialBank(nn.Module):
    """Sums ``count`` partials.

    The partials' frequencies at each slot's ``start`` and ``end [B, K, P]`` in Hz, their ``amplitude [B, K, P]`` at its
    end with ``before [B, P]`` at the start of the first slot, and their ``phase [B, P]`` in cycles there
    to samples ``[B, K, 128]`` and the phase after the last slot.
    """

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count
        self.register_buffer("order", torch.arange(1, count + 1, dtype=torch.float32), persistent=False)
        self.register_buffer("step", torch.arange(STEPS, dtype=torch.float32)[:, None], persistent=False)
        self.register_buffer("sample", torch.arange(STEP_SAMPLES, dtype=torch.float32), persistent=False)
        self.register_buffer("ramp", (self.step * STEP_SAMPLES + self.sample) / SLOT_SAMPLES, persistent=False)

    def frequencies(self, pitch: Tensor, inharmonicity: Tensor) -> Tensor:
        """``pitch`` in Hz and ``inharmonicity``, both ``[B, T]``, to the partials' frequencies ``[B, T, P]`` in Hz."""
        stretch = torch.sqrt((1.0 + inharmonicity[..., None] * self.order.square()) / (1.0 + inharmonicity[..., None]))
        return pitch[..., None].clamp(LOWEST_HERTZ, HIGHEST_HERTZ) * self.order * stretch

    def beats(self, pitch: Tensor, ratio: Tensor, phase: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Where two layers whose pitches differ by ``ratio [B, K]`` of ``pitch [B, K]`` stand to each other at the
        slots' ends: the cosine and sine ``[B, K, P]`` of each partial's difference of phase, and the phase ``[B, 1]``
        of the first one's in cycles, which starts at ``phase``."""
        total = torch.cumsum(torch.cat([phase, pitch * ratio * (SLOT_SAMPLES / SAMPLE_RATE)], dim=1), dim=1)
        wrapped = total - torch.floor(total)
        turns = wrapped[:, 1:, None] * self.order
        angle = (turns - torch.round(turns)) * (2 * math.pi)
        return torch.cos(angle), torch.sin(angle), wrapped[:, -1:]

    def forward(
        self, start: Tensor, end: Tensor, amplitude: Tensor, before: Tensor, phase: Tensor
    ) -> tuple[Tensor, Tensor]:
        # Exact phase: each slot's cycles on a grid of 2^-19, wrapped before and after the sum.
        cycles = torch.round((start + end) * (0.5 * SLOT_SAMPLES / SAMPLE_RATE * PHASE_STEPS)) * (1.0 / PHASE_STEPS)
        cycles = cycles - torch.floor(cycles)
        total = torch.cumsum(torch.cat([phase[:, None], cycles], dim=1), dim=1)
        wrapped = total - torch.floor(total)

        # The frequency is linear within a slot, so the phase is a parabola; within a step it goes on at the mean.
        time = self.step * (STEP_SAMPLES / SAMPLE_RATE)
        slope = (end - start) * (0.5 * SAMPLE_RATE / SLOT_SAMPLES)
        position = wrapped[:, :-1, None] + (start[:, :, None] + slope[:, :, None] * time) * time
        angle = (position - torch.round(position)) * (2 * math.pi)
        steps = torch.cat([torch.cos(angle), torch.sin(angle)], dim=-1)
        turn = ((start + end) * (math.pi / SAMPLE_RATE))[..., None] * self.sample
        cosine, sine = torch.cos(turn), -torch.sin(turn)

        # Once with the amplitudes at the slot's start, once with those at its end, and a line from one to the other.
        level = torch.cat([before[:, None], amplitude], dim=1)[..., None]
        first, last = level[:, :-1], level[:, 1:]
        samples = torch.cat(
            [torch.cat([cosine * first, cosine * last], dim=-1), torch.cat([sine * first, sine * last], dim=-1)], dim=-2
        )
        fading, rising = torch.split(steps @ samples, STEP_SAMPLES, dim=-1)
        return (fading + (rising - fading) * self.ramp).flatten(2), wrapped[:, -1]


def audible(hertz: Tensor) -> Tensor:
    """1 for partials below FULL_HERTZ, 0 above SILENT_HERTZ, and a line between."""
    return ((SILENT_HERTZ - hertz) * (1.0 / (SILENT_HERTZ - FULL_HERTZ))).clamp(0.0, 1.0)
