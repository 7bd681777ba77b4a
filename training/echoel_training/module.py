"""Decoder, encoder and prior trained together, as one Lightning module.

Each step decodes part of a batch through the encoder's latents (a variational autoencoder, Kingma & Welling 2014)
and the rest through the prior's, so that the decoder learns to play what the prior says and the prior learns
through the decoder. A small regression holds the prior's latents near the encoder's.
"""

from __future__ import annotations

import copy
import math
import time
from pathlib import Path

import lightning
import torch
import torch.nn.functional as F
from torch import Tensor

from . import TrainingError
from .decoder import SLOT_FRAMES, Decoder
from .encoder import LATENT_SAMPLES, Encoder
from .excitation import SAMPLE_RATE, SLOT_SAMPLES
from .losses import SpectralLoss, StrayLoss, divergence, fade_in
from .pqmf import BANDS
from .prior import Prior
from .segments import Segments

LATENT_SLOTS = LATENT_SAMPLES // SLOT_SAMPLES
HIGHEST_RATE, LOWEST_RATE = 2e-3, 3e-5
WARM_UP_STEPS = 100
DIVERGENCE_WEIGHT = 0.003
REGRESSION_WEIGHT = 0.05
STRAY_WEIGHT = 4.0
AVERAGE_DECAY = 0.998
ENCODER_SHARE = 1 / 3


def unit_noise(batch: int, slots: int, generator: torch.Generator | None = None, device=None) -> Tensor:
    """Uniform noise of unit variance ``[B, 16, 8 slots]``, as the host gives it to the decoder."""
    noise = torch.rand(batch, BANDS, SLOT_FRAMES * slots, generator=generator, device=device)
    return (noise * 2 - 1) * math.sqrt(3)


def latents_per_slot(latents: Tensor) -> Tensor:
    """``[B, 128, M]``, one per 2048 samples, to ``[B, 128, 16 M]``: a line from each latent to the next over the
    slots of its frame; before the first latent is zero."""
    before = torch.cat([torch.zeros_like(latents[:, :, :1]), latents[:, :, :-1]], dim=2)
    ramp = (torch.arange(LATENT_SLOTS, device=latents.device) + 1) / LATENT_SLOTS
    return (before[..., None] + (latents - before)[..., None] * ramp).flatten(2)


def note_columns(segments: Segments, slots: int, instruments: int) -> Tensor:
    """The prior's columns for each slot of each segment, ``[B, slots, 4 + instruments]``."""
    device = segments.first_slot.device
    slot = segments.first_slot[:, None] + torch.arange(slots, device=device)
    on = slot * SLOT_SAMPLES / SAMPLE_RATE
    sound = slot * SLOT_SAMPLES - Decoder.DELAY_SAMPLES
    off = (sound - segments.off_sample[:, None]).clamp(min=0) / SAMPLE_RATE
    weights = F.one_hot(segments.instrument, instruments).float()
    fixed = torch.cat([segments.key[:, None], segments.velocity[:, None]], dim=1)
    return torch.cat(
        [
            fixed[:, None].expand(-1, slots, -1),
            on[..., None],
            off[..., None],
            weights[:, None].expand(-1, slots, -1),
        ],
        dim=-1,
    )


