"""A player's vibrato is found; what only looks like one is not."""

import numpy as np
import pytest

from echoel_training.dataset import note_vibrato
from echoel_training.rendering import SAMPLE_RATE
from echoel_training.vibrato import HOP_SAMPLES, frames_of, measure_vibrato

OFF = 2 * SAMPLE_RATE


def vibrato(hertz, cents, rate=5.5, partials=8, apart=0.0, seconds=2.5):
    """A harmonic tone whose pitch swings by ``cents``; each partial's swing begins ``apart`` turns later."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    sound = np.zeros(len(time))
    for k in range(1, partials + 1):
        swing = 2 ** (cents / 1200 * np.sin(2 * np.pi * (rate * time + apart * k)))
        sound += np.sin(2 * np.pi * k * hertz * np.cumsum(swing) / SAMPLE_RATE + k) / k
    return 0.2 * sound * (time < OFF / SAMPLE_RATE)


@pytest.mark.parametrize("hertz", [110.0, 466.2, 1046.5])
def test_a_vibrato_is_found_where_it_is(hertz):
    course = measure_vibrato(vibrato(hertz, 8.0), OFF, hertz)
    time = np.arange(len(course)) * HOP_SAMPLES / SAMPLE_RATE
    held = (time > 0.2) & (time < 1.85)
    assert course.dtype == np.float32 and len(course) == frames_of(round(2.5 * SAMPLE_RATE))
    np.testing.assert_allclose(course[held], 8.0 * np.sin(2 * np.pi * 5.5 * time[held]), atol=0.5)
    assert not course[time < 0.1].any() and not course[time > 2.0].any()


def test_partials_that_do_not_move_together_are_no_vibrato():
    assert not measure_vibrato(vibrato(440.0, 8.0, apart=0.37), OFF, 440.0).any()


def test_a_strong_partial_does_not_outvote_the_others():
    """One that is 15 dB above all others agrees with itself; that is no agreement."""
    time = np.arange(OFF) / SAMPLE_RATE
    strong = np.sin(2 * np.pi * 440.0 * np.cumsum(2 ** (8 / 1200 * np.sin(2 * np.pi * 3.0 * time))) / SAMPLE_RATE)
    assert not measure_vibrato(vibrato(440.0, 8.0, apart=0.37, seconds=2.0) + 1.2 * strong, OFF, 440.0).any()


def test_a_steady_tone_and_a_short_one_and_noise_have_none():
    assert not measure_vibrato(vibrato(440.0, 0.0), OFF, 440.0).any()
    assert not measure_vibrato(vibrato(440.0, 8.0), round(0.59 * SAMPLE_RATE), 440.0).any()
    assert measure_vibrato(vibrato(440.0, 8.0), round(0.61 * SAMPLE_RATE), 440.0).any()
    noise = np.random.default_rng(0).standard_normal(OFF)
    assert not measure_vibrato(noise, OFF, 440.0).any()
    assert not measure_vibrato(np.zeros(OFF), OFF, 440.0).any()


def test_each_note_has_its_own_course():
    fields = {"samples": np.array([513, 512, 1]), "vibrato": np.array([1, 2, 3, 4], np.float32)}
    assert [note_vibrato(fields, row).tolist() for row in range(3)] == [[1, 2], [3], [4]]
