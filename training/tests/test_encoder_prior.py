"""The encoder streams; the prior's mean settles, its movement never repeats, and both are finite."""

import numpy as np
import pytest
import torch

from echoel_training.decoder import DETUNE_CHANNEL, FREE_CHANNELS, INHARMONICITY_CHANNEL, VIBRATO_CHANNEL
from echoel_training.encoder import LATENT_SAMPLES, Encoder
from echoel_training.movement import line_weights, vibrato_weights
from echoel_training.prior import COLUMNS, Prior


@torch.no_grad()
def test_encoder_slices_equal_the_whole():
    torch.manual_seed(1)
    encoder = Encoder().eval()
    audio = torch.randn(2, 1, 8 * LATENT_SAMPLES)
    whole = encoder(audio, *encoder.fresh_states(2))[0]
    assert whole.shape == (2, 128, 8) and not whole[:, FREE_CHANNELS:].any()
    states, parts = encoder.fresh_states(2), []
    for first, last in ((0, 1), (1, 4), (4, 8)):
        part, *states = encoder(audio[:, :, first * LATENT_SAMPLES : last * LATENT_SAMPLES], *states)
        parts.append(part)
    torch.testing.assert_close(torch.cat(parts, dim=2), whole, rtol=0, atol=1e-5)
    torch.testing.assert_close(encoder.distribution(audio)[0], whole[:, :FREE_CHANNELS], rtol=0, atol=1e-6)


@torch.no_grad()
def test_encoder_hears_only_the_past():
    torch.manual_seed(2)
    encoder = Encoder().eval()
    audio = torch.randn(1, 1, 4 * LATENT_SAMPLES)
    later = audio.clone()
    later[..., 2 * LATENT_SAMPLES :] = 0
    first, second = (encoder(value, *encoder.fresh_states(1))[0] for value in (audio, later))
    torch.testing.assert_close(first[..., :2], second[..., :2], rtol=0, atol=1e-6)
    assert not torch.allclose(first[..., 2:], second[..., 2:], atol=1e-3)


def note(key=60.0, velocity=100.0, on=0.0, off=0.0, variation=0.0, temperature=0.0):
    return torch.tensor([[key, velocity, on, off, variation, temperature]])


@torch.no_grad()
@pytest.mark.parametrize("struck,settled", [(False, 8.0), (True, 120.0)])
def test_a_held_note_settles(struck, settled):
    prior = Prior(struck).eval()
    torch.testing.assert_close(prior(note(on=settled)), prior(note(on=4 * settled)), rtol=0, atol=1e-4)
    assert not torch.allclose(prior(note(on=0.01)), prior(note(on=settled)), atol=1e-3)


@torch.no_grad()
def test_a_release_starts_without_a_step():
    prior = Prior().eval()
    held, released = prior(note(on=1.0)), prior(note(on=1.0, off=1e-6))
    torch.testing.assert_close(held, released, rtol=0, atol=1e-3)
    assert not torch.allclose(held, prior(note(on=1.0, off=0.2)), atol=1e-3)


@torch.no_grad()
def test_every_finite_note_gives_finite_latents():
    prior = Prior(True).eval()
    prior.movement.normal_()
    generator = torch.Generator().manual_seed(3)
    notes = torch.randn(500, 6, generator=generator) * 10 ** (torch.rand(500, 1, generator=generator) * 60 - 30)
    assert torch.isfinite(prior(notes.clamp(-3e38, 3e38))).all()


@torch.no_grad()
def test_the_tuning_is_that_of_the_nearest_key():
    prior = Prior().eval()
    prior.tuning[60] = torch.tensor([0.75, 3.0])
    latent = prior(torch.cat([note(key=60.4), note(key=61.0)]))
    assert latent[:, DETUNE_CHANNEL].tolist() == [0.75, 0.0]
    assert latent[:, INHARMONICITY_CHANNEL].tolist() == [3.0, 0.0]


