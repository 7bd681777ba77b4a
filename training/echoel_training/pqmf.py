"""A 16-band pseudo-QMF bank in polyphase form (Nguyen 1994; Vaidyanathan, *Multirate Systems*, 1993, ch. 8).

The prototype is a Kaiser-windowed low-pass of 257 taps whose two end taps are zero, symmetric about tap 128:
analysis is late by 128 samples and synthesis by another 128. A frame is 16 samples, so both directions are a
causal convolution over 16 frames of 16 numbers, and the change of rate is a reshape.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from scipy.signal import firwin
from torch import Tensor, nn

from .layers import Taps, last_frames

BANDS = 16
"""Number of bands, and samples per frame."""

PROTOTYPE_TAPS = 257
DELAY_SAMPLES = 128
"""Delay of the analysis, and of the synthesis."""

FRAME_TAPS = 16
KAISER_BETA = 9.0


def _prototype(cutoff: float) -> np.ndarray:
    taps = firwin(PROTOTYPE_TAPS, cutoff / BANDS, window=("kaiser", KAISER_BETA))
    taps[0] = taps[-1] = 0.0
    return taps


def _filters(prototype: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cosine modulation: analysis and synthesis filters ``[16, 257]``."""
    band = np.arange(BANDS)[:, None]
    angle = (2 * band + 1) * np.pi / (2 * BANDS) * (np.arange(PROTOTYPE_TAPS) - DELAY_SAMPLES)
    shift = (-1.0) ** band * np.pi / 4
    return 2 * prototype * np.cos(angle + shift), 2 * prototype * np.cos(angle - shift)


def _transfer_error(cutoff: float) -> float:
    """Largest deviation of the bank's linear transfer from a pure delay."""
    prototype = _prototype(cutoff)
    correlation = np.convolve(prototype, prototype[::-1])[PROTOTYPE_TAPS - 1 :: 2 * BANDS]
    return float(np.abs(correlation[1:]).max() / correlation[0])


@lru_cache(maxsize=1)
def filter_bank() -> tuple[np.ndarray, np.ndarray]:
    """Analysis and synthesis filters ``[16, 257]``; analysis of a white signal of power 1 has power 1 per band,
    and synthesis of analysis is the signal 256 samples later."""
    # The passband edge that makes the prototype's autocorrelation vanish at multiples of 32 (Nguyen 1994).
    grid = np.linspace(0.4, 0.7, 61)
    start = grid[int(np.argmin([_transfer_error(edge) for edge in grid]))]
    best = minimize_scalar(_transfer_error, bounds=(start - 0.005, start + 0.005), method="bounded")
    analysis, synthesis = _filters(_prototype(best.x))
    unit = np.sqrt((analysis**2).sum(axis=1).mean())
    analysis = analysis / unit
    through = sum(np.convolve(a, s) for a, s in zip(analysis, synthesis))
    return analysis, synthesis * (BANDS / through[2 * DELAY_SAMPLES])


def analysis_matrix() -> np.ndarray:
    """``[256, 16]``: maps the 16 frames *before* frame t, oldest first, to the bands at frame t."""
    analysis, _ = filter_bank()
    # Row (frame j, sample r) is x[16 (t - 16 + j) + r], which tap 16 (16 - j) - r weights.
    taps = [BANDS * (FRAME_TAPS - frame) - sample for frame in range(FRAME_TAPS) for sample in range(BANDS)]
    return analysis[:, taps].T.astype(np.float32)


def synthesis_matrix() -> np.ndarray:
    """``[256, 16]``: maps the bands of frames t-15 … t, oldest first, to the 16 samples of frame t."""
    _, synthesis = filter_bank()
    rows = [
        synthesis[band, BANDS * (FRAME_TAPS - 1 - frame) + np.arange(BANDS)]
        for frame in range(FRAME_TAPS)
        for band in range(BANDS)
    ]
    return np.stack(rows).astype(np.float32)


class Analysis(nn.Module):
    """Signal frames ``[B, T, 16]`` and the 16 frames before ``[B, 16, 16]`` to bands ``[B, T, 16]``."""

    STATE_FRAMES = FRAME_TAPS

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("matrix", torch.from_numpy(analysis_matrix()), persistent=False)
        # Sixteen frames in two steps of four.
        self.taps = nn.Sequential(Taps(4), Taps(4, dilation=4))

    def forward(self, frames: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        history = torch.cat([state, frames], dim=1)
        return self.taps(history[:, :-1]) @ self.matrix, last_frames(history, FRAME_TAPS)


class Synthesis(nn.Module):
    """Bands ``[B, T, 16]`` and the 15 frames before ``[B, 15, 16]`` to signal frames ``[B, T, 16]``, by the synthesis
    matrix unless another is given; ``longest`` as ``Taps`` says."""

    STATE_FRAMES = FRAME_TAPS - 1

    def __init__(self, longest: int | None = None) -> None:
        super().__init__()
        self.register_buffer("matrix", torch.from_numpy(synthesis_matrix()), persistent=False)
        self.taps = Taps(FRAME_TAPS, longest=longest)

    def forward(self, bands: Tensor, state: Tensor, matrix: Tensor | None = None) -> tuple[Tensor, Tensor]:
        history = torch.cat([state, bands], dim=1)
        matrix = self.matrix if matrix is None else matrix
        return self.taps(history) @ matrix, last_frames(history, FRAME_TAPS - 1)
