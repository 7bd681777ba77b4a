"""The pieces that the measures are applied to: what is played, and where."""

import random

from .midi import SAMPLE_RATE, Bend, Note
from .pitch import SHARED_PARTIALS

LOW_KEY, HIGH_KEY = 48, 84
CHORD_NOTES = 12
# Notes begin off every grid of slots and slices: 77 is no multiple of 128, and the distances are odd.
_FIRST_ONSET = 77
_ODD = 12_345


def seconds(value: float) -> int:
    """Samples at 48 kHz."""
    return round(value * SAMPLE_RATE)


def one_by_one(keys: list[int], held: float, gap: float, velocity: int = 90) -> list[Note]:
    """One note after another, `held` seconds each, and `gap` seconds or a little more between them."""
    step = seconds(held + gap) // 2 * 2 + 1
    return [Note(_FIRST_ONSET + i * step, seconds(held), key, velocity) for i, key in enumerate(keys)]


def chords(low: int = LOW_KEY, high: int = HIGH_KEY, count: int = 8) -> list[list[int]]:
    """Chords of twelve keys, no two of them so far apart that one's partial hides the other; the same every time.

    Between them they have as many of the keys as there is room for.
    """
    rng = random.Random(12)
    heard: dict[int, int] = dict.fromkeys(range(low, high + 1), 0)
    found: list[list[int]] = []
    for _ in range(20_000):
        if len(found) == count:
            break
        order = sorted(heard, key=lambda key: (heard[key], rng.random()))
        chord: list[int] = []
        for key in order:
            if len(chord) < CHORD_NOTES and all(abs(key - other) not in SHARED_PARTIALS for other in chord):
                chord.append(key)
        if len(chord) == CHORD_NOTES and sorted(chord) not in found:
            found.append(sorted(chord))
            for key in chord:
                heard[key] += 1
    return found


def struck_together(played: list[list[int]], held: float, gap: float, velocity: int = 70) -> list[Note]:
    """One chord after another."""
    step = seconds(held + gap) // 2 * 2 + 1
    return [
        Note(_FIRST_ONSET + i * step, seconds(held), key, velocity) for i, keys in enumerate(played) for key in keys
    ]


def bent(notes: list[Note], semitones: list[float]) -> list[Bend]:
    """Every note begins unbent, and is then bent to each of `semitones`, for equal parts of its length."""
    bends = []
    for note in notes:
        part = note.length // (len(semitones) + 1)
        bends.append(Bend(note.onset, 0.0))
        bends += [Bend(note.onset + part * (i + 1), value) for i, value in enumerate(semitones)]
    return bends


def dense(length: float, notes_per_second: float, low: int, high: int) -> list[Note]:
    """Notes at a steady rate, at random keys and velocities: the same for the same arguments."""
    rng = random.Random(2000)
    count = round(length * notes_per_second)
    return [
        Note(
            _FIRST_ONSET + round(i * SAMPLE_RATE / notes_per_second),
            seconds(rng.uniform(0.1, 0.6)),
            rng.randint(low, high),
            rng.randint(30, 120),
        )
        for i in range(count)
    ]


def medley(channels: int, low: int, high: int) -> tuple[list[Note], list[Bend]]:
    """Six seconds of everything: chords, short notes, a key struck again, bends, more notes than voices."""
    rng = random.Random(6)
    notes, bends = [], []
    for channel in range(channels):
        for i in range(24):
            onset = _FIRST_ONSET + channel * 1001 + i * _ODD
            key = rng.randint(low, high) if i % 4 else (low + high) // 2
            notes.append(Note(onset, seconds(rng.choice([0.02, 0.2, 1.0])), key, rng.randint(1, 127), channel))
        for i in range(60):
            bends.append(Bend(3 * _ODD + i * 997, 2.0 * rng.uniform(-1, 1), channel))
    return notes, bends


def many_voices(length: float, voices: int = 16, channels: int = 4) -> list[Note]:
    """So many voices all the time, each with one note after the other, on so many channels in turn."""
    rng = random.Random(16)
    notes = []
    for voice in range(voices):
        onset = _FIRST_ONSET + round(voice * SAMPLE_RATE / 7)
        while onset < seconds(length):
            lasting = seconds(rng.uniform(0.5, 2.5))
            key = LOW_KEY + (2 * voice + rng.randint(0, 1) * 2 * voices // 3) % (HIGH_KEY - LOW_KEY)
            notes.append(Note(onset, lasting, key, rng.randint(50, 110), voice % channels))
            onset += lasting
    return notes
