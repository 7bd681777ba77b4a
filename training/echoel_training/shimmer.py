"""How the partials' levels move by themselves: a random walk of each, quick and slow, as deep as the control says.

No string, reed or section of players holds a partial's level still. Around the level that the latent asks for, each
partial's moves by a sum of Gaussian-like noises of given bandwidths (Ornstein & Uhlenbeck 1930), each partial's its
own: the sines that a note is made of sound like one that is played and not like an organ's.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from .partials import SAMPLE_RATE, SLOT_SAMPLES

SHIMMER_HERTZ = (1.0, 6.0, 36.0)
"""Below these the noises are flat; above, they fall by 6 dB an octave."""

SHIMMERING = 128
"""So many of the lowest partials move: as many as there are noise values in a slot."""

DEEPEST = 1.5
"""In nepers: the standard deviation of one noise."""


class Shimmer(nn.Module):
    """Control ``[B, K, control]``, ``drives [B, 3, K, 128]`` of unit variance and the walks' state ``[B, 3, 128]`` to
    what is to be added to the partials' log amplitudes ``[B, K, 128]``, and the next state. The mean power stays."""

    def __init__(self, control: int) -> None:
        super().__init__()
        self.depth = nn.Linear(control, len(SHIMMER_HERTZ) * SHIMMERING)
        with torch.no_grad():
            self.depth.weight.mul_(0.3)
            self.depth.bias.fill_(-3.0)
        decay = torch.tensor([-2 * math.pi * hertz * SLOT_SAMPLES / SAMPLE_RATE for hertz in SHIMMER_HERTZ])
        self.register_buffer("decay", decay[:, None, None], persistent=False)
        drive = torch.sqrt(1 - torch.exp(2 * decay))
        self.register_buffer("drive", drive[:, None, None], persistent=False)
        self.register_buffer("ahead", ((1 - drive) * torch.exp(-decay))[:, None], persistent=False)

    @staticmethod
    def state_shape() -> tuple[int, ...]:
        return (len(SHIMMER_HERTZ), SHIMMERING)

    @staticmethod
    def drives(noise: Tensor) -> Tensor:
        """The noises ``[B, 3, K, 128]`` that drive the walks, from a slot's ``[B, K, 128]``: for a partial's walks to be
        independent of each other, each takes another partial's value."""
        parts = len(SHIMMER_HERTZ)
        return torch.stack([torch.roll(noise, part * SHIMMERING // parts, dims=-1) for part in range(parts)], dim=1)

    def beginning(self, drives: Tensor) -> Tensor:
        """The state of a voice that starts now: its walks are not at rest, but at its first slot's noise."""
        return drives[:, :, 0] * self.ahead

    def forward(self, control: Tensor, drives: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        slot = torch.arange(control.shape[1], dtype=control.dtype, device=control.device)
        # What is left at a slot of an earlier one's noise, [3, K, K], and of the state before, [3, K, 1].
        age = slot[:, None] - slot
        kernel = torch.exp(self.decay * age.clamp(min=0.0)) * self.drive * (age >= 0).to(control.dtype)
        walks = kernel @ drives + torch.exp(self.decay * (slot[:, None] + 1.0)) * state[:, :, None]
        # Half-way from slot to slot: the quickest walk would have a corner in each.
        between = 0.5 * (walks + torch.cat([state[:, :, None], walks[:, :, :-1]], dim=2))
        depth = torch.exp(self.depth(control).clamp(max=math.log(DEEPEST)))
        depth = depth.unflatten(-1, self.state_shape()).transpose(1, 2)
        # E exp(2 d w) = exp(2 d²): taken off, so that the depth moves no level.
        return (depth * (between - depth)).sum(dim=1), walks[:, :, -1]
