"""A phrase as `echoel` plays it: a short sound file, and its picture."""

import io
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from .. import TrainingError
from ..files import atomic_path
from ..measure.midi import SAMPLE_RATE, midi_file
from ..measure.plots import write_spectrogram
from ..measure.tool import Echoel
from .phrases import Phrase

MOST_SOUND_BYTES = 100_000
MOST_PICTURE_BYTES = 60_000
PICTURE_PIXELS = ((800, 360), (720, 330), (640, 300))
"""Width and height: the first that fits."""

_PEAK = 10 ** (-3 / 20)
_HEADROOM_DECIBELS = -12
_TAIL_SECONDS, _LONGEST_TAIL_SECONDS = 0.2, 1.5
_FADE_SECONDS = 0.25
_COMPRESSIONS = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""For soundfile: 0 is the largest file, 1 the smallest."""


def render_phrase(echoel: Echoel, instrument: str, phrase: Phrase, release_seconds: float, folder: Path) -> np.ndarray:
    """float32 [samples] at 48 kHz with its loudest sample 3 dB below full scale, faded at the end; `folder` is for
    files on the way."""
    tail = min(release_seconds + _TAIL_SECONDS, _LONGEST_TAIL_SECONDS)
    end = phrase.end + round(tail * SAMPLE_RATE)
    song = midi_file(phrase.notes, phrase.bends, end)
    # Softer than it will be: what is clipped here would stay so.
    rendering = echoel.render(song, folder / f"{instrument}.wav", instrument, "--gain", _HEADROOM_DECIBELS)
    sound, rate = rendering.mono()
    if rate != SAMPLE_RATE:
        raise TrainingError(f"echoel rendered {instrument} at {rate} Hz; {SAMPLE_RATE} were asked for")
    sound = sound[:end]
    peak = float(np.abs(sound).max(initial=0.0))
    if not 1e-4 < peak < 1:
        raise TrainingError(
            f"{instrument} plays {'nothing' if peak <= 1e-4 else 'too loud'} (its peak is {peak:.2g} of full scale); "
            "check its models with `echoel doctor`, and its gain"
        )
    fade = min(round(_FADE_SECONDS * SAMPLE_RATE), len(sound))
    sound[len(sound) - fade :] *= np.cos(np.linspace(0, np.pi / 2, fade)) ** 2
    return (sound * (_PEAK / peak)).astype(np.float32)


def write_preview(sound: np.ndarray, path: Path, title: str) -> None:
    """Writes `path` (.ogg, mono, at most 100 kB, in the best quality that fits) and its spectrogram beside it (.png, at
    most 60 kB)."""
    for compression in _COMPRESSIONS:
        encoded = _ogg(sound, compression)
        if len(encoded) <= MOST_SOUND_BYTES:
            break
    else:
        raise TrainingError(f"{path} would have {len(encoded)} bytes, and may have {MOST_SOUND_BYTES}; shorten the phrase")
    with atomic_path(path) as partial:
        partial.write_bytes(encoded)
    picture = path.with_suffix(".png")
    for size in PICTURE_PIXELS:
        write_spectrogram(path, picture, title, MOST_PICTURE_BYTES, size)
        if picture.stat().st_size <= MOST_PICTURE_BYTES:
            return
    raise TrainingError(f"{picture} has {picture.stat().st_size} bytes, and may have {MOST_PICTURE_BYTES}")


def _ogg(sound: np.ndarray, compression: float) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, sound, SAMPLE_RATE, format="OGG", subtype="VORBIS", compression_level=compression)
    return _with_serial(file.getvalue(), 1)


# -- Ogg pages (RFC 3533): the library draws a stream's serial number by chance, and a preview has to repeat ------------

_SERIAL, _CHECKSUM, _SEGMENTS = 14, 22, 26


def _with_serial(ogg: bytes, serial: int) -> bytes:
    """The same stream under another serial number."""
    pages = []
    for page in _pages(ogg):
        struct.pack_into("<I", page, _SERIAL, serial)
        struct.pack_into("<I", page, _CHECKSUM, 0)
        struct.pack_into("<I", page, _CHECKSUM, _checksum(page))
        pages.append(bytes(page))
    return b"".join(pages)


def _pages(ogg: bytes) -> Iterator[bytearray]:
    start = 0
    while start < len(ogg):
        segments = ogg[start + _SEGMENTS]
        lengths = ogg[start + _SEGMENTS + 1 : start + _SEGMENTS + 1 + segments]
        end = start + _SEGMENTS + 1 + segments + sum(lengths)
        yield bytearray(ogg[start:end])
        start = end


def _checksum(page: bytearray) -> int:
    """CRC-32 of polynomial 0x04C11DB7, most significant bit first, from 0."""
    value = 0
    for byte in page:
        value = (value << 8 & 0xFFFFFFFF) ^ _CHECKSUMS[value >> 24 ^ byte]
    return value


def _checksum_of(byte: int) -> int:
    value = byte << 24
    for _ in range(8):
        value = (value << 1 & 0xFFFFFFFF) ^ (0x04C11DB7 if value & 0x80000000 else 0)
    return value


_CHECKSUMS = [_checksum_of(byte) for byte in range(256)]
