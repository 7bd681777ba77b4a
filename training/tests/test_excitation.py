"""The excitation: in tune, free of aliases, without steps, and with a phase that is exact for ever."""

import numpy as np
import pytest
import torch

from echoel_training.excitation import SAMPLE_RATE, SLOT_SAMPLES, Excitation


def held(hertz: float, slots: int) -> np.ndarray:
    pulse, _, _ = Excitation()(torch.full((1, slots), hertz), torch.zeros(1, 1), torch.zeros(1, 1))
    return pulse.reshape(-1).numpy()


@pytest.mark.parametrize("hertz", [41.2, 220.0, 1318.5, 3951.0])
def test_all_power_lies_on_the_partials(hertz):
    signal = held(hertz, 375).astype(np.float64)
    window = np.blackman(len(signal))
    spectrum = np.abs(np.fft.rfft(signal * window)) ** 2
    bins = np.arange(len(spectrum)) * SAMPLE_RATE / len(signal)
    away = np.abs(bins / hertz - np.round(bins / hertz)) * hertz > 5.0
    assert 10 * np.log10(spectrum[away | (bins < hertz / 2)].max() / spectrum.max()) < -60


def test_a_low_note_has_the_power_of_a_high_one():
    powers = [np.mean(held(hertz, 375) ** 2) for hertz in (55.0, 440.0, 3520.0)]
    np.testing.assert_allclose(powers, 0.5, rtol=0.1)


def test_slices_of_any_length_are_bit_equal_to_the_whole():
    excitation = Excitation()
    generator = torch.Generator().manual_seed(5)
    pitch = 100 * 2 ** (torch.randn(3, 64, generator=generator).cumsum(-1) * 0.05)
    fresh = torch.zeros(3, 1)
    whole, phase, last = [], fresh, fresh
    for first in range(0, 64, 16):
        part, phase, last = excitation(pitch[:, first : first + 16], phase, last)
        whole.append(part)
    single, phase_one, last_one = [], fresh, fresh
    for slot in range(64):
        part, phase_one, last_one = excitation(pitch[:, slot : slot + 1], phase_one, last_one)
        single.append(part)
    assert torch.equal(phase, phase_one) and torch.equal(last, last_one)
    assert torch.equal(torch.cat(whole, dim=1), torch.cat(single, dim=1))


def test_phase_is_exact_after_twenty_seconds_of_gliding():
    """The state equals the sum in rational arithmetic of the increments on the 2^-19 grid."""
    slots = 20 * SAMPLE_RATE // SLOT_SAMPLES
    pitch = 440.0 * 2.0 ** (torch.sin(torch.arange(slots) * 0.01) * 2)
    excitation, phase, last = Excitation(), torch.zeros(1, 1), torch.zeros(1, 1)
    for first in range(0, slots, 11):
        _, phase, last = excitation(pitch[None, first : first + 11], phase, last)
    before = torch.cat([pitch[:1], pitch[:-1]])
    steps = torch.round((before + pitch) * (0.5 * SLOT_SAMPLES / SAMPLE_RATE * 2.0**19)).to(torch.int64)
    exact = int(steps.sum()) % 2**19
    assert phase.item() * 2**19 == exact
    true_cycles = ((before.double() + pitch.double()) * 0.5 * SLOT_SAMPLES / SAMPLE_RATE).sum()
    cents = 1200 * abs(np.log2(float(steps.sum()) / 2**19 / float(true_cycles)))
    assert cents < 0.01


def test_a_fresh_voice_starts_at_its_own_pitch():
    pitch = torch.tensor([[300.0, 330.0]])
    fresh, _, _ = Excitation()(pitch, torch.zeros(1, 1), torch.zeros(1, 1))
    steady, _, _ = Excitation()(pitch, torch.zeros(1, 1), torch.tensor([[300.0]]))
    assert torch.equal(fresh, steady)


def test_a_partial_that_enters_in_a_glide_makes_no_step():
    """Through 23520 / 4 Hz the fourth partial enters; the pulse changes by no more than it does elsewhere."""
    pitch = torch.linspace(5950.0, 5800.0, 75)[None]
    pulse, _, _ = Excitation()(pitch, torch.zeros(1, 1), torch.zeros(1, 1))
    quarter = pulse.reshape(-1)
    middle = 128 * 35
    rough = torch.diff(quarter, n=4).abs()
    assert rough[middle - 256 : middle + 256].max() < 1.05 * torch.cat([rough[:2048], rough[-2048:]]).max()


@pytest.mark.parametrize("hertz", [0.0, 8.0, 27.5, 5879.9999, 5880.0, 12000.0, 20000.0, 1e9, -5.0])
def test_every_pitch_gives_finite_sound(hertz):
    signal = held(hertz, 64)
    assert np.isfinite(signal).all() and np.abs(signal).max() < 80
