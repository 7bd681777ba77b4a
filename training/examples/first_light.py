"""Writes `Examples/first-light.mid`: "First Light", for string ensemble (channel 1) and trumpet (channel 2).

    python examples/first_light.py ../Examples/first-light.mid

Sixteen bars in D major. The strings build four chords one voice at a time under the sustain pedal; the trumpet
answers with a rising line over a falling bass, climbs to its peak over pulsing strings, and comes to rest by way of
the minor subdominant while the music slows down.
"""

import mido

from midi_parts import (
    SUSTAIN,
    Note,
    bend_events,
    conductor_track,
    control_events,
    midi_file,
    part_track,
    scoop,
    vibrato,
    write,
)

BEATS_PER_BAR = 4
STRINGS, TRUMPET = 0, 1  # channels, counted from 0
STRINGS_PROGRAM, TRUMPET_PROGRAM = 48, 56

# Beat, quarter notes per minute: forward to the climax in bar 12, then back, and slower from bar 14 on.
TEMPI = [
    (0, 76), (40, 79), (42, 82), (44, 84), (46, 80), (48, 76),
    (54, 73), (56, 69), (57, 66), (58, 62), (59, 57), (60, 52), (61, 48), (62, 46),
]  # fmt: skip

# Bars 1 to 4, from the bass up; one voice enters on every beat, in bar 4 on every quaver, before the suspension
# resolves.
SUNRISE = [
    (38, 57, 62, 66),  # D
    (47, 57, 62, 66),  # Bm7
    (43, 59, 62, 66),  # Gmaj7
    (45, 57, 62, 64),  # Asus4
]
RESOLUTION = (45, 57, 61, 64)  # A

# Bars 5 to 16: beats, velocity, and the voices from the bass up.
CHORALE = [
    (4, 54, (50, 57, 62, 66)),  # D
    (4, 56, (49, 57, 64, 66)),  # F#m7/C#
    (2, 58, (47, 59, 62, 66)),  # Bm
    (2, 58, (45, 59, 62, 66)),  # Bm/A
    (2, 60, (43, 59, 62, 67)),  # G
    (2, 62, (45, 57, 61, 67)),  # A7
    (2, 66, (47, 54, 62, 66)),  # Bm, where D was due
    (2, 69, (47, 54, 62, 69)),  # Bm7
    (2, 72, (42, 57, 61, 69)),  # F#m
    (2, 75, (42, 52, 57, 69)),  # F#m7, its fifth in the trumpet
    (2, 80, (43, 55, 62, 71)),  # G
    (2, 85, (40, 55, 62, 71)),  # Em7
    (2, 92, (45, 52, 62, 69)),  # Asus4
    (2, 88, (45, 57, 61, 67)),  # A7
    (2, 78, (38, 57, 62, 66)),  # D
    (2, 74, (42, 57, 62, 69)),  # D/F#
    (2, 70, (43, 55, 62, 71)),  # G
    (2, 62, (43, 55, 62, 70)),  # Gm
    (2, 56, (45, 54, 62, 69)),  # D/A
    (1, 54, (45, 55, 62, 69)),  # A7sus4
    (1, 50, (45, 55, 61, 69)),  # A7
    (6, 46, (38, 45, 54, 62, 69, 74)),  # D
]
PULSE_BARS = range(8, 13)  # bars 9 to 13, counted from 0: the middle voices in quavers

