"""Half-second segments of recorded notes, chosen so that onsets, releases and their tails are all frequent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset

from .dataset import note_audio, note_vibrato
from .partials import SLOT_SAMPLES
from .vibrato import HOP_SAMPLES

SEGMENT_LATENTS = 12
SEGMENT_SAMPLES = SEGMENT_LATENTS * 2048
ONSET_SHARE = 0.38
RELEASE_SHARE = 0.22
TAIL_SHARE = 0.12
SILENCE_SAMPLES = 12_000
"""So much silence after a note is part of it."""


@dataclass
class Segments:
    """A batch of segments. ``audio [B, samples]``, ``first_slot [B]`` (0: the note's onset), and per note its key,
    velocity, note-off sample, pitch in Hz, inharmonicity, detune in cents, instrument index and peak, all ``[B]``;
    ``vibrato [B, slots + 1]`` is how far the pitch is above that at each slot's end, in cents, with one slot more."""

    audio: Tensor
    first_slot: Tensor
    key: Tensor
    velocity: Tensor
    off_sample: Tensor
    f0: Tensor
    inharmonicity: Tensor
    detune: Tensor
    vibrato: Tensor
    instrument: Tensor
    peak: Tensor

    def to(self, device: torch.device) -> "Segments":
        """The same batch on another device."""
        return Segments(*(getattr(self, name).to(device) for name in self.__dataclass_fields__))


class SegmentSource:
    """Cuts segments out of the notes of a dataset: ``notes`` are its fields, as ``dataset`` describes them."""

    def __init__(self, notes: dict[str, np.ndarray]) -> None:
        self.notes = notes
        peaks = [np.abs(note_audio(notes, row)).max() for row in range(len(notes["key"]))]
        self.peak = np.maximum(np.array(peaks, np.float32), 1e-3)
        self.vibrato = [note_vibrato(notes, row) for row in range(len(notes["key"]))]

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
        elif kind < ONSET_SHARE + RELEASE_SHARE + TAIL_SHARE:
            start = off + generator.integers(0, int(self.notes["samples"][note]) - off + SILENCE_SAMPLES)
        else:
            start = generator.integers(0, max(off, SLOT_SAMPLES))
        return max(0, int(start) // SLOT_SAMPLES * SLOT_SAMPLES)

    def cut(self, chosen: np.ndarray, starts: list[int]) -> Segments:
        """The segments of the notes ``chosen`` from the samples ``starts`` on; silence beyond a note's end."""
        audio = np.zeros((len(chosen), SEGMENT_SAMPLES), np.float32)
        for row, (note, start) in enumerate(zip(chosen, starts)):
            part = note_audio(self.notes, note)[start : start + SEGMENT_SAMPLES]
            audio[row, : len(part)] = part

        def column(name: str, kind: type = np.float32) -> Tensor:
            return torch.from_numpy(self.notes[name][chosen].astype(kind))

        return Segments(
            audio=torch.from_numpy(audio),
            first_slot=torch.tensor([start // SLOT_SAMPLES for start in starts]),
            key=column("key"),
            velocity=column("velocity"),
            off_sample=column("off_sample"),
            f0=column("f0"),
            inharmonicity=column("inharmonicity"),
            detune=column("detune"),
            vibrato=torch.from_numpy(np.stack([self._vibrato(note, start) for note, start in zip(chosen, starts)])),
            instrument=column("instrument", np.int64),
            peak=torch.from_numpy(self.peak[chosen]),
        )

    def _vibrato(self, note: int, start: int) -> np.ndarray:
        ends = start + SLOT_SAMPLES * np.arange(1, SEGMENT_SAMPLES // SLOT_SAMPLES + 2)
        course = self.vibrato[note]
        return np.interp(ends, np.arange(len(course)) * HOP_SAMPLES, course, right=0.0).astype(np.float32)


class RandomSegments(IterableDataset):
    """Endless random batches of the training notes; every instrument is drawn equally often, and of an instrument
    every key. Processes that train together draw different ones."""

    def __init__(self, source: SegmentSource, batch: int, seed: int) -> None:
        self.source, self.batch, self.seed = source, batch, seed

    def __iter__(self) -> Iterator[Segments]:
        together = torch.distributed.is_available() and torch.distributed.is_initialized()
        rank = torch.distributed.get_rank() if together else 0
        generator = np.random.default_rng([self.seed, rank])
        chosen = self.source.indices(held_out=False)
        instrument, key = (self.source.notes[name][chosen] for name in ("instrument", "key"))
        groups = [
            [chosen[(instrument == index) & (key == one)] for one in np.unique(key[instrument == index])]
            for index in np.unique(instrument)
        ]
        while True:
            keys = [groups[row % len(groups)] for row in range(self.batch)]
            notes = np.array([generator.choice(some[generator.integers(len(some))]) for some in keys])
            yield self.source.cut(notes, [self.source.draw_start(note, generator) for note in notes])


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
