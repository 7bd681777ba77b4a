"""The notes that are scored, and what plays them."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

SAMPLE_RATE = 48_000
"""Hz, of every sound here."""

AFTER_SECONDS = 0.5
"""Silence after a reference's release: a rendering that goes on into it is wrong there as anywhere else."""

Way = Literal["prior", "encoder", "additive", "sampler", "velocity"]
"""Who plays a note: the product through its prior or through encoder latents, or one of the three baselines, the
additive synth, the sampler with that zone missing, another velocity's recording."""

WAYS: tuple[Way, ...] = ("prior", "encoder", "additive", "sampler", "velocity")


@dataclass(frozen=True, eq=False)
class ScoredNote:
    """A note that training has not seen, as the SoundFont plays it."""

    instrument: str
    key: int
    """MIDI, 0…127."""
    velocity: int
    """MIDI, 1…127."""
    off_sample: int
    """The sample of the note-off; sample 0 is the note-on."""
    hertz: float
    """The frequency of partial 1 that was measured, within some cents of the key's."""
    inharmonicity: float
    """B: partial k lies at k · hertz · sqrt((1 + B k²) / (1 + B)); 0 is harmonic."""
    reference: np.ndarray
    """float32 [n]: the SoundFont's note, mono, 48 kHz, level-normalised as in a dataset, with its release and
    AFTER_SECONDS of silence."""
    why: Literal["zone", "velocity", "trained"]
    """What was kept from training: the key's whole zone (and maybe the velocity too), or only this velocity, or
    nothing: a trained note tells of levels only."""


@dataclass(frozen=True, eq=False)
class Rendering:
    """A note as it was played, by each way there was."""

    note: ScoredNote
    audio: dict[Way, np.ndarray] = field(default_factory=dict)
    """float32 [n], as long as the note's reference and at its level: sample 0 is the note-on. A way that does not
    apply to the note is not there."""