# Bars 4 (its last beat) to 16: beats, key, velocity.
MELODY = [
    (1, 57, 58),
    (1.5, 62, 66), (0.5, 64, 62), (1, 66, 68), (1, 69, 72),
    (2.5, 73, 80), (0.5, 71, 70), (1, 69, 68),
    (1.5, 71, 74), (0.5, 69, 68), (2, 66, 64),
    (1, 67, 68), (0.5, 69, 70), (0.5, 71, 74), (1, 69, 72), (1, 64, 66),
    (1.5, 66, 74), (0.5, 71, 80), (2, 74, 90),
    (1.5, 73, 86), (0.5, 71, 80), (1, 69, 82), (1, 73, 88),
    (1, 74, 92), (0.5, 76, 94), (0.5, 78, 98), (1.5, 79, 104), (0.5, 78, 100),
    (1, 76, 104), (1, 81, 116), (1, 79, 108), (1, 76, 98),
    (2, 78, 96), (1, 69, 76), (1, 74, 82),
    (1.5, 71, 76), (0.5, 74, 72), (1.5, 70, 66), (0.5, 67, 60),
    (2, 66, 60), (2, 64, 54),
    (1.5, 62, 52), (0.5, 69, 48), (4, 74, 44),
]  # fmt: skip
BREATHS = {26.0, 31.0, 39.0, 47.0, 55.5, 58.0}  # notes that start here end early
SCOOPS = {34.0: -1.0, 45.0: -0.5}  # notes that start here begin that many semitones low
VIBRATO = {20.0, 34.0, 48.0, 62.0}  # long notes that start here swing once they have settled


def string_notes() -> list[Note]:
    """The string ensemble's part."""
    notes = []
    for bar, chord in enumerate(SUNRISE):
        step = 0.5 if bar == 3 else 1.0
        for voice, key in enumerate(chord):
            notes.append(Note(bar * BEATS_PER_BAR + voice * step, 0.9 * step, key, 36 + 5 * bar + 2 * voice))
    notes += [Note(14, 1.94, key, 54) for key in RESOLUTION]
    start = float(len(SUNRISE) * BEATS_PER_BAR)
    for beats, velocity, chord in CHORALE:
        pulsing = int(start // BEATS_PER_BAR) in PULSE_BARS
        for voice, key in enumerate(chord):
            outer = voice in (0, len(chord) - 1)
            if pulsing and not outer:
                for quaver in range(int(2 * beats)):
                    accent = 0 if quaver % 2 else 6
                    notes.append(Note(start + quaver / 2, 0.42, key, velocity - 16 + accent))
            else:
                notes.append(Note(start, beats - 0.06, key, velocity + (4 if voice == len(chord) - 1 else 0)))
        start += beats
    return notes


def trumpet_notes() -> list[Note]:
    """The trumpet's part."""
    notes, start = [], 15.0
    for beats, key, velocity in MELODY:
        held = 0.8 if start in BREATHS else 0.96
        notes.append(Note(start, beats * held, key, velocity))
        start += beats
    return notes


def pedal() -> list[tuple[float, int]]:
    """The strings' sustain pedal: beat and value."""
    changes = []
    for bar in range(len(SUNRISE)):
        first = bar * BEATS_PER_BAR
        # The suspended fourth must not ring on into its resolution.
        changes += [(first + 0.05, 127), (first + (1.95 if bar == 3 else 3.95), 0)]
    return [*changes, (60.1, 127), (66.5, 0)]


def bends(notes: list[Note]) -> list[tuple[float, float]]:
    """The trumpet's pitch bends: beat and semitones."""
    changes = [(0.0, 0.0)]
    for note in notes:
        if (depth := SCOOPS.get(note.start)) is not None:
            changes += scoop(note.start - 0.01, 0.25, depth)
        if note.start in VIBRATO:
            changes += vibrato(note.start + 0.5 * min(note.beats, 2), note.start + note.beats, per_beat=4.2)
    return changes


def first_light() -> mido.MidiFile:
    """The whole piece, a format-1 file of three tracks."""
    strings, trumpet = string_notes(), trumpet_notes()
    held, bent = control_events(STRINGS, SUSTAIN, pedal()), bend_events(TRUMPET, bends(trumpet))
    return midi_file(
        conductor_track("First Light", "D", TEMPI),
        part_track("Strings", STRINGS, STRINGS_PROGRAM, strings, held),
        part_track("Trumpet", TRUMPET, TRUMPET_PROGRAM, trumpet, bent),
    )


if __name__ == "__main__":
    write("first_light.py", first_light)
