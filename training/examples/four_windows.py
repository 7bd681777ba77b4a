"""Writes `Examples/four-windows.mid`: "Four Windows", for piano, strings, trumpet and saw lead (channels 1 to 4).

    python examples/four_windows.py ../Examples/four-windows.mid

Twenty-eight bars, from C minor to E flat major. Four windows open one after the other: the piano tells the theme
under its pedal, the strings climb through long chords, the trumpet sings over a bass that sinks by semitones, and the
saw lead breaks in with a riff and then soars. All four take up the theme together, reach the tonic by way of the flat
submediant, and the piano remembers the theme's first four notes as the music slows down.
"""

from dataclasses import replace

import mido

from midi_parts import (
    EXPRESSION,
    PAN,
    SUSTAIN,
    VOLUME,
    Event,
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
PIANO, STRINGS, TRUMPET, SAW = 0, 1, 2, 3  # channels, counted from 0
PIANO_PROGRAM, STRINGS_PROGRAM, TRUMPET_PROGRAM, SAW_PROGRAM = 0, 48, 56, 81
PLACES = {PIANO: 52, STRINGS: 76, TRUMPET: 68, SAW: 60}  # on the stage, from left (0) to right (127)
VOLUMES = {PIANO: 124, STRINGS: 92, TRUMPET: 94, SAW: 116}  # against each other; 100 is an instrument's own

REST = 0  # in place of a key


def bar(number: int) -> float:
    """The beat on which a bar begins; bars count from 1."""
    return float((number - 1) * BEATS_PER_BAR)


# Beat, quarter notes per minute: the piano takes its time at the end of its period, the riff brings the pulse, and the
# music slows down from the arrival in bar 25 on.
TEMPI = [
    (bar(1), 95), (bar(2), 98), (bar(3), 100), (bar(6), 98), (bar(7), 93), (bar(7) + 2, 86), (bar(7) + 3, 78),
    (bar(8), 94), (bar(10), 97), (bar(11), 94), (bar(11) + 2, 87), (bar(12), 96), (bar(15), 94), (bar(15) + 3, 87),
    (bar(16), 106), (bar(20), 104), (bar(24), 100), (bar(24) + 2, 95), (bar(25), 90), (bar(25) + 2, 86),
    (bar(26), 80), (bar(26) + 2, 75), (bar(27), 69), (bar(27) + 2, 62), (bar(27) + 3, 55), (bar(28), 52),
]  # fmt: skip

# The piano. Bars 1 to 7: the left hand's quavers, how loud they are, and the theme above them (beats, key, velocity). The pedal
# changes with each bar.
THEME = [
    ((36, 43, 51, 55, 62, 55, 51, 55), 49, [(1.5, 67, 75), (0.5, 72, 77), (1, 74, 83), (1, 75, 88)]),  # Cm9
    ((32, 44, 51, 55, 60, 55, 51, 55), 52, [(2.5, 75, 91), (0.5, 74, 77), (1, 72, 75)]),  # Abmaj7
    ((31, 43, 51, 58, 63, 58, 51, 58), 55, [(1.5, 70, 82), (0.5, 75, 85), (1, 77, 91), (1, 79, 97)]),  # Eb/G
    ((34, 46, 53, 58, 62, 58, 53, 58), 56, [(1.5, 77, 96), (0.5, 75, 87), (2, 74, 87)]),  # Bb
    ((32, 44, 51, 60, 63, 60, 55, 60), 60, [(1.5, 72, 89), (0.5, 75, 94), (1, 79, 103), (1, 82, 112)]),  # Abmaj9
    ((29, 41, 48, 56, 60, 56, 48, 56), 58, [(1.5, 80, 108), (0.5, 79, 98), (1, 77, 94), (1, 75, 89)]),  # Fm9
    ((31, 43, 50, 53, 59, 53, 50, 53), 49, [(2, 74, 87), (1, 72, 77), (1, 71, 70)]),  # G7
]
# Under the theme's high notes: start, beats, key, velocity.
INNER_VOICES = [
    (bar(5) + 2, 2, 75, 66), (bar(6), 1.5, 72, 66), (bar(6) + 2, 1, 68, 60), (bar(6) + 3, 1, 67, 58),
]  # fmt: skip

# The deceptive cadence into bar 8 rings on until bar 10, with an echo of the theme.
CADENCE = [(32, 56), (44, 52), (60, 48), (67, 46), (72, 62)]  # Abmaj7: key, velocity
ECHO = [(bar(9) + 1.5, 0.5, 79, 40), (bar(9) + 2, 0.5, 84, 42), (bar(9) + 2.5, 0.5, 86, 42), (bar(9) + 3, 1, 87, 46)]

# Bars 12 to 15, under the trumpet: four quavers a half-bar over the sinking bass, pedalled by half-bars.
SINKING = [
    (39, 51, 58, 63), (67, 63, 58, 65),  # Eb
    (38, 50, 58, 65), (70, 65, 58, 62),  # Bb/D
    (37, 49, 55, 63), (36, 48, 56, 63),  # Eb7/Db, Ab/C
    (35, 47, 56, 63), (34, 46, 53, 58),  # Abm6/Cb, Bb
]  # fmt: skip

# Bars 16 and 17, between the notes of the riff, dry.
STABS = [(58, 63, 67, 74), (55, 60, 63, 70)]  # Cm9, Abmaj9
# Bars 18 and 19: up the keyboard in quavers, a pedal each.
RISES = [(41, 48, 56, 60, 63, 67, 68, 72), (46, 53, 56, 63, 65, 68, 72, 74)]  # Fm9, Bb7

# Bars 20 to 24, by half-bars: the left hand's octave, the right hand's broken chord: in quavers, from bar 22 on up and
# down in semiquavers.
GLITTER_ORDER = (0, 1, 2, 3, 2, 3, 2, 1)
GLITTER = [
    ((39, 51), (75, 79, 82, 87)), ((39, 51), (75, 77, 82, 87)),  # Eb, Ebadd9
    ((38, 50), (74, 77, 82, 86)), ((31, 43), (74, 77, 79, 83)),  # Bb/D, G7
    ((36, 48), (75, 79, 82, 84)), ((32, 44), (75, 79, 82, 84)),  # Cm7, Abmaj9
    ((29, 41), (75, 80, 84, 87)), ((34, 46), (72, 75, 80, 84)),  # Fm7, Ab/Bb
    ((35, 47), (75, 78, 82, 87)), ((37, 49), (73, 77, 80, 85)),  # Cbmaj7, Db
]  # fmt: skip
GLITTER_LOUDNESS = (70, 70, 72, 74, 78, 82, 84, 84, 88, 92)

# Bars 25 to 28: rolled chords (key, velocity), and the theme's first four notes, the last of them on top of the last
# chord.
ARRIVAL = [(39, 94), (46, 82), (51, 82), (58, 80), (63, 82), (70, 84), (75, 90)]  # Eb
SHADOW = [(39, 66), (51, 58), (56, 54), (59, 56), (65, 60), (71, 70)]  # Abm6/Eb
RETURN = [(39, 58), (46, 50), (55, 50)]  # Eb
REMEMBERING = [(1.5, 70, 76), (0.5, 75, 74), (2, 77, 72)]  # beats, key, velocity
LAST = [(39, 60), (46, 50), (55, 48), (58, 50), (65, 52), (70, 54), (79, 70)]  # Ebadd9
BELL = (bar(28) + 2, 2, 94, 40)

# The strings. First bar of each passage; then beats, velocity of the voices that move, and the voices from the bass up. Voices that
# do not move are held, not struck again.
CHORALE = [
    (8, [
        (4, 58, (44, 51, 60, 67)),  # Abmaj7
        (4, 66, (41, 51, 60, 68)),  # Fm7
        (2, 74, (43, 51, 63, 70)),  # Eb/G
        (2, 80, (44, 51, 60, 72)),  # Ab
        (2, 88, (46, 56, 63, 72)),  # Ab/Bb
        (2, 98, (46, 56, 62, 77)),  # Bb7
        (4, 72, (39, 55, 63, 75)),  # Eb
    ]),
    (14, [
        (2, 54, (49, 55, 63, 70)),  # Eb7/Db
        (2, 60, (48, 56, 63, 68)),  # Ab/C
        (2, 64, (47, 56, 63, 68)),  # Abm/Cb
        (1, 68, (46, 53, 63, 70)),  # Bbsus4
        (1, 74, (46, 53, 62, 68)),  # Bb7
        (1, 84, (48, 51, 63, 67)),  # Cm, where Eb was due
    ]),
    (18, [
        (4, 62, (41, 56, 60, 67)),  # Fm9
        (2, 74, (46, 56, 63, 72)),  # Ab/Bb
        (2, 86, (46, 58, 68, 74)),  # Bb7
        (4, 80, (39, 58, 67, 75)),  # Eb
        (2, 80, (50, 58, 65, 77)),  # Bb/D
        (2, 82, (43, 59, 65, 74)),  # G7
        (2, 84, (48, 60, 67, 75)),  # Cm
        (2, 86, (44, 60, 67, 75)),  # Abmaj7, its ninth in the trumpet
        (2, 90, (41, 60, 68, 75)),  # Fm7
        (2, 90, (46, 60, 68, 75)),  # Ab/Bb
        (2, 96, (47, 58, 66, 75)),  # Cbmaj7, where Eb was due
        (2, 100, (49, 56, 65, 77)),  # Db
        (4, 102, (39, 55, 70, 79)),  # Eb
        (4, 66, (39, 59, 68, 77)),  # Abm6/Eb
        (7.5, 58, (39, 58, 67, 75)),  # Eb
    ]),
]  # fmt: skip
# Hairpins between these beats and values.
SWELLS = [
    (bar(1), 92), (bar(8), 92), (bar(9), 100), (bar(10), 108), (bar(11), 118), (bar(11) + 3.5, 127),
    (bar(12), 104), (bar(13), 60), (bar(13) + 2, 60), (bar(14), 96), (bar(16), 112), (bar(18), 92), (bar(20), 112),
    (bar(24), 118), (bar(25), 127), (bar(26), 92), (bar(27), 78), (bar(28) + 3.4, 60),
]  # fmt: skip

# The trumpet. First bar of each phrase; beats, key, velocity.
TRUMPET_PHRASES = [
    (12, [
        (1.5, 70, 76), (0.5, 75, 80), (1, 77, 86), (1, 79, 92),
        (2.5, 77, 94), (0.5, 75, 82), (1, 74, 82),
        (1, 75, 86), (1, 79, 92), (1.5, 80, 100), (0.5, 79, 90),
        (1, 77, 90), (2, 75, 84), (1, 74, 76),
        (0.9, 72, 72),
    ]),
    (20, [
        (1.5, 70, 92), (0.5, 75, 94), (1, 77, 98), (1, 79, 102),
        (1.5, 77, 102), (0.5, 75, 96), (2, 74, 98),
        (1.5, 72, 98), (0.5, 75, 100), (1, 79, 106), (1, 82, 116),
        (1.5, 80, 112), (0.5, 79, 106), (1, 77, 104), (1, 75, 102),
        (1.5, 78, 108), (0.5, 75, 102), (1.5, 80, 114), (0.5, 77, 108),
        (3.5, 79, 112),
    ]),
    (28, [(3, 70, 50)]),
]  # fmt: skip
TRUMPET_SCOOPS = {bar(12): -1.0, bar(14) + 2: -0.5, bar(20): -1.0, bar(22) + 3: -0.5, bar(25): -1.0}
TRUMPET_VIBRATO = {bar(13), bar(15) + 1, bar(21) + 2, bar(25), bar(28)}  # long notes that swing once they have settled

# The saw lead. First bar of each phrase; beats, key, velocity.
SAW_PHRASES = [
    # The riff.
    (16, [
        (1.5, 36, 100), (0.5, 48, 94), (0.5, 43, 90), (0.5, 46, 94), (1, 48, 102),
        (1.5, 44, 100), (0.5, 56, 94), (0.5, 51, 90), (0.5, 55, 94), (1, 56, 102),
        # It soars.
        (1, 72, 74), (0.5, 75, 74), (0.5, 77, 76), (1.5, 79, 80), (0.5, 77, 74),
        (0.5, 75, 74), (0.5, 77, 76), (0.5, 79, 77), (0.5, 80, 78), (1, 82, 80), (0.5, 84, 80), (0.5, 86, 81),
        # Against the theme, down to the bass.
        (1.5, 87, 78), (0.5, 86, 70), (1, 84, 68), (1, 82, 68),
        (1.5, 82, 66), (0.5, 80, 66), (0.5, 79, 70), (0.5, 74, 70), (0.5, 67, 72), (0.5, 55, 74),
        (1, 36, 100), (0.5, 48, 92), (0.5, 43, 90), (1, 44, 100), (0.5, 56, 92), (0.5, 51, 90),
        (1, 41, 100), (0.5, 53, 92), (0.5, 48, 90), (1, 46, 100), (0.5, 58, 92), (0.5, 53, 90),
        (1, 47, 102), (0.5, 59, 94), (0.5, 54, 92), (1, 37, 104), (0.5, 49, 96), (0.5, 44, 94),
        (3, 39, 104),
    ]),
    # The minor sixth, and from it down to the fifth in one long glide.
    (26, [(6.5, 71, 50)]),
]  # fmt: skip
# Notes that start here begin that many semitones off and glide to their pitch in so many beats.
SAW_GLIDES = {
    bar(16) + 3: (-2.0, 0.3),
    bar(17) + 3: (-1.0, 0.3),
    bar(18): (-2.0, 0.4),
    bar(18) + 2: (-2.0, 0.3),
    bar(19) + 2: (-2.0, 0.3),
    bar(20): (-1.0, 0.25),
    bar(25): (-2.0, 0.5),
}
SAW_VIBRATO = {bar(18) + 2, bar(20), bar(21)}
LONG_GLIDE = (bar(27) - 0.25, 0.75, -1.0)  # start, beats, semitones: held until the note has gone
SAW_AT_REST = bar(28) + 1


def piano_notes() -> list[Note]:
    """The piano's part."""
    notes = []
    for number, (left, loudness, theme) in enumerate(THEME, start=1):
        notes += _run(bar(number), left, 0.5, loudness)
        notes += _line(bar(number), theme, held=1.0)
    notes += [Note(*voice) for voice in INNER_VOICES]
    notes += _rolled(bar(8), 6, CADENCE)
    notes += [Note(*note) for note in ECHO]
    for half, keys in enumerate(SINKING):
        notes += _run(bar(12) + 2 * half, keys, 0.5, 52)
    for riff, keys in enumerate(STABS):
        for beat, velocity in ((1, 72), (3.5, 66)):
            notes += [Note(bar(16 + riff) + beat, 0.3, key, velocity + 4 * riff) for key in keys]
    for rise, keys in enumerate(RISES):
        notes += _run(bar(18 + rise), keys, 0.5, 58 + 6 * rise, growing=2)
    for half, ((low, high), right) in enumerate(GLITTER):
        start, loudness = bar(20) + 2 * half, GLITTER_LOUDNESS[half]
        notes += [Note(start, 1.95, low, loudness + 10), Note(start, 1.95, high, loudness + 8)]
        if start < bar(22):
            notes += _run(start, right, 0.5, loudness)
        else:
            glitter = _run(start, [right[i] for i in GLITTER_ORDER], 0.25, loudness)
            notes += [replace(note, beats=min(0.5, start + 2 - note.start)) for note in glitter]
    notes += _rolled(bar(25), 4, ARRIVAL)
    notes += _rolled(bar(26), 4, SHADOW)
    notes += _rolled(bar(27), 4, RETURN)
    notes += _line(bar(27), REMEMBERING, held=1.0)
    return [*notes, *_rolled(bar(28), 3.5, LAST), Note(*BELL)]


def piano_pedal() -> list[tuple[float, int]]:
    """The piano's sustain pedal: beat and value. It is changed just after a harmony's first note, and is up where the
    chords are dry and where the right hand glitters."""
    passages = [
        ([bar(number) for number in range(1, 9)], bar(10) + 1),
        ([bar(12) + 2 * half for half in range(len(SINKING))], bar(16)),
        ([bar(18), bar(19)], bar(20)),
        ([bar(number) for number in range(25, 29)], bar(29) + 0.5),
    ]
    changes = []
    for harmonies, up in passages:
        for beat in harmonies:
            changes += [(beat + 0.03, 0), (beat + 0.12, 127)]
        changes.append((up, 0))
    return changes


def string_notes() -> list[Note]:
    """The string ensemble's part: the chorale with the voices that stay where they are tied."""
    notes = []
    for first, chords in CHORALE:
        start = bar(first)
        sounding: dict[int, tuple[float, int, int]] = {}  # by voice: start, key, velocity
        for beats, velocity, chord in [*chords, (0, 0, ())]:
            for voice in list(sounding):
                began, key, loud = sounding[voice]
                if voice >= len(chord) or chord[voice] != key:
                    notes.append(Note(began, start - began - 0.02, key, loud))
                    del sounding[voice]
            for voice, key in enumerate(chord):
                sounding.setdefault(voice, (start, key, velocity + (4 if voice == len(chord) - 1 else 0)))
            start += beats
    return notes


def string_swells() -> list[tuple[float, int]]:
    """The strings' expression, four values a beat: beat and value."""
    changes = [(SWELLS[0][0], SWELLS[0][1])]
    for (begin, low), (end, high) in zip(SWELLS, SWELLS[1:]):
        steps = max(1, round(4 * (end - begin)))
        for s in range(1, steps + 1):
            value = round(low + (high - low) * s / steps)
            if value != changes[-1][1]:
                changes.append((begin + (end - begin) * s / steps, value))
    return changes


def trumpet_notes() -> list[Note]:
    """The trumpet's part."""
    return [note for first, phrase in TRUMPET_PHRASES for note in _line(bar(first), phrase, held=0.95)]


def trumpet_bends(notes: list[Note]) -> list[tuple[float, float]]:
    """The trumpet's pitch bends: beat and semitones."""
    changes = [(0.0, 0.0)]
    for note in notes:
        if (depth := TRUMPET_SCOOPS.get(note.start)) is not None:
            changes += scoop(note.start, 0.22, depth)
        if note.start in TRUMPET_VIBRATO:
            changes += vibrato(note.start + 0.8, note.start + note.beats, per_beat=3.6)
    return changes


def saw_notes() -> list[Note]:
    """The saw lead's part."""
    return [note for first, phrase in SAW_PHRASES for note in _line(bar(first), phrase, held=0.92)]


def saw_bends(notes: list[Note]) -> list[tuple[float, float]]:
    """The saw lead's pitch bends: beat and semitones."""
    changes = [(0.0, 0.0)]
    for note in notes:
        if (glide := SAW_GLIDES.get(note.start)) is not None:
            changes += scoop(note.start, glide[1], glide[0])
        if note.start in SAW_VIBRATO:
            changes += vibrato(note.start + 0.5, note.start + note.beats, per_beat=3.4, semitones=0.14)
    begin, beats, semitones = LONG_GLIDE
    changes += [(begin + beats * s / 24, semitones * s / 24) for s in range(25)]
    return [*changes, (SAW_AT_REST, 0.0)]


def four_windows() -> mido.MidiFile:
    """The whole piece, a format-1 file of five tracks."""
    trumpet, saw = trumpet_notes(), saw_notes()
    parts = [
        ("Piano", PIANO, PIANO_PROGRAM, piano_notes(), control_events(PIANO, SUSTAIN, piano_pedal())),
        ("Strings", STRINGS, STRINGS_PROGRAM, string_notes(), control_events(STRINGS, EXPRESSION, string_swells())),
        ("Trumpet", TRUMPET, TRUMPET_PROGRAM, trumpet, bend_events(TRUMPET, trumpet_bends(trumpet))),
        ("Saw lead", SAW, SAW_PROGRAM, saw, bend_events(SAW, saw_bends(saw))),
    ]
    return midi_file(
        conductor_track("Four Windows", "Eb", TEMPI),
        *(
            part_track(name, channel, program, notes, _seat(channel) + others)
            for name, channel, program, notes, others in parts
        ),
    )


def _seat(channel: int) -> list[Event]:
    """Where a channel is heard from, and how loud."""
    return [
        *control_events(channel, VOLUME, [(0.0, VOLUMES[channel])]),
        *control_events(channel, PAN, [(0.0, PLACES[channel])]),
    ]


def _line(start: float, line: list[tuple[float, int, int]], held: float) -> list[Note]:
    """One note after the other, each sounding for `held` of its beats."""
    notes = []
    for beats, key, velocity in line:
        notes.append(Note(start, held * beats, key, velocity))
        start += beats
    return notes


def _run(start: float, keys: tuple[int, ...] | list[int], step: float, velocity: int, growing: float = 0) -> list[Note]:
    """Even notes of `step` beats: the first is the loudest, the off-beats are the softest."""
    accents = (8, 0, 3, 1, 5, 0, 2, 0)
    return [
        Note(start + step * i, step, key, round(velocity + accents[i % len(accents)] + growing * i))
        for i, key in enumerate(keys)
    ]


def _rolled(start: float, beats: float, chord: list[tuple[int, int]]) -> list[Note]:
    """A chord from the bass up, its notes a thirtieth of a beat apart."""
    return [Note(start + i / 30, beats - i / 30, key, velocity) for i, (key, velocity) in enumerate(chord)]


if __name__ == "__main__":
    write("four_windows.py", four_windows)
