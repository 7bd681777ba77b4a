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

NAME, OTHER = "trumpet", "strings"
HELD_OUT_KEY = 73
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
def ground():
    return Ground()


class Ground:
    """What every model is held against: a few notes around one of the trumpet's recordings that it has not heard."""

    def __init__(self):
        [trumpet] = [each for each in read_catalogue(DEFAULT_CATALOGUE).instruments if each.name == NAME]
        fewer = {"low_key": 69, "high_key": 77, "velocities": (56, 100), "note_seconds": (0.25, 1.3)}
        some = replace(trumpet, **fewer, held_out_zones=(1,))  # keys 72 to 75
        self.synthesizer = Synthesizer()
        self.fields = render_catalogue(Catalogue(NAME, "", (), (some,)), self.synthesizer, workers=1)
        self.recordings = Recordings.of(self.fields, NAME)
        self.origin = Origin(self.recordings, trumpet.programs, self.synthesizer)
        self.additive = AdditiveSynth.learn(self.recordings)

    @cached_property
    def gallery(self):
        return small_gallery(self.synthesizer, keys=(HELD_OUT_KEY - 2, HELD_OUT_KEY + 1, HELD_OUT_KEY + 3))

    def lines(self, echoel: Path, models: Path, folder: Path, monkeypatch) -> dict[str, list[Figure]]:
        """The figures of each line."""
        bench = Bench(Echoel(echoel, models), folder)
        [instrument] = bench.echoel.instruments([NAME])
        scorer = Scorer(bench.echoel, self.fields, self.synthesizer, quick=True)
        renderings = scorer.renderings(bench, instrument, self.recordings, self.origin, self.additive)
        monkeypatch.setattr(identity, "open_gallery", lambda keys, soundfont: self.gallery)
        queries = played_queries(bench, instrument, self.origin.program, query_notes([HELD_OUT_KEY]))
        return {
            "mel distance": distance_figures(NAME, renderings),
            "identity": identity_figures(queries),
            "pitch": keys_in_tune(bench, instrument, self.recordings, [57, 66, HELD_OUT_KEY, 80]),
            "slices": sustain_figures(bench, instrument, self.origin, [62, HELD_OUT_KEY], is_struck=True),
        }


@pytest.fixture
def failed(echoel, ground, tmp_path, monkeypatch):
    """The lines that a models folder fails."""

    def of(models: Path) -> set[str]:
        lines = ground.lines(echoel, models, tmp_path, monkeypatch)
        assert all(any(figure.bound is not None for figure in figures) for figures in lines.values())
        return {line for line, figures in lines.items() if any(figure.passed is False for figure in figures)}

    return of


def test_the_shipped_instrument_keeps_every_line(failed):
    assert failed(bad_models.MODELS) == set()


def test_an_untrained_one_is_far_from_the_recordings(failed, tmp_path):
    assert "mel distance" in failed(bad_models.untrained(tmp_path, NAME))


def test_one_with_anothers_latents_is_heard_as_something_else(failed, tmp_path):
    lost = failed(bad_models.with_latents_of(tmp_path, NAME, OTHER))
    assert "identity" in lost and not {"pitch", "slices"} & lost


def test_one_that_is_ten_cents_sharp_is_out_of_tune(failed, tmp_path):
    lost = failed(bad_models.detuned(tmp_path, CENTS))
    assert "pitch" in lost and not {"mel distance", "slices"} & lost


def test_one_that_clicks_in_every_slice_is_heard_to(failed, tmp_path):
    lost = failed(bad_models.clicking(tmp_path, CLICK))
    assert "slices" in lost and not {"mel distance", "pitch"} & lost


def test_the_baseline_is_not_the_instrument(ground, monkeypatch):
    """Additive synthesis and noise fails the identity that the recordings keep."""
    monkeypatch.setattr(identity, "open_gallery", lambda keys, soundfont: ground.gallery)
    own = [
        identity.Query(NAME, ground.origin.program, key, velocity, ground.origin.play(key, velocity, 57_600))
        for key, velocity in query_notes([HELD_OUT_KEY])
    ]
    played = additive_queries(ground.additive, ground.origin, NAME, query_notes([HELD_OUT_KEY]))
    share, reachable, additive = identity_figures(own, played)
    assert share.value == reachable.value == 100 and additive.passed, additive.details
