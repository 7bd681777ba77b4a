"""Where a note's partials lie, against where the SoundFont's own lie."""

import math

import numpy as np

from ..inharmonicity import partial_hertz
from ..measure.pitch import Spectrum
from .notes import SAMPLE_RATE, ScoredNote

NUMBERS = range(2, 11)
WITHIN_DECIBELS = 40.0
"""Of the strongest partial: a weaker one is not compared."""

_SPAN_CENTS = 40.0
_LOBE_BINS = 2.0  # from the middle of a Hann window's main lobe to its first zero, in 1 / duration
_ATTACK_SECONDS, _LAST_SECONDS = 0.1, 2.0
_SHORTEST_SECONDS = 0.4
_FOUND_DECIBELS = 12.0
_HIGHEST_HERTZ = 16_000.0


def partial_errors(audio: np.ndarray, note: ScoredNote) -> dict[int, float]:
    """How far partials 2 to 10 are from the reference's, in cents; both play at the same pitch.

    In the spectrum of the held part from 0.1 to at most 2 s, the same of both: the mean frequency, weighted by power,
    within 40 cents of where the partial should be (or within the window's main lobe, where that is wider). Players who
    move, or several of them, smear a partial over some cents; its mean stays. A partial is compared if the reference's
    stands out and is within 40 dB of the reference's strongest; one that is then not found in ours is infinitely far.
    In a note held for less than half a second none is compared.
    """
    start, end = round(_ATTACK_SECONDS * SAMPLE_RATE), min(note.off_sample, round(_LAST_SECONDS * SAMPLE_RATE))
    if end - start < _SHORTEST_SECONDS * SAMPLE_RATE:
        return {}
    theirs, ours = _partials(note.reference[start:end], note), _partials(audio[start:end], note)
    if not theirs:
        return {}
    loud = max(level for _, level in theirs.values()) - WITHIN_DECIBELS
    return {
        number: 1200 * math.log2(ours[number][0] / hertz) if number in ours else math.inf
        for number, (hertz, level) in theirs.items()
        if number in NUMBERS and level >= loud
    }


def _partials(audio: np.ndarray, note: ScoredNote) -> dict[int, tuple[float, float]]:
    """Hz and dB of each of partials 1 to 10 that stands out of the spectrum."""
    spectrum = Spectrum(audio, SAMPLE_RATE)
    hertz_per_bin = SAMPLE_RATE / spectrum.size
    found = {}
    for number in (1, *NUMBERS):
        expected = partial_hertz(number, note.hertz, note.inharmonicity)
        if expected > _HIGHEST_HERTZ:
            break
        peak = spectrum.peak(expected, _SPAN_CENTS)
        if peak is None or peak.prominence_db < _FOUND_DECIBELS:
            continue
        reach = max(expected * (2 ** (_SPAN_CENTS / 1200) - 1), _LOBE_BINS * SAMPLE_RATE / len(audio))
        first, last = round((expected - reach) / hertz_per_bin), round((expected + reach) / hertz_per_bin)
        power = spectrum.power[first : last + 1]
        middle = float(power @ np.arange(first, last + 1) / power.sum()) * hertz_per_bin
        found[number] = middle, 10 * math.log10(float(power.sum()))
    return found
