"""A bank of partials: sines of given amplitudes whose frequencies follow a pitch and an inharmonicity.

The harmonic oscillator of DDSP (Engel et al. 2020) with partials of a stiff string (Fletcher 1964): partial k lies at
k · f · sqrt((1 + B k²) / (1 + B)), where f is the pitch (of partial 1) and B the inharmonicity, 0 for a harmonic tone.
Every partial keeps a phase of its own, since those of a stiff string are no multiples of one phase.

A slot's 128 samples are 16 steps of 8: cos(a + b) = cos a cos b − sin a sin b turns the sum over partials into a
product of a matrix per step and a matrix per sample within it, which takes 48 sines a partial and slot where the
plain sum takes 128.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SAMPLE_RATE = 48_000
SLOT_SAMPLES = 128
STEPS, STEP_SAMPLES = 16, 8
LOWEST_HERTZ = 4.0
HIGHEST_HERTZ = 20_000.0
SILENT_HERTZ, FULL_HERTZ = 23_500.0, 22_500.0
"""A partial fades out between these frequencies, so that a glide makes no step."""

PHASE_STEPS = 2.0**19
"""Phase increments per slot are multiples of 1/PHASE_STEPS cycles: sums of 17 of them are exact in float32."""

SMALLEST_INHARMONICITY = 1e-5


DETUNE_CENTS = 10.0
"""One unit of a latent's detune channel, and of its vibrato channel."""

PITCH_BETWEEN_LAYERS = 2 / 3
"""Where between its two layers, from the first to the second, a note's pitch is heard: nearer to the louder, which is the
second in what was learned."""

FASTEST_BEAT_HERTZ, FASTEST_BEAT_SHARE = 1.5, 0.002
"""No partial of a stiff string beats faster than the first, nor than this share of its frequency (3.5 cents)."""


def inharmonicity_from(z: Tensor) -> Tensor:
    """The inharmonicity B ≥ 0 that a latent's last channel ``z`` stands for: 1e-5 (exp(z) − 1), 0 below 0."""
    return SMALLEST_INHARMONICITY * (torch.exp(z.clamp(0.0, 8.0)) - 1.0)


def inharmonicity_code(inharmonicity: Tensor) -> Tensor:
    """The inverse of ``inharmonicity_from``."""
    return torch.log1p(inharmonicity / SMALLEST_INHARMONICITY)


def detune_ratio(code: Tensor) -> Tensor:
    """By what share of its frequency the second of two layers is above the first, for a latent's detune ``code``; for a
    vibrato's code, how far the pitch is above the note's."""
    return torch.exp2(code.clamp(-10.0, 10.0) * (DETUNE_CENTS / 1200)) - 1.0


def detune_code(cents: Tensor) -> Tensor:
    """The code of a detune in cents."""
    return cents / DETUNE_CENTS


