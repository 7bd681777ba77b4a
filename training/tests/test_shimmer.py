"""Levels that move by themselves: as deep and as fast as they say, each partial's its own, whatever the slices."""

import math

import pytest
import torch

from echoel_training.partials import SAMPLE_RATE, SLOT_SAMPLES
from echoel_training.shimmer import BROAD_PARTIALS, HIGHEST, SHIMMER_HERTZ, SHIMMERING, Shimmer

SLOTS = 8000
NOISES = len(SHIMMER_HERTZ)
SILENT = [1e-6] * NOISES


def only(place, depth=0.4):
    """How deep the noises are, in nepers: one of them."""
    return [*SILENT[:place], depth, *SILENT[place + 1 :]]


def noise(slots, seed=0):
    return (torch.rand(1, slots, SHIMMERING, generator=torch.Generator().manual_seed(seed)) * 2 - 1) * math.sqrt(3)


@torch.no_grad()
def run(depths, values, slots=16):
    """A new voice's, with noises so deep."""
    made, pitch, parts = Shimmer(slots), torch.zeros(1, 1), []
    state = torch.full((1, *Shimmer.state_shape()), float("nan"))  # a new voice has none
    depth = torch.log(torch.tensor(depths)).repeat_interleave(SHIMMERING)
    for first in range(0, values.shape[1], slots):
        some = values[:, first : first + slots]
        part, state = made(depth.expand(1, some.shape[1], -1), some, pitch, state)
        pitch = torch.full((1, 1), 220.0)
        parts.append(part)
    return torch.cat(parts, dim=1)[0]


@pytest.mark.parametrize("place", range(NOISES))
def test_a_walk_is_as_deep_and_as_fast_as_it_says(place):
    moved = run(only(place), noise(SLOTS))
    moved = moved - moved.mean()
    assert moved.std().item() == pytest.approx(0.4, rel=0.06)
    pole = 2 * math.pi * SHIMMER_HERTZ[place] * SLOT_SAMPLES / SAMPLE_RATE
    for slots in {max(1, round(0.5 / pole)), max(1, round(1 / pole))}:
        # The autocorrelation of white noise through two equal poles.
        kept = math.exp(-pole)
        expected = kept**slots * (1 + slots * (1 - kept**2) / (1 + kept**2))
        left = (moved[slots:] * moved[:-slots]).mean() / moved.square().mean()
        assert left.item() == pytest.approx(expected, abs=0.05)


def test_a_slow_walk_has_no_corners():
    """From slot to slot it goes on almost as it went: its second differences are far smaller than its first. Those of
    white noise through one filter would be greater."""
    moved = run(only(0), noise(SLOTS))
    first = moved.diff(dim=0)
    assert first.diff(dim=0).std() < 0.5 * first.std()


def test_partials_move_each_by_itself():
    moved = run([0.2, 0.2, 0.2, 1e-6], noise(SLOTS))
    moved = (moved - moved.mean(dim=0)) / moved.std(dim=0)
    together = (moved.T @ moved / len(moved)).fill_diagonal_(0).abs()
    assert together.median() < 0.1 and together.max() < 0.6  # some share two of three noises


def test_neighbours_share_the_broad_noise():
    moved = run(only(NOISES - 1), noise(SLOTS))
    moved = (moved - moved.mean(dim=0)) / moved.std(dim=0)
    together = (moved.T @ moved / len(moved)).abs()
    assert together.diagonal(1).mean().item() == pytest.approx(1 - 1 / BROAD_PARTIALS, abs=0.05)
    assert together.diagonal(2 * BROAD_PARTIALS).mean() < 0.15


def test_the_mean_power_stays():
    for depth in (0.1, 0.3):
        power = torch.exp(2 * run([depth] * NOISES, noise(SLOTS))).mean().item()
        assert power == pytest.approx(1.0, rel=0.06)


@pytest.mark.parametrize("place", range(NOISES))
def test_a_new_note_begins_as_it_goes_on(place):
    """Not at rest: over many notes, levels and steps spread at the start as they do later."""
    notes = torch.stack([run(only(place), noise(42, seed))[[0, 1, 40, 41]] for seed in range(100)])
    assert notes[:, 0].std().item() == pytest.approx(0.4, rel=0.06)
    assert (notes[:, 1] - notes[:, 0]).std().item() == pytest.approx((notes[:, 3] - notes[:, 2]).std().item(), rel=0.1)


def test_slices_do_not_matter():
    values, depths = noise(48), [0.3] * NOISES
    torch.testing.assert_close(run(depths, values, 1), run(depths, values, 16), rtol=0, atol=1e-5)


def test_no_control_makes_it_louder_than_it_may_be():
    assert run([1e9] * NOISES, noise(400)).max() == HIGHEST
