"""How a held note goes on: its level, its brightness, and the periods in which it moves."""

from dataclasses import dataclass

import numpy as np

from .notes import SAMPLE_RATE

WINDOW_SECONDS = 10.0
"""Of level and centroid: an ensemble moves by 1 dB and 20 % within 5 s, and is steady all the same."""

DIP_SECONDS = 0.5

SLOWEST_HERTZ, FASTEST_HERTZ = 0.2, 20.0
LINE_DECIBELS = 17.0
"""How far a line of the modulation spectrum stands above what is around it. Of the bins of a modulation without any
period, in all bands, the largest stands 9 to 15 dB above."""
LINE_DEPTH_DECIBELS = 0.3
"""How far a band's level goes up and down in that period, at least."""
SAME_PERIOD = 0.05

_CENTRES = (88.0, 177.0, 354.0, 707.0, 1414.0, 2828.0, 5657.0, 11_314.0)  # of octaves, 62 Hz to 16 kHz
_WINDOW_SAMPLES, _HOP_SAMPLES = 2_048, 256
_HEARD_DECIBELS = 30.0
_LEAST_NEIGHBOURS = 8


def window_levels(audio: np.ndarray) -> np.ndarray:
    """dB (root mean square) of consecutive windows of 10 s."""
    return _levels(audio, WINDOW_SECONDS)


def window_centroids(audio: np.ndarray) -> np.ndarray:
    """Hz: the centre of gravity of the power spectrum of consecutive windows of 10 s."""
    windows = _windows(audio, WINDOW_SECONDS)
    power = np.abs(np.fft.rfft(windows * np.hanning(windows.shape[1]), axis=1)) ** 2
    hertz = np.fft.rfftfreq(windows.shape[1], 1 / SAMPLE_RATE)
    return (power @ hertz) / np.maximum(power.sum(axis=1), 1e-30)


def deepest_dip(audio: np.ndarray) -> float:
    """How far the quietest half second is below the median one, dB: a note that breaks off for a moment."""
    levels = _levels(audio, DIP_SECONDS)
    return float(np.median(levels) - levels.min())


@dataclass(frozen=True)
class Line:
    """A period in which a held note moves."""

    hertz: float
    depth_decibels: float
    """From the middle to the top."""
    prominence_decibels: float
    band_hertz: float
    """The centre of the octave in which it stands out most."""


def band_levels(audio: np.ndarray) -> dict[float, np.ndarray]:
    """The level in dB of each octave, every 256 samples, without its mean and its straight line; octaves more than
    30 dB below the strongest are left out. By the octave's centre in Hz. `audio`: 2 s or more of a held note."""
    frames = np.lib.stride_tricks.sliding_window_view(audio, _WINDOW_SAMPLES)[::_HOP_SAMPLES]
    power = np.abs(np.fft.rfft(frames * np.hanning(_WINDOW_SAMPLES + 1)[:-1].astype(np.float32), axis=1)) ** 2
    hertz = np.fft.rfftfreq(_WINDOW_SAMPLES, 1 / SAMPLE_RATE)
    bands = {}
    for centre in _CENTRES:
        bands[centre] = power[:, (hertz >= centre / 2**0.5) & (hertz < centre * 2**0.5)].sum(axis=1)
    strongest = max(float(band.mean()) for band in bands.values())
    levels = {}
    for centre, band in bands.items():
        if band.mean() <= strongest * 10 ** (-_HEARD_DECIBELS / 10):
            continue
        decibels = 10 * np.log10(np.maximum(band, 1e-4 * band.mean()))
        steps = np.arange(len(decibels))
        levels[centre] = decibels - np.polyval(np.polyfit(steps, decibels, 1), steps)
    return levels


def movement_decibels(levels: dict[float, np.ndarray]) -> float:
    """How much the octaves' levels move between 0.2 and 20 Hz: root mean square over time and octaves."""
    squares = []
    for level in levels.values():
        spectrum = np.abs(np.fft.rfft(level)) ** 2
        hertz = np.fft.rfftfreq(len(level), _HOP_SAMPLES / SAMPLE_RATE)
        within = (hertz >= SLOWEST_HERTZ) & (hertz <= FASTEST_HERTZ)
        squares.append(2 * spectrum[within].sum() / len(level) ** 2)
    return float(np.sqrt(np.mean(squares))) if squares else 0.0


def modulation_lines(levels: dict[float, np.ndarray], share: float = 1.0) -> list[Line]:
    """The periods in which a note moves, the strongest octave of each, from the slowest.

    A line of the spectrum (Hann) of an octave's level is a period if it is at least 0.3 dB deep and stands 17 dB above
    what is around it: the larger of the medians of the bins from 0.7 of its frequency up to it and from it up to 1.4
    of it, 8 bins each at least. `share` asks for less: 0.5 for half the depth, standing out by half as much.
    """
    found: list[Line] = []
    for centre, level in levels.items():
        window = np.hanning(len(level) + 1)[:-1]
        depth = 2 * np.abs(np.fft.rfft(level * window)) / window.sum()
        hertz = np.fft.rfftfreq(len(level), _HOP_SAMPLES / SAMPLE_RATE)
        for at in np.flatnonzero((hertz >= SLOWEST_HERTZ) & (hertz <= FASTEST_HERTZ)):
            if depth[at] < share * LINE_DEPTH_DECIBELS or depth[at] < depth[at - 1 : at + 2].max():
                continue
            prominence = 20 * np.log10(depth[at] / max(_surroundings(depth, int(at)), 1e-9))
            if prominence >= LINE_DECIBELS + 20 * np.log10(share):
                found.append(Line(float(hertz[at]), float(depth[at]), float(prominence), centre))
    strongest: list[Line] = []
    for line in sorted(found, key=lambda each: -each.prominence_decibels):
        if all(abs(line.hertz / other.hertz - 1) > SAME_PERIOD for other in strongest):
            strongest.append(line)
    return sorted(strongest, key=lambda each: each.hertz)


def new_lines(ours: list[Line], theirs: list[Line]) -> list[Line]:
    """Those of our periods that are not within 5 % of one of theirs."""
    return [line for line in ours if all(abs(line.hertz / other.hertz - 1) > SAME_PERIOD for other in theirs)]


def _surroundings(depth: np.ndarray, at: int) -> float:
    below = depth[max(2, min(round(0.7 * at), at - 2 - _LEAST_NEIGHBOURS)) : max(at - 2, 3)]
    above = depth[at + 3 : max(round(1.4 * at), at + 3 + _LEAST_NEIGHBOURS)]
    return float(max(np.median(below), np.median(above)))


def _levels(audio: np.ndarray, seconds: float) -> np.ndarray:
    return 10 * np.log10(np.maximum((_windows(audio, seconds) ** 2).mean(axis=1), 1e-24))


def _windows(audio: np.ndarray, seconds: float) -> np.ndarray:
    size = round(seconds * SAMPLE_RATE)
    return np.asarray(audio, np.float64)[: len(audio) // size * size].reshape(-1, size)
