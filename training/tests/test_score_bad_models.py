"""A shipped instrument keeps its lines of the score; spoilt in one way, it fails the line that is for it.

Every sound is `echoel`'s. Where it has not been built, nothing here runs.
"""

import os
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import bad_models
import pytest
from test_identity import small_gallery

from echoel_training.catalogue import DEFAULT_CATALOGUE, Catalogue, read_catalogue
from echoel_training.dataset import render_catalogue
from echoel_training.measure.product import Bench
from echoel_training.measure.report import Figure
from echoel_training.measure.tool import Echoel
from echoel_training.rendering import Synthesizer
from echoel_training.score import identity
from echoel_training.score.additive import AdditiveSynth
from echoel_training.score.asked import additive_queries, played_queries
from echoel_training.score.command import Scorer
from echoel_training.score.compare import distance_figures
from echoel_training.score.identity import identity_figures, query_notes
from echoel_training.score.origin import Origin
from echoel_training.score.recordings import Recordings
from echoel_training.score.sustain import sustain_figures
from echoel_training.score.tuning import keys_in_tune

ROOT = Path(__file__).parents[2]
BUILT = [os.environ.get("ECHOEL", ""), *(ROOT / "Tool" / ".build" / kind / "echoel" for kind in ("release", "debug"))]

OTHER = "strings"
CENTS = 10.0
CLICK = 0.01
"""Of full scale; a note's peak is 0.5 before the instrument's gain."""


@pytest.fixture(scope="module")
def echoel() -> Path:
    found = [Path(path) for path in BUILT if path and Path(path).is_file()]
    if not found:
        pytest.skip("echoel has not been built; script/build does")
    return found[0]


@pytest.fixture(scope="module")
def trumpet():
    return Ground("trumpet", keys=(69, 77), zone=1, key=73)


@pytest.fixture(scope="module")
def synth():
    return Ground("synth", keys=(53, 72), zone=1, key=62)


class Ground:
    """What a model is held against: a few notes of an instrument around one of the recordings that it has not heard,
    which sounds at `key`."""

    def __init__(self, name: str, keys: tuple[int, int], zone: int, key: int):
        [described] = [each for each in read_catalogue(DEFAULT_CATALOGUE).instruments if each.name == name]
        fewer = {"low_key": keys[0], "high_key": keys[1], "velocities": (56, 100), "note_seconds": (0.25, 1.3)}
        some = replace(described, **fewer, held_out_zones=(zone,))
        self.name, self.key = name, key
        self.synthesizer = Synthesizer()
        self.fields = render_catalogue(Catalogue(name, "", (), (some,)), self.synthesizer, workers=1)
        self.recordings = Recordings.of(self.fields, name)
        self.origin = Origin(self.recordings, described.programs, self.synthesizer)
        self.additive = AdditiveSynth.learn(self.recordings)

    @cached_property
    def gallery(self):
        return small_gallery(self.synthesizer, keys=(self.key - 2, self.key + 1, self.key + 3))

    def lines(self, echoel: Path, models: Path, folder: Path) -> dict[str, list[Figure]]:
        """The figures of each line but that of identity."""
        bench = Bench(Echoel(echoel, models), folder)
        [instrument] = bench.echoel.instruments([self.name])
        scorer = Scorer(bench.echoel, self.fields, self.synthesizer, quick=True)
        renderings = scorer.renderings(bench, instrument, self.recordings, self.origin, self.additive)
        return {
            "mel distance": distance_figures(self.name, renderings),
            "pitch": keys_in_tune(bench, instrument, self.recordings, [57, 66, self.key, 80]),
            "slices": sustain_figures(bench, instrument, self.origin, [62, self.key], is_struck=False),
        }

    def identity(self, echoel: Path, models: Path, folder: Path, monkeypatch) -> list[Figure]:
        """The figures of that line."""
        bench = Bench(Echoel(echoel, models), folder)
        [instrument] = bench.echoel.instruments([self.name])
        monkeypatch.setattr(identity, "open_gallery", lambda keys, soundfont: self.gallery)
        queries = played_queries(bench, instrument, self.origin.program, query_notes([self.key]))
        return identity_figures(queries)


@pytest.fixture
def failed(echoel, trumpet, tmp_path):
    """The lines that a models folder fails."""

    def of(models: Path) -> set[str]:
        lines = trumpet.lines(echoel, models, tmp_path)
        assert all(any(figure.bound is not None for figure in figures) for figures in lines.values())
        return {line for line, figures in lines.items() if any(figure.passed is False for figure in figures)}

    return of


def test_the_shipped_instrument_keeps_every_line(failed):
    assert failed(bad_models.MODELS) == set()


def test_an_untrained_one_is_far_from_the_recordings(failed, tmp_path):
    assert "mel distance" in failed(bad_models.untrained(tmp_path, "trumpet"))


def test_one_with_anothers_latents_is_heard_as_something_else(echoel, synth, tmp_path, monkeypatch):
    [shipped, *_] = synth.identity(echoel, bad_models.MODELS, tmp_path, monkeypatch)
    assert shipped.passed, shipped.details
    swapped = bad_models.with_latents_of(tmp_path, "synth", OTHER)
    [lost, *_] = synth.identity(echoel, swapped, tmp_path, monkeypatch)
    assert lost.passed is False, lost.details


def test_one_that_is_ten_cents_sharp_is_out_of_tune(echoel, trumpet, tmp_path):
    """It keeps the other lines but for how many steep samples fall on slots, on which its periods fall otherwise."""
    lines = trumpet.lines(echoel, bad_models.detuned(tmp_path, CENTS), tmp_path)
    lost = {line: [figure.name for figure in figures if figure.passed is False] for line, figures in lines.items()}
    assert lost["pitch"] and not lost["mel distance"]
    assert all("boundaries of slots" in name for name in lost["slices"]), lost["slices"]


def test_one_that_clicks_in_every_slice_is_heard_to(failed, tmp_path):
    lost = failed(bad_models.clicking(tmp_path, CLICK))
    assert "slices" in lost and not {"mel distance", "pitch"} & lost


def test_the_baseline_is_not_the_instrument(trumpet, monkeypatch):
    """Additive synthesis and noise fails the identity that the recordings keep."""
    monkeypatch.setattr(identity, "open_gallery", lambda keys, soundfont: trumpet.gallery)
    notes, program = query_notes([trumpet.key]), trumpet.origin.program
    own = [
        identity.Query("trumpet", program, key, velocity, trumpet.origin.play(key, velocity, 57_600))
        for key, velocity in notes
    ]
    played = additive_queries(trumpet.additive, trumpet.origin, "trumpet", notes)
    share, reachable, additive = identity_figures(own, played)
    assert share.value == reachable.value == 100 and additive.passed, additive.details
