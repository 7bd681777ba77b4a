"""An adversary for the last part of a training: discriminators that tell spectrograms of the decoder's from recorded.

Complex spectrograms at three resolutions (EnCodec, Défossez et al. 2022), hinge losses and feature matching (RAVE,
Caillon & Esling 2021). They take several times the decoder's own time, which is bearable where there is a GPU.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .noise import SLOPE

WINDOW_SAMPLES = (2048, 1024, 512)
CHANNELS = 32
FEATURE_WEIGHT = 10.0


class Discriminator(nn.Module):
    """``audio [B, samples]`` to the features of each layer; the last is the verdict, high for recorded sound."""

    def __init__(self, window: int) -> None:
        super().__init__()
        self.register_buffer("window", torch.hann_window(window), persistent=False)
        widths = (2, CHANNELS, CHANNELS, CHANNELS, CHANNELS)
        self.layers = nn.ModuleList(
            nn.utils.parametrizations.weight_norm(nn.Conv2d(before, after, (9, 3), (2, 1), (4, 1)))
            for before, after in zip(widths[:-1], widths[1:])
        )
        self.verdict = nn.utils.parametrizations.weight_norm(nn.Conv2d(CHANNELS, 1, 3, padding=1))

    def forward(self, audio: Tensor) -> list[Tensor]:
        size = self.window.shape[0]
        spectrum = torch.stft(audio, size, size // 4, window=self.window, normalized=True, return_complex=True)
        x, features = torch.stack([spectrum.real, spectrum.imag], dim=1), []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), SLOPE)
            features.append(x)
        return [*features, self.verdict(x)]


class Adversary(nn.Module):
    """One discriminator per resolution."""

    def __init__(self) -> None:
        super().__init__()
        self.discriminators = nn.ModuleList(Discriminator(window) for window in WINDOW_SAMPLES)

    def to_learn(self, ours: Tensor, theirs: Tensor) -> Tensor:
        """The discriminators' hinge loss; both ``[B, samples]``."""
        total = ours.new_zeros(())
        for discriminator in self.discriminators:
            told, true = discriminator(ours.detach())[-1], discriminator(theirs)[-1]
            total = total + F.relu(1 + told).mean() + F.relu(1 - true).mean()
        return total / len(self.discriminators)

    def to_fool(self, ours: Tensor, theirs: Tensor) -> Tensor:
        """The decoder's loss: the verdict on it, and the distance of its features from the recording's."""
        total = ours.new_zeros(())
        for discriminator in self.discriminators:
            *features, verdict = discriminator(ours)
            with torch.no_grad():
                *expected, _ = discriminator(theirs)
            matching = [(a - b).abs().mean() / (b.abs().mean() + 1e-6) for a, b in zip(features, expected)]
            total = total - verdict.mean() + FEATURE_WEIGHT * torch.stack(matching).mean()
        return total / len(self.discriminators)
