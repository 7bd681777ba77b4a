"""Whether an instrument is in tune over its range: keys, chords and bends."""

import numpy as np

from ..inharmonicity import partial_hertz
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
_FRAME_PERIODS, _LEAST_FRAME = 8, 1_024
_MOST_PARTIALS = 60
_GOLDEN = 0.618  # phases that never line up


def tune_of_range(
    bench: Bench, instrument: Instrument, recordings: Recordings, quick: bool = False
) -> list[Figure]:
    """Every key of the range by pYIN and by Praat, chords of twelve, and every third key bent.

    `quick`: every sixth key, and two chords.
    """
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

    Estimators of a period hear stretched partials sharp, a piano's by up to 25 cents, the more the louder the upper
    ones are. Where the SoundFont's partials are stretched, what the estimator says of an ideal tone is taken off: one
    whose partials lie exactly where equal temperament and the SoundFont's inharmonicity put them, as loud as ours.
    """
    length = round(_END_SECONDS * SAMPLE_RATE)
    played = play(bench, instrument, [Request(key, _VELOCITY, length, length) for key in keys])
    sounds = {key: audio[round(_START_SECONDS * SAMPLE_RATE) :] for key, audio in zip(keys, played, strict=True)}
    ideal = {}
    for key, sound in sounds.items():
        if inharmonicity := _inharmonicity(recordings, key):
            ideal[key] = ideal_tone(sound, key_frequency(key), inharmonicity)
    figures = []
    for name, estimate in (("pYIN", pyin_cents), ("Praat", praat_cents)):
        cents = []
        for key, sound in sounds.items():
            sharp = estimate(ideal[key], key_frequency(key)) if key in ideal else 0.0
            cents.append(estimate(sound, key_frequency(key)) - sharp)
        figures += tune_figures(f"In tune: {instrument.name}", f"{len(keys)} keys of its range, {name}", cents)
    return figures


def ideal_tone(sound: np.ndarray, hertz: float, inharmonicity: float) -> np.ndarray:
    """A tone whose partial 1 is at `hertz` exactly, its partials stretched exactly so, and as loud as those of `sound`.

    How loud they are is measured in Hann windows of eight periods, at those places and not where the sound's may be: a
    sound that is out of tune does not make its ideal so.
    """
    size = max(_LEAST_FRAME, round(_FRAME_PERIODS * SAMPLE_RATE / hertz))
    frames = np.lib.stride_tricks.sliding_window_view(np.asarray(sound, float), size)[:: size // 4]
    window = np.hanning(size + 1)[:-1]
    middles = np.arange(len(frames)) * (size // 4) + size // 2
    time, tone = np.arange(len(sound)), np.zeros(len(sound))
    for number in range(1, _MOST_PARTIALS + 1):
        cycles = partial_hertz(number, hertz, inharmonicity) / SAMPLE_RATE
        if cycles > 0.45:
            break
        wave = np.exp(-2j * np.pi * cycles * np.arange(size))
        amplitude = 2 * np.abs(frames @ (window * wave)) / window.sum()
        tone += np.interp(time, middles, amplitude) * np.cos(2 * np.pi * (cycles * time + _GOLDEN * number**2))
    return tone


def _inharmonicity(recordings: Recordings, key: int) -> float:
    """Of the SoundFont's note; 0 where the dataset has none."""
    of_key = np.flatnonzero(recordings.key == key)
    return recordings.inharmonicity(int(of_key[0])) if len(of_key) else 0.0
