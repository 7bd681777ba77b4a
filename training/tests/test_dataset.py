"""A dataset holds a catalogue's notes at one level, with what is kept from training."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from echoel_training import TrainingError, dataset
from echoel_training.catalogue import Catalogue, CatalogueInstrument, read_catalogue
from echoel_training.dataset import (
    default_dataset_path,
    describe_dataset,
    fingerprint,
    load_dataset,
    note_audio,
    note_requests,
    prepare_dataset,
    render_catalogue,
)
from echoel_training.rendering import SAMPLE_RATE
from echoel_training.tuning import nominal_hertz

from test_rendering import synthesizer  # noqa: F401, a fixture

CATALOGUE = Catalogue(
    name="small",
    title="Small",
    attribution=(),
    held_out_velocities=(75,),
    instruments=(
        CatalogueInstrument("strings", "Strings", "strings", 48, (48,), "sustained", 60, 62, (40, 75, 120), (0.1, 0.5)),
        CatalogueInstrument("trumpet", "Trumpet", "brass", 56, (56,), "sustained", 69, 70, (40, 75, 120), (0.1, 0.5)),
    ),
)


@pytest.fixture(scope="module")
def small(tmp_path_factory, synthesizer) -> dict[str, np.ndarray]:  # noqa: F811
    path, rendered = prepare_dataset(CATALOGUE, tmp_path_factory.mktemp("data") / "small.npz")
    assert rendered
    return load_dataset(path)


def test_every_note_is_there(small):
    assert len(small["key"]) == (3 + 2) * 3 * 2
    assert not small["zone"].any()  # each of the two instruments plays these keys from one recording
    assert list(small["instruments"]) == ["strings", "trumpet"]
    assert set(small["key"][small["instrument"] == 0]) == {60, 61, 62}
    assert small["audio"].dtype == np.float32
    assert np.array_equal(small["start"][1:], small["start"][:-1] + small["samples"][:-1]) and small["start"][0] == 0
    assert small["audio"].shape == (small["samples"].sum(),)
    assert np.isfinite(small["audio"]).all()
    assert not small["inharmonicity"].any()  # neither is struck


def test_a_note_begins_at_its_onset(small):
    for row in range(len(small["key"])):
        audio = note_audio(small, row)
        assert len(audio) == small["samples"][row]
        onset = np.flatnonzero(np.abs(audio) > 1e-3 * np.abs(audio).max())[0]
        assert onset < 0.03 * SAMPLE_RATE


def test_levels_do_not_depend_on_velocity(small):
    peaks = np.array([np.abs(note_audio(small, row)).max() for row in range(len(small["key"]))])
    for instrument in (0, 1):
        longest = (small["instrument"] == instrument) & (small["off_sample"] > 0.4 * SAMPLE_RATE)
        assert np.median(peaks[longest]) == pytest.approx(0.5, abs=0.01)
    strings = (small["instrument"] == 0) & (small["key"] == 60) & (small["off_sample"] > 0.4 * SAMPLE_RATE)
    assert np.ptp(20 * np.log10(peaks[strings])) < 0.2


def test_notes_are_silent_after_their_release(small):
    for row, off_sample in enumerate(small["off_sample"]):
        audio = note_audio(small, row)
        assert len(audio) > off_sample
        assert np.abs(audio[-240:]).max() < 10 ** (-70 / 20) * np.abs(audio).max()


def test_one_velocity_is_held_out(small):
    assert np.array_equal(small["held_out"], small["velocity"] == 75)


def test_whole_zones_are_held_out(tmp_path, synthesizer):  # noqa: F811
    # FluidR3's strings play C4 to D4 from one recording, D#4 to F4 from the next.
    strings = dataclasses.replace(
        CATALOGUE.instruments[0], low_key=62, high_key=63, held_out_zones=(1,), velocities=(90,), note_seconds=(0.1,)
    )
    zones = dataclasses.replace(CATALOGUE, instruments=(strings,), held_out_velocities=())
    fields = load_dataset(prepare_dataset(zones, tmp_path / "zones.npz")[0])
    assert fields["zone"].tolist() == [0, 1] and fields["held_out"].tolist() == [False, True]
    for wrong, said in (((2,), "no zone 2 to hold out; its zones are 0 to 1"), ((0, 1), "every zone of strings")):
        bad = dataclasses.replace(zones, instruments=(dataclasses.replace(strings, held_out_zones=wrong),))
        with pytest.raises(TrainingError, match=said):
            prepare_dataset(bad, tmp_path / "bad.npz")


def test_pitches_are_measured_within_a_quarter_tone(small):
    cents = 1200 * np.log2(small["f0"] / nominal_hertz(small["key"]))
    assert np.abs(cents).max() < 20
    same = (small["instrument"] == 1) & (small["key"] == 69) & (small["velocity"] == 120)
    assert len(set(small["f0"][same])) == 1


def test_a_struck_string_is_stretched(tmp_path, synthesizer):  # noqa: F811
    """A piano's C5 has a B of some 1e-3, and its neighbours, which share its recording, the same."""
    piano = CatalogueInstrument("piano", "Piano", "piano", 0, (0,), "struck", 71, 73, (90,), (0.2, 2.5))
    fields = load_dataset(
        prepare_dataset(dataclasses.replace(CATALOGUE, instruments=(piano,)), tmp_path / "piano.npz")[0]
    )
    assert len(set(fields["inharmonicity"])) == 1
    assert 3e-4 < fields["inharmonicity"][0] < 3e-3
    cents = 1200 * np.log2(fields["f0"] / nominal_hertz(fields["key"]))
    assert np.abs(cents).max() < 20 and np.ptp(cents) < 1


