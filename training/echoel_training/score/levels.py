"""How loud each velocity is, against the SoundFont."""

from collections.abc import Sequence

import numpy as np

from ..measure.report import Figure
from .envelope import level_decibels
from .notes import ScoredNote

LEVEL_DECIBELS = 2.0


def level_figures(instrument: str, notes: Sequence[ScoredNote], played: Sequence[np.ndarray]) -> list[Figure]:
    """For each velocity the median over keys of how much louder or softer a note is than the SoundFont's.

    Both are level-normalised by constants of the instrument: what is compared is whether the product's velocity curve
    and its network together follow the SoundFont's, at every key.
    """
    measure, figures, every = f"Level: {instrument}", [], []
    for velocity in sorted({note.velocity for note in notes}):
        differences, keys = [], []
        for note, audio in zip(notes, played, strict=True):
            if note.velocity == velocity:
                reference = level_decibels(note.reference, note.off_sample)
                differences.append(level_decibels(audio, note.off_sample) - reference)
                keys.append(note.key)
        every += differences
        middle = float(np.median(np.abs(differences)))
        details = {"keys": keys, "decibels": differences}
        name = f"velocity {velocity}, {len(keys)} keys, against the SoundFont's: median"
        figures.append(Figure(measure, name, middle, "dB", LEVEL_DECIBELS, details=details))
    most = float(np.quantile(np.abs(every), 0.9, method="inverted_cdf"))
    return [*figures, Figure(measure, f"{len(every)} notes: 90 % within", most, "dB")]
