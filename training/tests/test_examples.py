"""The piece in Examples/ is the one that the script writes, and can be played by the two instruments."""

from pathlib import Path

import mido
import pytest

import first_light

COMMITTED = Path(__file__).parents[2] / "Examples" / "first-light.mid"


@pytest.fixture(scope="module")
def piece() -> mido.MidiFile:
    return mido.MidiFile(COMMITTED)


def of_channel(piece: mido.MidiFile, channel: int) -> list[mido.Message]:
    return [message for message in piece if not message.is_meta and message.channel == channel]


def test_the_committed_file_is_this_one(tmp_path):
    first_light.first_light().save(tmp_path / "first-light.mid")
    assert (tmp_path / "first-light.mid").read_bytes() == COMMITTED.read_bytes()


@pytest.mark.parametrize(("channel", "program", "low", "high"), [(0, 48, 36, 84), (1, 56, 54, 82)])
def test_every_note_lies_in_its_instruments_range_and_ends(piece, channel, program, low, high):
    sounding = set()
    for message in of_channel(piece, channel):
        if message.type == "program_change":
            assert message.program == program
        elif message.type == "note_on":
            assert low <= message.note <= high and message.note not in sounding
            sounding.add(message.note)
        elif message.type == "note_off":
            sounding.remove(message.note)
    assert not sounding


def test_pedal_and_bend_end_at_rest(piece):
    pedal = [message.value for message in of_channel(piece, 0) if message.type == "control_change"]
    bend = [message.pitch for message in of_channel(piece, 1) if message.type == "pitchwheel"]
    assert 127 in pedal and pedal[-1] == 0
    assert min(bend) == -4096 and max(bend) > 500 and bend[-1] == 0


def test_it_lasts_about_a_minute_and_slows_down_at_the_end(piece):
    assert 40 <= piece.length <= 60
    tempi = [message.tempo for message in piece if message.type == "set_tempo"]
    assert tempi[-6:] == sorted(tempi[-6:]) and tempi[-1] > 1.5 * tempi[0]


def test_the_trumpet_breathes_one_note_at_a_time(piece):
    sounding = 0
    for message in of_channel(piece, 1):
        sounding += {"note_on": 1, "note_off": -1}.get(message.type, 0)
        assert sounding in (0, 1)


def test_no_two_voices_of_the_strings_move_in_parallel_fifths_or_octaves():
    chords = [first_light.RESOLUTION, *(voices for _, _, voices in first_light.CHORALE)]
    pairs = [(one, two) for one, two in zip(chords, chords[1:]) if len(one) == len(two)]
    assert len(pairs) > 15
    for one, two in pairs:
        for low in range(len(one)):
            for high in range(low + 1, len(one)):
                moved = one[low] != two[low] and one[high] != two[high]
                before, after = (one[high] - one[low]) % 12, (two[high] - two[low]) % 12
                assert not (moved and before == after and before in (0, 7)), (one, two)