def test_the_zones_are_described(small, tmp_path):
    path = tmp_path / "small.npz"
    np.savez(path, **small)
    strings, trumpet = describe_dataset(path)["instruments"]
    assert [(zone["lowKey"], zone["highKey"], zone["heldOut"]) for zone in strings["zones"]] == [(60, 62, False)]
    assert abs(trumpet["zones"][0]["cents"]) < 20


def test_an_unchanged_dataset_is_not_rendered_again(tmp_path, monkeypatch, synthesizer):  # noqa: F811
    one = dataclasses.replace(
        CATALOGUE, instruments=(dataclasses.replace(CATALOGUE.instruments[1], high_key=69, note_seconds=(0.1,)),)
    )
    path, rendered = prepare_dataset(one, tmp_path / "one.npz")
    assert rendered
    monkeypatch.setattr(dataset, "render_catalogue", lambda *_: pytest.fail("it was rendered again"))
    assert prepare_dataset(one, path) == (path, False)
    renamed = dataclasses.replace(one, title="Another title")
    assert prepare_dataset(renamed, path) == (path, False)


def test_a_rendering_that_fails_leaves_nothing(tmp_path, synthesizer):  # noqa: F811
    bad = dataclasses.replace(
        CATALOGUE, instruments=(dataclasses.replace(CATALOGUE.instruments[0], bank=128, program=0, low_key=0),)
    )
    with pytest.raises(TrainingError, match="no sound at key 0"):
        prepare_dataset(bad, tmp_path / "bad.npz")
    assert list(tmp_path.iterdir()) == []


def test_a_dataset_is_named_by_what_it_depends_on(monkeypatch, tmp_path):
    digest = fingerprint(CATALOGUE, "a" * 64, "2.3.1")
    louder = dataclasses.replace(CATALOGUE.instruments[0], velocities=(40, 75, 121))
    changed = dataclasses.replace(CATALOGUE, instruments=(louder, CATALOGUE.instruments[1]))
    others = {
        fingerprint(CATALOGUE, "b" * 64, "2.3.1"),
        fingerprint(CATALOGUE, "a" * 64, "2.4.0"),
        fingerprint(changed, "a" * 64, "2.3.1"),
        fingerprint(dataclasses.replace(CATALOGUE, held_out_velocities=()), "a" * 64, "2.3.1"),
    }
    assert len(others) == 4 and digest not in others
    monkeypatch.setenv("ECHOEL_CACHE", str(tmp_path))
    assert default_dataset_path(CATALOGUE, digest) == tmp_path / "training" / f"small-{digest[:12]}.npz"


