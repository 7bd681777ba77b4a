"""The bank of partials: each on its frequency, at its amplitude, without aliases, steps or drift."""

import math

import numpy as np
import pytest
import torch

from echoel_training.inharmonicity import partial_hertz
from echoel_training.partials import (
    PHASE_STEPS,
    PITCH_BETWEEN_LAYERS,
    SAMPLE_RATE,
    SLOT_SAMPLES,
    PartialBank,
    Tuning,
    audible,
    detune_code,
    detune_ratio,
    inharmonicity_code,
)


def render(pitch, amplitude, inharmonicity=0.0, count=12, parts=None):
    """A note of constant ``amplitude [count]`` at ``pitch [slots]`` in Hz, in runs of ``parts`` slots."""
    bank = PartialBank(count)
    pitch = torch.as_tensor(pitch, dtype=torch.float32)[None]
    b = torch.full_like(pitch, inharmonicity)
    start = bank.frequencies(torch.cat([pitch[:, :1], pitch[:, :-1]], dim=1), b, torch.zeros_like(b))
    end = bank.frequencies(pitch, b, torch.zeros_like(b))
    level = torch.as_tensor(amplitude, dtype=torch.float32).expand(1, pitch.shape[1], count) * audible(end)
    before, phase, audio, first = torch.zeros(1, count), torch.zeros(1, count), [], 0
    for slots in parts or [pitch.shape[1]]:
        some = slice(first, first + slots)
        part, phase = bank(torch.stack([start, end], dim=2)[:, some], level[:, some], before, phase)
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
        # Each slot begins where its phase is, in steps of 2^-19 cycles.
        slot = np.arange(1, 400).repeat(SLOT_SAMPLES)
        cycles = np.round(hertz * SLOT_SAMPLES / SAMPLE_RATE * PHASE_STEPS) / PHASE_STEPS * slot
        within = time + SLOT_SAMPLES / SAMPLE_RATE - slot * SLOT_SAMPLES / SAMPLE_RATE
        audio = audio - level * np.cos(2 * np.pi * (cycles + hertz * within))
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
    hertz = bank.frequencies(torch.full((1, 16), 441.7), torch.zeros(1, 16), torch.zeros(1, 16))
    step = np.round(hertz[0, 0].double().numpy() * (SLOT_SAMPLES / SAMPLE_RATE) * 2**19) / 2**19
    for _ in range(1000):
        _, phase = bank(still(hertz), torch.zeros(1, 16, 3), torch.zeros(1, 3), phase)
    expected = (step * 16_000) % 1
    assert np.abs((phase[0].numpy() - expected + 0.5) % 1 - 0.5).max() < 1e-9


def test_codes_have_their_inverse():
    inharmonicity, cents = torch.tensor([0.0, 4e-5, 7e-3]), torch.tensor([-27.0, 0.0, 7.5])
    codes = torch.stack([detune_code(cents), detune_code(-cents), inharmonicity_code(inharmonicity)], dim=-1)
    vibrato, detune, stiffness = (told[:, 0] for told in Tuning()(codes))
    torch.testing.assert_close(stiffness, inharmonicity, rtol=1e-4, atol=1e-9)
    torch.testing.assert_close(1200 * torch.log2(1 + vibrato), cents, rtol=1e-3, atol=1e-3)
    assert torch.equal(detune_ratio(detune_code(-cents)), detune)
    assert Tuning()(torch.tensor([1e9, -1e9, -3.0]))[2].item() == 0
    widest = [told.item() for told in Tuning()(torch.tensor([1e9, -1e9, 1e9]))]
    assert widest == pytest.approx([2 ** (100 / 1200) - 1, 2 ** (-100 / 1200) - 1, 1e-5 * (math.exp(8) - 1)], rel=1e-4)


def still(hertz):
    """Frequencies that stay within each slot."""
    return torch.stack([hertz, hertz], dim=2)


def layered(first, across, along, cents, slots=750):
    """Two partials of 440 Hz at ``first``, and both a second time, ``cents`` apart, at ``across + i along``."""
    bank, pitch = PartialBank(2, 2), torch.full((1, slots), 440.0)
    ratio = detune_ratio(detune_code(torch.full((1, slots), cents)))
    hertz = bank.frequencies(pitch, torch.zeros(1, slots), ratio)
    level = torch.tensor([*first, *across, *along]).expand(1, slots, 6)
    audio, phase = bank(still(hertz), level, level[:, 0], torch.zeros(1, bank.lines))
    assert audio.shape == (1, slots, SLOT_SAMPLES) and phase.shape == (1, 4)
    return audio.flatten().numpy().astype(np.float64)


