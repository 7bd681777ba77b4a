"""The training loss: multi-scale spectral distance (Engel et al. 2020, DDSP; Caillon & Esling 2021, RAVE).

Per window length, the spectral convergence plus the mean absolute difference of log magnitudes. The logarithm has
a floor relative to the note's loudest sample, so that silence after a release is a target like any other.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .excitation import SAMPLE_RATE

WINDOW_SAMPLES = (4096, 2048, 1024, 512, 256, 128)
FLOOR = 1e-4
"""-80 dB, relative to a sine as high as the note's peak."""

FADE_SAMPLES = 2048

STRAY_WINDOW_SAMPLES = 4096
STRAY_HERTZ = 36.0
"""At least so far from a partial: a Hann window's main lobe and some vibrato."""
STRAY_MARGIN = 1.2
"""Of the square root of magnitude: 3 dB."""


class SpectralLoss(nn.Module):
    """Distance of ``audio`` from ``target``, both ``[B, samples]``; ``peak [B]`` is each note's loudest sample.

    Returns one number per item ``[B]``: 0 for equal sounds.
    """

    def __init__(self) -> None:
        super().__init__()
        for size in WINDOW_SAMPLES:
            self.register_buffer(f"window_{size}", torch.hann_window(size), persistent=False)

    def forward(self, audio: Tensor, target: Tensor, peak: Tensor) -> Tensor:
        total = torch.zeros_like(peak)
        for size in WINDOW_SAMPLES:
            window = getattr(self, f"window_{size}")
            ours, theirs = (_magnitudes(signal, window) for signal in (audio, target))
            loudest = peak[:, None, None] * (0.5 * size / 2)
            floor = FLOOR * loudest
            # The convergence of a near-silent segment is measured against a quiet sound, not against nothing.
            least = 0.01 * peak * (0.5 * size / 2) * theirs.shape[2] ** 0.5
            convergence = _norm(ours - theirs) / (_norm(theirs) + least)
            logarithmic = (torch.log(ours + floor) - torch.log(theirs + floor)).abs().mean(dim=(1, 2))
            total = total + convergence + logarithmic
        return total / len(WINDOW_SAMPLES)


class StrayLoss(nn.Module):
    """What sounds between the partials and not in the target: the images that nonlinear processing of a critically
    sampled filter bank leaves. Spectra are averaged over the segment, so that noise like the target's is free.

    ``audio`` and ``target`` ``[B, samples]``, ``f0 [B]`` in Hz; one number per item ``[B]``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("window", torch.hann_window(STRAY_WINDOW_SAMPLES), persistent=False)
        hertz = torch.arange(STRAY_WINDOW_SAMPLES // 2 + 1) * (SAMPLE_RATE / STRAY_WINDOW_SAMPLES)
        self.register_buffer("hertz", hertz, persistent=False)

    def forward(self, audio: Tensor, target: Tensor, f0: Tensor) -> Tensor:
        ours, theirs = (_magnitudes(signal, self.window).mean(dim=2).sqrt() for signal in (audio, target))
        order = self.hertz / f0[:, None]
        distance = (order - torch.round(order)).abs() * f0[:, None]
        between = (distance > torch.clamp(0.15 * f0[:, None], min=STRAY_HERTZ)) | (self.hertz < 0.5 * f0[:, None])
        excess = torch.relu(ours - STRAY_MARGIN * theirs) * between
        return excess.sum(dim=1) / (theirs.sum(dim=1) + 1.0)


def _magnitudes(signal: Tensor, window: Tensor) -> Tensor:
    """``[B, samples]`` to ``[B, bins, frames]``."""
    size = window.shape[0]
    spectrum = torch.stft(signal, size, size // 4, window=window, return_complex=True)
    return (spectrum.real.square() + spectrum.imag.square() + 1e-14).sqrt()


def _norm(magnitudes: Tensor) -> Tensor:
    # Silence decoded exactly has no difference, and the root of zero no gradient.
    return (magnitudes.square().sum(dim=(1, 2)) + 1e-12).sqrt()


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Kullback-Leibler divergence from the standard normal distribution, mean over all latents, in nats."""
    return 0.5 * (mean.square() + log_variance.exp() - log_variance - 1).mean()


def fade_in(signal: Tensor, from_middle: Tensor) -> Tensor:
    """Raises the first 2048 samples of the items that start in the middle of a note (``from_middle [B]``) by a
    raised cosine, since there the network's memory starts empty as it never does in use."""
    ramp = 0.5 - 0.5 * torch.cos(torch.linspace(0, torch.pi, FADE_SAMPLES, device=signal.device))
    start = torch.where(from_middle[:, None], ramp, torch.ones_like(ramp))
    return torch.cat([signal[:, :FADE_SAMPLES] * start, signal[:, FADE_SAMPLES:]], dim=1)
