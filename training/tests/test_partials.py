"""The bank of partials: each on its frequency, at its amplitude, without aliases, steps or drift."""

import math

import numpy as np
import pytest
import torch

from echoel_training.inharmonicity import partial_hertz
from echoel_training.partials import (
    SAMPLE_RATE,
    SLOT_SAMPLES,
    PartialBank,
    audible,
    detune_code,
    detune_ratio,
    inharmonicity_code,
    inharmonicity_from,
)


def render(pitch, amplitude, inharmonicity=0.0, count=12, parts=None):
    """A note of constant ``amplitude [count]`` at ``pitch [slots]`` in Hz, in runs of ``parts`` slots."""
    bank = PartialBank(count)
    pitch = torch.as_tensor(pitch, dtype=torch.float32)[None]
    b = torch.full_like(pitch, inharmonicity)
    start = bank.frequencies(torch.cat([pitch[:, :1], pitch[:, :-1]], dim=1), b)
    end = bank.frequencies(pitch, b)
    level = torch.as_tensor(amplitude, dtype=torch.float32).expand(1, pitch.shape[1], count) * audible(end)
    before, phase, audio, first = torch.zeros(1, count), torch.zeros(1, count), [], 0
    for slots in parts or [pitch.shape[1]]:
        some = slice(first, first + slots)
        part, phase = bank(start[:, some], end[:, some], level[:, some], before, phase)
        before, first = level[:, first + slots - 1], first + slots
        audio.append(part.flatten(1))
    return torch.cat(audio, dim=1)[0].numpy().astype(np.float64)


@pytest.mark.parametrize("inharmonicity", [0.0, 4e-4])
def test_every_partial_has_its_frequency_and_amplitude(inharmonicity):
    amplitude = [0.5 / k for k in range(1, 13)]
    audio = render([220.0] * 400, amplitude, inharmonicity)[SLOT_SAMPLES:]
    time = np.arange(len(audio)) / SAMPLE_RATE
    window = np.hanning(len(audio))
    for k, level in enumerate(amplitude, 1):
        hertz = partial_hertz(k, 220.0, inharmonicity)
        assert abs(hertz - 220.0 * k * math.sqrt((1 + inharmonicity * k * k) / (1 + inharmonicity))) < 1e-9
        there = 2 * abs(np.sum(window * audio * np.exp(-2j * np.pi * hertz * time))) / window.sum()
        assert there == pytest.approx(level, rel=2e-3)
        audio = audio - level * np.cos(2 * np.pi * hertz * (time + SLOT_SAMPLES / SAMPLE_RATE))
    assert np.abs(audio).max() < 2e-3, "something sounds besides the partials"


def test_runs_of_one_slot_equal_the_whole():
    pitch = 300 * 2 ** np.linspace(0, 1, 48)
    amplitude = np.linspace(1, 0.1, 12)
    whole, single = render(pitch, amplitude), render(pitch, amplitude, parts=[1] * 48)
    assert np.abs(whole - single).max() < 1e-5


def test_a_rising_amplitude_is_a_line_within_the_slot():
    """The first slot of a fresh voice rises from nothing, sample by sample."""
    audio = render([4000.0] * 2, [1.0] + [0.0] * 11)[:SLOT_SAMPLES]
    time = np.arange(SLOT_SAMPLES)
    expected = time / SLOT_SAMPLES * np.cos(2 * np.pi * 4000.0 * time / SAMPLE_RATE)
    assert np.abs(audio - expected).max() < 1e-4


def test_a_glide_is_continuous():
    """Two octaves in half a second: no step between samples beyond what its frequency allows."""
    audio = render(220 * 4 ** np.linspace(0, 1, 190), [1.0] + [0.0] * 11)[SLOT_SAMPLES:]
    assert np.abs(np.diff(audio)).max() < 1.02 * 2 * np.pi * 880 / SAMPLE_RATE


def test_partials_beyond_the_band_are_silent():
    assert audible(torch.tensor([100.0, 22_000.0, 23_000.0, 23_500.0, 1e9])).tolist() == [1, 1, 0.5, 0, 0]
    assert np.abs(render([3000.0] * 8, [0.0] * 8 + [1.0] * 4)).max() == 0


def test_the_phase_does_not_drift():
    """After 400 000 slots, 18 minutes, in runs of 16 the phase is what its increments say."""
    bank, phase = PartialBank(3), torch.zeros(1, 3)
    hertz = bank.frequencies(torch.full((1, 16), 441.7), torch.zeros(1, 16))
    step = np.round(hertz[0, 0].double().numpy() * (SLOT_SAMPLES / SAMPLE_RATE) * 2**19) / 2**19
    for _ in range(1000):
        _, phase = bank(hertz, hertz, torch.zeros(1, 16, 3), torch.zeros(1, 3), phase)
    expected = (step * 16_000) % 1
    assert np.abs((phase[0].numpy() - expected + 0.5) % 1 - 0.5).max() < 1e-9


def test_codes_have_their_inverse():
    inharmonicity = torch.tensor([0.0, 4e-5, 7e-3])
    torch.testing.assert_close(inharmonicity_from(inharmonicity_code(inharmonicity)), inharmonicity, rtol=1e-4, atol=1e-9)
    assert inharmonicity_from(torch.tensor([-3.0])).item() == 0
    cents = torch.tensor([-27.0, 0.0, 7.5])
    torch.testing.assert_close(1200 * torch.log2(1 + detune_ratio(detune_code(cents))), cents, rtol=1e-3, atol=1e-3)


def test_layers_beat_at_their_difference():
    """7.5 cents apart at 440 Hz is 1.91 Hz, and k times as much for partial k."""
    bank, slots = PartialBank(4), 375
    ratio = detune_ratio(detune_code(torch.full((1, slots), 7.5)))
    cosine, sine, end = bank.beats(torch.full((1, slots), 440.0), ratio, torch.zeros(1, 1))
    hertz = 440.0 * (2 ** (7.5 / 1200) - 1)
    assert abs(end.item() - hertz % 1) < 1e-4
    for k in range(1, 5):
        turns = k * hertz * np.arange(1, slots + 1) * SLOT_SAMPLES / SAMPLE_RATE
        np.testing.assert_allclose(cosine[0, :, k - 1].numpy(), np.cos(2 * np.pi * turns), atol=2e-3)
        np.testing.assert_allclose(sine[0, :, k - 1].numpy(), np.sin(2 * np.pi * turns), atol=2e-3)