def test_layers_beat_at_their_difference():
    """7.5 cents apart at 440 Hz is 1.91 Hz, and 3.82 Hz for partial 2; each layer has its own amplitude and phase."""
    audio = layered(first=(0.5, 0.25), across=(0.3, 0.0), along=(0.0, 0.2), cents=7.5)
    time, ratio = np.arange(len(audio)) / SAMPLE_RATE, 2 ** (7.5 / 1200)
    turns = 2 * np.pi * 440.0 * (1 - PITCH_BETWEEN_LAYERS * (ratio - 1)) * time  # the pitch lies between the layers
    expected = 0.5 * np.cos(turns) + 0.25 * np.cos(2 * turns) + 0.3 * np.cos(ratio * turns) - 0.2 * np.sin(2 * ratio * turns)
    assert np.abs(audio - expected).max() < 5e-3


def test_stiff_strings_beat_partial_by_partial():
    """Slowly, each partial at its own rate, some up and some down, and the first by less than 1.1 cents."""
    bank = PartialBank(80, 80)
    for pitch in (41.2, 440.0, 3000.0):
        hertz = bank.frequencies(torch.full((1, 1), pitch), torch.full((1, 1), 1e-4), torch.zeros(1, 1))[0, 0]
        apart = hertz[80:] - hertz[:80]
        assert apart.abs().max() <= 1.5 and (apart.abs() <= 0.0021 * hertz[:80]).all() and apart.abs().min() > 0.01
        assert 20 < (apart > 0).sum() < 60
        assert 1200 * abs(math.log2(hertz[80] / hertz[0])) < 1.1
    for ratio in (0.0, 1e-3):
        layers = bank.frequencies(torch.full((1, 1), 440.0), torch.zeros(1, 1), torch.full((1, 1), ratio))[0, 0]
        torch.testing.assert_close(layers[80:], (1 + ratio) * layers[:80])


def test_layers_that_cancel_leave_no_corner():
    """Two equal layers pass through silence without a kink: the second difference is that of their frequency."""
    audio = layered(first=(0.5, 0.0), across=(0.5, 0.0), along=(0.0, 0.0), cents=7.5)
    second = np.abs(np.diff(audio, 2))
    place = (np.arange(len(second)) + 1) % SLOT_SAMPLES
    at_boundary = (place == 0) | (place == SLOT_SAMPLES - 1)
    assert second[at_boundary].max() <= 1.01 * second[~at_boundary].max()
    assert (second[at_boundary] ** 2).mean() == pytest.approx((second[~at_boundary] ** 2).mean(), rel=0.02)


def test_gradients_are_those_of_the_sum():
    """Training takes another way through the bank than playing: the same samples, and autograd's own gradients."""
    bank, generator = PartialBank(5, 3), torch.Generator().manual_seed(4)
    pitch = 200 + 50 * torch.rand(2, 41, generator=generator)
    hertz = bank.frequencies(pitch, torch.full_like(pitch, 3e-4), torch.full_like(pitch, 4e-3))
    hertz = torch.stack([hertz[:, :-1], hertz[:, 1:]], dim=2)
    level, before = torch.rand(2, 40, 11, generator=generator), torch.rand(2, 11, generator=generator)
    phase, weights = torch.rand(2, 8, generator=generator), torch.randn(2, 40, SLOT_SAMPLES, generator=generator)
    level.requires_grad_(True), before.requires_grad_(True)
    audio, _ = bank(hertz, level, before, phase)
    (audio * weights).sum().backward()
    with torch.no_grad():
        torch.testing.assert_close(bank(hertz, level, before, phase)[0], audio.detach())
        for row, slot, line in ((0, 0, 0), (1, 17, 4), (0, 39, 6), (1, 8, 9)):
            nudged = level.clone()
            nudged[row, slot, line] += 1.0  # the sum is linear in the amplitudes
            change = ((bank(hertz, nudged, before, phase)[0] - audio) * weights).sum()
            assert change.item() == pytest.approx(level.grad[row, slot, line].item(), rel=1e-3, abs=1e-3)
        nudged = before.clone()
        nudged[1, 7] += 1.0
        change = ((bank(hertz, level, nudged, phase)[0] - audio) * weights).sum()
        assert change.item() == pytest.approx(before.grad[1, 7].item(), rel=1e-3, abs=1e-3)


def test_lines_that_began_together_are_where_they_were_told_to_be():
    """Two seconds into a note, the second lines stand to the first as the bank itself has brought them there."""
    bank, slots = PartialBank(6, 6), 750
    for inharmonicity, ratio in ((3e-4, 0.0), (0.0, 4e-3)):
        told = (torch.full((1, slots), each) for each in (440.0, inharmonicity, ratio))
        hertz = bank.frequencies(*told)
        _, phase = bank(still(hertz), torch.zeros(1, slots, 18), torch.zeros(1, 18), torch.zeros(1, 12))
        expected = phase[0, 6:] - phase[0, :6]
        seconds = torch.tensor([slots * SLOT_SAMPLES / SAMPLE_RATE])
        found = bank.phases_after(seconds, *(torch.tensor([each]) for each in (440.0, inharmonicity, ratio)))[0]
        assert not found[:6].any() and found[6:].abs().max() > 0.1
        off = found[6:] - expected
        assert (off - torch.round(off)).abs().max() < 3e-3
