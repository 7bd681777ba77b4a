"""A held note stays what it is, and a released one falls silent."""

import math
from dataclasses import dataclass

import numpy as np

from .pitch import tone_cents

WINDOW_SECONDS = 0.5
PITCH_WINDOW_SECONDS = 1.0
_SILENT_DB = -240.0


@dataclass(frozen=True)
class HeldNote:
    """The course of a held note, and what changed along it."""

    seconds: np.ndarray  # the middle of each window
    level_db: np.ndarray  # RMS, 1 = full scale
    centroid_hz: np.ndarray
    pitch_seconds: np.ndarray
    pitch_cents: np.ndarray  # from the nominal pitch; NaN where there is no tone

    @property
    def level_drift_db(self) -> float:
        """How much the level changes from end to end along its straight line."""
        return _drift(self.seconds, self.level_db)

    @property
    def level_dip_db(self) -> float:
        """How far the quietest window is below the median."""
        return float(np.median(self.level_db) - self.level_db.min())

    @property
    def centroid_drift_octaves(self) -> float:
        """How much the spectral centroid changes from end to end along its straight line."""
        return _drift(self.seconds, np.log2(np.maximum(self.centroid_hz, 1e-9)))

    @property
    def pitch_drift_cents(self) -> float:
        """How much the pitch changes from end to end along its straight line; NaN if the tone is ever lost."""
        return _drift(self.pitch_seconds, self.pitch_cents)

    @property
    def worst_cents(self) -> float:
        """The farthest that the pitch is ever from nominal; NaN if the tone is ever lost."""
        return float(np.abs(self.pitch_cents).max())


def held_note(x: np.ndarray, rate: float, nominal_hz: float) -> HeldNote:
    """Follows a held note; `x` is the part without attack and release, 4 s or more."""
    x = np.asarray(x, dtype=np.float64)
    size = round(WINDOW_SECONDS * rate)
    windows = x[: len(x) // size * size].reshape(-1, size)
    level = np.array([decibels(math.sqrt(np.mean(window**2))) for window in windows])
    power = np.abs(np.fft.rfft(windows * np.hanning(size), axis=1)) ** 2
    hz = np.fft.rfftfreq(size, 1.0 / rate)
    centroid = (power @ hz) / np.maximum(power.sum(axis=1), 1e-30)
    long = round(PITCH_WINDOW_SECONDS * rate)
    starts = np.arange(0, len(x) - long + 1, long // 2)
    pitch = np.array([tone_cents(x[start : start + long], rate, nominal_hz) for start in starts])
    return HeldNote(
        seconds=(np.arange(len(windows)) + 0.5) * size / rate,
        level_db=level,
        centroid_hz=centroid,
        pitch_seconds=(starts + long / 2) / rate,
        pitch_cents=pitch,
    )


@dataclass(frozen=True)
class Release:
    """What a note does after its note-off."""

    residual_db: float  # the largest sample after the release's end, against the held note's; −240 is digital silence
    seconds_to_60_db: float  # from the note-off until no sample is within 60 dB of the held note's peak; inf: never


def release(x: np.ndarray, rate: float, note_off: int, release_seconds: float) -> Release:
    """Looks for sound after a note-off; `x` has the held note before sample `note_off` and silence at its end."""
    x = np.abs(np.asarray(x, dtype=np.float64))
    silent_from = note_off + math.ceil(release_seconds * rate)
    if silent_from >= len(x):
        raise ValueError("the sound ends before the release does")
    peak = max(float(x[max(0, note_off - round(WINDOW_SECONDS * rate)) : note_off].max()), 1e-12)
    loud = np.flatnonzero(x[note_off:] > peak / 1000.0)
    if len(loud) == 0:
        seconds = 0.0
    else:
        seconds = math.inf if loud[-1] == len(x) - note_off - 1 else (int(loud[-1]) + 1) / rate
    residual = x[silent_from:].max()
    return Release(decibels(residual / peak if residual > 0 else 0.0), seconds)


def decibels(amplitude: float) -> float:
    """20 log10, not below −240."""
    return max(_SILENT_DB, 20.0 * math.log10(max(float(amplitude), 1e-12)))


def _drift(seconds: np.ndarray, values: np.ndarray) -> float:
    if not np.all(np.isfinite(values)):
        return math.nan
    slope = np.polyfit(seconds, values, 1)[0]
    return float(slope * (seconds[-1] - seconds[0]))
