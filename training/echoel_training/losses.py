"""The training losses: multi-scale spectral distance (Engel et al. 2020, DDSP; Caillon & Esling 2021, RAVE), the levels
of mel bands, and how much they move.

Per window length, the spectral convergence plus the mean absolute difference of log magnitudes. The logarithm has
a floor relative to the note's loudest sample, so that silence after a release is a target like any other.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from .partials import SAMPLE_RATE

WINDOW_SAMPLES = (4096, 1024, 512, 256, 128)
FLOOR = 1e-4
"""-80 dB, relative to a sine as high as the note's peak."""

ONSET_SAMPLES = 3072
ONSET_WINDOW_SAMPLES = (512, 256, 128)
"""An attack is a thirtieth of a segment: what it sounds like is compared once more by itself."""

FADE_SAMPLES = 2048

MEL_BANDS, MEL_LOW, MEL_HIGH = 64, 40.0, 20_000.0
MEL_WINDOW_SAMPLES, MEL_FRAMES = 2048, 4

COEFFICIENTS = 20

TEXTURE_FLOOR = 1e-3
"""-60 dB, relative as FLOOR is."""


class SpectralLoss(nn.Module):
    """Distance of ``audio`` from ``target``, both ``[B, samples]``, in windows of so many samples; ``peak [B]`` is each
    note's loudest sample.

    Returns one number per item ``[B]``: 0 for equal sounds.
    """

    def __init__(self, windows: tuple[int, ...] = WINDOW_SAMPLES) -> None:
        super().__init__()
        self.windows = windows
        for size in windows:
            self.register_buffer(f"window_{size}", torch.hann_window(size), persistent=False)

    def forward(self, audio: Tensor, target: Tensor, peak: Tensor) -> Tensor:
        total = torch.zeros_like(peak)
        for size in self.windows:
            window = getattr(self, f"window_{size}")
            ours, theirs = (_magnitudes(signal, window) for signal in (audio, target))
            loudest = peak[:, None, None] * (0.5 * size / 2)
            floor = FLOOR * loudest
            # The convergence of a near-silent segment is measured against a quiet sound, not against nothing.
            least = 0.01 * peak * (0.5 * size / 2) * theirs.shape[2] ** 0.5
            convergence = _norm(ours - theirs) / (_norm(theirs) + least)
            logarithmic = (torch.log(ours + floor) - torch.log(theirs + floor)).abs().mean(dim=(1, 2))
            total = total + convergence + logarithmic
        return total / len(self.windows)


class MelLoss(nn.Module):
    """Difference of levels in 64 mel bands over 43 ms, where noise is told by its power, not by its every line.

    ``audio`` and ``target`` ``[B, samples]``; ``peak [B]``: each note's loudest sample. One number per item ``[B]``,
    in nepers (8.7 dB).
    """

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("window", torch.hann_window(MEL_WINDOW_SAMPLES), persistent=False)
        self.register_buffer("bands", torch.from_numpy(mel_matrix().astype("float32")), persistent=False)

    def forward(self, audio: Tensor, target: Tensor, peak: Tensor) -> Tensor:
        floor = (FLOOR * peak * (0.5 * MEL_WINDOW_SAMPLES / 2)).square()[:, None, None]
        ours, theirs = (0.5 * torch.log(self._power(signal) + floor) for signal in (audio, target))
        return (ours - theirs).abs().mean(dim=(1, 2))

    def _power(self, signal: Tensor) -> Tensor:
        with torch.autocast(signal.device.type, enabled=False):
            power = self.bands @ _magnitudes(signal.float(), self.window).square()
        whole = power.shape[2] // MEL_FRAMES * MEL_FRAMES
        return power[:, :, :whole].unflatten(2, (-1, MEL_FRAMES)).mean(dim=3)


