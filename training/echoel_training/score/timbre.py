"""What a note sounds like, in numbers that do not tell how loud it is.

Mel-frequency cepstral coefficients (Davis and Mermelstein, 1980) 1 to 20 of 64 mel bands up to 16 kHz, with a floor
60 dB below the held note's loudest band; coefficient 0, the level, is left out. Three parts:

| part | numbers | what |
|---|---|---|
| onset | 60 | mean, standard deviation and slope of each coefficient over 120 ms; frames of 1024 samples every 5 ms |
| sustain | 60 | mean, standard deviation and mean step, 0.2 to 1.1 s; frames of 2048 samples every 10 ms |
| envelope | 16 | dB of the level at nine times of the held note and seven of its release, against the held note's |
"""

from functools import cache

import numpy as np
from scipy.fft import dct

from .mel import mel_bands
from .notes import SAMPLE_RATE

OFF_SAMPLE = 57_600
"""Notes are released 1.2 s after their onset."""

TAIL_SECONDS = 1.2
"""How much of the release is looked at."""

PARTS = {"onset": slice(0, 60), "sustain": slice(60, 120), "envelope": slice(120, 136)}
"""Where in the numbers of `describe` each part lies."""

SIZE = 136
VERSION = 2
"""Raise it whenever the same note gives other numbers."""

_COEFFICIENTS = 20
_HIGH_HERTZ = 16_000.0  # a SoundFont's recordings have nothing above
_FLOOR_DECIBELS = 60.0
_ONSET_WINDOW, _ONSET_HOP, _ONSET_FRAMES = 1024, 240, 24
_WINDOW, _HOP = 2048, 480
_SUSTAIN = slice(20, 110)  # frames
_HELD_SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.6, 0.9, 1.15)
_RELEASE_SECONDS = (0.03, 0.06, 0.12, 0.2, 0.4, 0.7, 1.1)
_ATTACK_SECONDS = 0.03  # until then the level is looked at more closely


def describe(audio: np.ndarray) -> np.ndarray:
    """float32 ``[136]`` of a note ``[samples]`` at 48 kHz: sample 0 is the note-on, OFF_SAMPLE the note-off.

    A note that ends sooner is silent from there on. Silence is described by zeros.
    """
    note = np.zeros(OFF_SAMPLE + round(TAIL_SECONDS * SAMPLE_RATE))
    note[: len(audio)] = audio[: len(note)]
    held = note[:OFF_SAMPLE]
    if not held.any():
        return np.zeros(SIZE, np.float32)
    levels = _mel_levels(held, _WINDOW, _HOP)
    floor = levels.max() - _FLOOR_DECIBELS
    sustain = _cepstrum(levels[:, _SUSTAIN], floor)
    beginning = held[: _ONSET_HOP * _ONSET_FRAMES + _ONSET_WINDOW]
    onset = _cepstrum(_mel_levels(beginning, _ONSET_WINDOW, _ONSET_HOP)[:, :_ONSET_FRAMES], floor)
    time = np.linspace(-1, 1, _ONSET_FRAMES)
    parts = [
        *(onset.mean(axis=1), onset.std(axis=1), onset @ time / (time @ time)),
        *(sustain.mean(axis=1), sustain.std(axis=1), np.abs(np.diff(sustain)).mean(axis=1)),
        _envelope(note),
    ]
    return np.concatenate(parts).astype(np.float32)


def _mel_levels(audio: np.ndarray, size: int, hop: int) -> np.ndarray:
    """dB ``[64, frames]``, frame n centred on sample n · hop; a sine has the same level whatever the size."""
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(audio, size // 2), size)[: len(audio) : hop]
    power = mel_bands(_HIGH_HERTZ, size) @ (np.abs(np.fft.rfft(frames * _window(size))) ** 2).T
    return 10 * np.log10(np.maximum(power, 1e-30))


def _cepstrum(levels: np.ndarray, floor: float) -> np.ndarray:
    """Coefficients 1 to 20 ``[20, frames]``, dB."""
    return dct(np.maximum(levels, floor), axis=0, norm="ortho")[1 : _COEFFICIENTS + 1]


def _envelope(note: np.ndarray) -> np.ndarray:
    """dB ``[16]`` against the level of the held note, and no lower than the floor."""
    squares = np.concatenate([[0.0], np.cumsum(note**2)])

    def level(seconds: float) -> float:
        half = round((0.006 if seconds < _ATTACK_SECONDS else 0.012) * SAMPLE_RATE)
        middle = round(seconds * SAMPLE_RATE)
        first, last = max(0, middle - half), min(len(note), middle + half)
        return (squares[last] - squares[first]) / (last - first)

    times = (*_HELD_SECONDS, *(OFF_SAMPLE / SAMPLE_RATE + seconds for seconds in _RELEASE_SECONDS))
    ratio = np.array([level(seconds) for seconds in times]) / (squares[OFF_SAMPLE] / OFF_SAMPLE)
    return 10 * np.log10(np.maximum(ratio, 10 ** (-_FLOOR_DECIBELS / 10)))


@cache
def _window(size: int) -> np.ndarray:
    """Hann, of sum 1."""
    window = np.hanning(size + 1)[:-1]
    return window / window.sum()
