"""Levels that move by themselves: as deep and as fast as they say, each partial's its own, whatever the slices."""

import math

import pytest
import torch

from echoel_training.partials import SAMPLE_RATE, SLOT_SAMPLES
from echoel_training.shimmer import DEEPEST, SHIMMER_HERTZ, SHIMMERING, Shimmer

SLOTS = 6000


def shimmer(depths):
    """One whose three noises are so deep (nepers), whatever the control."""
    made = Shimmer(4)
    with torch.no_grad():
        made.depth.weight.zero_()
        made.depth.bias.copy_(torch.log(torch.tensor(depths)).repeat_interleave(SHIMMERING))
    return made


def noise(slots, seed=0):
    return (torch.rand(1, slots, SHIMMERING, generator=torch.Generator().manual_seed(seed)) * 2 - 1) * math.sqrt(3)


@torch.no_grad()
def run(made, values, slots=16):
    drives, parts = Shimmer.drives(values), []
    state = made.beginning(drives)
    for first in range(0, values.shape[1], slots):
        some = drives[:, :, first : first + slots]
        part, state = made(torch.zeros(1, some.shape[2], 4), some, state)
        parts.append(part)
    return torch.cat(parts, dim=1)[0]


@pytest.mark.parametrize("walk", range(len(SHIMMER_HERTZ)))
def test_a_walk_is_as_deep_and_as_fast_as_it_says(walk):
    depths = [1e-6] * 3
    depths[walk] = 0.4
    moved = run(shimmer(depths), noise(SLOTS))
    moved = moved - moved.mean()
    kept = math.exp(-2 * math.pi * SHIMMER_HERTZ[walk] * SLOT_SAMPLES / SAMPLE_RATE)  # from slot to slot
    # Half-way between two slots a walk spreads less, and is left a little longer.
    assert moved.std().item() == pytest.approx(0.4 * math.sqrt((1 + kept) / 2), rel=0.05)
    slots = max(1, round(-1 / math.log(kept)))
    left = (moved[slots:] * moved[:-slots]).mean() / moved.square().mean()
    assert left.item() == pytest.approx(kept ** (slots - 1) * (1 + kept) / 2, abs=0.05)


def test_partials_move_each_by_itself():
    moved = run(shimmer([0.2, 0.2, 0.2]), noise(SLOTS))
    moved = (moved - moved.mean(dim=0)) / moved.std(dim=0)
    together = (moved.T @ moved / len(moved)).fill_diagonal_(0).abs()
    assert together.median() < 0.1 and together.max() < 0.6  # some share two of three noises


def test_the_mean_power_stays():
    for depth in (0.1, 0.3):
        power = torch.exp(2 * run(shimmer([depth] * 3), noise(SLOTS))).mean().item()
        assert power == pytest.approx(1.0, rel=0.05)


def test_a_new_note_begins_as_it_goes_on():
    """Not at rest: the spread over many notes' first slots is that of later ones."""
    firsts = torch.cat([run(shimmer([0.3, 0.3, 0.3]), noise(40, seed)) [[0, 39]][None] for seed in range(60)])
    assert firsts[:, 0].std().item() == pytest.approx(firsts[:, 1].std().item(), rel=0.25)


def test_slices_do_not_matter():
    values = noise(48)
    torch.testing.assert_close(run(shimmer([0.3] * 3), values, 1), run(shimmer([0.3] * 3), values, 16), rtol=0, atol=1e-5)


def test_no_control_makes_it_deeper_than_it_may_be():
    made = shimmer([1e9] * 3)
    assert run(made, noise(16)).abs().max() < 3 * (DEEPEST * 6 + DEEPEST**2)
