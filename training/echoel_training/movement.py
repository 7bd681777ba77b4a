"""What sustained notes do around their mean, learned from the recordings' latents and vibrato, for the priors.

The encoder's latents of a held note, less their mean, are a multichannel noise with a spectrum. Its strongest
directions (principal components) and the spectrum along each make the weights of the prior's slow sines: a sum of
many sines at random phases is a Gaussian noise of that spectrum (Rice 1944). The pitch moves by weights of its own.
"""

from __future__ import annotations

import lightning
import numpy as np
import torch

from .dataset import note_audio, note_vibrato
from .decoder import VIBRATO_CHANNEL
from .encoder import LATENT_SAMPLES
from .models import Models
from .partials import SAMPLE_RATE, detune_code
from .prior import MOVEMENT_LINES, MOVING_CHANNELS, Prior
from .vibrato import HOP_SAMPLES

SETTLED_SECONDS = 0.6
"""A note is sustained from here on."""

MOST_PLAYED = 0.5
"""An instrument has a vibrato if this share of its notes has one."""

SHORTEST_FRAMES = 32
DIRECTIONS = 12
_FRAME_HERTZ = SAMPLE_RATE / LATENT_SAMPLES
_VIBRATO_HERTZ = SAMPLE_RATE / HOP_SAMPLES
_EDGE_SECONDS = 0.14  # the vibrato of the last instants is not measured whole


SHARES = (0.25, 0.4, 0.55, 0.7, 0.85)
"""At these shares of a training's budget the movement is learned anew."""


class Movements(lightning.Callback):
    """Lets a module's priors move while they are trained as they will move when they are played: what the networks do by
    themselves comes on top of it, and would be too much if they had learned it from notes that stand still.

    The movement is that of the encoder as it is at the ``SHARES`` of the budget, and no part of a checkpoint: a resumed run
    learns it as it begins.
    """

    def __init__(self, notes: dict[str, np.ndarray]) -> None:
        self.notes = notes
        self._learned = 0

    def on_train_batch_start(self, trainer, module, batch, index) -> None:
        due = sum(share <= module.progress for share in SHARES)
        if due <= self._learned:
            return
        self._learned = due
        average = module.average
        fit_movement(Models(average["decoder"], average["encoder"], dict(average["priors"].items())), self.notes)
        for name, prior in average["priors"].items():
            module.networks["priors"][name].movement.copy_(prior.movement)
        module.moves = True


@torch.no_grad()
def fit_movement(models: Models, notes: dict[str, np.ndarray], seed: int = 0) -> dict[str, float]:
    """Sets the movement of every instrument that sustains from the notes that are not held out.

    Returns by instrument the root mean square of the movement over all channels, in units of the latent.
    """
    amounts = {}
    for index, name in enumerate(str(name) for name in notes["instruments"]):
        if bool(notes["struck"][index]):
            continue
        rows = np.flatnonzero((notes["instrument"] == index) & ~notes["held_out"])
        courses = [course for row in rows if (course := _course(models, notes, row)) is not None]
        if courses:
            random = np.random.default_rng(seed + index)
            weights = np.zeros((MOVEMENT_LINES, MOVING_CHANNELS), np.float32)
            weights[:, :VIBRATO_CHANNEL] = line_weights(models.priors[name], courses, random)
            held = [course for row in rows if (course := _vibrato(notes, row)) is not None]
            vibrato = [course for course in held if course.any()]
            if vibrato and len(vibrato) >= MOST_PLAYED * len(held):
                weights[:, VIBRATO_CHANNEL] = vibrato_weights(models.priors[name], vibrato, random)
            models.priors[name].movement.copy_(torch.from_numpy(weights))
            amounts[name] = float(np.sqrt(0.5 * np.square(weights).sum() / weights.shape[1]))
    return amounts


def _course(models: Models, notes: dict[str, np.ndarray], row: int) -> np.ndarray | None:
    """The latents ``[frames, 125]`` of a note's sustained part around their mean; None where it is too short."""
    audio = note_audio(notes, row)[: int(notes["off_sample"][row])]
    whole = len(audio) // LATENT_SAMPLES
    first = int(SETTLED_SECONDS * _FRAME_HERTZ) + 1
    if whole - first < SHORTEST_FRAMES:
        return None
    sound = torch.from_numpy(np.ascontiguousarray(audio[: whole * LATENT_SAMPLES]))[None, None]
    mean, _ = models.encoder.distribution(sound.to(models.encoder.mean.weight.device))
    latents = mean[0].T.cpu().numpy()[first:]
    return latents - latents.mean(axis=0)


def _vibrato(notes: dict[str, np.ndarray], row: int) -> np.ndarray | None:
    """The vibrato ``[frames]`` of a note's sustained part as codes of the latent; None where it is too short."""
    first = int(SETTLED_SECONDS * _VIBRATO_HERTZ)
    last = int((notes["off_sample"][row] / SAMPLE_RATE - _EDGE_SECONDS) * _VIBRATO_HERTZ)
    if last - first < SHORTEST_FRAMES * _VIBRATO_HERTZ / _FRAME_HERTZ:
        return None
    course = detune_code(note_vibrato(notes, row)[first:last])
    return course - course.mean()


def vibrato_weights(prior: Prior, courses: list[np.ndarray], random: np.random.Generator) -> np.ndarray:
    """The weights ``[lines]`` of a movement like that of ``courses``, each ``[frames]`` at 93.75 Hz."""
    return _amplitudes(courses, _VIBRATO_HERTZ, prior.line_hertz.cpu().numpy().astype(float), random).astype(np.float32)


def line_weights(prior: Prior, courses: list[np.ndarray], random: np.random.Generator) -> np.ndarray:
    """The weights ``[lines, 125]`` of a movement like that of ``courses``, each ``[frames, 125]`` at 23.4 Hz."""
    together = np.concatenate(courses)
    _, _, directions = np.linalg.svd(together, full_matrices=False)
    directions = directions[:DIRECTIONS]
    hertz = prior.line_hertz.cpu().numpy().astype(float)
    weights = np.zeros((len(hertz), directions.shape[1]), np.float32)
    for direction in directions:
        amplitudes = _amplitudes([course @ direction for course in courses], _FRAME_HERTZ, hertz, random)
        weights += (amplitudes[:, None] * direction).astype(np.float32)
    return weights


def _amplitudes(courses: list[np.ndarray], rate: float, hertz: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Those of sines at ``hertz`` whose sum is a noise with the mean spectrum of ``courses``, of ``rate`` frames per
    second; of random signs."""
    order = np.argsort(hertz)
    width = np.empty_like(hertz)
    width[order] = np.gradient(hertz[order])
    density = np.mean([_density(course, hertz, rate) for course in courses], axis=0)
    return np.sqrt(2 * density * width) * random.choice([-1.0, 1.0], len(hertz))


def _density(course: np.ndarray, hertz: np.ndarray, rate: float) -> np.ndarray:
    """The power per hertz of ``course``, at ``rate`` frames per second, at ``hertz``, one-sided; below the first bin as
    at the first."""
    frames = len(course)
    window = np.hanning(frames + 2)[1:-1]
    power = 2 * np.abs(np.fft.rfft(course * window)) ** 2 / (np.square(window).sum() * rate)
    return np.interp(hertz, np.fft.rfftfreq(frames, 1 / rate)[1:], power[1:])
