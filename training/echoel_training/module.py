"""Decoder, encoder and priors trained together, as one Lightning module.

Each step decodes part of a batch through the encoder's latents (a variational autoencoder, Kingma & Welling 2014)
and the rest through the priors', so that the decoder learns to play what the priors say and the priors learn
through the decoder. A small regression holds the priors' latents near the encoder's.
"""

from __future__ import annotations

import copy
import math
import time

import lightning
import numpy as np
import torch
from torch import Tensor

from . import TrainingError
from .adversary import Adversary
from .decoder import FREE_CHANNELS, SLOT_FRAMES, Decoder
from .encoder import LATENT_SAMPLES, Encoder
from .losses import (
    FADE_SAMPLES,
    ONSET_SAMPLES,
    ONSET_WINDOW_SAMPLES,
    LevelLoss,
    MelLoss,
    SpectralLoss,
    TextureLoss,
    divergence,
    fade_in,
)
from .partials import SAMPLE_RATE, SLOT_SAMPLES, detune_code, detune_ratio, inharmonicity_code
from .pqmf import BANDS
from .prior import KEYS, Prior
from .segments import Segments

LATENT_SLOTS = LATENT_SAMPLES // SLOT_SAMPLES
ATTACK_SAMPLES = (480, 8192)
"""How an attack moves is heard in its first 170 ms."""
SETTLED_SAMPLES = 7200
BEGINNING_SAMPLES = ((0, 480), (480, 960), (960, 1920), (1920, 3840), (3840, SETTLED_SAMPLES))
"""The parts of a note's first 150 ms that are compared, before it has settled."""

RELEASE_SAMPLES = ((0, 2400), (2400, 7200), (7200, 14_400), (14_400, 24_000))
"""What is left of a note is compared in these parts of the half second after its end."""

OCTAVES = 11
"""Of MIDI keys."""

HIGHEST_RATE, LOWEST_RATE = 2e-3, 3e-5
WARM_UP_STEPS = 100
LARGEST_GRADIENT = 3.0
MEL_WEIGHT = 1.0
ONSET_WEIGHT = 1.0
TEXTURE_WEIGHT = 6.0
ATTACK_WEIGHT = 3.0
BEGINNING_WEIGHT = 0.1
LEVEL_WEIGHT = 0.5
RELEASE_WEIGHT = 0.3
DIVERGENCE_WEIGHT = 0.003
REGRESSION_WEIGHT = 0.05
ADVERSARY_WEIGHT = 0.1
ADVERSARY_RATE = 2e-4
AVERAGE_DECAY = 0.998
ENCODER_SHARE = 1 / 3


def unit_noise(batch: int, slots: int, generator: torch.Generator | None = None, device=None) -> Tensor:
    """Uniform noise of unit variance ``[B, 16, 8 slots]``, as the host gives it to the decoder."""
    noise = torch.rand(batch, BANDS, SLOT_FRAMES * slots, generator=generator, device=device)
    return (noise * 2 - 1) * math.sqrt(3)


def latents_per_slot(latents: Tensor) -> Tensor:
    """``[B, C, M]``, one per 2048 samples, to ``[B, C, 16 M]``: a line from each latent to the next over the
    slots of its frame; before the first latent is zero."""
    before = torch.cat([torch.zeros_like(latents[:, :, :1]), latents[:, :, :-1]], dim=2)
    ramp = (torch.arange(LATENT_SLOTS, device=latents.device) + 1) / LATENT_SLOTS
    return (before[..., None] + (latents - before)[..., None] * ramp).flatten(2)


def note_columns(segments: Segments, slots: int, variation: Tensor | None = None) -> Tensor:
    """The priors' columns for each slot of each segment ``[B, slots, 6]``: with the movement of a ``variation [B]``, or
    without."""
    slot = segments.first_slot[:, None] + torch.arange(slots, device=segments.first_slot.device)
    on = slot * SLOT_SAMPLES / SAMPLE_RATE
    sound = slot * SLOT_SAMPLES - Decoder.DELAY_SAMPLES
    off = (sound - segments.off_sample[:, None]).clamp(min=0) / SAMPLE_RATE
    key, velocity = (column[:, None].expand_as(on) for column in (segments.key, segments.velocity))
    still = torch.zeros_like(on)
    moved = (still, still) if variation is None else (variation[:, None].expand_as(on), torch.ones_like(on))
    return torch.stack([key, velocity, on, off, *moved], dim=-1)