class PartialBank(nn.Module):
    """Sums ``count`` partials, and the lowest ``layered`` a second time: ``lines`` sines in all. Where a note has two
    layers, the second ones are those of the layer that is tuned apart. Where it is a stiff string's (inharmonic), they
    are what makes the partials of its two or three strings beat (Weinreich 1977), each at a rate of its own.

    The lines' frequencies at each slot's ``start`` and ``end [B, K, lines]`` in Hz, their ``amplitude
    [B, K, lines + layered]`` at its end with ``before [B, lines + layered]`` at the start of the first slot, and their
    ``phase [B, lines]`` in cycles there to samples ``[B, K, 128]`` and the phase after the last slot. The amplitudes
    are those of cosines; the last ``layered`` are the sines' of the second layer, which may start at another phase.
    """

    def __init__(self, count: int, layered: int = 0) -> None:
        super().__init__()
        self.count, self.layered, self.lines = count, layered, count + layered
        self.register_buffer("order", torch.arange(1, count + 1, dtype=torch.float32), persistent=False)
        # Some above and some below, so that together they have the note's pitch; the first, which says it, least.
        random = torch.Generator().manual_seed(0)
        rate = torch.empty(layered).uniform_(0.3, 1.0, generator=random)
        rate = rate * (1 - 2 * torch.randint(0, 2, (layered,), generator=random))
        rate[:1] = 0.3
        self.register_buffer("rate", rate, persistent=False)
        seconds = torch.arange(STEPS, dtype=torch.float32) * (STEP_SAMPLES / SAMPLE_RATE)
        powers = torch.stack([torch.ones_like(seconds), seconds, seconds**2], dim=-1)
        self.register_buffer("powers", powers, persistent=False)
        self.register_buffer("sample", torch.arange(STEP_SAMPLES, dtype=torch.float32)[:, None], persistent=False)
        ramp = torch.arange(SLOT_SAMPLES, dtype=torch.float32).reshape(STEPS, STEP_SAMPLES) / SLOT_SAMPLES
        self.register_buffer("ramp", ramp, persistent=False)

    def frequencies(self, pitch: Tensor, inharmonicity: Tensor, ratio: Tensor) -> Tensor:
        """``pitch`` in Hz, ``inharmonicity`` and ``ratio``, by what share of its frequency the second layer is above
        the first, all ``[B, T]``, to the lines' frequencies ``[B, T, lines]`` in Hz."""
        stretch = torch.sqrt((1.0 + inharmonicity[..., None] * self.order.square()) / (1.0 + inharmonicity[..., None]))
        pitch = pitch[..., None].clamp(LOWEST_HERTZ, HIGHEST_HERTZ) * (1.0 - PITCH_BETWEEN_LAYERS * ratio[..., None])
        first = pitch * self.order * stretch
        lowest = first[..., : self.layered]
        return torch.cat([first, lowest + self.apart(lowest, inharmonicity[..., None], ratio[..., None])], dim=-1)

    def apart(self, hertz: Tensor, inharmonicity: Tensor, ratio: Tensor) -> Tensor:
        """How far in Hz the second line of each of the lowest partials is above the first, which is at ``hertz
        [..., layered]``, for an ``inharmonicity`` and a ``ratio [..., 1]``.

        Harmonic notes are sustained ones; they would be heard to repeat themselves, and move by other means.
        """
        beat = self.rate * torch.clamp(hertz * FASTEST_BEAT_SHARE, max=FASTEST_BEAT_HERTZ)
        return hertz * ratio + beat * (inharmonicity > 0).to(hertz.dtype)

    def phases_after(self, seconds: Tensor, pitch: Tensor, inharmonicity: Tensor, ratio: Tensor) -> Tensor:
        """The lines' phases ``[B, lines]`` in cycles some ``seconds`` after all were 0, of a note whose pitch in Hz,
        inharmonicity and ratio stay; all ``[B]``. Only how far the second lines are from the first is told: the first
        are at 0."""
        lines = self.frequencies(pitch[:, None], inharmonicity[:, None], ratio[:, None])[:, 0]
        lowest = lines[:, : self.layered].double()
        turns = self.apart(lowest, inharmonicity[:, None], ratio[:, None].double()) * seconds[:, None]
        return F.pad((turns - torch.floor(turns)).float(), (self.count, 0))

    def forward(
        self, start: Tensor, end: Tensor, amplitude: Tensor, before: Tensor, phase: Tensor
    ) -> tuple[Tensor, Tensor]:
        # Exact phase: each slot's cycles on a grid of 2^-19, wrapped before and after the sum.
        cycles = torch.round((start + end) * (0.5 * SLOT_SAMPLES / SAMPLE_RATE * PHASE_STEPS)) * (1.0 / PHASE_STEPS)
        cycles = cycles - torch.floor(cycles)
        total = torch.cumsum(torch.cat([phase[:, None], cycles], dim=1), dim=1)
        wrapped = total - torch.floor(total)

        level = torch.cat([before[:, None], amplitude], dim=1)
        parts = (wrapped[:, :-1], start, end, level[:, :-1], level[:, 1:])
        if torch.is_grad_enabled() and amplitude.requires_grad:
            samples = _Sum.apply(self, *(tensor.flatten(0, 1) for tensor in parts)).unflatten(0, amplitude.shape[:2])
        else:
            samples = self.mixed(self.turning(*parts[:3]), *parts[3:])
        return samples.flatten(2), wrapped[:, -1]

    def turning(self, phase: Tensor, start: Tensor, end: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Cosines and sines of the lines' phases at each step's start ``[…, 16, lines]``, and of their turns from there
        to each sample ``[…, 8, lines]``."""
        # The frequency is linear within a slot, so the phase is a parabola; within a step it goes on at the mean.
        slope = (end - start) * (0.5 * SAMPLE_RATE / SLOT_SAMPLES)
        angle = self.powers @ (torch.stack([phase, start, slope], dim=-2) * (2 * math.pi))
        turn = self.sample * ((start + end) * (math.pi / SAMPLE_RATE))[..., None, :]
        return torch.cos(angle), torch.sin(angle), torch.cos(turn), torch.sin(turn)

    def mixed(self, turning: tuple[Tensor, Tensor, Tensor, Tensor], first: Tensor, last: Tensor) -> Tensor:
        """The lines' sum ``[…, 16, 8]`` with amplitudes on a line from ``first`` to ``last``."""
        # Once with the amplitudes at the slot's start, once with those at its end.
        both = [self._turned(*turning[2:], level[..., None, :]) for level in (first, last)]
        real, imaginary = (torch.cat(parts, dim=-2).transpose(-1, -2) for parts in zip(*both))
        samples = turning[0] @ real - turning[1] @ imaginary
        fading, rising = torch.split(samples, STEP_SAMPLES, dim=-1)
        return fading + (rising - fading) * self.ramp

    def _turned(self, cosine: Tensor, sine: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
        """The lines' complex amplitudes, turned: the real and the imaginary part ``[…, 8, lines]`` of
        (a + i b) exp(i turn), whose real part at a phase θ is that of a cos θ − b sin θ."""
        across, along = torch.split(level, [self.lines, self.layered], dim=-1)
        real, imaginary = cosine * across, sine * across
        if self.layered:
            # Only the second layer's amplitudes have an imaginary part.
            along = F.pad(along, (self.count, 0))
            real, imaginary = real - sine * along, imaginary + cosine * along
        return real, imaginary

    def gradients(self, turning: tuple[Tensor, Tensor, Tensor, Tensor], gradient: Tensor) -> tuple[Tensor, Tensor]:
        """Of ``mixed``: from the gradient of its samples ``[…, 16, 8]`` those of ``first`` and ``last``."""
        steps_cosine, steps_sine, cosine, sine = turning
        halves = torch.cat([gradient * (1.0 - self.ramp), gradient * self.ramp], dim=-1).transpose(-1, -2)
        found = []
        for real, imaginary in zip(*((halves @ part).split(STEP_SAMPLES, dim=-2) for part in (steps_cosine, -steps_sine))):
            across = (cosine * real + sine * imaginary).sum(dim=-2)
            second = slice(self.count, None)
            along = (cosine[..., second] * imaginary[..., second] - sine[..., second] * real[..., second]).sum(dim=-2)
            found.append(torch.cat([across, along], dim=-1))
        return found[0], found[1]


class _Sum(torch.autograd.Function):
    """``PartialBank.mixed`` for training, of tensors ``[slots, …]``: on a CPU ROWS slots at a time, which stay in its
    caches, on a GPU all at once, which are fewer launches; and gradients for the amplitudes alone, since phases and
    frequencies are told and never learned."""

    ROWS = 32

    @staticmethod
    def forward(context, bank: PartialBank, phase, start, end, first, last) -> Tensor:
        context.bank = bank
        context.save_for_backward(phase, start, end)
        parts = _Sum._parts(phase, start, end, first, last)
        return torch.cat([bank.mixed(bank.turning(*part[:3]), *part[3:]) for part in parts])

    @staticmethod
    def backward(context, gradient: Tensor) -> tuple:
        parts = _Sum._parts(*context.saved_tensors, gradient)
        found = [context.bank.gradients(context.bank.turning(*part[:3]), part[3]) for part in parts]
        first, last = (torch.cat(each) for each in zip(*found))
        return None, None, None, None, first, last

    @staticmethod
    def _parts(*tensors: Tensor) -> Iterable[tuple[Tensor, ...]]:
        rows = _Sum.ROWS if tensors[0].device.type == "cpu" else len(tensors[0])
        return zip(*(tensor.split(rows) for tensor in tensors))


def audible(hertz: Tensor) -> Tensor:
    """1 for partials below FULL_HERTZ, 0 above SILENT_HERTZ, and a line between."""
    return ((SILENT_HERTZ - hertz) * (1.0 / (SILENT_HERTZ - FULL_HERTZ))).clamp(0.0, 1.0)
