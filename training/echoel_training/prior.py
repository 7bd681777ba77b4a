"""The prior of one instrument: what a note is at one instant, as named columns, to the latent of that instant.

It has no memory. Time enters only through exponentials of the seconds since note-on and note-off, each of which
settles: a note held for a minute has the latent of a note held for ten seconds, so it cannot drift, and a note
released just now has the latent of a held one. Sustained notes live by a *movement* besides: what the latents of the
recordings and their pitch do around their mean, as a sum of many slow sines whose frequencies have no common period, so
that it never repeats, and a note's movement is a function of its time and its ``variation`` alone.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .decoder import FREE_CHANNELS, LATENT_SIZE, VIBRATO_CHANNEL
from .noise import SLOPE

ATTACK_SECONDS = (0.0015, 0.003, 0.006, 0.012, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8)
DECAY_SECONDS = (1.6, 3.2, 6.4, 12.8)
"""Slower ones, for struck notes: what sustains has to settle within the notes of its training."""
RELEASE_SECONDS = (0.006, 0.012, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8)
"""Time constants of the exponentials."""

COLUMNS = ("pitch", "velocity", "secondsOn", "secondsOff", "variation", "temperature")
LONGEST_SECONDS = 1000.0
MIDDLE_KEY = 60.0

MOVEMENT_LINES = 384
SLOWEST_HERTZ, FASTEST_HERTZ = 0.1, 10.0
"""So many sines, each within its own 0.026 Hz: half a minute does not tell one from its neighbours."""

MOVEMENT_SECONDS = 0.15
"""A note's movement sets in with this time constant."""

KEYS = 128

MOVING_CHANNELS = VIBRATO_CHANNEL + 1
"""Those that a note's movement moves: all but its tuning."""


class Prior(nn.Module):
    """``note [B, 6]`` to ``latent [B, 128]``. Columns: pitch (MIDI key), velocity (1…127), secondsOn, secondsOff,
    variation (0…1), temperature (0…2, 1: moves as the recordings do). Finite for every finite note."""

    def __init__(self, struck: bool = False, width: int = 256, seed: int = 0) -> None:
        super().__init__()
        self.struck, self.width = struck, width
        on = ATTACK_SECONDS + (DECAY_SECONDS if struck else ())
        self.first = nn.Linear(5 + len(on) + len(RELEASE_SECONDS), width)
        self.second = nn.Linear(width, width)
        self.third = nn.Linear(width, width)
        self.latent = nn.Linear(width, FREE_CHANNELS)
        self.register_buffer("attack", -1.0 / torch.tensor(on), persistent=False)
        self.register_buffer("release", -1.0 / torch.tensor(RELEASE_SECONDS), persistent=False)
        # Detune and inharmonicity of every key, as codes: the last two channels of the latent.
        self.register_buffer("tuning", torch.zeros(KEYS, LATENT_SIZE - MOVING_CHANNELS))

        # Each line at random within its own share of the band: they have no common period. What they weigh is learned
        # from the recordings after the training, and so is no part of its state.
        random = torch.Generator().manual_seed(seed)
        place = (torch.arange(MOVEMENT_LINES) + torch.rand(MOVEMENT_LINES, generator=random)) / MOVEMENT_LINES
        self.register_buffer("line_hertz", SLOWEST_HERTZ + (FASTEST_HERTZ - SLOWEST_HERTZ) * place, persistent=False)
        self.register_buffer("line_phase", torch.rand(MOVEMENT_LINES, generator=random), persistent=False)
        turns = torch.randint(1, 2000, (MOVEMENT_LINES,), generator=random).float()
        self.register_buffer("line_turns", turns, persistent=False)
        self.register_buffer("movement", torch.zeros(MOVEMENT_LINES, MOVING_CHANNELS), persistent=False)

    def forward(self, note: Tensor) -> Tensor:
        key = (note[:, 0:1].clamp(0.0, 127.0) - MIDDLE_KEY) * (1.0 / 24.0)
        on = note[:, 2:3].clamp(0.0, LONGEST_SECONDS)
        latent = self._mean(key, note[:, 1:2], on, note[:, 3:4]) + self._movement(on, note[:, 4:5], note[:, 5:6])
        nearest = torch.round(note[:, 0].clamp(0.0, KEYS - 1.0)).to(torch.int64)
        return torch.cat([latent, self.tuning[nearest]], dim=-1)

    def _mean(self, key: Tensor, velocity: Tensor, on: Tensor, off: Tensor) -> Tensor:
        velocity = velocity.clamp(0.0, 127.0) * (1.0 / 127.0)
        attack = torch.exp(on * self.attack)
        release = torch.exp(off.clamp(0.0, LONGEST_SECONDS) * self.release) - 1.0
        features = torch.cat([key, key * key, key**3, velocity, velocity * velocity, attack, release], dim=-1)
        hidden = F.leaky_relu(self.first(features), SLOPE)
        hidden = hidden + F.leaky_relu(self.second(hidden), SLOPE)
        hidden = hidden + F.leaky_relu(self.third(hidden), SLOPE)
        return F.pad(self.latent(hidden), (0, MOVING_CHANNELS - FREE_CHANNELS))

    def _movement(self, on: Tensor, variation: Tensor, temperature: Tensor) -> Tensor:
        turns = on * self.line_hertz + self.line_phase + variation.clamp(0.0, 1.0) * self.line_turns
        lines = torch.cos((turns - torch.floor(turns)) * (2 * math.pi))
        amount = temperature.clamp(0.0, 2.0) * (1.0 - torch.exp(on * (-1.0 / MOVEMENT_SECONDS)))
        return (lines @ self.movement) * amount
