"""The pitch of a note as two known estimators hear it: pYIN and Praat.

pYIN: Mauch and Dixon, ICASSP 2014, by librosa. Praat: Boersma, *Accurate short-term analysis of the fundamental
frequency*, 1993, by parselmouth. Both look for a period in the waveform and are told only the octaves in which to look,
so that a note in the wrong octave, or none, is seen.
"""

import math
import warnings

import numpy as np

from .. import TrainingError
from .notes import SAMPLE_RATE

_OCTAVES = 1.15  # to either side of the nominal pitch: an octave off is inside
_HOP_SAMPLES = 4_096
_FINE_SEMITONES, _FINE_RESOLUTION = 1.0, 0.005
_LEAST_VOICED = 0.5


def pyin_cents(audio: np.ndarray, nominal: float) -> float:
    """The median over time of pYIN's pitch, in cents from `nominal` Hz; NaN where less than half is voiced.

    pYIN rounds to a grid, so it is asked twice: in steps of 10 cents over two octaves, then in steps of half a cent
    around what it said. `audio`: the steady part of one note, 0.3 s or more.
    """
    rough = _pyin(audio, nominal * 2**-_OCTAVES, nominal * 2**_OCTAVES, 0.1)
    if math.isnan(rough):
        return math.nan
    span = 2 ** (_FINE_SEMITONES / 12)
    fine = _pyin(audio, rough / span, rough * span, _FINE_RESOLUTION)
    return 1200 * math.log2(fine / nominal)


def praat_cents(audio: np.ndarray, nominal: float) -> float:
    """The median over time of Praat's autocorrelation pitch, in cents from `nominal` Hz; NaN where less than half is
    voiced. `audio`: as above."""
    parselmouth = _package("parselmouth", "praat-parselmouth")
    sound = parselmouth.Sound(np.asarray(audio, np.float64), SAMPLE_RATE)
    low, high = nominal * 2**-_OCTAVES, nominal * 2**_OCTAVES
    hertz = sound.to_pitch_ac(time_step=0.02, pitch_floor=low, pitch_ceiling=high).selected_array["frequency"]
    return _median_cents(hertz[hertz > 0], len(hertz), nominal)


def _pyin(audio: np.ndarray, low: float, high: float, resolution: float) -> float:
    librosa = _package("librosa", "librosa")
    frame = max(4_096, 1 << math.ceil(math.log2(5 * SAMPLE_RATE / low)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a frame holds few periods
        hertz, voiced, _ = librosa.pyin(
            np.asarray(audio, np.float64),
            fmin=low,
            fmax=high,
            sr=SAMPLE_RATE,
            frame_length=frame,
            hop_length=_HOP_SAMPLES,
            resolution=resolution,
            # In octaves a second; librosa rounds it to semitones, and half a band in one hop is all there is room for.
            max_transition_rate=min(35.92, 0.5 * math.log2(high / low) * SAMPLE_RATE / _HOP_SAMPLES),
        )
    cents = _median_cents(hertz[voiced], len(hertz), 1.0)
    return 2 ** (cents / 1200)


def _median_cents(hertz: np.ndarray, frames: int, nominal: float) -> float:
    if len(hertz) < _LEAST_VOICED * frames or len(hertz) == 0:
        return math.nan
    return 1200 * math.log2(float(np.median(hertz)) / nominal)


def _package(name: str, distribution: str):
    import importlib

    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        raise TrainingError(
            f"{distribution} is not installed; install what scoring needs with `pip install --editable '.[score]'`"
        ) from None
