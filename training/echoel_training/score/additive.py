"""The first baseline: a classic additive synthesizer with filtered noise, set up for one instrument.

What it knows it has from the instrument's training notes alone, all of them averaged:

- a harmonic series up to 20 kHz, steady, under the instrument's average spectral envelope. It has two parts, as in any
  such synthesizer: a waveform, which gives partial k the same level at every key, and a fixed filter, which gives
  each frequency its own; the two that explain the partials of the training notes best (dB, least squares);
- noise, shaped by the average spectrum of what is left between the partials (dB, in 24 mel bands), at its average level
  against the partials; white noise drawn anew for each note, from a fixed seed;
- one envelope for all: a straight rise within the median attack time, then, of a struck instrument, an exponential
  decay at the median rate of its held notes (of a sustained one a level that stays), and after the note-off an
  exponential release of the median T60;
- every note exactly at its reference's pitch, and exactly as loud: the root mean square of the whole note is fitted.

It has no velocity, no inharmonicity, no vibrato and no noise of the attack: what a patient person with such a
synthesizer gets without programming every key.
"""

from dataclasses import dataclass

import numpy as np

from ..inharmonicity import partial_hertz
from .envelope import (
    attack_seconds,
    decay_range,
    held_decay_decibels_per_second,
    release_t60_seconds,
)
from .notes import SAMPLE_RATE, ScoredNote
from .recordings import Recordings
from .sampler import at_level_of

LEARNED_NOTES = 48
NOISE_BANDS = 24

_MOST_PARTIALS = 120
_HIGHEST_HERTZ = 20_000.0
_QUIETEST_DECIBELS = -90.0
_FILTER_HERTZ = np.geomspace(30, _HIGHEST_HERTZ, 16)
_DAMPING = 1.0  # keeps what few notes tell near the middle
_LOBE_BINS = 3  # of a Hann window to either side of a partial


