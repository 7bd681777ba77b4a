"""The zones of a preset are read from the SoundFont's own chunks, and damage is named."""

import struct

import numpy as np
import pytest

from echoel_training import TrainingError
from echoel_training.soundfont import SampleZone, describe_recordings, key_zones, read_zones


def chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def span(low: int, high: int) -> int:
    return low | high << 8


def generators(*pairs: tuple[int, int]) -> bytes:
    return b"".join(struct.pack("<HH", *pair) for pair in pairs)


def soundfont(**replaced: bytes) -> bytes:
    """A preset 5 over two recordings: `low` to key 59 and `high` from 60, louder than velocity 63 `bright` instead.

    The instrument's global zone ends everything at key 90; the preset's zone begins at key 40 and raises by 5 cents.
    `high` is looped, and lowered by 12 cents; `bright` by an octave and 15 cents more, its zone ends the recording
    32 768 - 800 samples later and begins the loop 100 samples earlier.
    """
    moved = [(12, 1), (1, 65_536 - 800), (2, 65_536 - 100)]
    bags = [
        [(43, span(0, 90))],
        [(43, span(0, 59)), (53, 0)],
        [(43, span(60, 127)), (44, span(0, 63)), (54, 1), (53, 1)],
        [(44, span(64, 127)), (43, span(60, 100)), (58, 72), (51, 65_524), (52, 65_521), (54, 3), *moved, (53, 2)],
    ]
    starts = [0, *np.cumsum([len(bag) for bag in bags])]
    tables = {
        "phdr": struct.pack("<20sHHHIII", b"Preset", 5, 0, 0, 0, 0, 0)
        + struct.pack("<20sHHHIII", b"EOP", 0, 0, 1, 0, 0, 0),
        "pbag": struct.pack("<HHHH", 0, 0, 3, 0),
        "pmod": b"",
        "pgen": generators((43, span(40, 127)), (52, 5), (41, 0), (0, 0)),
        "inst": struct.pack("<20sH", b"Instrument", 0) + struct.pack("<20sH", b"EOI", 4),
        "ibag": b"".join(struct.pack("<HH", start, 0) for start in starts),
        "imod": b"",
        "igen": generators(*(pair for bag in bags for pair in bag), (0, 0)),
        "shdr": b"".join(
            struct.pack("<20s5IBbHH", *recording, 0, 1)
            for recording in (
                (b"low", 100, 600, 200, 500, 32_000, 50, 0),
                (b"high", 1_000, 1_800, 1_200, 1_700, 44_100, 70, -12),
                (b"bright", 2_000, 6_000, 2_200, 2_800, 48_000, 70, 0),
                (b"EOS", 0, 0, 0, 0, 0, 0, 0),
            )
        ),
    } | replaced
    presets = b"pdta" + b"".join(chunk(name.encode(), body) for name, body in tables.items())
    body = b"sfbk" + chunk(b"LIST", b"INFO") + chunk(b"LIST", b"sdta" + chunk(b"smpl", b"odd")) + chunk(b"LIST", presets)
    return chunk(b"RIFF", body)


def test_ranges_of_preset_and_instrument_meet(tmp_path):
    path = tmp_path / "small.sf2"
    path.write_bytes(soundfont())
    zones = read_zones(path, 5)
    assert zones == [
        SampleZone("low", 50, 40, 59, 0, 127, 5.0, 32_000, 500, None),
        SampleZone("high", 70, 60, 127, 0, 63, -7.0, 44_100, 800, (200, 700)),
        SampleZone("bright", 72, 60, 100, 64, 127, -1_210.0, 48_000, 35_968, (100, 800)),
    ]
    assert key_zones(zones, range(58, 62), 40) == [0, 0, 1, 1]
    assert key_zones(zones, range(99, 103), 90) == [0, 0, 1, 1]


def test_a_recording_is_described_once(tmp_path):
    zones = [SampleZone("a", 60, 0, 127, low, low + 63, 2.0, 48_000, 24_000, (12_000, 24_000)) for low in (0, 64)]
    zones += [SampleZone("b", 48, 0, 59, 1, 127, 0.0, 32_000, 16_000, None)]
    first, second = describe_recordings(zones)
    assert (first["sample"], first["velocities"], first["seconds"]) == ("a", [0, 127], 0.5)
    assert first["loopSeconds"] == [0.25, 0.5]
    assert (second["sample"], second["keys"], second["loopSeconds"]) == ("b", [0, 59], None)


def test_a_program_that_is_not_there_is_named(tmp_path):
    path = tmp_path / "small.sf2"
    path.write_bytes(soundfont())
    with pytest.raises(TrainingError, match="small.sf2 has no program 6 in bank 0"):
        read_zones(path, 6)
    with pytest.raises(TrainingError, match="has no program 5 in bank 1"):
        read_zones(path, 5, 1)
    with pytest.raises(TrainingError, match="there is no SoundFont"):
        read_zones(tmp_path / "none.sf2", 5)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "ends before its presets"),
        (b"RIFF\x04\x00\x00\x00WAVE", "is not a SoundFont"),
        (soundfont()[:50], "ends before its presets"),
        (soundfont()[:-20], "shdr chunk has"),
        (soundfont(inst=b"x" * 23), "inst chunk has 23 bytes"),
        (soundfont(igen=b""), "igen chunk has 0 bytes"),
        (soundfont(pgen=generators((41, 7), (43, 0), (0, 0))), "refer to what is not there"),
        (soundfont(pbag=struct.pack("<HH", 0, 0)), "refer to what is not there"),
    ],
)
def test_damage_is_named(tmp_path, content, said):
    path = tmp_path / "damaged.sf2"
    path.write_bytes(content)
    with pytest.raises(TrainingError, match=f"damaged.sf2 .*{said}"):
        read_zones(path, 5)


def test_every_truncation_is_an_error_or_harmless(tmp_path):
    path, whole = tmp_path / "damaged.sf2", soundfont()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(TrainingError):
            read_zones(path, 5)
