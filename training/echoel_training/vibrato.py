"""How a note's pitch wanders while it sounds: the vibrato that a recording was played with.

Instantaneous frequencies of the lowest partials (Boashash 1992), each filtered out of the sound, as cents from where
they should be. A player's vibrato moves all of them alike; where they do not agree, as with a section of players or
two layers that beat, there is no one pitch that wanders, and the course is zero.
"""

from __future__ import annotations

import numpy as np

from .rendering import SAMPLE_RATE

HOP_SAMPLES = 512
"""The course's step."""

MOST_CENTS = 60.0
"""A course that goes farther from the mean is not believed."""

_PARTIALS = 6
_HIGHEST_HERTZ = 8_000.0
_SPAN_SECONDS = 0.015
_WITHIN_DECIBELS = 30.0  # of the loudest partial; weaker ones are lost in noise
_ATTACK_SECONDS = 0.1  # until then a pitch is settling, and there is no telling it from the attack
_EDGE_SECONDS = 0.05  # where the sound is cut off, the filters ring
_FADE_SECONDS = 0.08  # so that the pitch does not jump where measuring begins and ends
_SHORTEST_SECONDS = 0.5
_AGREEMENT = 0.8  # the share of the partials' movement that they have in common
_SMALLEST_CENTS = 0.5


def frames_of(samples: int | np.ndarray) -> int | np.ndarray:
    """How many steps the course of a note of so many samples has."""
    return -(-samples // HOP_SAMPLES)


def measure_vibrato(audio: np.ndarray, off_sample: int, hertz: float) -> np.ndarray:
    """How far a note ``[samples]`` at 48 kHz is above its own mean pitch, in cents, float32 ``[frames]``; `hertz` says
    within a few cents where that is.

    Frame n is the mean around sample n · HOP_SAMPLES. Zero in the first tenth of a second and from 50 ms before the
    note-off on, and everywhere in a note that is held for less than 0.6 s or whose partials do not move together.
    """
    course = np.zeros(frames_of(len(audio)), np.float32)
    start, end = round(_ATTACK_SECONDS * SAMPLE_RATE), min(off_sample, len(audio))
    last = end - round(_EDGE_SECONDS * SAMPLE_RATE)
    if end - start < _SHORTEST_SECONDS * SAMPLE_RATE:
        return course
    middles = np.arange(-(-start // HOP_SAMPLES), last // HOP_SAMPLES) * HOP_SAMPLES
    size = 1 << (end - 1).bit_length()
    spectrum = np.fft.rfft(audio[:end].astype(np.float64), size)
    numbers = range(1, max(1, min(_PARTIALS, int(_HIGHEST_HERTZ / hertz))) + 1)
    found = [_cents(_alone(spectrum, size, number * hertz, hertz), number * hertz, middles) for number in numbers]
    cents, levels = (np.array(part) for part in zip(*found))
    loud = levels > levels.max() * 10 ** (-_WITHIN_DECIBELS / 10)
    if loud.sum() < 2:
        return course
    cents, weights = cents[loud], levels[loud] / levels[loud].sum()
    moving = cents - cents.mean(axis=1, keepdims=True)
    # Every partial has a say in whether they agree: the strongest agrees with itself.
    alone = np.square(moving - moving.mean(axis=0)).mean()
    alike = alone <= (1 - _AGREEMENT) * np.square(moving).mean()
    together = weights @ moving
    if alike and together.std() >= _SMALLEST_CENTS and np.abs(together).max() <= MOST_CENTS:
        fade = np.clip((np.arange(len(middles)) + 1) * HOP_SAMPLES / (_FADE_SECONDS * SAMPLE_RATE), 0, 1)
        course[middles // HOP_SAMPLES] = together * fade * fade[::-1]
    return course


def _alone(spectrum: np.ndarray, size: int, middle: float, spacing: float) -> tuple[np.ndarray, int, float]:
    """The partial at `middle` Hz alone, as a complex signal around 0 Hz; its step in samples, and which frequency in Hz
    has become 0."""
    bins = size / SAMPLE_RATE
    centre, reach = round(middle * bins), int(0.45 * spacing * bins)
    near = np.zeros(1 << (4 * reach).bit_length(), complex)  # twice as many as it takes
    for offset in (np.arange(0, reach + 1), np.arange(-reach, 0)):
        shape = 0.5 + 0.5 * np.cos(np.pi * offset / reach)
        near[offset] = spectrum[centre + offset] * shape
    return np.fft.ifft(near) * len(near) / size, size // len(near), centre / bins


def _cents(partial: tuple[np.ndarray, int, float], hertz: float, middles: np.ndarray) -> tuple[np.ndarray, float]:
    """How far a partial's phase turns, as cents of `hertz`, around each of the `middles`; and its mean power."""
    turning, step, zero = partial
    half = round(0.5 * _SPAN_SECONDS * SAMPLE_RATE)
    time, phase = np.arange(len(turning)) * step, np.unwrap(np.angle(turning))
    ahead, behind = (np.interp(middles + side, time, phase) for side in (half, -half))
    found = zero + (ahead - behind) * SAMPLE_RATE / (2 * np.pi * 2 * half)
    used = turning[: middles[-1] // step]
    return 1200 * np.log2(np.maximum(found / hertz, 0.5)), float(np.mean(np.abs(used) ** 2))
