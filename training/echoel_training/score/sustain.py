"""A note held for half a minute: it stays, it lives, it does not repeat itself, and its slices are not heard."""

from collections.abc import Sequence

import numpy as np

from ..measure import pieces
from ..measure.product import Bench, continuous
from ..measure.report import Figure
from ..measure.tool import Instrument
from ..rendering import off_sample_for
from .movement import (
    band_levels,
    deepest_dip,
    modulation_lines,
    movement_decibels,
    new_lines,
    window_centroids,
    window_levels,
)
from .notes import SAMPLE_RATE
from .origin import Origin

HELD_SECONDS = 31.0
"""With a second of attack, which is not looked at."""

LEVEL_DECIBELS, CENTROID_PER_CENT, DIP_DECIBELS = 1.0, 5.0, 6.0

_START_SECONDS = 1.0
_STRUCK_SECONDS = 5.0
_VELOCITY = 90


def sustain_figures(
    bench: Bench, instrument: Instrument, origin: Origin, keys: Sequence[int], is_struck: bool
) -> list[Figure]:
    """Some keys held for half a minute, beside the SoundFont's; of a struck instrument the slices of five seconds."""
    held = _STRUCK_SECONDS if is_struck else HELD_SECONDS
    notes = pieces.one_by_one(list(keys), held, instrument.release_seconds + 0.1, _VELOCITY)
    sound, _ = bench.sound(f"{instrument.name}-sustain", instrument.name, notes)
    figures = continuous(sound, notes, instrument)
    if is_struck:
        return figures
    start = round(_START_SECONDS * SAMPLE_RATE)
    ours = [sound[note.onset + start : note.end].astype(np.float32) for note in notes]
    off = off_sample_for(held)
    theirs = [origin.play(key, _VELOCITY, off)[start:off] for key in keys]
    return [*steadiness_figures(instrument.name, keys, ours, theirs), *figures]


def steadiness_figures(
    instrument: str, keys: Sequence[int], ours: Sequence[np.ndarray], theirs: Sequence[np.ndarray]
) -> list[Figure]:
    """Level and centroid in windows of 10 s, dips, and periods, of held notes beside the SoundFont's.

    The sounds are 30 s, without their attacks; the worst of the keys counts.
    """
    measure = f"Held for {len(ours[0]) / SAMPLE_RATE:.0f} s: {instrument}"
    of = f"worst of {len(keys)} keys"
    figures = []
    for name, deviation, unit, bound in (
        ("level of 10 s against the median", _level_deviation, "dB", LEVEL_DECIBELS),
        ("centroid of 10 s against the median", _centroid_deviation, "%", CENTROID_PER_CENT),
        ("deepest dip of half a second", deepest_dip, "dB", DIP_DECIBELS),
    ):
        found = [deviation(sound) for sound in ours]
        details = {"keys": list(keys), "perKey": found}
        figures.append(Figure(measure, f"{name}, {of}", max(found), unit, bound, details=details))
        figures.append(Figure(measure, f"{name}, {of}: the SoundFont's own", max(map(deviation, theirs)), unit))
    levels = [(band_levels(our), band_levels(their)) for our, their in zip(ours, theirs, strict=True)]
    # A period that the SoundFont's note nearly has is not new.
    lines = [(modulation_lines(our), modulation_lines(their, share=0.5)) for our, their in levels]
    new = [new_lines(our, their) for our, their in lines]
    details = {
        "perKey": [
            {"key": key, "new": [vars(line) for line in fresh], "ours": [vars(line) for line in our]}
            | {"theSoundFonts": [vars(line) for line in their]}
            for key, fresh, (our, their) in zip(keys, new, lines, strict=True)
        ]
    }
    count = sum(map(len, new))
    movement = [[movement_decibels(side) for side in pair] for pair in levels]
    return [
        *figures,
        Figure(measure, f"periods that the SoundFont's has not, {len(keys)} keys", count, "", 0, details=details),
        Figure(measure, "movement of octaves, 0.2 to 20 Hz, median of the keys", _median(movement, 0), "dB"),
        Figure(measure, "movement of octaves: the SoundFont's own", _median(movement, 1), "dB"),
    ]


def _level_deviation(sound: np.ndarray) -> float:
    levels = window_levels(sound)
    return float(np.abs(levels - np.median(levels)).max())


def _centroid_deviation(sound: np.ndarray) -> float:
    centroids = window_centroids(sound)
    return float(100 * np.abs(centroids / np.median(centroids) - 1).max())


def _median(pairs: list[list[float]], side: int) -> float:
    return float(np.median([pair[side] for pair in pairs]))
