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
from torch import Tensor, nn

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


class Shimmer(nn.Module):
    """Control ``[B, K, control]``, noise of unit variance ``[B, K, 128]`` and the walks' state ``[B, 8, 128]`` to
    what is to be added to the partials' log amplitudes ``[B, K, 128]``, and the next state. The mean power stays."""

    def __init__(self, control: int, longest: int | None = None) -> None:
        super().__init__()
        parts = len(SHIMMER_HERTZ)
        self.depth = nn.Linear(control, parts * SHIMMERING)
        with torch.no_grad():
            self.depth.weight.mul_(0.3)
            self.depth.bias.fill_(-3.0)
        decay = torch.tensor([-2 * math.pi * hertz * SLOT_SAMPLES / SAMPLE_RATE for hertz in SHIMMER_HERTZ])
        self.decay = decay.double()[:, None, None]
        square = torch.exp(2 * self.decay)
        # What makes the first and the second filter's output one of unit variance, and how alike the two then are.
        self.first = torch.sqrt(1 - square)
        self.second = torch.sqrt((1 - square) ** 3 / (1 + square))
        alike = self.first * self.second / (1 - square) ** 2
        apart = torch.sqrt(1 - alike**2)
        # A new voice's filters, from two turns' noises: the second filter is where the first turn says.
        begins = torch.cat([alike, apart, torch.ones_like(alike), torch.zeros_like(alike)], dim=2)
        begins = begins.unflatten(2, (2, 2)).permute(2, 0, 1, 3)
        self.register_buffer("begins", begins.float(), persistent=False)
        self.register_buffer("longest_walk", self._walk(longest or 0), persistent=False)
        self._register_drives()

    def _walk(self, slots: int) -> Tensor:
        """``[2, 4, slots, 2 + slots]``: from both filters' states, and the noise of each slot, to both filters' values at
        each slot."""
        slot = torch.arange(slots, dtype=torch.float64)
        age = slot[:, None] - slot
        fading = torch.exp(self.decay * age.clamp(min=0.0)) * (age >= 0)
        passed = slot[:, None] + 1.0
        left = torch.exp(self.decay * passed)
        first = torch.cat([left, torch.zeros_like(left), self.first * fading], dim=2)
        second = torch.cat([left * passed * self.second / self.first, left, self.second * fading * (age + 1.0)], dim=2)
        return torch.stack([first, second]).float()

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

    def beginning(self, noise: Tensor) -> Tensor:
        """The state of a voice that starts now, drawn by its first slot's noise ``[B, 128]``: its walks are not at rest,
        but anywhere."""
        drawn = self._driven(noise, self.source_at_first)
        return (self.begins @ drawn.transpose(1, 2)[:, None]).flatten(1, 3)

    def forward(self, control: Tensor, noise: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        slots = control.shape[1]
        if len(self.longest_walk[0, 0]) and torch.compiler.is_exporting():
            walk = self.longest_walk[:, :, :slots, : slots + STAGES]
        else:
            walk = self._walk(slots).to(control.device)
        drives = self._driven(noise, self.source)[:, :, 0]
        told = torch.cat([state.unflatten(1, (STAGES, -1)), drives], dim=1)
        first_and_second = walk @ told.transpose(1, 2)[:, None]
        depth = torch.exp(self.depth(control).clamp(max=math.log(DEEPEST)))
        depth = depth.unflatten(-1, (len(SHIMMER_HERTZ), SHIMMERING)).transpose(1, 2)
        # E exp(2 d w) = exp(2 d²): taken off, so that the depth moves no level.
        moved = (depth * (first_and_second[:, 1] - depth)).sum(dim=1).clamp(max=HIGHEST)
        return moved, first_and_second[:, :, :, -1].flatten(1, 2)
