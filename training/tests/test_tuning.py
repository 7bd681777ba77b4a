"""The tuning of recordings is measured to a fraction of a cent."""

import numpy as np
import pytest

from echoel_training.rendering import SAMPLE_RATE
from echoel_training.tuning import measure_f0, measure_tuning, nominal_hertz

from test_inharmonicity import struck


@pytest.mark.parametrize("cents", [-47.0, -3.3, 0.0, 12.5, 58.0])
@pytest.mark.parametrize("key", [36, 60, 84])
def test_f0_is_found_to_a_fifth_of_a_cent(key, cents):
    hertz = nominal_hertz(key) * 2 ** (cents / 1200)
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    tone = sum(np.sin(2 * np.pi * hertz * k * time + k) / k for k in range(1, 8))
    assert 1200 * abs(np.log2(measure_f0(tone, nominal_hertz(key)) / hertz)) < 0.2


def test_f0_is_the_nominal_one_where_there_is_nothing_to_measure():
    assert measure_f0(np.zeros(100), 440.0) == 440.0
    assert measure_f0(np.zeros(48_000), 440.0) == 440.0


def test_one_odd_note_does_not_mislead_a_recording():
    """The beats of two layers can make the weaker one look stronger at a key."""
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    keys = [57, 58, 59, 60, 61]
    offs = [4.0, 4.0, 4.0, -18.0, 4.0]
    notes = [np.sin(2 * np.pi * nominal_hertz(key) * 2 ** (off / 1200) * time) for key, off in zip(keys, offs)]
    cents, inharmonicity = measure_tuning(notes, keys, struck=False)
    assert cents == pytest.approx(4.0, abs=0.2) and inharmonicity == 0


def test_a_struck_recording_has_one_stiffness_at_all_its_keys():
    keys = [59, 60, 61, 62]
    notes = [struck(nominal_hertz(key) * 2 ** (-2.5 / 1200), 3.2e-4, seed=key) for key in keys]
    cents, inharmonicity = measure_tuning(notes, keys, struck=True)
    assert cents == pytest.approx(-2.5, abs=0.2)
    assert inharmonicity == pytest.approx(3.2e-4, rel=0.02)


def test_struck_notes_too_short_for_partials_are_harmonic():
    time = np.arange(SAMPLE_RATE // 4) / SAMPLE_RATE
    cents, inharmonicity = measure_tuning([np.sin(2 * np.pi * 440 * time)], [69], struck=True)
    assert cents == pytest.approx(0, abs=0.5) and inharmonicity == 0
