"""When a note begins, how it rises, how it fades, and how loud it is.

All times are of the sound's energy, so that neither phase nor timbre moves them.
"""

import math

import numpy as np

from .notes import SAMPLE_RATE

STEP_SAMPLES = 48
"""1 ms: the step of every envelope."""

ONSET_DECIBELS = -40.0
"""Against the loudest millisecond: what is above it has begun."""

_ATTACK_WITHIN_SECONDS = 0.5
_PLATEAU_STEPS = 20
_SMALLEST_WINDOW_SECONDS = 0.005
_DECAY_WINDOW_SECONDS = 0.05
_DECAY_FLOOR_DECIBELS = -50.0
_LEAST_HELD_SECONDS = 1.0
_RELEASE_FIT_DECIBELS = (-5.0, -35.0)
_STILL_SOUNDS_DECIBELS = -40.0


def onset_seconds(audio: np.ndarray) -> float:
    """The start of the first millisecond whose energy is within 40 dB of the loudest one's; NaN for silence."""
    energy = _energy(audio)
    if energy.max(initial=0.0) <= 0:
        return math.nan
    return float(np.argmax(energy > energy.max() * 10 ** (ONSET_DECIBELS / 10)) * STEP_SAMPLES / SAMPLE_RATE)


def attack_seconds(audio: np.ndarray, hertz: float) -> float:
    """How long the note takes from 10 to 90 % of the amplitude at which its attack ends; NaN for silence.

    The amplitude is the root of the energy smoothed by a Hann window of two periods of `hertz`, at least 5 ms: the
    ripple of a low note is no attack. An attack shorter than the window measures as about a third of it. The attack
    ends, once half of the first half second's highest amplitude is there, where the next 20 ms bring no more than 5 %
    of it: a slow swell, or two oscillators that drift into step, are no attack.
    """
    steps = round(_ATTACK_WITHIN_SECONDS * SAMPLE_RATE / STEP_SAMPLES)
    amplitude = np.sqrt(_smoothed(_energy(audio), max(_SMALLEST_WINDOW_SECONDS, 2 / hertz)))[: steps + _PLATEAU_STEPS]
    if amplitude.max(initial=0.0) <= 0:
        return math.nan
    ahead = np.array([amplitude[at : at + _PLATEAU_STEPS + 1].max() for at in range(min(steps, len(amplitude)))])
    here = amplitude[: len(ahead)]
    top = ahead[np.argmax((here >= 0.5 * here.max()) & (ahead <= here + 0.05 * here.max()))]
    end = _crossing(amplitude, 0.9 * top)
    start = _crossing(amplitude[: math.floor(end) + 2], 0.1 * top)
    return (end - start) * STEP_SAMPLES / SAMPLE_RATE


def decay_range(reference: np.ndarray, off_sample: int) -> tuple[int, int] | None:
    """The samples over which the decay of a held note is measured; None where it is held too short to tell.

    From a tenth of a second after its loudest 50 ms until its note-off, or until it is 50 dB below them.
    """
    size = round(_DECAY_WINDOW_SECONDS * SAMPLE_RATE)
    decibels = _windows_decibels(reference[:off_sample], size)
    if len(decibels) == 0:
        return None
    peak = int(np.argmax(decibels[: round(_ATTACK_WITHIN_SECONDS / _DECAY_WINDOW_SECONDS)]))
    faded = np.flatnonzero(decibels[peak:] < decibels[peak] + _DECAY_FLOOR_DECIBELS)
    last = peak + int(faded[0]) if len(faded) else len(decibels)
    first = peak + 2
    if (last - first) * size < _LEAST_HELD_SECONDS * SAMPLE_RATE:
        return None
    return first * size, last * size


def held_decay_decibels_per_second(audio: np.ndarray, span: tuple[int, int]) -> float:
    """The slope of the straight line through a held note's level in windows of 50 ms; negative where it fades."""
    size = round(_DECAY_WINDOW_SECONDS * SAMPLE_RATE)
    decibels = _windows_decibels(audio[span[0] : span[1]], size)
    return float(np.polyfit(np.arange(len(decibels)) * _DECAY_WINDOW_SECONDS, decibels, 1)[0])


def release_t60_seconds(audio: np.ndarray, off_sample: int) -> float:
    """How long 60 dB take after the note-off: by a line through the energy still to come (Schroeder 1965) from −5 to
    −35 dB of what there is at the note-off. NaN where the note has faded before it is let go, or never does after.
    """
    energy = _energy(audio)
    off = off_sample // STEP_SAMPLES
    before = energy[max(0, off - 50) : max(off, 1)].mean()
    if before <= energy.max(initial=0.0) * 10 ** (_STILL_SOUNDS_DECIBELS / 10):
        return math.nan
    to_come = np.cumsum(energy[off:][::-1])[::-1]
    if len(to_come) == 0 or to_come[0] <= 0:
        return 0.0
    decibels = 10 * np.log10(np.maximum(to_come, 1e-30) / to_come[0])
    top, bottom = _RELEASE_FIT_DECIBELS
    within = np.flatnonzero((decibels <= top) & (decibels >= bottom))
    if len(within) < 2:  # it stops at once
        below = int(np.argmax(decibels < bottom))
        return below * STEP_SAMPLES / SAMPLE_RATE * 60 / -bottom if below else math.nan
    slope = np.polyfit(within * STEP_SAMPLES / SAMPLE_RATE, decibels[within], 1)[0]
    return float(-60 / slope) if slope < 0 else math.nan


def level_decibels(audio: np.ndarray, off_sample: int) -> float:
    """Root mean square of the first second, or of the note until its note-off where that is sooner."""
    part = audio[: min(SAMPLE_RATE, off_sample)].astype(np.float64)
    return float(10 * np.log10(max(np.mean(part**2), 1e-24)))


def _energy(audio: np.ndarray) -> np.ndarray:
    """Mean square of every whole millisecond."""
    whole = np.asarray(audio, np.float64)[: len(audio) // STEP_SAMPLES * STEP_SAMPLES]
    return (whole.reshape(-1, STEP_SAMPLES) ** 2).mean(axis=1)


def _smoothed(energy: np.ndarray, seconds: float) -> np.ndarray:
    size = max(3, round(seconds * SAMPLE_RATE / STEP_SAMPLES))
    window = np.hanning(size + 2)[1:-1]
    return np.convolve(energy, window / window.sum(), mode="same")


def _crossing(rising: np.ndarray, level: float) -> float:
    """Where a curve first reaches a level, between two of its steps."""
    at = int(np.argmax(rising >= level))
    if at == 0:
        return 0.0
    return at - 1 + float((level - rising[at - 1]) / (rising[at] - rising[at - 1]))


def _windows_decibels(audio: np.ndarray, size: int) -> np.ndarray:
    whole = np.asarray(audio, np.float64)[: len(audio) // size * size].reshape(-1, size)
    return 10 * np.log10(np.maximum((whole**2).mean(axis=1), 1e-24))