def tuning_by_key(notes: dict[str, np.ndarray], instrument: int) -> Tensor:
    """Detune and inharmonicity of every key as codes ``[128, 2]``, from an instrument's notes that are not held out.

    Between zones the inharmonicity's code is interpolated, as that of strings is smooth; layers are tuned apart by the
    instrument's median where their zone is not known.
    """
    rows = (notes["instrument"] == instrument) & ~notes["held_out"]
    keys, first = np.unique(notes["key"][rows], return_index=True)
    inharmonicity = inharmonicity_code(torch.from_numpy(notes["inharmonicity"][rows][first])).numpy()
    detune = detune_code(torch.from_numpy(notes["detune"][rows][first])).numpy()
    codes = np.full((KEYS, 2), np.median(detune), np.float32)
    codes[keys, 0] = detune
    codes[:, 1] = np.interp(np.arange(KEYS), keys, inharmonicity)
    return torch.from_numpy(codes)


class EnsembleModule(lightning.LightningModule):
    """Trains ``decoder``, ``encoder`` and one prior per instrument within a budget of seconds, of steps or of whichever
    is used up first; ``average`` is the moving average of the weights, which is what is tested and exported.

    ``struck`` says of each instrument whether its notes decay. From the share ``adversary_from`` of the budget on, if
    it is given, an adversary takes part.
    """

    automatic_optimization = False

    def __init__(
        self,
        instruments: tuple[str, ...],
        struck: tuple[bool, ...],
        seconds: float | None = 3600.0,
        steps: int | None = None,
        highest_rate: float = HIGHEST_RATE,
        adversary_from: float | None = None,
    ):
        super().__init__()
        self.save_hyperparameters()
        self.instruments = tuple(instruments)
        priors = {name: Prior(kind, seed=row) for row, (name, kind) in enumerate(zip(self.instruments, struck))}
        self.networks = torch.nn.ModuleDict(
            {"decoder": Decoder(), "encoder": Encoder(), "priors": torch.nn.ModuleDict(priors)}
        )
        self.average = copy.deepcopy(self.networks).requires_grad_(False)
        self.adversary = Adversary() if adversary_from is not None else None
        self.register_buffer("struck", torch.tensor(struck), persistent=False)
        self.spectral = SpectralLoss()
        self.mel = MelLoss()
        self.onset = SpectralLoss(ONSET_WINDOW_SAMPLES)
        count = len(self.instruments) * OCTAVES
        self.texture = TextureLoss(count, 2048, 480, (1, 4, 12, 32))
        self.attack = TextureLoss(count, 1024, 240, (1, 4, 12))
        self.level = LevelLoss(count)
        self.beginning = torch.nn.ModuleList(LevelLoss(count) for _ in BEGINNING_SAMPLES)
        self.release = torch.nn.ModuleList(LevelLoss(count) for _ in RELEASE_SAMPLES)
        self.moves = False  # until there is a movement; see ``movement.Movements``
        self.steps_trained = 0
        self.seconds_before = 0.0
        self._started = time.monotonic()

    # Decoding

    def decode(self, networks, latent: Tensor, segments: Segments, generator=None) -> Tensor:
        """Audio ``[B, samples]`` aligned with the segments; ``latent [B, 125, slots + 1]``, to which the notes' own
        vibrato and tuning are added."""
        batch, _, slots = latent.shape
        tuning = torch.stack([detune_code(segments.detune), inharmonicity_code(segments.inharmonicity)], dim=1)
        last_channels = [detune_code(segments.vibrato)[:, None], tuning[:, :, None].expand(-1, -1, slots)]
        latent = torch.cat([latent, *last_channels], dim=1)
        pitch = segments.f0[:, None, None].expand(-1, 1, slots)
        noise = unit_noise(batch, slots, generator, latent.device)
        decoder = networks["decoder"]
        states = dict(zip(decoder.STATES, decoder.fresh_states(batch, latent.device)))
        # Lines that began together have drifted apart where a segment begins in the middle of a note.
        seconds = segments.first_slot * (SLOT_SAMPLES / SAMPLE_RATE)
        ratio = detune_ratio(tuning[:, 0])
        states["phase"] = decoder.partials.bank.phases_after(seconds, segments.f0, segments.inharmonicity, ratio)
        # Phases, and a sum of a hundred partials, want all of float32, whatever precision the rest is trained in.
        with torch.autocast(latent.device.type, enabled=False):
            audio = decoder(latent.float(), pitch, noise, *states.values())[0]
        return audio[:, 0, Decoder.DELAY_SAMPLES :]

    def prior_latents(self, networks, segments: Segments, variation: Tensor | None = None) -> Tensor:
        """``[B, 125, slots + 1]``, one slot more than the segment has, for the decoder's delay; ``variation`` as
        ``note_columns`` says."""
        slots = segments.audio.shape[1] // SLOT_SAMPLES + 1
        notes = note_columns(segments, slots, variation)
        rows, latents = [], []
        for index, name in enumerate(self.instruments):
            chosen = torch.nonzero(segments.instrument == index)[:, 0]
            rows.append(chosen)
            latents.append(networks["priors"][name](notes[chosen].flatten(0, 1)).unflatten(0, (-1, slots)))
        order = torch.argsort(torch.cat(rows))
        return torch.cat(latents)[order].transpose(1, 2)[:, :FREE_CHANNELS]

    @staticmethod
    def stretch(latents: Tensor) -> Tensor:
        """The encoder's latents per slot, held for the one slot more."""
        slots = latents_per_slot(latents)
        return torch.cat([slots, slots[:, :, -1:]], dim=2)

    def faded(self, audio: Tensor, segments: Segments) -> tuple[Tensor, Tensor]:
        """Ours and the recording, ready to be compared."""
        from_middle = segments.first_slot > 0
        return fade_in(audio, from_middle), fade_in(segments.audio, from_middle)

    # Steps

    def training_step(self, segments: Segments, index: int) -> None:
        networks = self.networks
        mean, log_variance = networks["encoder"].distribution(segments.audio[:, None])
        told = self.prior_latents(networks, segments)
        encoded = round(len(mean) * ENCODER_SHARE)
        moving = self._moving(segments, encoded)
        played = told
        if self.moves:
            variation = torch.rand(len(mean), device=mean.device)
            played = torch.where(moving[:, None, None], self.prior_latents(networks, segments, variation), told)
        # Rows alternate between instruments, so the first rows hold every instrument.
        heard = mean[:encoded] + torch.randn_like(mean[:encoded]) * torch.exp(0.5 * log_variance[:encoded])
        latent = torch.cat([self.stretch(heard), played[encoded:]])
        ours, theirs = self.faded(self.decode(networks, latent, segments), segments)
        alike = torch.nonzero(~moving)[:, 0]
        spectral, mel = (loss(ours, theirs, segments.peak)[alike] for loss in (self.spectral, self.mel))

        # Of the segments that begin in the middle of a note nothing is left to be compared.
        begins = (segments.first_slot == 0).float()
        first, other = (sound[:, :ONSET_SAMPLES] * begins[:, None] for sound in (ours, theirs))
        onset = self.onset(first, other, segments.peak)[alike]

        # A latent of the encoder follows the recording; a prior only knows how much such notes move.
        rows = self._rows_of_means(segments, moving, encoded)
        texture, attack, beginning, level, release = self._textures(ours, theirs, segments, rows)

        settled = mean[:, :, 1:].detach()
        regression = (told[:, :, 2 * LATENT_SLOTS - 1 :: LATENT_SLOTS][:, :, : settled.shape[2]] - settled).abs().mean()
        kl = divergence(mean, log_variance)
        loss = spectral.mean() + MEL_WEIGHT * mel.mean() + ONSET_WEIGHT * onset.mean()
        loss = loss + TEXTURE_WEIGHT * texture + ATTACK_WEIGHT * attack
        loss = loss + BEGINNING_WEIGHT * beginning + LEVEL_WEIGHT * level + RELEASE_WEIGHT * release
        loss = loss + DIVERGENCE_WEIGHT * kl + REGRESSION_WEIGHT * regression
        optimizers = self.optimizers()
        if self.adversary is not None:
            if self.progress >= self.hparams.adversary_from:
                judged = self.adversary.to_learn(ours, theirs)
                self._step(optimizers[1], judged)
                fooled = self.adversary.to_fool(ours, theirs)
                loss = loss + ADVERSARY_WEIGHT * fooled
                self.log_dict({"adversary/judged": judged, "adversary/fooled": fooled})
            optimizers = optimizers[0]
        if not torch.isfinite(loss):
            raise TrainingError(
                f"the loss is {loss.item()} at step {self.steps_trained}; resume from the last checkpoint, at a lower rate"
            )
        for group in optimizers.param_groups:
            group["lr"] = self.rate()
        self._step(optimizers, loss)
        self._follow()
        self.steps_trained += 1
        self.log_dict(
            {
                "train/encoder": spectral[:encoded].mean(),
                "train/prior": spectral[encoded:].mean(),
                "train/encoder_mel": mel[:encoded].mean(),
                "train/prior_mel": mel[encoded:].mean(),
                "train/onset": onset.sum() / begins[alike].sum().clamp(min=1),
                "train/texture": self.texture.apart(),
                "train/attack": self.attack.apart(),
                "train/beginning": torch.stack([part.apart.abs().mean() for part in self.beginning]).mean(),
                "train/level": self.level.apart.abs().mean(),
                "train/release": torch.stack([part.apart.abs().mean() for part in self.release]).mean(),
                "train/divergence": kl,
                "train/regression": regression,
            }
        )

    def _moving(self, segments: Segments, encoded: int) -> Tensor:
        """Which segments ``[B]`` move as they will be heard, once there is a movement: of the priors' part of a batch the
        second half, unless they are struck. They cannot follow their recordings, so that of these only means are compared."""
        if not self.moves:
            return torch.zeros_like(segments.instrument, dtype=torch.bool)
        row = torch.arange(len(segments.instrument), device=segments.instrument.device)
        return (row >= encoded + (len(row) - encoded) // 2) & ~self.struck[segments.instrument]

    def _rows_of_means(self, segments: Segments, moving: Tensor, encoded: int) -> Tensor:
        """The rows whose means are compared: the priors' that move, and those of notes that never do."""
        row = torch.arange(len(moving), device=moving.device)
        return torch.nonzero((row >= encoded) & (moving | self.struck[segments.instrument] | (not self.moves)))[:, 0]

    def _textures(self, ours: Tensor, theirs: Tensor, segments: Segments, rows: Tensor) -> tuple[Tensor, ...]:
        """Of those rows of a batch: how held notes move once they have settled, how they move in the attack (its
        very first instants are the onset loss's), how loud they are as they begin and once they have settled, and how loud
        what is left of them after their end."""
        start = segments.first_slot * SLOT_SAMPLES
        off = segments.off_sample - start
        group = segments.instrument * OCTAVES + torch.div(segments.key, 12, rounding_mode="floor").long()

        def compared(loss: TextureLoss | LevelLoss, first: Tensor, last: Tensor) -> Tensor:
            return loss(ours[rows], theirs[rows], *(each[rows] for each in (segments.peak, group, first, last)))

        begun = torch.where(segments.first_slot == 0, off, torch.zeros_like(off))
        beginning = [
            compared(loss, torch.full_like(off, first), begun.clamp(max=last))
            for loss, (first, last) in zip(self.beginning, BEGINNING_SAMPLES)
        ]
        # What is faded in at a segment's beginning, where the decoder's memory is empty, is no part of a release.
        release = [
            compared(loss, (off + first).clamp(min=FADE_SAMPLES), off + last)
            for loss, (first, last) in zip(self.release, RELEASE_SAMPLES)
        ]
        return (
            compared(self.texture, SETTLED_SAMPLES - start, off),
            compared(self.attack, ATTACK_SAMPLES[0] - start, torch.minimum(off, ATTACK_SAMPLES[1] - start)),
            torch.stack(beginning).mean(),
            compared(self.level, SETTLED_SAMPLES - start, off),
            torch.stack(release).mean(),
        )

    def _step(self, optimizer, loss: Tensor) -> None:
        optimizer.zero_grad()
        self.manual_backward(loss)
        self.clip_gradients(optimizer, LARGEST_GRADIENT, "norm")
        optimizer.step()

    def _follow(self) -> None:
        decay = min(AVERAGE_DECAY, (1 + self.steps_trained) / (10 + self.steps_trained))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.networks.parameters()), 1 - decay)

    def validation_step(self, segments: Segments, index: int) -> dict[str, Tensor]:
        """The averaged networks on held-out notes; returns what they sound like, ``[B, samples]`` each."""
        generator = torch.Generator(device=segments.audio.device).manual_seed(index)
        mean, _ = self.average["encoder"].distribution(segments.audio[:, None])
        sounds = {}
        for name, latent in (
            ("encoder", self.stretch(mean)),
            ("prior", self.prior_latents(self.average, segments)),
        ):
            sounds[name] = self.decode(self.average, latent, segments, generator)
            ours, theirs = self.faded(sounds[name], segments)
            self.log(f"held_out/{name}", self.spectral(ours, theirs, segments.peak).mean(), batch_size=1)
            self.log(f"held_out/{name}_mel", self.mel(ours, theirs, segments.peak).mean(), batch_size=1)
        return sounds

    # Schedule, average and resumption

    def configure_optimizers(self):
        optimizers = [
            torch.optim.AdamW(
                self.networks.parameters(), lr=self.hparams.highest_rate, betas=(0.8, 0.99), weight_decay=1e-4
            )
        ]
        if self.adversary is not None:
            optimizers.append(torch.optim.AdamW(self.adversary.parameters(), lr=ADVERSARY_RATE, betas=(0.5, 0.9)))
        return optimizers

    @property
    def seconds_trained(self) -> float:
        """Seconds of training so far, those before a resumption included."""
        return self.seconds_before + time.monotonic() - self._started

    @property
    def progress(self) -> float:
        """The share of the budget that is used up, 0…1."""
        budgets = ((self.seconds_trained, self.hparams.seconds), (self.steps_trained, self.hparams.steps))
        return min(1.0, max(used / most for used, most in budgets if most is not None))

    def rate(self) -> float:
        """Cosine over the budget, after a short warm-up over steps."""
        cosine = 0.5 * (1 + math.cos(math.pi * self.progress))
        warm = min(1.0, (self.steps_trained + 1) / WARM_UP_STEPS)
        return warm * (LOWEST_RATE + (self.hparams.highest_rate - LOWEST_RATE) * cosine)

    def tell_tuning(self, notes: dict[str, np.ndarray]) -> None:
        """Gives each prior what was measured on its instrument's notes that are not held out."""
        for index, name in enumerate(self.instruments):
            for networks in (self.networks, self.average):
                networks["priors"][name].tuning.copy_(tuning_by_key(notes, index))

    def on_train_start(self) -> None:
        self._started = time.monotonic()

    def on_save_checkpoint(self, checkpoint: dict) -> None:
        checkpoint["seconds_trained"], checkpoint["steps_trained"] = self.seconds_trained, self.steps_trained
        on_gpu = self.device.type == "cuda"
        checkpoint["processor"] = torch.cuda.get_device_name(self.device) if on_gpu else "CPU"

    def on_load_checkpoint(self, checkpoint: dict) -> None:
        self.seconds_before, self.steps_trained = checkpoint["seconds_trained"], checkpoint["steps_trained"]
