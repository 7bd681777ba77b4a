"""What the pieces in this folder are written with: notes, bends and controllers in, a format-1 MIDI file out.

Times are in quarter notes from the beginning, `beat` where an event happens and `beats` how long something lasts;
channels count from 0. At one and the same tick a part's controllers and bends come before its notes.
"""

import math
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import mido

TICKS_PER_BEAT = 480
BEND_SEMITONES = 2  # the General MIDI default
VOLUME, PAN, EXPRESSION, SUSTAIN = 7, 10, 11, 64  # controllers

Event = tuple[float, mido.Message | mido.MetaMessage]


@dataclass(frozen=True)
class Note:
    """`start` and `beats` in quarter notes from the beginning."""

    start: float
    beats: float
    key: int
    velocity: int


def scoop(beat: float, beats: float, semitones: float, steps: int = 12) -> list[tuple[float, float]]:
    """Bends that lead from `semitones` to the written pitch."""
    return [(beat + beats * s / steps, semitones * (1 - s / steps)) for s in range(steps + 1)]


def vibrato(begin: float, end: float, per_beat: float, semitones: float = 0.18) -> list[tuple[float, float]]:
    """Bends that swing `per_beat` times a quarter note from `begin` to `end`, wider at first for three quarters of
    one; back at rest just after `end`."""
    changes = []
    steps = int((end - begin) * 24)
    for s in range(steps):
        beat = begin + (end - begin) * s / steps
        growing = min(1.0, s / 18)
        changes.append((beat, semitones * growing * math.sin(2 * math.pi * per_beat * (beat - begin))))
    changes.append((end + 0.02, 0.0))
    return changes


def control_events(channel: int, control: int, changes: Iterable[tuple[float, int]]) -> list[Event]:
    """A controller's values by beat."""
    return [
        (beat, mido.Message("control_change", channel=channel, control=control, value=value))
        for beat, value in changes
    ]


def bend_events(channel: int, changes: Iterable[tuple[float, float]]) -> list[Event]:
    """A channel's bends: beat and semitones."""
    return [
        (beat, mido.Message("pitchwheel", channel=channel, pitch=round(8192 * semitones / BEND_SEMITONES)))
        for beat, semitones in changes
    ]


def conductor_track(name: str, key: str, tempi: Iterable[tuple[float, float]]) -> mido.MidiTrack:
    """The first track of a piece in 4/4: its name and key, and `tempi` in quarter notes per minute by beat."""
    events: list[Event] = [
        (0.0, mido.MetaMessage("track_name", name=name)),
        (0.0, mido.MetaMessage("copyright", text="Echoelmusic, Apache-2.0")),
        (0.0, mido.MetaMessage("time_signature", numerator=4, denominator=4)),
        (0.0, mido.MetaMessage("key_signature", key=key)),
    ]
    return _track(events + [(beat, mido.MetaMessage("set_tempo", tempo=round(60e6 / tempo))) for beat, tempo in tempi])


def part_track(name: str, channel: int, program: int, notes: Iterable[Note], others: list[Event]) -> mido.MidiTrack:
    """One instrument's part: its program, then `others` and `notes` as they come."""
    events: list[Event] = [
        (0.0, mido.MetaMessage("track_name", name=name)),
        (0.0, mido.Message("program_change", channel=channel, program=program)),
        *others,
    ]
    for note in notes:
        on = mido.Message("note_on", channel=channel, note=note.key, velocity=note.velocity)
        events.append((note.start, on))
        # A tick before the next note of the same key, so that a note-off never ends the note after it.
        off = mido.Message("note_off", channel=channel, note=note.key, velocity=64)
        events.append((note.start + note.beats - 1 / TICKS_PER_BEAT, off))
    return _track(events)


def midi_file(*tracks: mido.MidiTrack) -> mido.MidiFile:
    """A format-1 file of these tracks."""
    return mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT, tracks=list(tracks))


def write(script: str, piece: Callable[[], mido.MidiFile]) -> None:
    """What `python examples/SCRIPT OUT.mid` does."""
    if len(sys.argv) != 2:
        sys.exit(f"usage: python examples/{script} OUT.mid")
    piece().save(Path(sys.argv[1]))


def _track(events: list[Event]) -> mido.MidiTrack:
    track, now = mido.MidiTrack(), 0
    timed = [(max(0, round(beat * TICKS_PER_BEAT)), message) for beat, message in events]
    for tick, message in sorted(timed, key=lambda event: event[0]):
        track.append(message.copy(time=tick - now))
        now = tick
    track.append(mido.MetaMessage("end_of_track", time=0))
    return track
