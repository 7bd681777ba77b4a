"""How the partials' levels move by themselves: random walks, slow and quick, as deep as the control says.

No string, reed or section of players holds a partial's level still. Around the level that the latent asks for, each
partial's moves by a sum of Gaussian-like noises of given bandwidths: the sines that a note is made of sound like one
that is played and not like an organ's. Three noises are each partial's own; one more, a bow's or a breath's, lies on
neighbouring partials alike.

A noise is white noise through two equal one-pole filters: critically damped, so that it has no corners, as what has
mass has none.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .operators import Operator
from .partials import SAMPLE_RATE, SLOT_SAMPLES

SHIMMER_HERTZ = (1.5, 8.0, 40.0, 8.0)
"""The filters' poles, of the three own noises and of the broad one: well below them a noise is flat, far above it falls
by 12 dB an octave."""

BROAD_PARTIALS = 8
"""So many neighbouring partials have a part in the broad noise at one partial."""

SHIMMERING = 128
"""So many of the lowest partials move: as many as there are noise values in a slot."""

DEEPEST = 0.8
"""In nepers: the standard deviation of one noise."""

HIGHEST = 1.0
"""In nepers: no more do all of them raise a partial at an instant. What fades to silence has no bursts."""

STAGES = 2

BLOCK = 8
"""So many neighbouring noise values go the same way."""


class Shimmer(Operator):
    """How deep each partial's noises are, as logarithms (``depth [B, K, 4 · 128]``), and noise of unit variance
    ``[B, K, 128]`` to what is to be added to the partials' log amplitudes ``[B, K, 128]``. The mean power stays.

    A state: the walks, ``[B, 8, 128]``. A voice whose ``last_pitch [B, 1]`` is 0 is fresh, and begins anywhere.
    """

    INPUTS = {
        "depth": {0: "batch", 1: "slots"},
        "noise": {0: "batch", 1: "slots"},
        "last_pitch": {0: "batch"},
        "walks": {0: "batch"},
        "filters": {},  # [4, 5]: decay, gain of the first, gain of the second after it, alike and apart
    }
    OUTPUTS = ("moved", "next_walks")

    def __init__(self, longest: int) -> None:
        super().__init__()
        decay = torch.tensor([-2 * math.pi * hertz * SLOT_SAMPLES / SAMPLE_RATE for hertz in SHIMMER_HERTZ]).double()
        square = torch.exp(2 * decay)
        # What makes the first and the second filter's output one of unit variance, and how alike the two then are.
        first, second = torch.sqrt(1 - square), torch.sqrt((1 - square) ** 3 / (1 + square))
        alike = first * second / (1 - square) ** 2
        filters = torch.stack([torch.exp(decay), first, second / first, alike, torch.sqrt(1 - alike**2)], dim=-1)
        self.register_buffer("filters", filters.float(), persistent=False)
        self.register_buffer("longest_walk", self._walk(filters, longest).float(), persistent=False)
        self._register_drives()

    @staticmethod
    def _walk(filters: Tensor, slots: int) -> Tensor:
        """``[2, 4, slots, 2 + slots]``: from both filters' states, and the noise of each slot, to both filters' values at
        each slot."""
        decay, first, after = (each[:, None, None] for each in filters.double().T[:3])
        slot = torch.arange(slots, dtype=torch.float64, device=filters.device)
        age = slot[:, None] - slot
        fading = decay ** age.clamp(min=0.0) * (age >= 0)
        passed = slot[:, None] + 1.0
        left = decay**passed
        into_first = torch.cat([left, torch.zeros_like(left), first * fading], dim=2)
        into_second = torch.cat([left * passed * after, left, first * after * fading * (age + 1.0)], dim=2)
        return torch.stack([into_first, into_second])

    def _register_drives(self) -> None:
        """Which noise value drives which partial's walks: for them to be independent of each other, each takes another
        partial's value, and for another of three turns others again, all in whole blocks. The broad noise is a sum over
        neighbours."""
        place, parts, blocks = torch.arange(SHIMMERING), len(SHIMMER_HERTZ), SHIMMERING // BLOCK
        away = torch.arange(parts) * (blocks // parts)
        source = (torch.arange(blocks) - away[:, None] - torch.arange(3)[:, None, None]) % blocks
        self.register_buffer("source", source[0].flatten(), persistent=False)
        self.register_buffer("source_at_first", source[1:].flatten(), persistent=False)
        # Ones and zeros, which half precision keeps.
        near = ((place[:, None] - place) % SHIMMERING < BROAD_PARTIALS).float()
        self.register_buffer("near", near, persistent=False)

    @staticmethod
    def state_shape() -> tuple[int, ...]:
        return (STAGES * len(SHIMMER_HERTZ), SHIMMERING)

    def _driven(self, noise: Tensor, source: Tensor) -> Tensor:
        """The noises that drive the walks, ``[…, turns, 4, 128]``, from a slot's ``[…, 128]``."""
        blocks = torch.index_select(noise.unflatten(-1, (-1, BLOCK)), -2, source)
        own, broad = torch.split(blocks.flatten(-2).unflatten(-1, (-1, len(SHIMMER_HERTZ), SHIMMERING)), [3, 1], dim=-2)
        return torch.cat([own, (broad @ self.near) * (1 / math.sqrt(BROAD_PARTIALS))], dim=-2)

    def beginning(self, noise: Tensor, filters: Tensor) -> Tensor:
        """The state of a voice that starts now, drawn by its first slot's noise ``[B, 128]``: its walks are not at rest,
        but anywhere. The second filter is where the first turn says."""
        once, twice = torch.unbind(self._driven(noise, self.source_at_first), dim=1)
        alike, apart = filters[:, 3:4], filters[:, 4:5]
        return torch.cat([alike * once + apart * twice, once], dim=1)

    def weights(self) -> tuple[Tensor, ...]:
        return (self.filters,)

    def shapes(self, depth: Tensor, noise: Tensor, last_pitch: Tensor, walks: Tensor, filters: Tensor) -> tuple:
        return noise.shape, walks.shape

    def meaning(self, depth, noise, last_pitch, walks, filters) -> tuple[Tensor, Tensor]:
        walks = torch.where(last_pitch[..., None] <= 0, self.beginning(noise[:, 0], filters), walks)
        slots = noise.shape[1]
        if torch.compiler.is_exporting():
            walk = self.longest_walk[:, :, :slots, : slots + STAGES]
        else:
            walk = self._walk(filters, slots).float()
        drives = self._driven(noise, self.source)[:, :, 0]
        told = torch.cat([walks.unflatten(1, (STAGES, -1)), drives], dim=1)
        first_and_second = walk @ told.transpose(1, 2)[:, None]
        depth = torch.exp(depth.clamp(max=math.log(DEEPEST)))
        depth = depth.unflatten(-1, (len(SHIMMER_HERTZ), SHIMMERING)).transpose(1, 2)
        # E exp(2 d w) = exp(2 d²): taken off, so that the depth moves no level.
        moved = (depth * (first_and_second[:, 1] - depth)).sum(dim=1).clamp(max=HIGHEST)
        return moved, first_and_second[:, :, :, -1].flatten(1, 2)
