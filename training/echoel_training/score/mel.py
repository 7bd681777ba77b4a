"""Mel distance: how far two notes are from each other to the ear, in one number.

Mono at 48 kHz, STFT 2048/512 Hann, power in 64 mel bands from 40 Hz to 20 kHz, averaged over 4 frames, dB with a floor
70 dB below the reference's loudest band, root mean square over bands and time. Plain log-spectra are no measure: two
takes of one noise differ by 8 dB in them, and a little hiss wins. The mel scale is 2595 log10(1 + f / 700 Hz).
"""

from functools import cache

import numpy as np
from scipy.sparse import csr_array

from .notes import SAMPLE_RATE

WINDOW_SAMPLES, HOP_SAMPLES, AVERAGED_FRAMES = 2048, 512, 4
BANDS, LOW_HERTZ, HIGH_HERTZ = 64, 40.0, 20_000.0
FLOOR_DECIBELS = 70.0


@cache
def mel_bands(high_hertz: float = HIGH_HERTZ, window_samples: int = WINDOW_SAMPLES) -> csr_array:
    """Triangles ``[64, 1025]`` over the bins of a window (``window_samples / 2 + 1``), LOW_HERTZ to `high_hertz`."""
    edges = np.linspace(*(2595 * np.log10(1 + np.array([LOW_HERTZ, high_hertz]) / 700)), BANDS + 2)
    edges = 700 * (10 ** (edges / 2595) - 1)
    bins = np.arange(window_samples // 2 + 1) * SAMPLE_RATE / window_samples
    low, middle, high = (edges[first : first + BANDS, None] for first in range(3))
    return csr_array(np.maximum(0, np.minimum((bins - low) / (middle - low), (high - bins) / (high - middle))))


def mel_spectrum(audio: np.ndarray) -> np.ndarray:
    """Power ``[64, frames]``, each frame the mean of 4 of 512 samples; `audio` is 4096 samples or more."""
    starts = np.arange(0, len(audio) - WINDOW_SAMPLES, HOP_SAMPLES)
    frames = audio[starts[:, None] + np.arange(WINDOW_SAMPLES)] * np.hanning(WINDOW_SAMPLES + 1)[:-1]
    power = mel_bands() @ (np.abs(np.fft.rfft(frames, axis=1)) ** 2).T
    groups = power.shape[1] // AVERAGED_FRAMES
    return power[:, : groups * AVERAGED_FRAMES].reshape(BANDS, groups, AVERAGED_FRAMES).mean(axis=2)


def mel_distance(audio: np.ndarray, reference: np.ndarray) -> float:
    """dB between a note and its reference, of equal length: see the module's text."""
    if len(audio) != len(reference):
        raise ValueError(f"notes of {len(audio)} and {len(reference)} samples are not compared")
    ours, theirs = mel_spectrum(audio), mel_spectrum(reference)
    floor = theirs.max() * 10 ** (-FLOOR_DECIBELS / 10)
    difference = 10 * np.log10(np.maximum(ours, floor) / np.maximum(theirs, floor))
    return float(np.sqrt(np.mean(difference**2)))
