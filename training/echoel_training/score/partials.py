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
_ATTACK_SECONDS, _LAST_SECONDS = 0.1, 2.0
_SHORTEST_SECONDS = 0.15
_FOUND_DECIBELS = 12.0
_HIGHEST_HERTZ = 16_000.0


def partial_errors(audio: np.ndarray, note: ScoredNote) -> dict[int, float]:
    """How far partials 2 to 10 are from the reference's, in cents, each against its own partial 1.

    By the peaks of the spectrum of the held part from 0.1 to at most 2 s, the same of both. A partial is compared if
    the reference's stands out and is within 40 dB of the reference's strongest; one that is then not found within
    40 cents of where it should be is infinitely far. No partial is compared in a note held for less than a quarter
    of a second.
    """
    start, end = round(_ATTACK_SECONDS * SAMPLE_RATE), min(note.off_sample, round(_LAST_SECONDS * SAMPLE_RATE))
    if end - start < _SHORTEST_SECONDS * SAMPLE_RATE:
        return {}
    theirs, ours = _partials(note.reference[start:end], note), _partials(audio[start:end], note)
    if 1 not in theirs:
        return {}
    loud = max(level for _, level in theirs.values()) - WITHIN_DECIBELS
    errors = {}
    for number in NUMBERS:
        if number not in theirs or theirs[number][1] < loud:
            continue
        if number in ours and 1 in ours:
            ratio = (ours[number][0] / ours[1][0]) / (theirs[number][0] / theirs[1][0])
            errors[number] = 1200 * math.log2(ratio)
        else:
            errors[number] = math.inf
    return errors


def _partials(audio: np.ndarray, note: ScoredNote) -> dict[int, tuple[float, float]]:
    """Hz and dB of each of partials 1 to 10 that stands out of the spectrum."""
    spectrum = Spectrum(audio, SAMPLE_RATE)
    found = {}
    for number in (1, *NUMBERS):
        expected = partial_hertz(number, note.hertz, note.inharmonicity)
        if expected > _HIGHEST_HERTZ:
            break
        peak = spectrum.peak(expected, _SPAN_CENTS)
        if peak is not None and peak.prominence_db >= _FOUND_DECIBELS:
            found[number] = peak.hz, peak.db
    return found
