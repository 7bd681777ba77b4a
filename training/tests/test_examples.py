"""The pieces in Examples/ are the ones that the scripts write, and can be played by the instruments they name."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import mido
import pytest

import first_light
import four_windows

EXAMPLES = Path(__file__).parents[2] / "Examples"
PIECES = {"first-light": first_light.first_light, "four-windows": four_windows.four_windows}
RANGES = {0: (28, 96), 48: (36, 84), 56: (54, 82), 81: (36, 92)}  # by program
PARTS = [("first-light", 0, 48), ("first-light", 1, 56)] + [
    ("four-windows", channel, program) for channel, program in enumerate((0, 48, 56, 81))
]


def piece(name: str) -> mido.MidiFile:
    return mido.MidiFile(EXAMPLES / f"{name}.mid")


def of_channel(name: str, channel: int) -> list[mido.Message]:
    return [message for message in piece(name) if not message.is_meta and message.channel == channel]


def timeline(name: str) -> Iterator[tuple[int, mido.Message]]:
    """The messages of all channels, with the bar (from 1) in which they stand."""
    file, tick = piece(name), 0
    for message in mido.merge_tracks(file.tracks):
        tick += message.time
        if not message.is_meta:
            yield 1 + tick // (4 * file.ticks_per_beat), message


@pytest.mark.parametrize("name", PIECES)
def test_the_committed_file_is_this_one(name, tmp_path):
    PIECES[name]().save(tmp_path / "written.mid")
    assert (tmp_path / "written.mid").read_bytes() == (EXAMPLES / f"{name}.mid").read_bytes()


@pytest.mark.parametrize(("name", "channel", "program"), PARTS)
def test_every_note_lies_in_its_instruments_range_and_ends(name, channel, program):
    low, high = RANGES[program]
    sounding = set()
    messages = of_channel(name, channel)
    assert [message.program for message in messages if message.type == "program_change"] == [program]
    for message in messages:
        if message.type == "note_on":
            assert low <= message.note <= high and message.note not in sounding
            sounding.add(message.note)
        elif message.type == "note_off":
            sounding.remove(message.note)
    assert not sounding


@pytest.mark.parametrize(
    ("name", "pedalled", "bent", "lowest"),
    [("first-light", 0, 1, -4096), ("four-windows", 0, 2, -4096), ("four-windows", 0, 3, -8192)],
)
def test_pedal_and_bend_end_at_rest(name, pedalled, bent, lowest):
    controls = [message for message in of_channel(name, pedalled) if message.type == "control_change"]
    pedal = [message.value for message in controls if message.control == 64]
    bend = [message.pitch for message in of_channel(name, bent) if message.type == "pitchwheel"]
    assert 127 in pedal and pedal[-1] == 0
    assert min(bend) == lowest and max(bend) > 500 and bend[-1] == 0


@pytest.mark.parametrize(("name", "shortest", "longest"), [("first-light", 40, 60), ("four-windows", 60, 75)])
def test_it_lasts_about_a_minute_and_slows_down_at_the_end(name, shortest, longest):
    assert shortest <= piece(name).length <= longest
    tempi = [message.tempo for message in piece(name) if message.type == "set_tempo"]
    assert tempi[-6:] == sorted(tempi[-6:]) and tempi[-1] > 1.5 * tempi[0]


@pytest.mark.parametrize(("name", "channel"), [("first-light", 1), ("four-windows", 2), ("four-windows", 3)])
def test_trumpet_and_saw_lead_play_one_note_at_a_time(name, channel):
    sounding = 0
    for message in of_channel(name, channel):
        sounding += {"note_on": 1, "note_off": -1}.get(message.type, 0)
        assert sounding in (0, 1)


CHORALES = [
    [first_light.RESOLUTION, *(voices for _, _, voices in first_light.CHORALE)],
    *([voices for _, _, voices in chords] for _, chords in four_windows.CHORALE),
]


@pytest.mark.parametrize("chords", CHORALES)
def test_no_two_voices_of_the_strings_move_in_parallel_fifths_or_octaves(chords):
    pairs = [(one, two) for one, two in pairwise(chords) if len(one) == len(two)]
    assert len(pairs) > 4
    for one, two in pairs:
        for low in range(len(one)):
            for high in range(low + 1, len(one)):
                moved = one[low] != two[low] and one[high] != two[high]
                before, after = (one[high] - one[low]) % 12, (two[high] - two[low]) % 12
                assert not (moved and before == after and before in (0, 7)), (one, two)


def test_four_windows_open_one_after_the_other_and_then_all_at_once():
    bars = {channel: set() for channel in range(4)}
    for bar, message in timeline("four-windows"):
        if message.type == "note_on":
            bars[message.channel].add(bar)
    assert [min(bars[channel]) for channel in range(4)] == [1, 8, 12, 16]
    # Nobody else begins a note while the strings climb, nor while the trumpet has nothing but a pulse under it.
    assert not (bars[0] | bars[2] | bars[3]) & {10, 11}
    assert not (bars[1] | bars[3]) & {13}
    assert not (bars[1] | bars[2]) & {17}
    for bar in (20, 22, 24, 25):
        assert all(bar in bars[channel] for channel in range(4))


def test_the_themes_first_four_notes_come_back():
    trumpet = {first: [key for _, key, _ in phrase[:4]] for first, phrase in four_windows.TRUMPET_PHRASES}
    remembered = [key for _, key, _ in four_windows.REMEMBERING] + [four_windows.LAST[-1][0]]
    theme = [key for _, key, _ in four_windows.THEME[2][2]]
    assert trumpet[12] == trumpet[20] == remembered == theme
    assert [key + 3 for _, key, _ in four_windows.THEME[0][2]] == [*theme[:3], theme[3] - 1]  # first in the minor


def test_the_climax_of_four_windows_is_late_and_loud():
    struck = [(bar, message) for bar, message in timeline("four-windows") if message.type == "note_on"]
    trumpet = [(message.note, bar) for bar, message in struck if message.channel == four_windows.TRUMPET]
    strings = [(message.velocity, bar) for bar, message in struck if message.channel == four_windows.STRINGS]
    assert max(trumpet) == (82, 22) and [note for note, _ in trumpet].count(82) == 1
    assert max(strings)[1] == 25
    assert max(four_windows.SWELLS, key=lambda swell: (swell[1], swell[0])) == (four_windows.bar(25), 127)


def test_no_more_than_sixteen_notes_of_four_windows_are_held_at_once():
    held, under_pedal, pedal, most = set(), set(), False, 0
    for _, message in timeline("four-windows"):
        if message.type == "control_change" and message.control == 64:
            pedal = message.value >= 64
            under_pedal = under_pedal if pedal else set()
        elif message.type == "note_on":
            held.add((message.channel, message.note))
            under_pedal.discard((message.channel, message.note))
        elif message.type == "note_off":
            held.remove((message.channel, message.note))
            if pedal and message.channel == four_windows.PIANO:
                under_pedal.add((message.channel, message.note))
        most = max(most, len(held) + len(under_pedal))
    assert 12 <= most <= 16


def test_the_saw_lead_glides_home_to_the_fifth():
    sounding, bend, heard = None, 0, []
    for bar, message in timeline("four-windows"):
        if message.channel != four_windows.SAW:
            continue
        if message.type == "note_on":
            sounding = message.note
        elif message.type == "note_off":
            sounding = None
        elif message.type == "pitchwheel":
            bend = message.pitch
        if bar >= 26 and sounding is not None:
            heard.append(sounding + 2 * bend / 8192)
    assert heard[0] == 71 and heard[-1] == 70 and heard == sorted(heard, reverse=True)
