"""The streaming encoder: audio to one latent per 2048 samples (RAVE's multiband encoder, Caillon & Esling 2021).

The PQMF's 16 bands at 3000 frames/s go through causal convolutions of strides 4, 4 and 8. Training draws the
latent from a normal distribution (Kingma & Welling 2014); the exported encoder gives its mean.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .decoder import FREE_CHANNELS, LATENT_SIZE
from .layers import CausalConvolution, StridedConvolution
from .noise import SLOPE
from .pqmf import BANDS, Analysis

LATENT_SAMPLES = 2048
"""Samples per latent: 128 frames of 16."""

STRIDES = (4, 4, 8)
COMPRESSION_GAIN, COMPRESSED_GAIN = 1000.0, 0.3
"""The bands enter as 0.3 · asinh(1000 x), nearly a signed logarithm, so that a tail of -60 dB is heard as well."""


class Encoder(nn.Module):
    """``audio [B, 1, 2048 M]`` and states to ``latent [B, 128, M]`` and the next states; zero states are fresh.

    The last three channels, vibrato, detune and inharmonicity, are 0: whoever decodes puts the note's own tuning there.
    """

    STATES = ("analysis", "input", "first", "second", "third")

    def __init__(self, channels: int = 40) -> None:
        super().__init__()
        self.channels = channels
        widths = (channels, 2 * channels, 2 * channels, 4 * channels)
        self.analysis = Analysis()
        self.input = CausalConvolution(BANDS, widths[0])
        self.strided = nn.ModuleList(
            StridedConvolution(before, after, stride)
            for before, after, stride in zip(widths[:-1], widths[1:], STRIDES)
        )
        # How a note's partials and layers are tuned cannot be heard in one frame, nor how its pitch moves: that is told.
        self.mean = nn.Linear(widths[-1], FREE_CHANNELS)
        self.log_variance = nn.Linear(widths[-1], FREE_CHANNELS)
        nn.init.constant_(self.log_variance.bias, -4.0)

    def state_shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each state after the batch axis."""
        strided = {name: (1, layer.width) for name, layer in zip(self.STATES[2:], self.strided)}
        return {
            "analysis": (Analysis.STATE_FRAMES, BANDS),
            "input": (self.input.memory, BANDS),
            **strided,
        }

    def fresh_states(self, batch: int, device: torch.device | None = None) -> tuple[Tensor, ...]:
        """Zero states: silence before."""
        return tuple(torch.zeros(batch, *shape, device=device) for shape in self.state_shapes().values())

    def _features(self, audio: Tensor, states: tuple[Tensor, ...]) -> tuple[Tensor, list[Tensor]]:
        analysed, entered, *remembered = states
        bands, analysed = self.analysis(audio.reshape(audio.shape[0], -1, BANDS), analysed)
        x, entered = self.input(torch.asinh(bands * COMPRESSION_GAIN) * COMPRESSED_GAIN, entered)
        following = [analysed, entered]
        for layer, state in zip(self.strided, remembered):
            x, state = layer(F.leaky_relu(x, SLOPE), state)
            following.append(state)
        return F.leaky_relu(x, SLOPE), following

    def forward(self, audio: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        features, following = self._features(audio, states)
        return F.pad(self.mean(features), (0, LATENT_SIZE - FREE_CHANNELS)).transpose(1, 2), *following

    def distribution(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance ``[B, 125, M]`` of the latents of a segment that starts fresh."""
        features, _ = self._features(audio, self.fresh_states(audio.shape[0], audio.device))
        return self.mean(features).transpose(1, 2), self.log_variance(features).clamp(-10, 4).transpose(1, 2)
