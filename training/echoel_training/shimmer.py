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


class Shimmer(nn.Module):
    """Control ``[B, K, control]``, noise of unit variance ``[B, K, 128]`` and the walks' state ``[B, 8, 128]`` to
    what is to be added to the partials' log amplitudes ``[B, K, 128]``, and the next state. The mean power stays."""

    def __init__(self, control: int) -> None:
        super().__init__()
        parts = len(SHIMMER_HERTZ)
        self.depth = nn.Linear(control, parts * SHIMMERING)
        with torch.no_grad():
            self.depth.weight.mul_(0.3)
            self.depth.bias.fill_(-3.0)
        decay = torch.tensor([-2 * math.pi * hertz * SLOT_SAMPLES / SAMPLE_RATE for hertz in SHIMMER_HERTZ])
        decay = decay.double()[:, None, None]
        square = torch.exp(2 * decay)
        # What makes the first and the second filter's output one of unit variance, and how alike the two then are.
        first = torch.sqrt(1 - square)
        second = torch.sqrt((1 - square) ** 3 / (1 + square))
        alike = first * second / (1 - square) ** 2
        constants = {"decay": decay, "first": first, "second": second, "alike": alike, "apart": torch.sqrt(1 - alike**2)}
        for name, value in constants.items():
            self.register_buffer(name, value.float(), persistent=False)
        place = torch.arange(SHIMMERING)
        # Ones and zeros, which half precision keeps.
        near = ((place[:, None] - place) % SHIMMERING < BROAD_PARTIALS).float()
        self.register_buffer("near", near, persistent=False)

    @staticmethod
    def state_shape() -> tuple[int, ...]:
        return (STAGES * len(SHIMMER_HERTZ), SHIMMERING)

    def drives(self, noise: Tensor, turn: int = 0) -> Tensor:
        """The noises ``[B, 4, K, 128]`` that drive the walks, from a slot's ``[B, K, 128]``: for a partial's walks to be
        independent of each other, each takes another partial's value, and for another ``turn``, 0…2, others again."""
        parts = len(SHIMMER_HERTZ)
        places = [(3 * part + turn) * SHIMMERING // (3 * parts) for part in range(parts)]
        *own, broad = (torch.roll(noise, place, dims=-1) for place in places)
        return torch.stack([*own, (broad @ self.near) * (1 / math.sqrt(BROAD_PARTIALS))], dim=1)

    def beginning(self, noise: Tensor) -> Tensor:
        """The state of a voice that starts now, drawn by its first slot's noise ``[B, 128]``: its walks are not at rest,
        but anywhere."""
        second, other = (self.drives(noise[:, None], turn) for turn in (1, 2))
        return torch.cat([self.alike * second + self.apart * other, second], dim=1)[:, :, 0]

    def forward(self, control: Tensor, noise: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        slot = torch.arange(control.shape[1], dtype=control.dtype, device=control.device)
        drives = self.drives(noise)
        before, earlier = (part[:, :, None] for part in torch.chunk(state, STAGES, dim=1))
        # What is left at a slot of an earlier one's noise, [4, K, K], and of the states before, [4, K, 1].
        age = slot[:, None] - slot
        fading = torch.exp(self.decay * age.clamp(min=0.0)) * (age >= 0).to(control.dtype)
        passed = slot[:, None] + 1.0
        left = torch.exp(self.decay * passed)
        # Only the last slot's value of the first filter is a state.
        first = (self.first * fading[:, -1:]) @ drives + left[:, -1:] * before
        second = (self.second * fading * (age + 1.0)) @ drives + left * (earlier + before * passed * (self.second / self.first))
        depth = torch.exp(self.depth(control).clamp(max=math.log(DEEPEST)))
        depth = depth.unflatten(-1, (len(SHIMMER_HERTZ), SHIMMERING)).transpose(1, 2)
        # E exp(2 d w) = exp(2 d²): taken off, so that the depth moves no level.
        moved = (depth * (second - depth)).sum(dim=1).clamp(max=HIGHEST)
        return moved, torch.cat([first, second[:, :, -1:]], dim=1)[:, :, 0]