def test_releases_begin_at_the_start_and_in_the_middle_of_slots():
    phases = [request.off_sample % 128 for request in note_requests(0, CATALOGUE.instruments[0])]
    assert set(phases) == {0, 64}


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not a zip", b"text"])
def test_what_is_no_dataset_is_named(tmp_path, content):
    path = tmp_path / "broken.npz"
    path.write_bytes(content)
    with pytest.raises(TrainingError, match="broken.npz is not a dataset"):
        load_dataset(path)


def test_an_incomplete_dataset_is_named(tmp_path):
    np.savez(tmp_path / "short.npz", key=np.arange(3))
    with pytest.raises(TrainingError, match="short.npz lacks `audio`"):
        load_dataset(tmp_path / "short.npz")
    with pytest.raises(TrainingError, match="there is no dataset"):
        describe_dataset(tmp_path / "none.npz")


def test_the_shipped_catalogue_is_read():
    catalogue = read_catalogue(Path(__file__).parents[1] / "catalogue" / "ensemble.toml")
    assert [(i.name, i.program, i.low_key, i.high_key) for i in catalogue.instruments] == [
        ("piano", 0, 28, 96),
        ("strings", 48, 36, 84),
        ("trumpet", 56, 54, 82),
        ("synth", 81, 36, 92),
    ]
    assert [i.articulation for i in catalogue.instruments] == ["struck", "sustained", "sustained", "sustained"]


GOOD = """
name = "one"
title = "One"
attribution = []
held_out_velocities = [75]
[[instruments]]
name = "strings"
title = "Strings"
family = "strings"
program = 48
programs = [48]
articulation = "sustained"
low_key = 36
high_key = 84
velocities = [60, 75]
note_seconds = [1.0, 2]
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("program = 48", "program = 128", "instrument 1: `program` is 128"),
        ("high_key = 84", "high_key = 30", "`high_key` is 30"),
        ("velocities = [60, 75]", "velocities = [0]", "`velocities` holds 0"),
        ("velocities = [60, 75]", "velocities = [60, 60]", "a value twice"),
        ("velocities = [60, 75]", "velocities = [75]", "every velocity of strings is held out"),
        ("note_seconds = [1.0, 2]", "note_seconds = []", "`note_seconds` is empty"),
        ("note_seconds = [1.0, 2]", "note_seconds = [0.0]", "note_seconds holds 0.0"),
        ('name = "strings"', 'name = "Strings!"', "use lower-case letters"),
        ('title = "One"', "title = 1", "`title` is 1"),
        ('title = "One"', "", "`title` is missing"),
        ('title = "One"', 'title = "One"\ncolour = "red"', "`colour` is not a field"),
        ('articulation = "sustained"', 'articulation = "bowed"', "'bowed'; it must be sustained or struck"),
        ('articulation = "sustained"', "", "`articulation` is missing"),
        ("program = 48", "program = 48\nheld_out_zones = [-1]", "`held_out_zones` holds -1"),
        ("program = 48", "program = 48\nbank = 20000", "`bank` is 20000"),
        ("[[instruments]]", "[[instruments", "is not TOML"),
    ],
)
def test_a_wrong_catalogue_is_named(tmp_path, old, new, said):
    path = tmp_path / "one.toml"
    path.write_text(GOOD)
    read_catalogue(path)
    assert old in GOOD
    path.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(TrainingError, match=said.replace("[", r"\[")):
        read_catalogue(path)


def test_the_same_instrument_twice_is_named(tmp_path):
    path = tmp_path / "one.toml"
    path.write_text(GOOD + GOOD[GOOD.index("[[instruments]]") :])
    with pytest.raises(TrainingError, match="same name"):
        read_catalogue(path)


def test_notes_rendered_by_several_processes_are_the_same(small, monkeypatch, synthesizer):  # noqa: F811
    monkeypatch.setattr(dataset, "_FEW_NOTES", 1)
    together = render_catalogue(CATALOGUE, synthesizer, workers=2)
    for name, values in together.items():
        assert np.array_equal(values, small[name]), name


def test_what_only_a_card_tells_renders_nothing_anew():
    told = dataclasses.replace(CATALOGUE.instruments[0], description="a section.", limits=("It ends.",))
    changed = dataclasses.replace(CATALOGUE, instruments=(told, *CATALOGUE.instruments[1:]))
    assert fingerprint(changed, "a", "1") == fingerprint(CATALOGUE, "a", "1")