class EnsembleModule(lightning.LightningModule):
    """Trains ``decoder``, ``encoder`` and ``prior`` within a budget of seconds; ``average`` is the moving average
    of the weights, which is what is tested and exported."""

    def __init__(self, instruments: tuple[str, ...], seconds: float = 3600.0, highest_rate: float = HIGHEST_RATE):
        super().__init__()
        self.save_hyperparameters()
        self.instruments = tuple(instruments)
        self.networks = torch.nn.ModuleDict(
            {"decoder": Decoder(), "encoder": Encoder(), "prior": Prior(self.instruments)}
        )
        self.average = copy.deepcopy(self.networks).requires_grad_(False)
        self.spectral = SpectralLoss()
        self.stray = StrayLoss()
        self.seconds_before = 0.0
        self.steps_before = 0
        self._started = time.monotonic()

    # Decoding

    def decode(self, networks, latent: Tensor, segments: Segments, generator=None) -> Tensor:
        """Audio ``[B, samples]`` aligned with the segments; ``latent [B, 128, slots + 1]``."""
        batch, _, slots = latent.shape
        pitch = segments.f0[:, None, None].expand(-1, 1, slots)
        noise = unit_noise(batch, slots, generator, latent.device)
        decoder = networks["decoder"]
        audio = decoder(latent, pitch, noise, *decoder.fresh_states(batch, latent.device))[0]
        return audio[:, 0, Decoder.DELAY_SAMPLES :]

    def prior_latents(self, networks, segments: Segments) -> Tensor:
        """``[B, 128, slots + 1]``: one slot more than the segment has, for the decoder's delay."""
        slots = segments.audio.shape[1] // SLOT_SAMPLES + 1
        notes = note_columns(segments, slots, len(self.instruments))
        latent = networks["prior"](notes.flatten(0, 1))
        return latent.reshape(*notes.shape[:2], -1).transpose(1, 2)

    @staticmethod
    def stretch(latents: Tensor) -> Tensor:
        """The encoder's latents per slot, held for the one slot more."""
        slots = latents_per_slot(latents)
        return torch.cat([slots, slots[:, :, -1:]], dim=2)

    def distances(self, audio: Tensor, segments: Segments) -> tuple[Tensor, Tensor]:
        """The spectral loss and the stray loss of each item, ``[B]``."""
        from_middle = segments.first_slot > 0
        ours, theirs = fade_in(audio, from_middle), fade_in(segments.audio, from_middle)
        return self.spectral(ours, theirs, segments.peak), self.stray(ours, theirs, segments.f0)

    # Steps

    def training_step(self, segments: Segments, index: int) -> Tensor:
        networks = self.networks
        mean, log_variance = networks["encoder"].distribution(segments.audio[:, None])
        told = self.prior_latents(networks, segments)
        encoded = round(len(mean) * ENCODER_SHARE)
        # Rows alternate between instruments, so the first rows hold every instrument.
        heard = mean[:encoded] + torch.randn_like(mean[:encoded]) * torch.exp(0.5 * log_variance[:encoded])
        latent = torch.cat([self.stretch(heard), told[encoded:]])
        distance, stray = self.distances(self.decode(networks, latent, segments), segments)

        settled = mean[:, :, 1:].detach()
        regression = (told[:, :, 2 * LATENT_SLOTS - 1 :: LATENT_SLOTS][:, :, : settled.shape[2]] - settled).abs().mean()
        kl = divergence(mean, log_variance)
        loss = distance.mean() + STRAY_WEIGHT * stray.mean() + DIVERGENCE_WEIGHT * kl + REGRESSION_WEIGHT * regression
        if not torch.isfinite(loss):
            raise TrainingError(
                f"the loss is {loss.item()} at step {self.global_step}; resume from the last checkpoint, at a lower rate"
            )
        self.log("train/encoder", distance[:encoded].mean(), prog_bar=True)
        self.log("train/prior", distance[encoded:].mean(), prog_bar=True)
        self.log("train/stray", stray.mean(), prog_bar=True)
        self.log("train/divergence", kl)
        self.log("train/regression", regression)
        return loss

    def validation_step(self, segments: Segments, index: int) -> None:
        generator = torch.Generator(device=segments.audio.device).manual_seed(index)
        mean, _ = self.average["encoder"].distribution(segments.audio[:, None])
        for name, latent in (
            ("encoder", self.stretch(mean)),
            ("prior", self.prior_latents(self.average, segments)),
        ):
            audio = self.decode(self.average, latent, segments, generator)
            distance, stray = self.distances(audio, segments)
            self.log(f"held_out/{name}", distance.mean(), prog_bar=True, batch_size=1)
            self.log(f"held_out/{name}_stray", stray.mean(), prog_bar=True, batch_size=1)

    # Schedule, average and resumption

    def configure_optimizers(self):
        return torch.optim.AdamW(
            self.networks.parameters(), lr=self.hparams.highest_rate, betas=(0.8, 0.99), weight_decay=1e-4
        )

    @property
    def seconds_trained(self) -> float:
        """Seconds of training so far, those before a resumption included."""
        return self.seconds_before + time.monotonic() - self._started

    def rate(self) -> float:
        """Cosine over the budget of seconds, after a short warm-up over steps."""
        progress = min(1.0, (time.monotonic() - self._started) / self.hparams.seconds)
        cosine = 0.5 * (1 + math.cos(math.pi * progress))
        warm = min(1.0, (self.global_step - self.steps_before + 1) / WARM_UP_STEPS)
        return warm * (LOWEST_RATE + (self.hparams.highest_rate - LOWEST_RATE) * cosine)

    def on_train_start(self) -> None:
        self._started = time.monotonic()
        self.steps_before = self.global_step

    def on_train_batch_start(self, batch, index: int) -> None:
        for group in self.optimizers().param_groups:
            group["lr"] = self.rate()

    def on_train_batch_end(self, outputs, batch, index: int) -> None:
        decay = min(AVERAGE_DECAY, (1 + self.global_step) / (10 + self.global_step))
        with torch.no_grad():
            for average, current in zip(self.average.parameters(), self.networks.parameters(), strict=True):
                average.lerp_(current, 1 - decay)

    def on_save_checkpoint(self, checkpoint: dict) -> None:
        checkpoint["seconds_trained"] = self.seconds_trained

    def on_load_checkpoint(self, checkpoint: dict) -> None:
        self.seconds_before = checkpoint["seconds_trained"]


def load_models(checkpoint: Path):
    """The averaged networks of a checkpoint, and a summary of their training for the manifest."""
    from .export import Models

    stored = torch.load(checkpoint, map_location="cpu", weights_only=True)
    module = EnsembleModule(**stored["hyper_parameters"])
    module.load_state_dict(stored["state_dict"])
    networks = module.average.eval()
    minutes = round(stored["seconds_trained"] / 60)
    training = {
        "summary": "Multiband variational autoencoder with harmonic excitation, trained jointly with its prior "
        "on multi-scale spectral distance.",
        "command": f"echoel_training train cache/ensemble.npz --out runs/ensemble --minutes {minutes}",
        "minutes": minutes,
        "steps": stored["global_step"],
    }
    return Models(networks["decoder"], networks["prior"], networks["encoder"]), training
