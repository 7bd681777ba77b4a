"""Whether an instrument is in tune over its range: keys, chords and bends."""

from collections.abc import Callable

import numpy as np

from ..measure import pieces
from ..measure.midi import key_frequency
from ..measure.product import Bench, bends_in_tune, chords_in_tune, tune_figures
from ..measure.report import Figure
from ..measure.tool import Instrument
from .notes import SAMPLE_RATE
from .pitches import praat_cents, pyin_cents
from .playing import Request, play
from .recordings import Recordings

_VELOCITY = 100
_START_SECONDS, _END_SECONDS = 0.2, 1.1
_SUSTAINED_SECONDS, _STRUCK_SECONDS = 3.0, 1.5


def tune_of_range(
    bench: Bench, instrument: Instrument, recordings: Recordings, quick: bool = False
) -> list[Figure]:
    """Every key of the range by pYIN and by Praat, chords of twelve, and every third key bent (`quick`: every sixth key,
    two chords)."""
    keys = list(range(instrument.low_key, instrument.high_key + 1, 6 if quick else 1))
    low, high = max(instrument.low_key, pieces.LOW_KEY), min(instrument.high_key, pieces.HIGH_KEY)
    chords = pieces.chords(low, high, 2 if quick else 8)
    held = _STRUCK_SECONDS if recordings.is_struck else _SUSTAINED_SECONDS
    return [
        *keys_in_tune(bench, instrument, recordings, keys),
        *(chords_in_tune(bench, instrument, chords, held) if chords else []),
        *bends_in_tune(bench, instrument, [key for key in keys if low <= key <= high][:: 1 if quick else 3], held),
    ]


def keys_in_tune(bench: Bench, instrument: Instrument, recordings: Recordings, keys: list[int]) -> list[Figure]:
    """Notes as they are played without a bend, in cents from equal temperament.

    Estimators of a period hear stretched partials sharp, a piano's by up to 20 cents, and the SoundFont's as much as
    ours: where a key's partials are stretched, what the estimator says of the SoundFont's own note, against that note's
    partial 1, is taken off.
    """
    length = round(_END_SECONDS * SAMPLE_RATE)
    played = play(bench, instrument, [Request(key, _VELOCITY, length, length) for key in keys])
    start = round(_START_SECONDS * SAMPLE_RATE)
    figures = []
    for name, estimate in (("pYIN", pyin_cents), ("Praat", praat_cents)):
        cents = [
            estimate(audio[start:], key_frequency(key)) - _heard_sharp(recordings, key, start, length, estimate)
            for key, audio in zip(keys, played, strict=True)
        ]
        figures += tune_figures(f"In tune: {instrument.name}", f"{len(keys)} keys of its range, {name}", cents)
    return figures


def _heard_sharp(
    recordings: Recordings, key: int, start: int, end: int, estimate: Callable[[np.ndarray, float], float]
) -> float:
    """How sharp an estimator hears the SoundFont's note of a key, in cents; 0 where its partials are harmonic."""
    of_key = np.flatnonzero(recordings.key == key)
    if len(of_key) == 0:
        return 0.0
    index = int(of_key[np.argmax(recordings.off_sample[of_key])])
    if recordings.inharmonicity(index) == 0:
        return 0.0
    return estimate(recordings.audio(index)[start:end], recordings.hertz(index))
