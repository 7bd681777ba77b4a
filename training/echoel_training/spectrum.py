"""The tonal part: partials whose levels a spectral envelope says, and for the lowest ones a part of their own.

Serra & Smith 1990; Engel et al. 2020.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from .layers import Taps
from .noise import LOUDEST, QUIETEST
from .operators import Operator
from .partials import SAMPLE_RATE, SLOT_SAMPLES, PartialBank, audible
from .shimmer import SHIMMERING

ENVELOPE_HERTZ = 700.0
"""The envelope's points are equally far apart in log(1 + f / ENVELOPE_HERTZ), as mels are."""

OWN_PARTIALS = 80
"""So many of the lowest partials have an amplitude of their own, besides the envelope's, and a second line: that of a
layer that is tuned apart, or of a piano's other strings."""

STRONGEST_STRING, STRONGEST_LAYER = 0.7, 100.0
"""Of a second line against the first. Two strings that were as loud would not only beat but leave the note's pitch."""


class ShapedPartials(Operator):
    """Partials of a pitch, with levels, to samples ``[B, K, 128]``.

    Per slot: the ``pitch [B, K, 1]`` in Hz at its end, the ``inharmonicity`` and by what share of its frequency a second
    layer is above the first (``detune``), both ``[B, K, 1]``; the logarithms of the envelope's points ``[B, K, E]``; of
    each of the lowest 80 partials what its own adds to that, and the complex amplitude of its second line against the
    first (``own [B, K, 3 · 80]``); and how the lowest 128 move (``shimmer [B, K, 128]``).

    Three states: the pitch before, 0 of a fresh voice (``last_pitch [B, 1]``), the amplitudes and the phases of the
    bank's lines.
    """

    INPUTS = {
        "pitch": {0: "batch", 1: "slots"},
        "inharmonicity": {0: "batch", 1: "slots"},
        "detune": {0: "batch", 1: "slots"},
        "envelope": {0: "batch", 1: "slots"},
        "own": {0: "batch", 1: "slots"},
        "shimmer": {0: "batch", 1: "slots"},
        "last_pitch": {0: "batch"},
        "last_amplitude": {0: "batch"},
        "phase": {0: "batch"},
        "rate": {},  # [80], see PartialBank
    }
    OUTPUTS = ("samples", "next_amplitude", "next_phase")

    def __init__(self, partials: int, points: int, longest: int) -> None:
        super().__init__()
        self.bank = PartialBank(partials, OWN_PARTIALS, longest)
        self.ends = Taps(2, longest=longest)
        self.points, self.partials = points, partials
        self.scale = (points - 1) / math.log1p(SAMPLE_RATE / 2 / ENVELOPE_HERTZ)

    @property
    def levels(self) -> int:
        """The amplitudes of a slot."""
        return self.bank.lines + OWN_PARTIALS

    def weights(self) -> tuple[Tensor, ...]:
        return (self.bank.rate,)

    def shapes(self, pitch: Tensor, *others: Tensor) -> tuple:
        return (*pitch.shape[:2], SLOT_SAMPLES), (pitch.shape[0], self.levels), (pitch.shape[0], self.bank.lines)

    def meaning(self, pitch, inharmonicity, detune, envelope, own, shimmer, last_pitch, last_amplitude, phase, rate):
        start = torch.where(last_pitch <= 0, pitch[:, 0], last_pitch)
        ends = self.ends(torch.cat([start[:, None], pitch], dim=1))
        hertz = self.bank.frequencies(ends, inharmonicity, detune, rate)
        stiff, layered = ((each > 0).to(pitch.dtype) for each in (inharmonicity, detune.abs()))
        strongest = STRONGEST_STRING * stiff + STRONGEST_LAYER * layered
        amplitude = self._amplitudes(hertz[:, :, 1, : self.partials], envelope, own, shimmer, strongest)
        samples, phase = self.bank(hertz, amplitude, last_amplitude, phase)
        return samples, amplitude[:, -1], phase

    def _amplitudes(self, hertz: Tensor, points: Tensor, own: Tensor, shimmer: Tensor, strongest: Tensor) -> Tensor:
        """Of the bank's lines: at ``hertz [B, K, P]``, the second ones at most so much as strong as the first."""
        place = (torch.log1p(hertz * (1.0 / ENVELOPE_HERTZ)) * self.scale).clamp(0.0, self.points - 1.001)
        below = torch.floor(place)
        index = below.to(torch.int64)
        low = torch.gather(points, 2, index)
        high = torch.gather(points, 2, index + 1)
        own, across, along = torch.split(own, OWN_PARTIALS, dim=-1)
        level = low + (high - low) * (place - below) + F.pad(own, (0, self.partials - OWN_PARTIALS))
        level = level.clamp(QUIETEST, LOUDEST) + F.pad(shimmer, (0, self.partials - SHIMMERING))
        amplitude = torch.exp(level) * audible(hertz)
        # The second line's complex amplitude is across + i along times the first's; their powers' sum stays.
        kept = (strongest * torch.rsqrt(across * across + along * along + 1e-9)).clamp(max=1.0)
        across, along = across * kept, along * kept
        doubled = amplitude[..., :OWN_PARTIALS] * torch.rsqrt(1.0 + across * across + along * along)
        return torch.cat([doubled, amplitude[..., OWN_PARTIALS:], doubled * across, doubled * along], dim=-1)
