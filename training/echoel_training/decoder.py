"""The streaming decoder: partials of a given pitch, and noise shaped by a multiband network.

Latents, pitch and noise per slot of 128 samples become audio. The latent and the pitch make one control vector per
slot. It sets the amplitude of every partial, as a spectral envelope over frequency and a part of its own for the
lowest ones (Serra & Smith 1990; Engel et al. 2020), and how much it moves by itself: what is tonal is on its partials,
and nowhere else. All the rest, from hammer and bow to breath, is 16 bands of noise that residual dilated causal
convolutions shape under the control's scales and shifts (FiLM, Perez et al. 2018) and a PQMF joins (RAVE, Caillon &
Esling 2021).

Time inside: 8 frames of 16 samples per slot. Tensors are ``[batch, frames, channels]``.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .layers import CausalConvolution, Taps
from .partials import HIGHEST_HERTZ, LOWEST_HERTZ, SAMPLE_RATE, SLOT_SAMPLES, PartialBank, Tuning, audible
from .pqmf import BANDS, DELAY_SAMPLES, Synthesis
from .shimmer import SHIMMERING, Shimmer

LATENT_SIZE = 128
VIBRATO_CHANNEL, DETUNE_CHANNEL, INHARMONICITY_CHANNEL = 125, 126, 127
"""The channels of the latent that say how far the note is above its pitch at this instant (vibrato), how far apart two
layers are tuned, and how inharmonic the note is; see ``partials.Tuning``. The last two belong to the whole note."""

FREE_CHANNELS = VIBRATO_CHANNEL
"""The channels before those: what the networks agree upon."""

SLOT_FRAMES = SLOT_SAMPLES // BANDS
MAXIMUM_SLOTS = 16
"""Of an exported decoder's run."""
SLOPE = 0.2
"""Negative slope of the leaky rectifiers."""

REFERENCE_HERTZ = 261.6255653
ENVELOPE_HERTZ = 700.0
"""The envelope's points are equally far apart in log(1 + f / ENVELOPE_HERTZ), as mels are."""

OWN_PARTIALS = 80
"""So many of the lowest partials have an amplitude of their own, besides the envelope's, and a second line: that of a
layer that is tuned apart, or of a piano's other strings."""

STRONGEST_STRING, STRONGEST_LAYER = 0.7, 100.0
"""Of a second line against the first. Two strings that were as loud would not only beat but leave the note's pitch."""

QUIETEST, LOUDEST = -14.0, 2.0
"""Natural logarithms: the range of a partial's amplitude and of a noise band's gain."""


@dataclass(frozen=True)
class DecoderShape:
    """Sizes of a decoder."""

    partials: int = 160
    envelope: int = 72
    control: int = 96
    channels: int = 48
    dilations: tuple[int, ...] = (1, 3, 9, 27)

    def as_dict(self) -> dict:
        return asdict(self)


class ResidualBlock(nn.Module):
    """x + mix(leaky(scale · dilated(leaky(x)) + shift)), with scale and shift ``[B, T, C]`` from outside."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        longest = MAXIMUM_SLOTS * SLOT_FRAMES
        self.dilated = CausalConvolution(channels, channels, taps=3, dilation=dilation, bias=False, longest=longest)
        self.mix = nn.Linear(channels, channels)

    def forward(self, x: Tensor, scale: Tensor, shift: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        hidden, state = self.dilated(F.leaky_relu(x, SLOPE), state)
        return x + self.mix(F.leaky_relu(hidden * scale + shift, SLOPE)), state


class Control(nn.Module):
    """Free latent channels ``[B, K, 125]`` and pitch ``[B, K, 1]`` to one control vector per slot ``[B, K, control]``."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.first = nn.Linear(FREE_CHANNELS + 2, size)
        self.second = nn.Linear(size, size)

    def forward(self, latent: Tensor, pitch: Tensor) -> Tensor:
        octaves = torch.log2(pitch * (1.0 / REFERENCE_HERTZ)) * 0.5
        hidden = F.leaky_relu(self.first(torch.cat([latent, octaves, octaves * octaves], dim=-1)), SLOPE)
        return hidden + F.leaky_relu(self.second(hidden), SLOPE)


