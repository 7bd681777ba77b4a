"""What a note sounds like, in numbers that do not tell how loud it is.

Mel-frequency cepstral coefficients (Davis and Mermelstein, 1980) 1 to 20 of 64 mel bands up to 16 kHz, of frames of 2048
samples every 10 ms, with a floor 60 dB below the note's loudest band; coefficient 0, the level, is left out. Three parts:

| part | numbers | what |
|---|---|---|
| onset | 40 | mean and standard deviation of each coefficient over the first 120 ms |
| sustain | 60 | mean, standard deviation and mean step from frame to frame, from 0.2 s to 1.1 s |
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

PARTS = (40, 60, 16)
"""How many numbers describe onset, sustain and envelope."""

VERSION = 1
"""Raise it whenever the same note gives other numbers."""

_WINDOW_SAMPLES, _HOP_SAMPLES = 2048, 480
_COEFFICIENTS = 20
_HIGH_HERTZ = 16_000.0  # a SoundFont's recordings have nothing above
_FLOOR_DECIBELS = 60.0
_ONSET, _SUSTAIN = slice(0, 12), slice(20, 110)  # frames
_HELD_SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.6, 0.9, 1.15)
_RELEASE_SECONDS = (0.03, 0.06, 0.12, 0.2, 0.4, 0.7, 1.1)
_ATTACK_SECONDS = 0.03  # until then the level is looked at more closely


def describe(audio: np.ndarray) -> np.ndarray:
    """float32 ``[116]`` of a note ``[samples]`` at 48 kHz: sample 0 is the note-on, OFF_SAMPLE the note-off.

    A note that ends sooner is silent from there on. Silence is described by zeros.
    """
    note = np.zeros(OFF_SAMPLE + round(TAIL_SECONDS * SAMPLE_RATE))
    note[: len(audio)] = audio[: len(note)]
    if not note[:OFF_SAMPLE].any():
        return np.zeros(sum(PARTS), np.float32)
    cepstrum = _cepstrum(note[:OFF_SAMPLE])
    onset, sustain = cepstrum[:, _ONSET], cepstrum[:, _SUSTAIN]
    steps = np.abs(np.diff(sustain)).mean(axis=1)
    parts = [onset.mean(axis=1), onset.std(axis=1), sustain.mean(axis=1), sustain.std(axis=1), steps, _envelope(note)]
    return np.concatenate(parts).astype(np.float32)


def _cepstrum(held: np.ndarray) -> np.ndarray:
    """dB ``[20, 120]``, frame n centred on sample 480 n."""
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(held, _WINDOW_SAMPLES // 2), _WINDOW_SAMPLES)
    power = mel_bands(_HIGH_HERTZ) @ (np.abs(np.fft.rfft(frames[: len(held) : _HOP_SAMPLES] * _window())) ** 2).T
    level = 10 * np.log10(np.maximum(power, power.max() * 10 ** (-_FLOOR_DECIBELS / 10)))
    return dct(level, axis=0, norm="ortho")[1 : _COEFFICIENTS + 1]


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
def _window() -> np.ndarray:
    return np.hanning(_WINDOW_SAMPLES + 1)[:-1]
