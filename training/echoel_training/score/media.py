"""Sounds as a page can hold them: spectrograms without axes as small PNGs, and Ogg files."""

import io

import numpy as np
import soundfile

from .. import TrainingError
from ..measure.plots import log_power
from .notes import SAMPLE_RATE

LOW_HERTZ, HIGH_HERTZ = 40.0, 20_000.0
"""The ends of the logarithmic frequency axis."""

RANGE_DECIBELS = 80.0
"""From the brightest colour to the darkest."""

COLOUR_MAP = "inferno"
COLOURS = 64

_COLUMNS, _ROWS = 440, 220
_FADE_SAMPLES = 960
_VORBIS_QUALITY = 0.7  # soundfile counts downwards: 0 is the largest file


def power(sound: np.ndarray) -> np.ndarray:
    """Power ``[220, 440]`` of a sound at 48 kHz: frequencies rise evenly in octaves, times evenly over all of it."""
    hertz = np.geomspace(LOW_HERTZ, HIGH_HERTZ, _ROWS)
    return log_power(np.asarray(sound, np.float32), SAMPLE_RATE, hertz, _COLUMNS)


def spectrogram(of_sound: np.ndarray, loudest: float) -> bytes:
    """A PNG of what `power` gave, high frequencies above; `loudest` is the power of the brightest colour."""
    image = _pillow()
    decibels = 10 * np.log10(np.maximum(of_sound, 1e-30) / max(loudest, 1e-30))
    level = np.clip(decibels / RANGE_DECIBELS + 1, 0, 1)
    picture = image.fromarray((level[::-1] * (COLOURS - 1)).round().astype(np.uint8), mode="L").convert("P")
    picture.putpalette((255 * colours(COLOURS)).round().astype(np.uint8).tobytes())
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return file.getvalue()


def colours(count: int) -> np.ndarray:
    """Red, green and blue ``[count, 3]``, 0…1, from the darkest to the brightest."""
    try:
        from matplotlib import colormaps
    except ImportError as error:
        raise _lacking(error) from error
    return colormaps[COLOUR_MAP](np.linspace(0, 1, count))[:, :3]


def ogg(sound: np.ndarray, gain: float) -> bytes:
    """An Ogg Vorbis file of a sound at 48 kHz, `gain` times as loud, its last 20 ms faded out."""
    audio = np.clip(gain * np.asarray(sound, np.float64), -1, 1)
    fade = min(_FADE_SAMPLES, len(audio))
    audio[len(audio) - fade :] *= np.linspace(1, 0, fade)
    file = io.BytesIO()
    soundfile.write(file, audio, SAMPLE_RATE, format="OGG", subtype="VORBIS", compression_level=_VORBIS_QUALITY)
    return file.getvalue()


def _pillow():
    try:
        from PIL import Image
    except ImportError as error:
        raise _lacking(error) from error
    return Image


def _lacking(error: ImportError) -> TrainingError:
    return TrainingError(f"a page needs {error.name}; install it with: pip install 'training[measure]'")
