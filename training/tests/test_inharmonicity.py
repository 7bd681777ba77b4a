"""The partials of stiff strings are found, and their inharmonicity is measured."""

import numpy as np
import pytest

from echoel_training.tuning import nominal_hertz
from echoel_training.inharmonicity import find_partials, fit_partials, partial_hertz
from echoel_training.rendering import SAMPLE_RATE


def struck(f0: float, inharmonicity: float, seed: int = 1, noise: float = 1e-4) -> np.ndarray:
    """Two seconds of decaying stiff-string partials with a little noise."""
    generator = np.random.default_rng(seed)
    time = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    audio = noise * generator.standard_normal(len(time))
    for number in range(1, 30):
        hertz = partial_hertz(number, f0, inharmonicity)
        if hertz < 20_000:
            decay = np.exp(-time * (1 + 0.15 * number) * (f0 / 262) ** 0.5)
            audio += decay * np.sin(2 * np.pi * (hertz * time + generator.random())) / number
    return audio


@pytest.mark.parametrize(
    ("key", "cents", "inharmonicity"),
    [(28, 4.0, 3e-4), (40, -6.0, 1.2e-4), (52, 2.5, 2e-4), (60, 0.0, 4e-4), (72, -9.0, 9e-4), (84, 12.0, 3e-3)]
    + [(96, 20.0, 7e-3)],
)
def test_stiffness_is_measured(key, cents, inharmonicity):
    f0 = nominal_hertz(key) * 2 ** (cents / 1200)
    numbers, hertz = find_partials(struck(f0, inharmonicity), nominal_hertz(key))
    measured, bent = fit_partials(numbers, hertz)
    assert 1200 * abs(np.log2(measured / f0)) < 0.3
    assert bent == pytest.approx(inharmonicity, rel=0.03)


@pytest.mark.parametrize("key", [30, 50, 70, 90])
def test_a_harmonic_tone_has_no_stiffness(key):
    numbers, hertz = find_partials(struck(nominal_hertz(key), 0.0), nominal_hertz(key))
    assert fit_partials(numbers, hertz)[1] < 2e-6


def test_a_missing_fundamental_does_not_mislead():
    """The lowest strings of a piano radiate their first partials weakly."""
    f0, time = nominal_hertz(28), np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    audio = 1e-4 * np.random.default_rng(2).standard_normal(len(time))
    for number in range(3, 24):
        audio += np.exp(-time) * np.sin(2 * np.pi * partial_hertz(number, f0, 3e-4) * time) / number
    numbers, hertz = find_partials(audio, f0)
    assert numbers[0] == 3 and len(numbers) == 18
    measured, bent = fit_partials(numbers, hertz)
    assert 1200 * abs(np.log2(measured / f0)) < 0.3
    assert bent == pytest.approx(3e-4, rel=0.03)


def test_what_lies_far_beyond_the_last_partial_is_not_one():
    """The top strings of a piano have four partials; a whistle at seven times the first is none of them."""
    f0, time = 1_200.0, np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    audio = 1e-4 * np.random.default_rng(4).standard_normal(len(time)) + 0.1 * np.sin(2 * np.pi * 7 * f0 * time)
    for number in range(1, 5):
        audio += np.exp(-3 * time) * np.sin(2 * np.pi * partial_hertz(number, f0, 7e-3) * time) / number
    numbers, hertz = find_partials(audio, f0)
    assert numbers.tolist() == [1, 2, 3, 4]
    assert fit_partials(numbers, hertz)[1] == pytest.approx(7e-3, rel=0.03)


def test_one_wrong_partial_pulls_little():
    numbers = np.arange(1, 16)
    hertz = partial_hertz(numbers, 110.0, 2e-4)
    hertz[6] *= 2 ** (14 / 1200)
    measured, bent = fit_partials(numbers, hertz)
    assert 1200 * abs(np.log2(measured / 110)) < 0.3
    assert bent == pytest.approx(2e-4, rel=0.03)


def test_f0_is_fitted_to_a_known_stiffness():
    numbers = np.arange(1, 10)
    measured, bent = fit_partials(numbers, partial_hertz(numbers, 220.0, 5e-4), inharmonicity=5e-4)
    assert measured == pytest.approx(220.0, rel=1e-6) and bent == 5e-4


def test_silence_and_noise_have_few_partials():
    noise = np.random.default_rng(3).standard_normal(2 * SAMPLE_RATE)
    assert len(find_partials(np.zeros(96_000), 220.0)[0]) == 0
    assert len(find_partials(noise, 220.0)[0]) < 3
    assert len(find_partials(noise[:1_000], 220.0)[0]) == 0