@dataclass(frozen=True, eq=False)
class AdditiveSynth:
    """The settings; build them by `learn`."""

    waveform_decibels: np.ndarray
    """Of partial 1, 2, …"""
    filter_decibels: np.ndarray
    """At each of `_FILTER_HERTZ`; between them straight lines over the logarithm of the frequency."""
    noise_decibels: np.ndarray
    """Power per Hz of the noise in each of 24 bands, against the power of all partials."""
    attack: float
    decay_decibels_per_second: float
    """0 or negative."""
    release_t60: float

    @staticmethod
    def learn(recordings: Recordings) -> "AdditiveSynth":
        """From up to 48 of the longest training notes, spread over the keys."""
        longest = recordings.length_of(np.arange(len(recordings.row))) == len(recordings.lengths) - 1
        chosen = np.flatnonzero(longest & ~recordings.held_out)
        chosen = chosen[np.linspace(0, len(chosen) - 1, min(LEARNED_NOTES, len(chosen))).astype(int)]
        places, levels, noise, attacks, decays, releases = [], [], [], [], [], []
        for index in chosen:
            audio, off, hertz = recordings.audio(index), int(recordings.off_sample[index]), recordings.hertz(index)
            partials, density = _spectrum(audio[:off], hertz, recordings.inharmonicity(index))
            places.append(hertz * np.arange(1, len(partials) + 1))
            levels.append(partials)
            noise.append(density)
            attacks.append(attack_seconds(audio, hertz))
            if (span := decay_range(audio, off)) is not None:
                decays.append(held_decay_decibels_per_second(audio, span))
            releases.append(release_t60_seconds(np.append(audio, np.zeros(SAMPLE_RATE // 2)), off))
        waveform, filtered = _waveform_and_filter(places, levels)
        return AdditiveSynth(
            waveform_decibels=waveform,
            filter_decibels=filtered,
            noise_decibels=_mean(np.array(noise)),
            attack=float(np.nanmedian(attacks)),
            decay_decibels_per_second=min(float(np.median(decays)), 0.0) if recordings.is_struck else 0.0,
            release_t60=float(np.nanmedian(releases)),
        )

    def play(self, note: ScoredNote) -> np.ndarray:
        """The note as long as its reference and as loud, float32."""
        samples = len(note.reference)
        time = np.arange(samples) / SAMPLE_RATE
        rng = np.random.default_rng(note.key)
        tone = np.zeros(samples)
        for number in range(1, min(_MOST_PARTIALS, int(_HIGHEST_HERTZ / note.hertz)) + 1):
            level = self.waveform_decibels[number - 1] + float(
                np.interp(np.log(number * note.hertz), np.log(_FILTER_HERTZ), self.filter_decibels)
            )
            amplitude = np.sqrt(2 * 10 ** (level / 10))
            tone += amplitude * np.sin(2 * np.pi * (number * note.hertz * time + rng.random()))
        sound = (tone + self._noise(samples, rng)) * self._envelope(note)
        return at_level_of(note.reference, sound.astype(np.float32))

    def _envelope(self, note: ScoredNote) -> np.ndarray:
        time = np.arange(len(note.reference)) / SAMPLE_RATE
        # 10 to 90 % of a straight rise are 0.8 of it.
        rise = np.minimum(time / max(self.attack / 0.8, 1e-4), 1.0)
        released = np.maximum(time - note.off_sample / SAMPLE_RATE, 0)
        decibels = self.decay_decibels_per_second * time - 60 / max(self.release_t60, 1e-3) * released
        return rise * 10 ** (decibels / 20)

    def _noise(self, samples: int, rng: np.random.Generator) -> np.ndarray:
        """Noise of the learned density, shaped in the frequency domain."""
        spectrum = np.fft.rfft(rng.standard_normal(samples))
        hertz = np.fft.rfftfreq(samples, 1 / SAMPLE_RATE)
        middles = np.sqrt(_edges()[:-1] * _edges()[1:])
        density = np.interp(np.log(np.maximum(hertz, 1)), np.log(middles), self.noise_decibels)
        # White noise of power 1 has 2 / SAMPLE_RATE of it per Hz.
        return np.fft.irfft(spectrum * np.sqrt(10 ** (density / 10) * SAMPLE_RATE / 2), samples)


def _edges() -> np.ndarray:
    """Hz: the edges of the noise bands, even on the mel scale from 40 Hz to 20 kHz."""
    mel = np.linspace(*(2595 * np.log10(1 + np.array([40.0, _HIGHEST_HERTZ]) / 700)), NOISE_BANDS + 1)
    return 700 * (10 ** (mel / 2595) - 1)


def _waveform_and_filter(places: list[np.ndarray], levels: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The dB of each partial's number and of each filter frequency whose sums are nearest to the partials' levels.

    `places` (Hz) and `levels` (dB) are of partials 1, 2, … of each note.
    """
    number = np.concatenate([np.arange(len(note)) for note in levels])
    known = np.concatenate(levels)
    steps = np.log(_FILTER_HERTZ)
    place = np.interp(np.log(np.concatenate(places)), steps, np.arange(len(steps)))
    lower = np.minimum(place.astype(int), len(steps) - 2)
    design = np.zeros((len(known), _MOST_PARTIALS + len(steps)))
    rows = np.arange(len(known))
    design[rows, number] = 1
    design[rows, _MOST_PARTIALS + lower] = 1 - (place - lower)
    design[rows, _MOST_PARTIALS + lower + 1] = place - lower
    middle = known.mean()
    normal = design.T @ design + _DAMPING * np.eye(design.shape[1])
    solution = np.linalg.solve(normal, design.T @ (known - middle))
    return middle + solution[:_MOST_PARTIALS], solution[_MOST_PARTIALS:]


def _spectrum(held: np.ndarray, hertz: float, inharmonicity: float) -> tuple[np.ndarray, np.ndarray]:
    """The power of each partial in dB against all of them, and that per Hz between them in each noise band."""
    part = held[round(0.05 * SAMPLE_RATE) : 2 * SAMPLE_RATE].astype(np.float64)
    window = np.hanning(len(part) + 1)[:-1]
    # Scaled so that the sum over bins is the mean square.
    power = 2 * np.abs(np.fft.rfft(part * window)) ** 2 / (len(part) * (window**2).sum())
    bins = np.fft.rfftfreq(len(part), 1 / SAMPLE_RATE)
    numbers = np.arange(1, _MOST_PARTIALS + 1)
    places = partial_hertz(numbers, hertz, inharmonicity)
    places = places[places < _HIGHEST_HERTZ]
    # A partial is what lies within three bins, or an eighth of the way to the next one: ensembles smear theirs.
    reach = max(_LOBE_BINS * SAMPLE_RATE / len(part), hertz / 8)
    partial_power = np.array([power[abs(bins - place) <= reach].sum() for place in places])
    distance = np.full(len(bins), np.inf)
    for place in places:
        distance = np.minimum(distance, abs(bins - place))
    between = distance > reach
    total = max(float(partial_power.sum()), 1e-20)
    density = np.full(NOISE_BANDS, np.nan)
    edges = _edges()
    for band in range(NOISE_BANDS):
        inside = between & (bins >= edges[band]) & (bins < edges[band + 1])
        if inside.sum() >= 4:
            density[band] = 10 * np.log10(max(power[inside].mean() * len(part) / SAMPLE_RATE / total, 1e-16))
    return 10 * np.log10(np.maximum(partial_power / total, 10 ** (_QUIETEST_DECIBELS / 10))), density


def _mean(decibels: np.ndarray) -> np.ndarray:
    """The mean over notes, row by row, where there is one; where no note has anything, the nearest that has."""
    there = ~np.isnan(decibels)
    known = np.flatnonzero(there.any(axis=0))
    if len(known) == 0:
        return np.full(decibels.shape[1], _QUIETEST_DECIBELS)
    means = np.where(there, decibels, 0).sum(axis=0)[known] / there.sum(axis=0)[known]
    return np.interp(np.arange(decibels.shape[1]), known, means)