class TextureLoss(nn.Module):
    """How much more or less an instrument's notes move from one instant to the next than its recordings.

    The movement is that of levels in 64 mel bands and of their 20 lowest cepstral coefficients, which tell bands that move
    together from bands that move each by itself, in windows of so many samples every ``hop`` samples: the mean distance
    of one instant from another, for several ``distances`` in hops (a statistic of sound textures, McDermott & Simoncelli
    2011). Two takes of one note differ at every instant and agree in this. Compared are means over many notes of an
    instrument's octave: how much one note moves is chance, few partials beat deeply and most do not, and a note by note
    comparison would only teach what is usual.

    ``audio`` and ``target`` ``[B, samples]``; ``peak [B]``: each note's loudest sample; ``group [B]``: whose means it is
    a part of; ``first`` and ``last [B]``: the samples between which a window has to lie to be looked at. Returns a loss
    whose gradient moves the means towards each other, with all its might where they are FULL_PULL_NEPERS apart or more.
    """

    FULL_PULL_NEPERS = 0.04
    MEMORY = 0.95
    """What is left of a group's means when there are new notes. On several devices each has means of its own notes."""

    def __init__(self, groups: int, window: int, hop: int, distances: tuple[int, ...]) -> None:
        super().__init__()
        self.hop, self.distances = hop, distances
        self.register_buffer("window", torch.hann_window(window), persistent=False)
        self.register_buffer("bands", torch.from_numpy(mel_matrix(window).astype("float32")), persistent=False)
        self.register_buffer("cosines", torch.from_numpy(cosine_matrix().astype("float32")), persistent=False)
        # Weighted sums of movements, ours and theirs, and the weights' own.
        self.register_buffer("sums", torch.zeros(2, groups, len(distances), MEL_BANDS + COEFFICIENTS))
        self.register_buffer("weights", torch.zeros(groups, len(distances)))

    def forward(
        self, audio: Tensor, target: Tensor, peak: Tensor, group: Tensor, first: Tensor, last: Tensor
    ) -> Tensor:
        (ours, weight), (theirs, _) = (self.movement(signal, peak, first, last) for signal in (audio, target))
        with torch.no_grad():
            here = torch.zeros_like(self.weights).index_add(0, group, weight)
            there = torch.zeros_like(self.weights[:, 0]).index_add(0, group, torch.ones_like(peak)) > 0
            kept = torch.where(there, self.MEMORY, 1.0)[:, None]
            self.weights.mul_(kept).add_(here)
            for sums, moved in zip(self.sums, (ours, theirs)):
                sums.mul_(kept[..., None]).index_add_(0, group, moved)
            pull = (self._apart() / self.FULL_PULL_NEPERS).clamp(-1, 1)[group]
        return (pull * ours / here.clamp(min=1.0)[group][..., None]).mean(dim=(1, 2)).sum() / there.sum()

    def _apart(self) -> Tensor:
        return (self.sums[0] - self.sums[1]) / self.weights.clamp(min=1e-6)[..., None]

    def apart(self) -> Tensor:
        """How far the means are from each other, in nepers, a mean over groups that were heard, distances and bands."""
        return self._apart()[self.weights[:, 0] > 0].abs().mean()

    def movement(self, signal: Tensor, peak: Tensor, first: Tensor, last: Tensor) -> tuple[Tensor, Tensor]:
        """``[B, samples]`` to the sums of their movements in nepers ``[B, distances, 84]`` and how many instants are in
        each ``[B, distances]``."""
        size = len(self.window)
        with torch.autocast(signal.device.type, enabled=False):
            power = self.bands @ _magnitudes(signal.float(), self.window, self.hop, center=False).square()
        floor = (TEXTURE_FLOOR * peak * (0.5 * size / 2)).square()[:, None, None]
        levels = 0.5 * torch.log(power + floor)
        levels = torch.cat([levels, self.cosines @ levels], dim=1)
        start = torch.arange(levels.shape[2], device=signal.device) * self.hop
        inside = ((start >= first[:, None]) & (start + size <= last[:, None])).to(levels.dtype)
        moved, counts = [], []
        for distance in self.distances:
            both = inside[:, distance:] * inside[:, :-distance]
            moved.append(((levels[..., distance:] - levels[..., :-distance]).abs() * both[:, None]).sum(dim=2))
            counts.append(both.sum(dim=1))
        return torch.stack(moved, dim=1), torch.stack(counts, dim=1)


