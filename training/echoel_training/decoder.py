"""The streaming decoder: RAVE's multiband synthesis (Caillon & Esling 2021) driven by an explicit pitch.

Latents, pitch and noise per slot of 128 samples become audio. A harmonic excitation is made in the graph, split
into 16 bands by the PQMF, joined by 16 bands of noise, and shaped by residual dilated causal convolutions whose
features are scaled and shifted (FiLM, Perez et al. 2018) by the latents.

Time inside: 8 frames of 16 samples per slot. Tensors are ``[batch, frames, channels]``.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .excitation import SLOT_SAMPLES, Excitation
from .layers import CausalConvolution
from .pqmf import BANDS, DELAY_SAMPLES, Analysis, Synthesis

LATENT_SIZE = 128
SLOT_FRAMES = SLOT_SAMPLES // BANDS
SLOPE = 0.2
"""Negative slope of the leaky rectifiers."""

REFERENCE_HERTZ = 261.6255653


@dataclass(frozen=True)
class DecoderShape:
    """Sizes of a decoder."""

    channels: int = 64
    control: int = 64
    dilations: tuple[int, ...] = (1, 3, 9, 1, 3, 9)

    def as_dict(self) -> dict:
        return asdict(self)


class ResidualBlock(nn.Module):
    """x + mix(leaky(scale · dilated(leaky(x)) + shift)), with scale and shift ``[B, T, C]`` from outside."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.dilated = CausalConvolution(channels, channels, taps=3, dilation=dilation, bias=False)
        self.mix = nn.Linear(channels, channels)

    def forward(self, x: Tensor, scale: Tensor, shift: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        hidden, state = self.dilated(F.leaky_relu(x, SLOPE), state)
        return x + self.mix(F.leaky_relu(hidden * scale + shift, SLOPE)), state


class Control(nn.Module):
    """Latent ``[B, K, 128]`` and pitch ``[B, K, 1]`` to one control vector per slot ``[B, K, control]``."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.first = nn.Linear(LATENT_SIZE + 2, size)
        self.second = nn.Linear(size, size)

    def forward(self, latent: Tensor, pitch: Tensor) -> Tensor:
        octaves = torch.log2(pitch.clamp(min=1.0) * (1.0 / REFERENCE_HERTZ)) * 0.5
        hidden = F.leaky_relu(self.first(torch.cat([latent, octaves, octaves * octaves], dim=-1)), SLOPE)
        return F.leaky_relu(self.second(hidden), SLOPE)


class Decoder(nn.Module):
    """``latent [B, 128, K]``, ``pitch [B, 1, K]`` in Hz, ``noise [B, 16, 8K]`` of unit variance and seven states
    to ``audio [B, 1, 128K]``, late by 128 samples, and the next states. Zero states are a fresh voice."""

    STATES = ("phase", "pitch", "control", "excitation", "input", "blocks", "synthesis")
    DELAY_SAMPLES = DELAY_SAMPLES

    def __init__(self, shape: DecoderShape = DecoderShape()) -> None:
        super().__init__()
        self.shape = shape
        channels = shape.channels
        self.excitation = Excitation()
        self.analysis = Analysis()
        self.control = Control(shape.control)
        self.input = CausalConvolution(2 * BANDS, channels)
        self.blocks = nn.ModuleList(ResidualBlock(channels, dilation) for dilation in shape.dilations)
        self.output = CausalConvolution(channels, 2 * BANDS)
        self.synthesis = Synthesis()
        # Per block a scale and a shift, and one bias per band for the output's gates.
        self.film_widths = [channels] * (2 * len(shape.dilations)) + [BANDS]
        self.film = nn.Linear(shape.control, sum(self.film_widths))
        with torch.no_grad():
            self.film.bias.zero_()
            for block in range(len(shape.dilations)):
                self.film.bias[2 * block * channels : (2 * block + 1) * channels] = 1.0
        ramp = (torch.arange(SLOT_FRAMES, dtype=torch.float32) + 1) / SLOT_FRAMES
        self.register_buffer("ramp", ramp[:, None], persistent=False)
        self.block_memories = [block.dilated.memory for block in self.blocks] + [self.output.memory]

    def state_shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each state after the batch axis."""
        return {
            "phase": (1,),
            "pitch": (1,),
            "control": (self.shape.control,),
            "excitation": (Analysis.STATE_FRAMES, BANDS),
            "input": (self.input.memory, 2 * BANDS),
            "blocks": (sum(self.block_memories), self.shape.channels),
            "synthesis": (Synthesis.STATE_FRAMES, BANDS),
        }

    def fresh_states(self, batch: int, device: torch.device | None = None) -> tuple[Tensor, ...]:
        """Zero states for ``batch`` voices that start now."""
        return tuple(torch.zeros(batch, *shape, device=device) for shape in self.state_shapes().values())

    def forward(self, latent: Tensor, pitch: Tensor, noise: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        phase, last_pitch, last_control, excited, entered, remembered, synthesised = states
        batch = latent.shape[0]

        pulse, phase, last_pitch = self.excitation(pitch[:, 0], phase, last_pitch)
        bands, excited = self.analysis(pulse.reshape(batch, -1, BANDS), excited)

        control = self.control(latent.transpose(1, 2), pitch.transpose(1, 2))
        films = self._films(torch.cat([last_control[:, None], control], dim=1))
        memories = list(torch.split(remembered, self.block_memories, dim=1))

        x, entered = self.input(torch.cat([bands, noise.transpose(1, 2)], dim=-1), entered)
        for index, block in enumerate(self.blocks):
            x, memories[index] = block(x, films[2 * index], films[2 * index + 1], memories[index])
        shaped, memories[-1] = self.output(F.leaky_relu(x, SLOPE), memories[-1])
        wave, gate = torch.split(shaped, [BANDS, BANDS], dim=-1)

        samples, synthesised = self.synthesis(wave * torch.sigmoid(gate + films[-1]), synthesised)
        audio = samples.reshape(batch, 1, -1)
        return audio, phase, last_pitch, control[:, -1], excited, entered, torch.cat(memories, dim=1), synthesised

    def _films(self, controls: Tensor) -> list[Tensor]:
        """Projects K+1 slots' controls and draws a line from each slot's value to the next over its 8 frames:
        one ``[B, 8K, width]`` per entry of ``film_widths``."""
        slots = self.film(controls)
        before, now = slots[:, :-1, None], slots[:, 1:, None]
        lines = before + (now - before) * self.ramp
        lines = lines.reshape(slots.shape[0], -1, slots.shape[-1])
        return list(torch.split(lines, self.film_widths, dim=-1))
