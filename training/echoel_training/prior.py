"""The prior: what a note is at one instant, as named columns, to the latent of that instant.

It has no memory. Time enters only through exponentials of the seconds since note-on and note-off, each of which
settles: a note held for a minute has the latent of a note held for ten seconds, so it cannot drift, and a note
released just now has the latent of a held one.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .decoder import LATENT_SIZE, SLOPE

ATTACK_SECONDS = (0.003, 0.006, 0.012, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8)
RELEASE_SECONDS = (0.006, 0.012, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8)
"""Time constants of the exponentials."""

NOTE_COLUMNS = ("pitch", "velocity", "secondsOn", "secondsOff")
LONGEST_SECONDS = 1000.0
MIDDLE_KEY = 60.0


class Prior(nn.Module):
    """``note [B, 4 + instruments]`` to ``latent [B, 128]``. Columns: pitch (MIDI key), velocity (1…127),
    secondsOn, secondsOff, then one weight per instrument. Finite for every finite note."""

    def __init__(self, instruments: tuple[str, ...], width: int = 128) -> None:
        super().__init__()
        self.instruments = tuple(instruments)
        self.width = width
        features = 4 + len(ATTACK_SECONDS) + len(RELEASE_SECONDS) + len(self.instruments)
        self.first = nn.Linear(features, width)
        self.second = nn.Linear(width, width)
        self.third = nn.Linear(width, width)
        self.latent = nn.Linear(width, LATENT_SIZE)
        self.register_buffer("attack", -1.0 / torch.tensor(ATTACK_SECONDS), persistent=False)
        self.register_buffer("release", -1.0 / torch.tensor(RELEASE_SECONDS), persistent=False)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the note's columns, in order."""
        return NOTE_COLUMNS + tuple(f"instrument.{name}" for name in self.instruments)

    def features(self, note: Tensor) -> Tensor:
        """The normalised columns."""
        key = (note[:, 0:1].clamp(0.0, 127.0) - MIDDLE_KEY) * (1.0 / 24.0)
        velocity = note[:, 1:2].clamp(0.0, 127.0) * (1.0 / 127.0)
        attack = torch.exp(note[:, 2:3].clamp(0.0, LONGEST_SECONDS) * self.attack)
        release = torch.exp(note[:, 3:4].clamp(0.0, LONGEST_SECONDS) * self.release) - 1.0
        instrument = note[:, 4:].clamp(0.0, 1.0)
        return torch.cat([key, key * key, velocity, velocity * velocity, attack, release, instrument], dim=-1)

    def forward(self, note: Tensor) -> Tensor:
        hidden = F.leaky_relu(self.first(self.features(note)), SLOPE)
        hidden = hidden + F.leaky_relu(self.second(hidden), SLOPE)
        hidden = hidden + F.leaky_relu(self.third(hidden), SLOPE)
        return self.latent(hidden)
