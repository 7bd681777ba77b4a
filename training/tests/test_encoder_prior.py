"""The encoder streams; the prior settles, and never depends on how long a note has been held beyond that."""

import torch

from echoel_training.encoder import LATENT_SAMPLES, Encoder
from echoel_training.prior import Prior

INSTRUMENTS = ("strings", "trumpet")


@torch.no_grad()
def test_encoder_slices_equal_the_whole():
    torch.manual_seed(1)
    encoder = Encoder().eval()
    audio = torch.randn(2, 1, 8 * LATENT_SAMPLES)
    whole = encoder(audio, *encoder.fresh_states(2))[0]
    assert whole.shape == (2, 128, 8)
    states, parts = encoder.fresh_states(2), []
    for first, last in ((0, 1), (1, 4), (4, 8)):
        part, *states = encoder(audio[:, :, first * LATENT_SAMPLES : last * LATENT_SAMPLES], *states)
        parts.append(part)
    torch.testing.assert_close(torch.cat(parts, dim=2), whole, rtol=0, atol=1e-5)
    torch.testing.assert_close(encoder.distribution(audio)[0], whole, rtol=0, atol=1e-6)


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


def note(key=60.0, velocity=100.0, on=0.0, off=0.0):
    return torch.tensor([[key, velocity, on, off, 1.0, 0.0]])


@torch.no_grad()
def test_a_held_note_settles():
    prior = Prior(INSTRUMENTS).eval()
    twenty, sixty = prior(note(on=20.0)), prior(note(on=60.0))
    torch.testing.assert_close(twenty, sixty, rtol=0, atol=1e-6)
    assert not torch.allclose(prior(note(on=0.01)), twenty, atol=1e-3)


@torch.no_grad()
def test_a_release_starts_without_a_step():
    prior = Prior(INSTRUMENTS).eval()
    held, released = prior(note(on=1.0)), prior(note(on=1.0, off=1e-6))
    torch.testing.assert_close(held, released, rtol=0, atol=1e-3)
    assert not torch.allclose(held, prior(note(on=1.0, off=0.2)), atol=1e-3)


@torch.no_grad()
def test_every_finite_note_gives_finite_latents():
    prior = Prior(INSTRUMENTS).eval()
    generator = torch.Generator().manual_seed(3)
    notes = torch.randn(500, 6, generator=generator) * 10 ** (torch.rand(500, 1, generator=generator) * 60 - 30)
    assert torch.isfinite(prior(notes.clamp(-3e38, 3e38))).all()


def test_columns_are_named_in_order():
    assert Prior(INSTRUMENTS).columns == (
        "pitch",
        "velocity",
        "secondsOn",
        "secondsOff",
        "instrument.strings",
        "instrument.trumpet",
    )