class Amplitudes(nn.Module):
    """Control ``[B, K, control]``, the partials' frequencies ``[B, K, P]``, the shimmer of the lowest ones
    ``[B, K, 128]`` and how strong at most the bank's second lines are against the first (``strongest [B, K, 1]``) to the
    amplitudes of the bank's lines, ``[B, K, P + 160]``."""

    def __init__(self, shape: DecoderShape) -> None:
        super().__init__()
        self.points, self.partials = shape.envelope, shape.partials
        self.envelope = nn.Linear(shape.control, shape.envelope)
        self.own = nn.Linear(shape.control, 3 * OWN_PARTIALS)
        with torch.no_grad():
            self.envelope.bias.fill_(-6.0)
            self.own.weight.mul_(0.1)
            self.own.bias.zero_()
        self.scale = (shape.envelope - 1) / math.log1p(SAMPLE_RATE / 2 / ENVELOPE_HERTZ)

    def forward(self, control: Tensor, hertz: Tensor, shimmer: Tensor, strongest: Tensor) -> Tensor:
        points = self.envelope(control)
        place = (torch.log1p(hertz * (1.0 / ENVELOPE_HERTZ)) * self.scale).clamp(0.0, self.points - 1.001)
        below = torch.floor(place)
        index = below.to(torch.int64)
        low = torch.gather(points, 2, index)
        high = torch.gather(points, 2, index + 1)
        own, across, along = torch.split(self.own(control), OWN_PARTIALS, dim=-1)
        level = low + (high - low) * (place - below) + F.pad(own, (0, self.partials - OWN_PARTIALS))
        level = level.clamp(QUIETEST, LOUDEST) + F.pad(shimmer, (0, self.partials - SHIMMERING))
        amplitude = torch.exp(level) * audible(hertz)
        # The second line's complex amplitude is across + i along times the first's; their powers' sum stays.
        kept = (strongest * torch.rsqrt(across * across + along * along + 1e-9)).clamp(max=1.0)
        across, along = across * kept, along * kept
        doubled = amplitude[..., :OWN_PARTIALS] * torch.rsqrt(1.0 + across * across + along * along)
        return torch.cat([doubled, amplitude[..., OWN_PARTIALS:], doubled * across, doubled * along], dim=-1)


