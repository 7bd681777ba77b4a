"""All that is not tonal, from hammer and bow to breath: 16 bands of noise that a network shapes.

Residual dilated causal convolutions under scales and shifts from outside (FiLM, Perez et al. 2018), and a gain per band.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .layers import CausalConvolution, Taps, last_frames
from .operators import Operator
from .pqmf import BANDS, Synthesis

SLOPE = 0.2
"""Negative slope of the leaky rectifiers."""

QUIETEST, LOUDEST = -14.0, 2.0
"""Natural logarithms: the range of a partial's amplitude and of a noise band's gain."""


class ResidualBlock(nn.Module):
    """The weights of x + mix(leaky(scale · dilated(leaky(x)) + shift))."""

    def __init__(self, channels: int, dilation: int, longest: int) -> None:
        super().__init__()
        self.dilated = CausalConvolution(channels, channels, dilation=dilation, bias=False, longest=longest)
        self.mix = nn.Linear(channels, channels)


class ShapedNoise(Operator):
    """Noise ``[B, T, 16]`` and, at each slot's start and at the last one's end, what shapes it (``films [B, K+1, W]``) to
    signal frames ``[B, T, 16]``; T is a slot's frames times K. A film is a scale and a shift per block and channel, and the
    logarithm of each band's gain; between slots' ends it goes on a line.

    Three states: the input before, ``entered [B, 2, 16]``; what the convolutions remember, ``remembered [B, M, C]``; and
    the bands before, ``synthesised [B, 15, 16]``.
    """

    INPUTS = {
        "noise": {0: "batch", 1: "8*slots"},
        "films": {0: "batch", 1: "slots+1"},
        "entered": {0: "batch"},
        "remembered": {0: "batch"},
        "synthesised": {0: "batch"},
        "input_weight": {},  # [3 · 16, C]
        "input_bias": {},  # [C]
        "dilated_weight": {},  # [blocks, 3 · C, C]
        "mix_weight": {},  # [blocks, C, C]
        "mix_bias": {},  # [blocks, C]
        "output_weight": {},  # [3 · C, 16]
        "output_bias": {},  # [16]
        "dilations": {},  # [blocks], whole numbers
        "synthesis_matrix": {},  # [16 · 16, 16]
    }
    OUTPUTS = ("samples", "next_entered", "next_remembered", "next_synthesised")

    def __init__(self, channels: int, dilations: tuple[int, ...], slot_frames: int, longest: int) -> None:
        super().__init__()
        frames = longest * slot_frames
        self.input = CausalConvolution(BANDS, channels, longest=frames)
        self.blocks = nn.ModuleList(ResidualBlock(channels, dilation, frames) for dilation in dilations)
        self.output = CausalConvolution(channels, BANDS, longest=frames)
        self.synthesis = Synthesis(longest=frames)
        self.ends = Taps(2, longest=longest)
        # Per block a scale and a shift, and the logarithm of one gain per band.
        self.film_widths = [channels] * (2 * len(dilations)) + [BANDS]
        self.memories = [block.dilated.memory for block in self.blocks] + [self.output.memory]
        ramp = (torch.arange(slot_frames, dtype=torch.float32) + 1) / slot_frames
        self.register_buffer("ramp", torch.stack([1.0 - ramp, ramp], dim=-1), persistent=False)
        self.register_buffer("dilations", torch.tensor(dilations, dtype=torch.float32), persistent=False)

    def neutral(self) -> Tensor:
        """A film that leaves the channels as they are, with quiet bands: ``[W]``."""
        widths = self.film_widths
        parts = [torch.full((width,), 1.0 - index % 2) for index, width in enumerate(widths[:-1])]
        return torch.cat([*parts, torch.full((BANDS,), -7.0)])

    def weights(self) -> tuple[Tensor, ...]:
        mixes = [block.mix for block in self.blocks]
        return (
            self.input.mix.weight.T,
            self.input.mix.bias,
            torch.stack([block.dilated.mix.weight.T for block in self.blocks]),
            torch.stack([mix.weight.T for mix in mixes]),
            torch.stack([mix.bias for mix in mixes]),
            self.output.mix.weight.T,
            self.output.mix.bias,
            self.dilations,
            self.synthesis.matrix,
        )

    def shapes(self, noise: Tensor, films: Tensor, *others: Tensor) -> tuple:
        return (noise.shape, *(state.shape for state in others[:3]))

    def meaning(self, noise, films, entered, remembered, synthesised, *weights) -> tuple[Tensor, ...]:
        into, into_bias, dilated, mix, mix_bias, out, out_bias, _, matrix = weights
        memories = list(torch.split(remembered, self.memories, dim=1))
        films = self._between(films)
        history = torch.cat([entered, noise], dim=1)
        x, entered = self.input.taps(history) @ into + into_bias, last_frames(history, self.input.memory)
        for index, block in enumerate(self.blocks):
            history = torch.cat([memories[index], F.leaky_relu(x, SLOPE)], dim=1)
            memories[index] = last_frames(history, block.dilated.memory)
            hidden = (block.dilated.taps(history) @ dilated[index]) * films[2 * index] + films[2 * index + 1]
            x = x + F.leaky_relu(hidden, SLOPE) @ mix[index] + mix_bias[index]
        history = torch.cat([memories[-1], F.leaky_relu(x, SLOPE)], dim=1)
        memories[-1] = last_frames(history, self.output.memory)
        bands = (self.output.taps(history) @ out + out_bias) * torch.exp(films[-1].clamp(QUIETEST, LOUDEST))
        samples, synthesised = self.synthesis(bands, synthesised, matrix)
        return samples, entered, torch.cat(memories, dim=1), synthesised

    def _between(self, films: Tensor) -> list[Tensor]:
        """Draws a line from each slot's start to its end over its frames: one ``[B, T, width]`` per entry of
        ``film_widths``."""
        ends = self.ends(films).unflatten(-1, (2, -1))
        return list(torch.split((self.ramp @ ends).flatten(1, 2), self.film_widths, dim=-1))