class LevelLoss(nn.Module):
    """How much louder or softer an instrument's notes are than its recordings, on the mean over many.

    What is compared note by note is lowest where ours is too soft, if both move and neither knows how the other does.
    ``audio`` and ``target`` ``[B, samples]``, ``peak``, ``group [B]``, ``first`` and ``last [B]`` as in ``TextureLoss``.
    Its gradient moves the means of the levels towards each other, with all its might where they are FULL_PULL_NEPERS
    apart.
    """

    FULL_PULL_NEPERS, MEMORY = 0.04, 0.95
    FLOOR = 3e-4
    """-70 dB, relative to the note's peak; what is softer is silence."""

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.register_buffer("apart", torch.zeros(groups))

    def forward(
        self, audio: Tensor, target: Tensor, peak: Tensor, group: Tensor, first: Tensor, last: Tensor
    ) -> Tensor:
        sample = torch.arange(audio.shape[1], device=audio.device)
        inside = ((sample >= first[:, None]) & (sample < last[:, None])).to(audio.dtype)
        count = inside.sum(dim=1)
        ours, theirs = ((signal.square() * inside).sum(dim=1) / count.clamp(min=1.0) for signal in (audio, target))
        floor = (self.FLOOR * peak).square()
        heard = ((count > 0) & (theirs > floor)).to(audio.dtype)
        louder = 0.5 * torch.log((ours + floor) / (theirs + floor))
        with torch.no_grad():
            here = torch.zeros_like(self.apart).index_add(0, group, heard)
            mean = torch.zeros_like(self.apart).index_add(0, group, heard * louder) / here.clamp(min=1.0)
            self.apart.lerp_(mean, 1 - self.MEMORY**here)
            pull = (self.apart / self.FULL_PULL_NEPERS).clamp(-1, 1)[group]
        return (pull * louder * heard).sum() / heard.sum().clamp(min=1.0)


def mel_matrix(window: int = MEL_WINDOW_SAMPLES) -> np.ndarray:
    """``[64, window / 2 + 1]``: triangular bands from 40 Hz to 20 kHz, equally wide on the mel scale (O'Shaughnessy 1987)."""
    edges = np.linspace(*(2595 * np.log10(1 + np.array([MEL_LOW, MEL_HIGH]) / 700)), MEL_BANDS + 2)
    edges = 700 * (10 ** (edges / 2595) - 1)
    bins = np.arange(window // 2 + 1) * SAMPLE_RATE / window
    low, middle, high = (edges[first : first + MEL_BANDS, None] for first in range(3))
    return np.maximum(0, np.minimum((bins - low) / (middle - low), (high - bins) / (high - middle)))


def cosine_matrix() -> np.ndarray:
    """``[20, 64]``: cepstral coefficients 1 to 20 of the mel bands' levels, by the orthonormal DCT (Davis & Mermelstein 1980)."""
    order, band = np.arange(1, COEFFICIENTS + 1)[:, None], np.arange(MEL_BANDS) + 0.5
    return np.sqrt(2 / MEL_BANDS) * np.cos(np.pi / MEL_BANDS * order * band)


def _magnitudes(signal: Tensor, window: Tensor, hop: int | None = None, center: bool = True) -> Tensor:
    """``[B, samples]`` to ``[B, bins, frames]``, a quarter of a window from one to the next unless ``hop`` says else."""
    size = window.shape[0]
    spectrum = torch.stft(signal, size, hop or size // 4, window=window, center=center, return_complex=True)
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