class Decoder(nn.Module):
    """``latent [B, 128, K]``, ``pitch [B, 1, K]`` in Hz, ``noise [B, 16, 8K]`` of unit variance and nine states
    to ``audio [B, 1, 128K]``, late by 128 samples, and the next states. Zero states are a fresh voice."""

    STATES = ("phase", "pitch", "amplitude", "shimmer", "partials", "control", "input", "blocks", "synthesis")
    DELAY_SAMPLES = DELAY_SAMPLES

    def __init__(self, shape: DecoderShape = DecoderShape()) -> None:
        super().__init__()
        self.shape = shape
        channels = shape.channels
        self.control = Control(shape.control)
        self.amplitudes = Amplitudes(shape)
        frames = MAXIMUM_SLOTS * SLOT_FRAMES
        self.tuning = Tuning()
        self.shimmer = Shimmer(shape.control, longest=MAXIMUM_SLOTS)
        self.bank = PartialBank(shape.partials, OWN_PARTIALS, longest=MAXIMUM_SLOTS)
        self.input = CausalConvolution(BANDS, channels, longest=frames)
        self.blocks = nn.ModuleList(ResidualBlock(channels, dilation) for dilation in shape.dilations)
        self.output = CausalConvolution(channels, BANDS, longest=frames)
        self.synthesis = Synthesis(longest=frames)
        self.ends = Taps(2, longest=MAXIMUM_SLOTS)
        # Per block a scale and a shift, and the logarithm of one gain per band.
        self.film_widths = [channels] * (2 * len(shape.dilations)) + [BANDS]
        self.film = nn.Linear(shape.control, sum(self.film_widths))
        with torch.no_grad():
            self.film.bias.zero_()
            for block in range(len(shape.dilations)):
                self.film.bias[2 * block * channels : (2 * block + 1) * channels] = 1.0
            self.film.bias[-BANDS:] = -7.0
        ramp = (torch.arange(SLOT_FRAMES, dtype=torch.float32) + 1) / SLOT_FRAMES
        self.register_buffer("ramp", torch.stack([1.0 - ramp, ramp], dim=-1), persistent=False)
        self.block_memories = [block.dilated.memory for block in self.blocks] + [self.output.memory]

    def state_shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each state after the batch axis."""
        return {
            "phase": (self.bank.lines,),
            "pitch": (1,),
            "amplitude": (self.bank.lines + OWN_PARTIALS,),
            "shimmer": Shimmer.state_shape(),
            "partials": (SLOT_SAMPLES,),
            "control": (self.shape.control,),
            "input": (self.input.memory, BANDS),
            "blocks": (sum(self.block_memories), self.shape.channels),
            "synthesis": (Synthesis.STATE_FRAMES, BANDS),
        }

    def fresh_states(self, batch: int, device: torch.device | None = None) -> tuple[Tensor, ...]:
        """Zero states for ``batch`` voices that start now."""
        return tuple(torch.zeros(batch, *shape, device=device) for shape in self.state_shapes().values())

    def forward(self, latent: Tensor, pitch: Tensor, noise: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        phase, last_pitch, last_amplitude, walks, late, last_control, entered, remembered, synthesised = states
        batch = latent.shape[0]
        latent, noise = latent.transpose(1, 2), noise.transpose(1, 2)
        vibrato, detune, inharmonicity = self.tuning(latent[..., VIBRATO_CHANNEL:])
        # Above 0, so that a state of 0 says that the voice is fresh.
        pitch = (pitch.transpose(1, 2) * (1.0 + vibrato)).clamp(LOWEST_HERTZ, HIGHEST_HERTZ)
        fresh = last_pitch <= 0
        control = self.control(latent[..., :FREE_CHANNELS], pitch)

        moving = noise.reshape(batch, -1, SHIMMERING)
        walks = torch.where(fresh[..., None], self.shimmer.beginning(moving[:, 0]), walks)
        shimmer, walks = self.shimmer(control, moving, walks)

        start = torch.where(fresh, pitch[:, 0], last_pitch)
        ends = self.ends(torch.cat([start[:, None], pitch], dim=1))
        hertz = self.bank.frequencies(ends, inharmonicity, detune)
        stiff, layered = ((each > 0).to(control.dtype) for each in (inharmonicity, detune.abs()))
        strongest = STRONGEST_STRING * stiff + STRONGEST_LAYER * layered
        amplitude = self.amplitudes(control, hertz[:, :, 1, : self.shape.partials], shimmer, strongest)
        bank = self.bank.as_operator if torch.compiler.is_exporting() else self.bank
        tonal, phase = bank(hertz, amplitude, last_amplitude, phase)

        films = self._films(torch.cat([last_control[:, None], control], dim=1))
        shaped, entered, remembered = self._noise(noise, films, entered, remembered)
        samples, synthesised = self.synthesis(shaped, synthesised)

        # The filter bank is late by a slot, so the partials wait for it.
        tonal = torch.cat([late[:, None], tonal], dim=1)
        audio = samples.reshape(batch, 1, -1) + tonal[:, :-1].reshape(batch, 1, -1)
        return (
            audio,
            *(phase, pitch[:, -1], amplitude[:, -1], walks, tonal[:, -1], control[:, -1]),
            *(entered, remembered, synthesised),
        )

    def _noise(self, noise: Tensor, films: list[Tensor], entered: Tensor, remembered: Tensor) -> tuple[Tensor, ...]:
        memories = list(torch.split(remembered, self.block_memories, dim=1))
        x, entered = self.input(noise, entered)
        for index, block in enumerate(self.blocks):
            x, memories[index] = block(x, films[2 * index], films[2 * index + 1], memories[index])
        shaped, memories[-1] = self.output(F.leaky_relu(x, SLOPE), memories[-1])
        return shaped * torch.exp(films[-1].clamp(QUIETEST, LOUDEST)), entered, torch.cat(memories, dim=1)

    def _films(self, controls: Tensor) -> list[Tensor]:
        """Projects K+1 slots' controls and draws a line from each slot's value to the next over its 8 frames:
        one ``[B, 8K, width]`` per entry of ``film_widths``."""
        ends = self.ends(self.film(controls)).unflatten(-1, (2, -1))
        return list(torch.split((self.ramp @ ends).flatten(1, 2), self.film_widths, dim=-1))
