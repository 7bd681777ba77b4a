"""Notes as the exported models play them, computed by PyTorch: for levels, movement and previews while training."""

from __future__ import annotations

import numpy as np
import torch

from .tuning import nominal_hertz
from .decoder import Decoder
from .export import MAXIMUM_SLOTS
from .models import Models
from .module import unit_noise
from .partials import SAMPLE_RATE, SLOT_SAMPLES
from .prior import COLUMNS

SILENCE_DECIBELS = -60.0
"""Relative to the note's peak: from here on a released note counts as silent."""

NOTE_DECIBELS = -18.0
"""Full-scale peak of a single note of velocity 100 at an instrument's own gain: chords of eight stay below clipping."""

VELOCITY_EXPONENT = 2.0
_LOUD = (100.0, 1.5)
_PLAYED = ((32.0, 0.3), (32.0, 0.8), (32.0, 1.5), _LOUD, (120.0, 1.5))
"""Velocities, and seconds that they are held: a soft note that ends as it begins takes longest."""

_RELEASED_SECONDS = 5.0


@torch.no_grad()
def play(
    models: Models, instrument: str, keys: np.ndarray, velocities: np.ndarray, off_samples: np.ndarray, samples: int
) -> np.ndarray:
    """Notes through prior and decoder at the keys' pitch in equal temperament, without movement, in runs of 16 slots
    as a host does it; level-normalised ``[B, samples]``."""
    batch, slots = len(keys), -(-(samples + Decoder.DELAY_SAMPLES) // SLOT_SAMPLES)
    slot = torch.arange(slots)
    notes = torch.zeros(batch, slots, len(COLUMNS))
    notes[..., 0] = torch.tensor(keys, dtype=torch.float32)[:, None]
    notes[..., 1] = torch.tensor(velocities, dtype=torch.float32)[:, None]
    notes[..., 2] = slot * SLOT_SAMPLES / SAMPLE_RATE
    released = slot * SLOT_SAMPLES - Decoder.DELAY_SAMPLES - torch.tensor(off_samples)[:, None]
    notes[..., 3] = released.clamp(min=0) / SAMPLE_RATE
    latent = models.priors[instrument](notes.flatten(0, 1)).unflatten(0, (batch, slots)).transpose(1, 2)
    pitch = torch.tensor(nominal_hertz(np.asarray(keys, float)), dtype=torch.float32)[:, None, None]
    noise = unit_noise(batch, slots, torch.Generator().manual_seed(0))
    states, audio = models.decoder.fresh_states(batch), []
    for first in range(0, slots, MAXIMUM_SLOTS):
        some = latent[:, :, first : first + MAXIMUM_SLOTS]
        count = some.shape[2]
        part, *states = models.decoder(
            some, pitch.expand(-1, 1, count), noise[:, :, 8 * first : 8 * (first + count)], *states
        )
        audio.append(part[:, 0])
    return torch.cat(audio, dim=1)[:, Decoder.DELAY_SAMPLES :][:, :samples].numpy()


def silent_after(audio: np.ndarray, off_sample: int) -> float:
    """Seconds from the note-off until the sound stays below SILENCE_DECIBELS of its peak."""
    loud = np.flatnonzero(np.abs(audio) > np.abs(audio).max() * 10 ** (SILENCE_DECIBELS / 20))
    return max(0.0, (int(loud[-1]) + 1 - off_sample) / SAMPLE_RATE)


def measure_levels(models: Models, ranges: dict[str, tuple[int, int]]) -> dict[str, dict]:
    """``gain`` and ``releaseSeconds`` of each instrument, from notes over its range of keys (both ends played)."""
    measured = {}
    for name in models.priors:
        low, high = ranges[name]
        keys = np.unique(np.append(np.arange(low, high, 4), high))
        peaks, releases = [], []
        for velocity, seconds in _PLAYED:
            off = round(seconds * SAMPLE_RATE)
            samples = off + round(_RELEASED_SECONDS * SAMPLE_RATE)
            audio = play(models, name, keys, np.full(len(keys), velocity), np.full(len(keys), off), samples)
            releases += [silent_after(note, off) for note in audio]
            if (velocity, seconds) == _LOUD:
                peaks = np.abs(audio).max(axis=1) * (velocity / 127) ** VELOCITY_EXPONENT
        measured[name] = {
            "gain": round(float(10 ** (NOTE_DECIBELS / 20) / np.median(peaks)), 3),
            "releaseSeconds": round(1.1 * max(releases) + 0.05, 2),
        }
    return measured