def courses(seconds=4.0, count=30):
    """Latents that move along two directions, at about 1 Hz and 5 Hz."""
    random, frames = np.random.default_rng(1), int(seconds * 23.4375)
    time = np.arange(frames) / 23.4375
    directions = np.linalg.qr(random.standard_normal((FREE_CHANNELS, 2)))[0].T
    made = []
    for _ in range(count):
        one, other = (
            np.cos(2 * np.pi * (rate * random.uniform(0.9, 1.1) * time + random.random())) for rate in (1.0, 5.0)
        )
        made.append(2.0 * one[:, None] * directions[0] + 0.5 * other[:, None] * directions[1])
    return directions, [course - course.mean(axis=0) for course in made]


@torch.no_grad()
def test_movement_is_as_strong_and_as_fast_as_what_it_was_learned_from():
    prior = Prior().eval()
    directions, made = courses()
    prior.movement[:, :FREE_CHANNELS].copy_(torch.from_numpy(line_weights(prior, made, np.random.default_rng(2))))
    on = torch.arange(20_000) / 100.0 + 5.0
    still = torch.zeros_like(on)
    rows = torch.stack([still + 60, still + 90, on, still, still + 0.3, still + 1.0], dim=1)
    latents = prior(rows)[:, :FREE_CHANNELS].numpy()
    latents = latents - latents.mean(axis=0)
    for direction, strength, rate in ((directions[0], 2.0, 1.0), (directions[1], 0.5, 5.0)):
        along = latents @ direction
        assert np.std(along) == pytest.approx(strength / np.sqrt(2), rel=0.25)
        power = np.abs(np.fft.rfft(along)) ** 2
        hertz = np.fft.rfftfreq(len(along), 0.01)
        assert np.average(hertz, weights=power) == pytest.approx(rate, rel=0.25)


@torch.no_grad()
def test_movement_never_repeats_and_differs_between_notes():
    prior = Prior().eval()
    prior.movement[:, :FREE_CHANNELS].copy_(torch.from_numpy(line_weights(prior, courses()[1], np.random.default_rng(2))))
    on = torch.arange(12_000) / 100.0 + 5.0

    def course(variation, temperature=1.0):
        still = torch.zeros_like(on)
        rows = torch.stack([still + 60, still + 90, on, still, still + variation, still + temperature], dim=1)
        latents = prior(rows)[:, :FREE_CHANNELS].numpy()
        return latents - latents.mean(axis=0)

    one, other, twice = course(0.3), course(0.6), course(0.3, 2.0)
    assert abs(np.sum(one * other) / np.sqrt(np.sum(one**2) * np.sum(other**2))) < 0.3
    np.testing.assert_allclose(twice, 2 * one, atol=2e-3)
    window = one[:2000]
    for shift in range(1000, len(one) - 2000, 10):
        part = one[shift : shift + 2000]
        assert np.sum(window * part) / np.sqrt(np.sum(window**2) * np.sum(part**2)) < 0.95, shift
    assert not course(0.3, 0.0).std() > 1e-4


@torch.no_grad()
def test_vibrato_is_as_wide_and_as_fast_as_what_it_was_learned_from():
    prior, time = Prior().eval(), np.arange(300) / 93.75
    random = np.random.default_rng(3)
    swings = [0.5 * np.cos(2 * np.pi * (random.uniform(5.0, 6.0) * time + random.random())) for _ in range(20)]
    prior.movement[:, VIBRATO_CHANNEL] = torch.from_numpy(vibrato_weights(prior, swings, random))
    on = torch.arange(20_000) / 100.0 + 5.0
    still = torch.zeros_like(on)
    latents = prior(torch.stack([still + 60, still + 90, on, still, still + 0.3, still + 1.0], dim=1)).numpy()
    course = latents[:, VIBRATO_CHANNEL]
    assert course.std() == pytest.approx(0.5 / np.sqrt(2), rel=0.25) and abs(course.mean()) < 0.02
    power = np.abs(np.fft.rfft(course)) ** 2
    assert np.average(np.fft.rfftfreq(len(course), 0.01), weights=power) == pytest.approx(5.5, rel=0.1)


def test_columns_are_named_in_order():
    assert COLUMNS == ("pitch", "velocity", "secondsOn", "secondsOff", "variation", "temperature")
