"""Half-second segments of recorded notes, chosen so that onsets, releases and the silence after are all frequent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np
import torch
from scipy.signal import firwin, resample_poly
from torch import Tensor
from torch.utils.data import IterableDataset

from .excitation import SLOT_SAMPLES

SEGMENT_LATENTS = 12
SEGMENT_SAMPLES = SEGMENT_LATENTS * 2048
ONSET_SHARE = 0.45
RELEASE_SHARE = 0.25
SILENCE_SHARE = 0.10
SILENCE_SECONDS = 2.5
_RESAMPLING_MARGIN = 128

LARGEST_SHIFT_CENTS = 60
UNSHIFTED_SHARE = 0.2
"""Most segments are resampled by up to 60 cents, as a sampler does it, so that every pitch is heard, not only keys."""


@dataclass
class Segments:
    """A batch of segments. ``audio [B, samples]``, ``first_slot [B]`` (0: the note's onset), and per note its key,
    velocity, note-off sample, measured pitch in Hz, instrument index and peak, all ``[B]``."""

    audio: Tensor
    first_slot: Tensor
    key: Tensor
    velocity: Tensor
    off_sample: Tensor
    f0: Tensor
    instrument: Tensor
    peak: Tensor

    def to(self, device: torch.device) -> "Segments":
        """The same batch on another device."""
        return Segments(*(getattr(self, name).to(device) for name in self.__dataclass_fields__))


def pitch_ratio(cents: float) -> Fraction:
    """The ratio of frequencies nearest to ``cents``, of small whole numbers (within 0.02 cents)."""
    return Fraction(2 ** (cents / 1200)).limit_denominator(400)


@lru_cache(maxsize=64)
def _low_pass(ratio: Fraction) -> np.ndarray:
    widest = max(ratio.numerator, ratio.denominator)
    return firwin(32 * widest + 1, 0.97 / widest, window=("kaiser", 8.0)).astype(np.float32)


def shifted(audio: np.ndarray, ratio: Fraction) -> np.ndarray:
    """``audio`` played ``ratio`` times as fast, thus as high."""
    if ratio == 1:
        return audio
    return resample_poly(audio, ratio.denominator, ratio.numerator, window=_low_pass(ratio))


class SegmentSource:
    """Cuts segments out of notes.

    ``notes`` are the fields of a dataset file: ``audio`` float32 [N, S] starting at the note-on, ``key``,
    ``velocity``, ``off_sample``, ``f0`` in Hz, ``instrument`` (index) and ``held_out`` (bool), all [N].
    """

    def __init__(self, notes: dict[str, np.ndarray]) -> None:
        self.notes = notes
        self.peak = np.maximum(np.abs(notes["audio"]).max(axis=1), 1e-3)

    def indices(self, held_out: bool) -> np.ndarray:
        """The notes of the training set, or those held out from it."""
        return np.flatnonzero(self.notes["held_out"] == held_out)

    def draw_start(self, note: int, generator: np.random.Generator) -> int:
        """A start in samples, a multiple of a slot."""
        off = int(self.notes["off_sample"][note])
        kind = generator.random()
        if kind < ONSET_SHARE:
            return 0
        if kind < ONSET_SHARE + RELEASE_SHARE:
            start = off - generator.integers(2048, SEGMENT_SAMPLES)
        elif kind < ONSET_SHARE + RELEASE_SHARE + SILENCE_SHARE:
            start = off + generator.integers(0, int(SILENCE_SECONDS * 48_000))
        else:
            start = generator.integers(0, max(off, SLOT_SAMPLES))
        return max(0, int(start) // SLOT_SAMPLES * SLOT_SAMPLES)

    def cut(self, chosen: np.ndarray, starts: list[int], ratios: list[Fraction] | None = None) -> Segments:
        """The segments of the notes ``chosen`` from the samples ``starts`` on, each raised in pitch (and shortened)
        by its entry of ``ratios``; silence beyond a note's end."""
        notes = self.notes
        ratios = ratios or [Fraction(1)] * len(chosen)
        audio = np.zeros((len(chosen), SEGMENT_SAMPLES), np.float32)
        for row, (note, start, ratio) in enumerate(zip(chosen, starts, ratios)):
            first = round(start * ratio)
            part = notes["audio"][note, first : first + round(SEGMENT_SAMPLES * ratio) + _RESAMPLING_MARGIN]
            part = shifted(part, ratio)[:SEGMENT_SAMPLES]
            audio[row, : len(part)] = part

        def column(name: str, kind: type) -> Tensor:
            return torch.from_numpy(notes[name][chosen].astype(kind))

        ratio = torch.tensor([float(ratio) for ratio in ratios])
        return Segments(
            audio=torch.from_numpy(audio),
            first_slot=torch.tensor([start // SLOT_SAMPLES for start in starts]),
            key=column("key", np.float32),
            velocity=column("velocity", np.float32),
            off_sample=column("off_sample", np.float32) / ratio,
            f0=column("f0", np.float32) * ratio,
            instrument=column("instrument", np.int64),
            peak=torch.from_numpy(self.peak[chosen].astype(np.float32)),
        )


def _random_ratio(generator: np.random.Generator) -> Fraction:
    if generator.random() < UNSHIFTED_SHARE:
        return Fraction(1)
    return pitch_ratio(int(generator.integers(-LARGEST_SHIFT_CENTS // 4, LARGEST_SHIFT_CENTS // 4 + 1)) * 4)


class RandomSegments(IterableDataset):
    """Endless random batches of the training notes; every instrument is drawn equally often."""

    def __init__(self, source: SegmentSource, batch: int, seed: int) -> None:
        self.source, self.batch, self.seed = source, batch, seed

    def __iter__(self) -> Iterator[Segments]:
        generator = np.random.default_rng(self.seed)
        chosen = self.source.indices(held_out=False)
        instrument = self.source.notes["instrument"][chosen]
        groups = [chosen[instrument == index] for index in np.unique(instrument)]
        while True:
            notes = np.array([generator.choice(groups[row % len(groups)]) for row in range(self.batch)])
            starts = [self.source.draw_start(note, generator) for note in notes]
            yield self.source.cut(notes, starts, [_random_ratio(generator) for _ in notes])


class HeldOutSegments(IterableDataset):
    """The same few batches of held-out notes every time: one onset and one release each."""

    def __init__(self, source: SegmentSource, batch: int, notes: int = 16) -> None:
        held_out = source.indices(held_out=True)
        chosen = held_out[np.linspace(0, len(held_out) - 1, min(notes, len(held_out))).astype(int)]
        self.batches = []
        for first in range(0, len(chosen), batch // 2):
            some = chosen[first : first + batch // 2]
            offs = [int(source.notes["off_sample"][note]) for note in some]
            releases = [max(0, (off - SEGMENT_SAMPLES // 2) // SLOT_SAMPLES * SLOT_SAMPLES) for off in offs]
            self.batches.append(source.cut(np.concatenate([some, some]), [0] * len(some) + releases))

    def __iter__(self) -> Iterator[Segments]:
        yield from self.batches
