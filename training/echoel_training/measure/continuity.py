"""Whether slices can be heard: the second difference of a steady sound, at their boundaries and elsewhere.

A step or a kink between two samples shows in the second difference x[n−1] − 2 x[n] + x[n+1] at the last sample
before it and the first after it. If the boundaries are like any other place, one in a thousand of their samples
exceeds the 99.9th percentile of the others, by definition of a percentile; every other position in the slice is a
control that says how far chance goes.

A bank of 16 filters leaves a texture of 16 samples in everything that it makes. It has no more to do with slices than
the sound itself, so second differences are compared after division by the RMS of those at the same place of the 16.
"""

from dataclasses import dataclass

import numpy as np

WINDOW_SAMPLES = 24_000  # the percentile is taken in windows of half a second: a sound is only nearly steady
EXPECTED_SHARE = 1e-3
FRAME_SAMPLES = 16
_SIGMAS = 4.0
_GAP_SAMPLES = 16  # control positions keep away from the boundary, whose kink a filter may smear


@dataclass(frozen=True)
class Boundaries:
    """How slice boundaries compare with the rest."""

    count: int  # boundaries looked at
    share_above: float  # of the boundaries' samples, above the 99.9th percentile of those inside; 0.001 is chance
    share_limit: float  # what no control position is expected to pass: their mean and four standard deviations
    energy_ratio: float  # mean square of the second difference at boundaries over that elsewhere
    energy_limit: float  # the same limit for it
    largest: float  # the largest second difference at a boundary over the percentile of its window, both as they are
    largest_inside: float  # the same for samples inside

    @property
    def is_continuous(self) -> bool:
        """Whether the boundaries are like any other place."""
        return self.share_above <= self.share_limit and self.energy_ratio <= self.energy_limit


def boundaries(x: np.ndarray, period: int, phase: int) -> Boundaries:
    """Compares the samples at `phase`, `phase` + `period`, … of `x`, and the last ones before them, with all others.

    `x`: steady sound, 0.5 s at 48 kHz or more. `phase`: the index of the first sample of a slice, taken modulo
    `period`.
    """
    x = np.asarray(x, dtype=np.float64)
    if len(x) < WINDOW_SAMPLES + 2:
        raise ValueError(f"{len(x)} samples are too few: at least {WINDOW_SAMPLES + 2}")
    second = np.abs(x[2:] - 2.0 * x[1:-1] + x[:-2])  # of sample n + 1
    position = (np.arange(len(second)) + 1 - phase) % period
    at_boundary = (position == 0) | (position == period - 1)
    frame = np.arange(len(second)) % FRAME_SAMPLES
    plain, scaled = np.empty_like(second), np.empty_like(second)
    edges = np.linspace(0, len(second), len(second) // WINDOW_SAMPLES + 1).astype(int)
    for start, end in zip(edges[:-1], edges[1:], strict=True):
        part = slice(start, end)
        inside = ~at_boundary[part]
        plain[part] = _over_percentile(second[part], inside)
        square = np.bincount(frame[part][inside], weights=second[part][inside] ** 2, minlength=FRAME_SAMPLES)
        rms = np.sqrt(square / np.bincount(frame[part][inside], minlength=FRAME_SAMPLES))
        scaled[part] = _over_percentile(second[part] / np.maximum(rms[frame[part]], 1e-30), inside)
    hits = np.bincount(position, weights=scaled > 1.0, minlength=period)
    energy = np.bincount(position, weights=scaled**2, minlength=period)
    visits = np.bincount(position, minlength=period)

    def pair(sums: np.ndarray) -> np.ndarray:  # per position and the one before it
        return (sums + np.roll(sums, 1)) / (visits + np.roll(visits, 1))

    share, mean_square = pair(hits), pair(energy)
    controls = slice(_GAP_SAMPLES, period - _GAP_SAMPLES)
    elsewhere = max(float(mean_square[controls].mean()), 1e-30)
    return Boundaries(
        count=int((position == 0).sum()),
        share_above=float(share[0]),
        share_limit=float(share[controls].mean() + _SIGMAS * share[controls].std()),
        energy_ratio=float(mean_square[0] / elsewhere),
        energy_limit=float(1.0 + _SIGMAS * mean_square[controls].std() / elsewhere),
        largest=float(plain[at_boundary].max()),
        largest_inside=float(plain[~at_boundary].max()),
    )


def _over_percentile(values: np.ndarray, inside: np.ndarray) -> np.ndarray:
    return values / max(float(np.quantile(values[inside], 1.0 - EXPECTED_SHARE)), 1e-30)
