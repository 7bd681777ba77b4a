"""The filter bank: near-perfect reconstruction, bands apart, and slices equal the whole."""

import numpy as np
import torch

from echoel_training.pqmf import BANDS, DELAY_SAMPLES, Analysis, Synthesis, filter_bank


def test_synthesis_of_analysis_is_the_signal_256_samples_later():
    torch.manual_seed(1)
    signal = torch.randn(1, 3000 * BANDS)
    bands, _ = Analysis()(signal.reshape(1, -1, BANDS), torch.zeros(1, 16, BANDS))
    back, _ = Synthesis()(bands, torch.zeros(1, 15, BANDS))
    delay = 2 * DELAY_SAMPLES
    late = back.reshape(1, -1)[:, delay:]
    error = late - signal[:, : late.shape[1]]
    ratio = 10 * torch.log10(signal.square().mean() / error.square().mean())
    assert ratio > 60.0


def test_a_sine_stays_in_its_band():
    time = torch.arange(2000 * BANDS, dtype=torch.float64) / 48_000
    for band in (0, 4, 11):
        sine = torch.sin(2 * np.pi * (band + 0.5) * 1500.0 * time).float()
        bands, _ = Analysis()(sine.reshape(1, -1, BANDS), torch.zeros(1, 16, BANDS))
        power = bands[0, 100:].square().mean(dim=0)
        far = [other for other in range(BANDS) if abs(other - band) > 1]
        assert 10 * torch.log10(power[far].max() / power[band]) < -70


def test_a_band_keeps_the_power_of_white_noise():
    analysis, _ = filter_bank()
    np.testing.assert_allclose((analysis**2).sum(axis=1), 1.0, rtol=0.05)


def test_slices_equal_the_whole_exactly():
    torch.manual_seed(2)
    frames = torch.randn(2, 96, BANDS)
    for bank, memory in ((Analysis(), 16), (Synthesis(), 15)):
        whole, _ = bank(frames, torch.zeros(2, memory, BANDS))
        state, parts = torch.zeros(2, memory, BANDS), []
        for first in range(0, 96, 8):
            part, state = bank(frames[:, first : first + 8], state)
            parts.append(part)
        torch.testing.assert_close(torch.cat(parts, dim=1), whole, rtol=0, atol=1e-6)
