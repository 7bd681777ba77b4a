"""What a training sounds like, in TensorBoard: a few held-out notes beside their recordings, as sound and picture."""

from __future__ import annotations

import lightning
import numpy as np
import torch
from lightning.pytorch.loggers import TensorBoardLogger
from torch import Tensor

from .losses import FLOOR, MEL_WINDOW_SAMPLES, mel_matrix
from .partials import SAMPLE_RATE

NOTES = 4
_HOP = 512
_MAGNIFICATION = 4


class Listening(lightning.Callback):
    """After each validation logs, for some notes of the first batch, the recording, what the prior plays and what
    comes through the encoder: half a second of sound each, and their mel spectrograms side by side."""

    def on_validation_batch_end(self, trainer, module, outputs, batch, batch_idx, dataloader_idx=0) -> None:
        writers = [logger.experiment for logger in trainer.loggers if isinstance(logger, TensorBoardLogger)]
        if batch_idx > 0 or not trainer.is_global_zero or not writers:
            return
        step = module.global_step
        for row in np.linspace(0, len(batch.key) // 2 - 1, min(NOTES, max(1, len(batch.key) // 2))).astype(int):
            sounds = [batch.audio[row], outputs["prior"][row], outputs["encoder"][row]]
            name = f"{module.instruments[int(batch.instrument[row])]}-{int(batch.key[row])}-{int(batch.velocity[row])}"
            for kind, sound in zip(("recorded", "prior", "encoder"), sounds):
                writers[0].add_audio(f"{name}/{kind}", sound[None].clamp(-1, 1).cpu(), step, SAMPLE_RATE)
            picture = np.concatenate([mel_picture(sound, float(batch.peak[row])) for sound in sounds], axis=1)
            writers[0].add_image(f"{name}/recorded-prior-encoder", picture, step, dataformats="HW")


def mel_picture(audio: Tensor, peak: float) -> np.ndarray:
    """``audio [samples]`` as uint8 ``[height, width]``: 80 dB from black to white, low below, time to the right."""
    window = torch.hann_window(MEL_WINDOW_SAMPLES)
    spectrum = torch.stft(audio.cpu(), MEL_WINDOW_SAMPLES, _HOP, window=window, return_complex=True)
    power = mel_matrix() @ spectrum.abs().square().numpy()
    floor = (FLOOR * peak * 0.25 * MEL_WINDOW_SAMPLES) ** 2
    level = 10 * np.log10(np.maximum(power, floor) / floor) / 80
    picture = (255 * np.clip(level, 0, 1)).astype(np.uint8)[::-1]
    return np.pad(picture.repeat(_MAGNIFICATION, 0).repeat(_MAGNIFICATION, 1), ((0, 0), (0, _MAGNIFICATION)))
