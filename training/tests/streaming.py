"""Helpers for the tests of streaming models: random inputs, and runs in parts."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from echoel_training.decoder import LATENT_SIZE, SLOT_FRAMES, Decoder
from echoel_training.pqmf import BANDS


def random_inputs(batch: int, slots: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Latents, gliding pitches from 30 Hz to 4 kHz, and unit uniform noise."""
    generator = torch.Generator().manual_seed(seed)
    latent = torch.randn(batch, LATENT_SIZE, slots, generator=generator)
    start = torch.rand(batch, 1, 1, generator=generator) * 7
    glide = torch.randn(batch, 1, slots, generator=generator).cumsum(-1) * 0.02
    pitch = 30.0 * 2.0 ** (start + glide)
    noise = (torch.rand(batch, BANDS, slots * SLOT_FRAMES, generator=generator) * 2 - 1) * math.sqrt(3)
    return latent, pitch, noise


def run_in_parts(run, inputs: tuple[Tensor, Tensor, Tensor], states, parts: list[int]) -> tuple[Tensor, list[Tensor]]:
    """Runs slices of ``parts`` slots one after the other, states carried: the joined audio and the last states."""
    latent, pitch, noise = inputs
    audio, first = [], 0
    for slots in parts:
        last = first + slots
        out = run(
            latent[:, :, first:last].contiguous(),
            pitch[:, :, first:last].contiguous(),
            noise[:, :, first * SLOT_FRAMES : last * SLOT_FRAMES].contiguous(),
            *states,
        )
        audio.append(out[0])
        states = list(out[1:])
        first = last
    return torch.cat(audio, dim=-1), list(states)


def decoder_with_loud_films(seed: int = 3) -> Decoder:
    """A decoder whose every path matters: random weights, larger than at the start of training."""
    torch.manual_seed(seed)
    decoder = Decoder().eval()
    with torch.no_grad():
        decoder.films.weight.mul_(3.0)
    return decoder
