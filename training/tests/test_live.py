"""What is recorded live is held against what is rendered, wherever periods were dropped."""

import numpy as np
import pytest

from echoel_training.measure.live import EQUAL, PERIOD, SEGMENT_SAMPLES, equal_share, held_to_bounds
from echoel_training.measure.report import Figure


@pytest.fixture(scope="module")
def rendered():
    generator = np.random.default_rng(3)
    return np.cumsum(generator.normal(0, 0.01, (400_000, 2)), axis=0) % 0.5 - 0.25


def test_a_recording_that_begins_later_equals_the_rendering(rendered):
    share, farthest = equal_share(rendered[70_001:370_001] + EQUAL / 4, rendered)
    assert share == 100 and farthest == pytest.approx(EQUAL / 4)


def test_dropped_periods_cost_the_segments_that_they_are_in(rendered):
    played = np.concatenate([rendered[10_000:100_000], rendered[100_000 + 5 * PERIOD : 300_000]])
    share, _ = equal_share(played, rendered)
    segments = len(played) // SEGMENT_SAMPLES
    assert share == pytest.approx(100 * (1 - 1 / segments), abs=1)


def test_another_sound_and_a_late_note_are_not_equal(rendered):
    louder, _ = equal_share(rendered[10_000:200_000] * 1.001, rendered)
    late = np.concatenate([rendered[10_000:100_000], rendered[100_000 - 7 : 200_000]])  # not whole periods
    assert louder == 0
    assert equal_share(late, rendered)[0] < 60
    assert np.isnan(equal_share(np.zeros((100_000, 2)), rendered)[0])


def performance(**changed):
    values = {
        "voices at most": 16.0,
        "slices that were late": 0.0,
        "frames concealed": 0.0,
        "faults of the server": 0.0,
        "recorded segments that equal the rendering": 100.0,
        "samples that are no number": 0.0,
    } | {name.replace("_", " "): value for name, value in changed.items()}
    return [Figure("Rehearsal", name, value, "") for name, value in values.items()]


def verdicts(figures):
    return {figure.name: figure.passed for figure in held_to_bounds(figures) if figure.passed is not None}


def test_a_rehearsal_without_a_stall_has_to_equal_the_rendering():
    assert all(verdicts(performance()).values()) and len(verdicts(performance())) == 3
    assert not verdicts(performance(recorded_segments_that_equal_the_rendering=80.0))[
        "recorded segments that equal the rendering"
    ]
    assert not verdicts(performance(voices_at_most=15.0))["voices at most"]
    assert not verdicts(performance(samples_that_are_no_number=1.0))["samples that are no number"]


@pytest.mark.parametrize("name", ["slices_that_were_late", "frames_concealed", "faults_of_the_server"])
def test_what_a_machine_does_to_a_rehearsal_is_no_fault_of_ours(name):
    figures = performance(recorded_segments_that_equal_the_rendering=50.0, **{name: 1.0})
    assert all(verdicts(figures).values()) and len(verdicts(figures)) == 2
