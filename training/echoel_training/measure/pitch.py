"""How far a tone is from the pitch it should have.

The nominal pitch is known, so nothing is tracked: the spectrum of a long Hann window is searched near each partial,
and a parabola through the logarithm of a peak's three bins gives its frequency (J. O. Smith, *Spectral Audio Signal
Processing*, "Quadratic Interpolation of Spectral Peaks"; with fourfold zero padding its bias is below a thousandth
of a bin). The variance of a partial's frequency falls with its signal-to-noise ratio (Rife and Boorstyn 1974), and
in cents with the square of its number: that is what weighs the partials.
"""

import math
from dataclasses import dataclass

import numpy as np

from .midi import key_frequency

_PADDING = 4
_PARTIALS = 10
_SPAN_CENTS = 80.0  # to either side; below half of the distance from the tenth partial to the eleventh
_CHORD_SPAN_CENTS = 40.0
_HIGHEST_HZ = 10_000.0
_FOUND_DB = 15.0  # of a peak above its surroundings; the largest of a hundred bins of noise reaches 8 dB
_CAP_DB = 60.0  # no partial is trusted more than this: sounds are not as steady as sines
_FOOTHILL = 100.0  # a peak that has one with so much more power beside it is a side lobe of that
_MOST_INHARMONICITY = 1e-3
_STRETCHED_CENTS = 3.0

# Semitones from a note to a partial of it, within three octaves, that lies within 40 cents of a key: no chord that
# has two notes so far apart can show both of them.
SHARED_PARTIALS = frozenset({12, 19, 24, 28, 31, 34, 36})


@dataclass(frozen=True)
class Peak:
    hz: float
    db: float
    prominence_db: float  # above the median of its surroundings


class Spectrum:
    """The power spectrum of a sound seen through one Hann window."""

    def __init__(self, x: np.ndarray, rate: float):
        x = np.asarray(x, dtype=np.float64)
        self.size = _PADDING * len(x)
        self.rate = rate
        window = np.hanning(len(x) + 1)[:-1]
        self.power = np.abs(np.fft.rfft((x - x.mean()) * window, self.size)) ** 2 + 1e-30

    def peak(self, hz: float, span_cents: float) -> Peak | None:
        """The highest local maximum within `span_cents` of `hz`, unless a much higher one is just outside."""
        ratio = 2.0 ** (span_cents / 1200.0)
        low = max(1, math.ceil(hz / ratio * self.size / self.rate))
        high = min(len(self.power) - 2, math.floor(hz * ratio * self.size / self.rate))
        if high - low < 2:
            return None
        part = self.power[low : high + 1]
        maxima = np.flatnonzero(
            (part >= self.power[low - 1 : high]) & (part > self.power[low + 1 : high + 2])
        )
        if len(maxima) == 0:
            return None
        best = low + int(maxima[np.argmax(part[maxima])])
        margin = math.ceil(0.4 * (high - low) / 2)
        if self.power[max(0, low - margin) : high + margin + 1].max() > _FOOTHILL * self.power[best]:
            return None
        a, b, c = 10.0 * np.log10(self.power[best - 1 : best + 2])
        shift = 0.5 * (a - c) / (a - 2.0 * b + c)
        # The surroundings: without the window's main lobe, and at least as wide as it.
        lobe = 3 * _PADDING
        reach = max(high - low, 4 * lobe)
        around = np.r_[
            self.power[max(1, best - reach) : max(1, best - lobe)], self.power[best + lobe + 1 : best + reach + 1]
        ]
        floor = 10.0 * math.log10(float(np.median(around))) if len(around) else -300.0
        level = float(b - 0.25 * (a - c) * shift)
        return Peak((best + shift) * self.rate / self.size, level, level - floor)


def tone_cents(x: np.ndarray, rate: float, nominal_hz: float) -> float:
    """How far the fundamental of a steady tone is from `nominal_hz`, in cents; NaN if there is no such tone.

    Up to ten partials are heard together; partials that are stretched as a stiff string's are taken for what they
    are (f_k = k f sqrt((1 + B k²) / (1 + B))). A tone that is more than 80 cents off, or an octave, is no such tone.

    `x`: at least 0.3 s of one note, without its attack and its release.
    """
    spectrum = Spectrum(x, rate)
    numbers = [k for k in range(1, _PARTIALS + 1) if k * nominal_hz < min(_HIGHEST_HZ, 0.45 * rate)]
    peaks = {k: spectrum.peak(k * nominal_hz, _SPAN_CENTS) for k in numbers}
    peaks = {k: peak for k, peak in peaks.items() if peak is not None and peak.prominence_db >= _FOUND_DB}
    strongest = max((peak.db for peak in peaks.values()), default=-math.inf)
    peaks = {k: peak for k, peak in peaks.items() if peak.db > strongest - 50.0}
    if not any(k % 2 for k in peaks):
        return math.nan
    between = [spectrum.peak((n + 0.5) * nominal_hz, _SPAN_CENTS) for n in range(4)]
    loud = [peak for peak in between if peak is not None and peak.prominence_db >= _FOUND_DB]
    if sum(peak.db > strongest - 20.0 for peak in loud) >= 2:  # an octave too low: its odd partials lie between ours
        return math.nan
    k = np.array(list(peaks), dtype=np.float64)
    cents = np.array([1200.0 * math.log2(peak.hz / (n * nominal_hz)) for n, peak in peaks.items()])
    ratio = np.array([min(peak.prominence_db, _CAP_DB) for peak in peaks.values()])
    return _fundamental(k, cents, k**2 * 10.0 ** (ratio / 10.0))


