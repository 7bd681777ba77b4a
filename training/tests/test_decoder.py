"""The decoder's streaming contract: slices, batches, resets and repeats do not change the sound."""

import random

import pytest
import torch
from echoel_training.decoder import VIBRATO_CHANNEL

from streaming import decoder_with_loud_films, random_inputs, run_in_parts

TOLERANCE = 1e-5
PHASE_TOLERANCE = 1e-3
"""A bit of the pitch, a hundred partials higher and 48 slots later."""


@pytest.fixture(scope="module")
def decoder():
    return decoder_with_loud_films()


@torch.no_grad()
@pytest.mark.parametrize("seed", range(4))
def test_random_slices_equal_runs_of_one_slot(decoder, seed):
    slots = 48
    inputs = random_inputs(2, slots, seed)
    single, states = run_in_parts(decoder, inputs, decoder.fresh_states(2), [1] * slots)
    chooser, parts = random.Random(seed), []
    while sum(parts) < slots:
        parts.append(min(chooser.randint(1, 16), slots - sum(parts)))
    sliced, sliced_states = run_in_parts(decoder, inputs, decoder.fresh_states(2), parts)
    assert single.abs().max() > 0.01
    torch.testing.assert_close(sliced, single, rtol=0, atol=TOLERANCE)
    for name, state, other in zip(decoder.STATES, states, sliced_states):
        apart = state - other
        if name == "phase":  # in cycles; a pitch that is rounded otherwise is heard in none of them
            apart = apart - torch.round(apart)
        assert apart.abs().max() <= (PHASE_TOLERANCE if name == "phase" else TOLERANCE), name


@torch.no_grad()
def test_a_voice_in_a_batch_sounds_as_alone(decoder):
    inputs = random_inputs(5, 32, 9)
    together, _ = run_in_parts(decoder, inputs, decoder.fresh_states(5), [16, 16])
    for voice in range(5):
        alone = tuple(value[voice : voice + 1] for value in inputs)
        audio, _ = run_in_parts(decoder, alone, decoder.fresh_states(1), [16, 16])
        torch.testing.assert_close(together[voice : voice + 1], audio, rtol=0, atol=TOLERANCE)


@torch.no_grad()
def test_zero_states_forget_everything(decoder):
    first, second = random_inputs(1, 16, 1), random_inputs(1, 16, 2)
    fresh, _ = run_in_parts(decoder, second, decoder.fresh_states(1), [16])
    _, used = run_in_parts(decoder, first, decoder.fresh_states(1), [16])
    carried, _ = run_in_parts(decoder, second, used, [16])
    after_reset, _ = run_in_parts(decoder, second, [torch.zeros_like(state) for state in used], [16])
    assert torch.equal(after_reset, fresh)
    assert not torch.allclose(carried, fresh, atol=1e-3)


@torch.no_grad()
def test_noise_is_heard_and_repeats(decoder):
    latent, pitch, noise = random_inputs(1, 16, 4)
    states = decoder.fresh_states(1)
    once = decoder(latent, pitch, noise, *states)[0]
    assert torch.equal(decoder(latent, pitch, noise, *states)[0], once)
    assert not torch.allclose(decoder(latent, pitch, -noise, *states)[0], once, atol=1e-4)


@torch.no_grad()
def test_the_past_does_not_see_the_future(decoder):
    """A change in slot 9 is not heard before the first sample of slot 9."""
    latent, pitch, noise = random_inputs(1, 16, 6)
    states = decoder.fresh_states(1)
    once = decoder(latent, pitch, noise, *states)[0]
    latent, pitch, noise = latent.clone(), pitch.clone(), noise.clone()
    latent[:, :, 9:] += 1.0
    pitch[:, :, 9:] *= 1.2
    noise[:, :, 72:] *= -1
    changed = decoder(latent, pitch, noise, *states)[0]
    torch.testing.assert_close(changed[..., : 9 * 128], once[..., : 9 * 128], rtol=0, atol=TOLERANCE)
    assert not torch.allclose(changed[..., 9 * 128 :], once[..., 9 * 128 :], atol=1e-3)


@torch.no_grad()
@pytest.mark.parametrize("hertz", [0.0, 8.0, 27.5, 4186.0, 12000.0, 1e6])
def test_extreme_pitches_stay_finite_for_seconds(decoder, hertz):
    latent, pitch, noise = random_inputs(1, 16, 7)
    states = decoder.fresh_states(1)
    for _ in range(24):
        audio, *states = decoder(latent, torch.full_like(pitch, hertz), noise, *states)
        assert torch.isfinite(audio).all()
    assert all(torch.isfinite(state).all() for state in states)


def test_states_have_their_declared_shapes(decoder):
    out = decoder(*random_inputs(2, 3, 8), *decoder.fresh_states(2))
    assert out[0].shape == (2, 1, 384)
    for value, shape in zip(out[1:], decoder.state_shapes().values(), strict=True):
        assert value.shape == (2, *shape)


@torch.no_grad()
def test_a_latent_bends_the_pitch_by_its_code(decoder):
    """One unit of the channel is 10 cents: the same sound as from a pitch so much higher."""
    latent, pitch, noise = random_inputs(1, 16, 11)
    latent[:, VIBRATO_CHANNEL] = 1.5
    bent = decoder(latent, pitch, noise, *decoder.fresh_states(1))[0]
    latent[:, VIBRATO_CHANNEL] = 0.0
    higher = decoder(latent, pitch * 2 ** (15 / 1200), noise, *decoder.fresh_states(1))[0]
    torch.testing.assert_close(bent, higher, rtol=0, atol=1e-3)
    assert not torch.allclose(bent, decoder(latent, pitch, noise, *decoder.fresh_states(1))[0], atol=1e-2)
