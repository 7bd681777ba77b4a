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

from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .noise import SLOPE, ShapedNoise
from .partials import HIGHEST_HERTZ, LOWEST_HERTZ, SLOT_SAMPLES, Tuning
from .pqmf import BANDS, DELAY_SAMPLES, Synthesis
from .shimmer import SHIMMER_HERTZ, SHIMMERING, Shimmer
from .spectrum import OWN_PARTIALS, ShapedPartials

LATENT_SIZE = 128
VIBRATO_CHANNEL, DETUNE_CHANNEL, INHARMONICITY_CHANNEL = 125, 126, 127
"""The channels of the latent that say how far the note is above its pitch at this instant (vibrato), how far apart two
layers are tuned, and how inharmonic the note is; see ``partials.Tuning``. The last two belong to the whole note."""

FREE_CHANNELS = VIBRATO_CHANNEL
"""The channels before those: what the networks agree upon."""

SLOT_FRAMES = SLOT_SAMPLES // BANDS
MAXIMUM_SLOTS = 16
"""Of an exported decoder's run."""

REFERENCE_HERTZ = 261.6255653


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


class Decoder(nn.Module):
    """``latent [B, 128, K]``, ``pitch [B, 1, K]`` in Hz, ``noise [B, 16, 8K]`` of unit variance and nine states
    to ``audio [B, 1, 128K]``, late by 128 samples, and the next states. Zero states are a fresh voice."""

    STATES = ("phase", "pitch", "amplitude", "shimmer", "partials", "control", "input", "blocks", "synthesis")
    DELAY_SAMPLES = DELAY_SAMPLES

    def __init__(self, shape: DecoderShape = DecoderShape()) -> None:
        super().__init__()
        self.shape = shape
        self.tuning = Tuning()
        self.control = Control(shape.control)
        self.shimmer = Shimmer(MAXIMUM_SLOTS)
        self.partials = ShapedPartials(shape.partials, shape.envelope, MAXIMUM_SLOTS)
        self.noise = ShapedNoise(shape.channels, shape.dilations, SLOT_FRAMES, MAXIMUM_SLOTS)
        self.level_widths = [shape.envelope, 3 * OWN_PARTIALS, len(SHIMMER_HERTZ) * SHIMMERING]
        self.levels = nn.Linear(shape.control, sum(self.level_widths))
        self.films = nn.Linear(shape.control, sum(self.noise.film_widths))
        with torch.no_grad():
            weights, biases = (torch.split(each, self.level_widths) for each in (self.levels.weight, self.levels.bias))
            for weight, scale, bias, value in zip(weights, (1.0, 0.1, 0.3), biases, (-6.0, 0.0, -3.0)):
                weight.mul_(scale)
                bias.fill_(value)
            self.films.bias.copy_(self.noise.neutral())

    def state_shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each state after the batch axis."""
        return {
            "phase": (self.partials.bank.lines,),
            "pitch": (1,),
            "amplitude": (self.partials.levels,),
            "shimmer": Shimmer.state_shape(),
            "partials": (SLOT_SAMPLES,),
            "control": (self.shape.control,),
            "input": (self.noise.input.memory, BANDS),
            "blocks": (sum(self.noise.memories), self.shape.channels),
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
        control = self.control(latent[..., :FREE_CHANNELS], pitch)
        envelope, own, depth = torch.split(self.levels(control), self.level_widths, dim=-1)

        shimmer, walks = self.shimmer(depth, noise.reshape(batch, -1, SHIMMERING), last_pitch, walks)
        tonal, amplitude, phase = self.partials(
            pitch, inharmonicity, detune, envelope, own, shimmer, last_pitch, last_amplitude, phase
        )
        films = self.films(torch.cat([last_control[:, None], control], dim=1))
        shaped, entered, remembered, synthesised = self.noise(noise, films, entered, remembered, synthesised)

        # The filter bank is late by a slot, so the partials wait for it.
        tonal = torch.cat([late[:, None], tonal], dim=1)
        audio = shaped.reshape(batch, 1, -1) + tonal[:, :-1].reshape(batch, 1, -1)
        return (
            audio,
            *(phase, pitch[:, -1], amplitude, walks, tonal[:, -1], control[:, -1]),
            *(entered, remembered, synthesised),
        )
