"""A short phrase for each family of instruments, in its idiom."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ..measure.midi import SAMPLE_RATE, Bend, Note


@dataclass(frozen=True)
class Phrase:
    """Notes and bends, times in samples at 48 kHz."""

    notes: tuple[Note, ...]
    bends: tuple[Bend, ...] = ()

    @property
    def end(self) -> int:
        """The sample of the last note-off."""
        return max(note.end for note in self.notes)

    def within(self, low_key: int, high_key: int) -> "Phrase":
        """The same in a range of keys: moved by the octaves that leave the fewest notes outside, which are moved singly.

        A range of less than an octave gets the nearest of its keys for what does not fit.
        """

        def outside(octaves: int) -> tuple[int, int]:
            moved = [note.key + 12 * octaves for note in self.notes]
            return sum(not low_key <= key <= high_key for key in moved), abs(octaves)

        octaves = min(range(-6, 7), key=outside)
        notes = [replace(note, key=_folded(note.key + 12 * octaves, low_key, high_key)) for note in self.notes]
        return replace(self, notes=_untangled(notes))


def phrase_for(family: str, struck: bool) -> Phrase:
    """The phrase of a family; one that suits any instrument where the family has none."""
    if family in _FAMILIES:
        return _FAMILIES[family]()
    return _broken_chords() if struck else _melody()


def _piano() -> Phrase:
    """Broken chords that ring on under a melody, and a rolled chord."""
    chords = [(45, 52, 57, 60, 64, 60, 57, 52), (41, 48, 53, 57, 60, 57, 53, 48)]
    rows = []
    for bar, keys in enumerate(chords):
        for eighth, key in enumerate(keys[:5] if bar else keys):
            rows.append((4 * bar + eighth / 2, 4 - eighth / 2 if eighth < 5 else 0.5, key, 58 + 6 * (eighth == 0)))
    rows += [(6.5, 1.5, 55, 56), (7, 1, 59, 56), (7.5, 0.5, 62, 60)]
    rows += [(0, 1.5, 76, 92), (1.5, 0.5, 74, 78), (2, 1, 72, 84), (3, 1, 71, 80), (4, 2, 69, 90), (6, 1, 72, 84)]
    rows += [(7, 1, 74, 92)]
    rows += [(8 + step / 9, 4 - step / 9, key, 84) for step, key in enumerate((36, 43, 52, 60, 64, 67))]
    return _phrase(0.68, [*rows, (8.7, 3.3, 76, 104)])


def _strings() -> Phrase:
    """Four chords that lead into each other, swelling and sinking."""
    chords = [((48, 55, 64, 72), 60), ((45, 57, 64, 72), 76), ((41, 57, 65, 69), 94), ((43, 55, 65, 71), 84)]
    rows = [(2 * place, 2.05, key, velocity) for place, (keys, velocity) in enumerate(chords) for key in keys]
    return _phrase(0.8, [*rows, *((8, 2.4, key, 64) for key in (36, 55, 64, 67, 72))])


def _brass() -> Phrase:
    """A fanfare and its last, long note."""
    call = [(0, 65, 92), (1 / 3, 65, 84), (2 / 3, 65, 92), (1, 70, 104), (2, 65, 88), (7 / 3, 65, 84), (8 / 3, 70, 94)]
    call += [(3, 74, 108), (4, 70, 92), (13 / 3, 72, 94), (14 / 3, 74, 98), (5, 77, 112)]
    tune = [(7, 75, 0.9, 84), (8, 74, 0.9, 80), (9, 72, 0.9, 76), (10, 74, 0.45, 82), (10.5, 72, 0.45, 80)]
    lengths = {1: 0.8, 3: 0.8, 5: 1.8}
    rows = [(beat, lengths.get(beat, 0.25), key, velocity) for beat, key, velocity in call]
    rows += [(beat, length, key, velocity) for beat, key, length, velocity in tune]
    return _phrase(0.56, [*rows, (11, 4.5, 70, 96)])


def _synth() -> Phrase:
    """Quick broken chords over a bass, and a lead that slides into its note and ends in a vibrato."""
    beat = 0.5
    rows: list[_Row] = []
    for bar, (bass, keys) in enumerate([(45, (57, 64, 69, 72, 76, 72, 69, 64)), (41, (57, 60, 65, 69, 72, 69, 65, 60))]):
        rows.append((4 * bar, 3.8, bass, 70, 1))
        for sixteenth in range(16):
            rows.append((4 * bar + sixteenth / 4, 0.2, keys[sixteenth % 8], 100 if sixteenth % 4 == 0 else 80))
    rows += [(8, 7, 43, 70, 1), (8, 1.9, 74, 104), (10, 0.9, 71, 92), (11, 4, 76, 110)]
    slide = [(8 + step / 32, -2 + 2 * step / 16) for step in range(17)]
    vibrato = [(12 + step / 32, 0.35 * min(1, step / 32) * math.sin(2 * math.pi * 5.5 * beat * step / 32))
               for step in range(96)]  # fmt: skip
    bends = [Bend(_samples(time * beat), semitones) for time, semitones in [*slide, *vibrato, (15.0, 0.0)]]
    return replace(_phrase(beat, rows), bends=tuple(bends))


def _broken_chords() -> Phrase:
    """For what is struck or plucked."""
    keys = (48, 55, 60, 64, 67, 72, 67, 64, 45, 52, 57, 60, 64, 69, 64, 60)
    rows = [(place / 2, 2, key, 96 if place % 8 == 0 else 76) for place, key in enumerate(keys)]
    return _phrase(0.6, [*rows, *((8 + step / 8, 4, key, 90) for step, key in enumerate((41, 53, 60, 65, 69)))])


def _melody() -> Phrase:
    """For what sustains: a scale, a leap and a long note."""
    keys = (60, 62, 64, 65, 67, 69, 71)
    rows = [(place / 2, 0.45, key, 70 + 5 * place) for place, key in enumerate(keys)]
    return _phrase(0.6, [*rows, (3.5, 2.4, 72, 108), (6, 0.9, 67, 84), (7, 0.9, 64, 76), (8, 4, 60, 90)])


_FAMILIES = {"piano": _piano, "strings": _strings, "brass": _brass, "synth": _synth}

_Row = Sequence[float]
"""A note: beat, beats, key, velocity and, if it is not the first, channel."""


def _phrase(beat_seconds: float, rows: Iterable[_Row]) -> Phrase:
    notes = []
    for beat, beats, key, velocity, *channel in rows:
        onset = _samples(beat * beat_seconds)
        length = _samples((beat + beats) * beat_seconds) - onset
        notes.append(Note(onset, length, int(key), int(velocity), *map(int, channel)))
    return Phrase(_untangled(notes))


def _untangled(notes: Iterable[Note]) -> tuple[Note, ...]:
    """In order of their onsets; a key that is struck again is released first, and struck once at a time."""
    strokes: dict[tuple[int, int], list[Note]] = {}
    for note in sorted(notes, key=lambda note: (note.onset, note.length)):
        before = strokes.setdefault((note.channel, note.key), [])
        if before and before[-1].end > note.onset:
            before[-1] = replace(before[-1], length=note.onset - before[-1].onset)
        before.append(note)
    found = [note for same in strokes.values() for note in same if note.length > 0]
    return tuple(sorted(found, key=lambda note: (note.onset, note.channel, note.key)))


def _samples(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE)


def _folded(key: int, low_key: int, high_key: int) -> int:
    key += 12 * max(0, math.ceil((low_key - key) / 12))
    key -= 12 * max(0, math.ceil((key - high_key) / 12))
    return max(key, low_key)