def _fundamental(k: np.ndarray, cents: np.ndarray, weights: np.ndarray) -> float:
    """The weighted mean of the partials' cents, or their line over k² down to k = 1 if that explains far more.

    Where most partials are above the first but on no such line, the stretch is so great that some are taken for others:
    then the first alone tells.
    """
    harmonic, harmonic_error = _robust_fit(np.ones((len(k), 1)), cents, weights)
    above = np.median(cents[1:]) - cents[0] if k[0] == 1 and len(k) > 1 else 0.0
    alone = cents[0] if above > _STRETCHED_CENTS else harmonic[0]
    if len(k) < 4:
        return float(alone)
    # 1200 log2 sqrt((1 + B k²) / (1 + B)) is 866 B (k² − 1) cents for small B.
    stretched, stretched_error = _robust_fit(np.stack([np.ones_like(k), k**2 - 1.0], axis=1), cents, weights)
    inharmonicity = stretched[1] / (600.0 / math.log(2.0))
    if 0 < inharmonicity < _MOST_INHARMONICITY and stretched_error < 0.1 * harmonic_error:
        return float(stretched[0])
    return float(alone)


def _robust_fit(design: np.ndarray, values: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, float]:
    """Weighted least squares that lets go of outliers (Huber's weights), and its weighted mean absolute residual."""
    robust = weights / weights.max()
    for _ in range(20):
        root = np.sqrt(robust)
        solution = np.linalg.lstsq(design * root[:, None], values * root, rcond=None)[0]
        residual = np.abs(values - design @ solution)
        scale = max(1.345 * 1.48 * float(np.median(residual)), 0.05)
        robust = weights / weights.max() / np.maximum(residual / scale, 1.0)
    return solution, float(np.average(residual, weights=weights))


def chord_cents(x: np.ndarray, rate: float, keys: list[int]) -> list[float]:
    """How far each note of a chord is from its key, in cents, by its fundamental; NaN where none is found.

    No two of the keys may be apart by one of `SHARED_PARTIALS`. `x`: 3 s or more of the held chord.
    """
    if any(abs(a - b) in SHARED_PARTIALS for a in keys for b in keys):
        raise ValueError(f"a partial of one note of {keys} hides another note's fundamental")
    spectrum = Spectrum(x, rate)
    peaks = [spectrum.peak(key_frequency(key), _CHORD_SPAN_CENTS) for key in keys]
    strongest = max((peak.db for peak in peaks if peak is not None), default=-math.inf)
    return [
        1200.0 * math.log2(peak.hz / key_frequency(key))
        if peak is not None and peak.prominence_db >= _FOUND_DB and peak.db > strongest - 50.0
        else math.nan
        for key, peak in zip(keys, peaks, strict=True)
    ]


def strongest_spur(x: np.ndarray, rate: float, nominal_hz: float) -> tuple[float, float]:
    """The strongest line below 10 kHz that is no partial: dB against the strongest partial, and its frequency.

    −240 and 0 Hz if there is none. Lines within a quarter tone of a partial, or of the width of the window's main
    lobe, pass as that partial; noise is no line. `x`: 1 s or more of one steady note.
    """
    spectrum = Spectrum(x, rate)
    hz = np.arange(len(spectrum.power)) * rate / spectrum.size
    number = np.maximum(np.round(hz / nominal_hz), 1.0)
    reach = np.minimum(np.maximum(0.03 * number * nominal_hz, 4.0 * rate / len(x)), 0.25 * nominal_hz)
    is_partial = np.abs(hz - number * nominal_hz) < reach
    heard = (hz > 30.0) & (hz < _HIGHEST_HZ)
    strongest = spectrum.power[is_partial & heard].max()
    rest = np.where(heard & ~is_partial, spectrum.power, 0.0)
    maxima = 1 + np.flatnonzero((rest[1:-1] > spectrum.power[:-2]) & (rest[1:-1] >= spectrum.power[2:]))
    for best in maxima[np.argsort(rest[maxima])[::-1][:50]]:
        found = spectrum.peak(hz[best], _CHORD_SPAN_CENTS)
        if found is not None and found.prominence_db >= _FOUND_DB and abs(found.hz - hz[best]) < rate / spectrum.size:
            return 10.0 * math.log10(rest[best] / strongest), float(hz[best])
    return -240.0, 0.0


def cents_statistics(cents: list[float]) -> tuple[float, float, int]:
    """The median and the 95th percentile of the magnitudes, and how many notes were not found.

    A note that was not found counts as 1200 cents off.
    """
    values = np.abs(np.asarray(cents, dtype=np.float64))
    missing = int(np.isnan(values).sum())
    values[np.isnan(values)] = 1200.0
    # The 95th percentile as the least value that 95 % of the notes do not exceed.
    return float(np.median(values)), float(np.quantile(values, 0.95, method="inverted_cdf")), missing
