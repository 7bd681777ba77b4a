"""Standard MIDI Files whose ticks are samples at 48 kHz: a note begins on the sample that it names."""

import struct
from collections.abc import Iterable
from dataclasses import dataclass

SAMPLE_RATE = 48_000
BEND_SEMITONES = 2  # the General MIDI default, either way


@dataclass(frozen=True)
class Note:
    """Times in samples at 48 kHz; key and velocity as in MIDI; channels are counted from 0."""

    onset: int
    length: int
    key: int
    velocity: int = 90
    channel: int = 0

    @property
    def end(self) -> int:
        """The sample of the note-off."""
        return self.onset + self.length


@dataclass(frozen=True)
class Bend:
    """A channel's pitch from `time` on, in semitones, −2 to 2."""

    time: int
    semitones: float
    channel: int = 0

    @property
    def value(self) -> int:
        """As MIDI has it: −8192 to 8191."""
        return max(-8192, min(8191, round(self.semitones / BEND_SEMITONES * 8192)))

    @property
    def exact_semitones(self) -> float:
        """What the 14 bits say."""
        return self.value / 8192 * BEND_SEMITONES


def midi_file(notes: Iterable[Note], bends: Iterable[Bend] = (), end: int | None = None) -> bytes:
    """A file of format 0 with 24 000 ticks per quarter note of half a second.

    Nothing but the last message's time makes a rendering longer: `end` adds a bend to the middle there.
    """
    events: list[tuple[int, int, bytes]] = []  # time, rank among those of one time, message
    for note in notes:
        events.append((note.onset, 2, bytes([0x90 | note.channel, note.key, note.velocity])))
        events.append((note.end, 0, bytes([0x80 | note.channel, note.key, 64])))
    for bend in [*bends, *([Bend(end, 0.0)] if end is not None else [])]:
        raw = bend.value + 8192
        events.append((bend.time, 1, bytes([0xE0 | bend.channel, raw & 0x7F, raw >> 7])))
    events.sort(key=lambda event: event[:2])
    track = bytearray(b"\0\xff\x51\x03" + (500_000).to_bytes(3, "big"))
    now = 0
    for time, _, message in events:
        track += _variable_length(time - now) + message
        now = time
    track += b"\0\xff\x2f\0"
    header = b"MThd" + struct.pack(">IHHH", 6, 0, 1, SAMPLE_RATE // 2)
    return header + b"MTrk" + struct.pack(">I", len(track)) + bytes(track)


def _variable_length(value: int) -> bytes:
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.append(0x80 | (value & 0x7F))
    return bytes(reversed(digits))


def key_frequency(key: float) -> float:
    """Hertz of a MIDI key in equal temperament, A4 = 69 = 440 Hz."""
    return 440.0 * 2.0 ** ((key - 69.0) / 12.0)
