"""Two baselines that play recordings: the sampler with that zone missing, and another velocity."""

import math

import numpy as np

from .notes import ScoredNote
from .origin import Origin
from .recordings import Recordings


def play_with_zone_missing(origin: Origin, recordings: Recordings, note: ScoredNote) -> np.ndarray | None:
    """What a sampler plays that has every recording but those kept from training; None where no zone is missing.

    The SoundFont itself plays it: the nearest key of a trained zone, repitched (resampled by the synthesizer, as a
    sampler does) to the note's measured pitch, with its own loop, envelopes and release, let go on the note's own
    note-off; at the note's velocity or, where that was kept from training too, the nearest one that was not. Its level
    is as recorded (the velocity's curve is taken out by the dataset's normalisation), not fitted to the note.
    """
    if note.why != "zone":
        return None
    trained = np.flatnonzero(~recordings.held_out)
    index = recordings.nearest(trained, note.key, note.velocity)
    if index is None:
        return None
    cents = 1200 * math.log2(note.hertz / recordings.hertz(index))
    played = origin.play(int(recordings.key[index]), int(recordings.velocity[index]), note.off_sample, cents)
    return _as_long_as(note, played)


def play_other_velocity(origin: Origin, recordings: Recordings, note: ScoredNote) -> np.ndarray | None:
    """The floor: the same key, let go on the same sample, at the nearest other velocity of the dataset, brought to the
    note's own level (root mean square of the whole); None where the dataset has only one velocity.

    What comes as near as this is as near as the SoundFont is to itself. Where one recording serves all velocities and
    no filter follows them, the floor is almost nothing.
    """
    others = np.flatnonzero((recordings.key == note.key) & (recordings.velocity != note.velocity))
    index = recordings.nearest(others, note.key, note.velocity)
    if index is None:
        return None
    audio = _as_long_as(note, origin.play(note.key, int(recordings.velocity[index]), note.off_sample))
    return at_level_of(note.reference, audio)


def at_level_of(reference: np.ndarray, audio: np.ndarray) -> np.ndarray:
    """`audio` with the root mean square of `reference`."""
    power = float(np.mean(audio.astype(np.float64) ** 2))
    return (audio * math.sqrt(float(np.mean(reference.astype(np.float64) ** 2)) / max(power, 1e-20))).astype(np.float32)


def _as_long_as(note: ScoredNote, audio: np.ndarray) -> np.ndarray:
    out = np.zeros(len(note.reference), np.float32)
    out[: len(audio)] = audio[: len(out)]
    return out
