"""A bank of partials: sines of given amplitudes whose frequencies follow a pitch and an inharmonicity.

The harmonic oscillator of DDSP (Engel et al. 2020) with partials of a stiff string (Fletcher 1964): partial k lies at
k · f · sqrt((1 + B k²) / (1 + B)), where f is the pitch (of partial 1) and B the inharmonicity, 0 for a harmonic tone.
Every partial keeps a phase of its own, since those of a stiff string are no multiples of one phase.

A slot's 128 samples are 16 steps of 8: cos(a ± b) = cos a cos b ∓ sin a sin b turns the sum over partials into a
product of a matrix per step and a matrix per distance from the step's middle, of which there are four, as many before
it as after it. That takes 40 sines and cosines a partial and slot where the plain sum takes 128.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .layers import Taps

SAMPLE_RATE = 48_000
SLOT_SAMPLES = 128
STEPS, STEP_SAMPLES = 16, 8
PAIRS = STEP_SAMPLES // 2
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


WIDEST_CODE, DETUNE_SCALE = 10.0, math.log(2) * DETUNE_CENTS / 1200
"""Of a detune or vibrato channel: its range, and the natural logarithm of the frequencies' ratio that one unit is."""

HIGHEST_CODE = 8.0
"""Of an inharmonicity channel, which begins at 0."""


class Tuning(nn.Module):
    """A latent's last three channels ``[…, 3]`` to what they stand for, each ``[…, 1]``: by what share of its frequency
    the pitch is above the note's (vibrato), the same of the second of two layers above the first (detune), and the
    inharmonicity B ≥ 0, which is 1e-5 (exp(code) − 1)."""

    def __init__(self) -> None:
        super().__init__()
        constants = {
            "lowest": [-WIDEST_CODE, -WIDEST_CODE, 0.0],
            "highest": [WIDEST_CODE, WIDEST_CODE, HIGHEST_CODE],
            "scale": [DETUNE_SCALE, DETUNE_SCALE, 1.0],
            "unit": [1.0, 1.0, SMALLEST_INHARMONICITY],
        }
        for name, values in constants.items():
            self.register_buffer(name, torch.tensor(values), persistent=False)

    def forward(self, codes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        told = (torch.exp(codes.clamp(self.lowest, self.highest) * self.scale) - 1.0) * self.unit
        return torch.split(told, 1, dim=-1)


def inharmonicity_code(inharmonicity: Tensor) -> Tensor:
    """The channel that stands for an inharmonicity."""
    return torch.log1p(inharmonicity / SMALLEST_INHARMONICITY)


def detune_ratio(code: Tensor) -> Tensor:
    """What a detune ``code`` stands for; see ``Tuning``."""
    return torch.exp(code.clamp(-WIDEST_CODE, WIDEST_CODE) * DETUNE_SCALE) - 1.0


def detune_code(cents: Tensor) -> Tensor:
    """The code of a detune in cents."""
    return cents / DETUNE_CENTS


class PartialBank(nn.Module):
    """Sums ``count`` partials, and the lowest ``layered`` a second time: ``lines`` sines in all. Where a note has two
    layers, the second ones are those of the layer that is tuned apart. Where it is a stiff string's (inharmonic), they
    are what makes the partials of its two or three strings beat (Weinreich 1977), each at a rate of its own.

    The lines' frequencies at each slot's start and end, ``hertz [B, K, 2, lines]``, their ``amplitude
    [B, K, lines + layered]`` at its end with ``before [B, lines + layered]`` at the start of the first slot, and their
    ``phase [B, lines]`` in cycles there to samples ``[B, K, 128]`` and the phase after the last slot. The amplitudes
    are those of cosines; the last ``layered`` are the sines' of the second layer, which may start at another phase.
    ``longest`` slots as ``Taps`` says.
    """

    def __init__(self, count: int, layered: int = 0, longest: int | None = None) -> None:
        super().__init__()
        self.count, self.layered, self.lines = count, layered, count + layered
        self.ends = Taps(2, longest=longest)
        order = torch.arange(1, count + 1, dtype=torch.float32)
        # Some above and some below, so that together they have the note's pitch; the first, which says it, least.
        random = torch.Generator().manual_seed(0)
        rate = torch.empty(layered).uniform_(0.3, 1.0, generator=random)
        rate = rate * (1 - 2 * torch.randint(0, 2, (layered,), generator=random))
        rate[:1] = 0.3
        # The frequency is linear within a slot, so the phase is a parabola: at each step's middle so many radians per
        # cycle of the phase at the start, and per Hz at the start and at the end. Within a step it goes on at the mean.
        seconds = (torch.arange(STEPS, dtype=torch.float64) * STEP_SAMPLES + (STEP_SAMPLES - 1) / 2) / SAMPLE_RATE
        bent = seconds.square() * (0.5 * SAMPLE_RATE / SLOT_SAMPLES)
        steps = torch.stack([torch.ones_like(seconds), seconds - bent, bent], dim=-1) * (2 * math.pi)
        apart = (STEP_SAMPLES - 1) / 2 - torch.arange(PAIRS, dtype=torch.float64)
        ramp = torch.arange(SLOT_SAMPLES).reshape(STEPS, STEP_SAMPLES) / SLOT_SAMPLES
        constants = {
            "order": order,
            "squared": order.square(),
            "rate": rate,
            "steps": steps.float(),
            "turns": (apart * (math.pi / SAMPLE_RATE))[:, None].float(),
            "mirror": _mirror(),
            "ramp": ramp,
        }
        for name, value in constants.items():
            self.register_buffer(name, value, persistent=False)

    def frequencies(self, pitch: Tensor, inharmonicity: Tensor, ratio: Tensor, rate: Tensor | None = None) -> Tensor:
        """``pitch`` in Hz, at most HIGHEST_HERTZ, ``inharmonicity`` and ``ratio``, by what share of its frequency the
        second layer is above the first, all ``[…]``, to the lines' frequencies ``[…, lines]`` in Hz. ``rate [layered]``,
        unless it is the bank's own: in which direction and how fast the second lines of stiff strings beat."""
        inharmonicity, ratio = inharmonicity[..., None], ratio[..., None]
        stretch = self.order * torch.sqrt((1.0 + inharmonicity * self.squared) / (1.0 + inharmonicity))
        first = pitch[..., None] * (1.0 - PITCH_BETWEEN_LAYERS * ratio) * stretch
        lowest = first[..., : self.layered]
        return torch.cat([first, lowest + self.apart(lowest, inharmonicity, ratio, rate)], dim=-1)

    def apart(self, hertz: Tensor, inharmonicity: Tensor, ratio: Tensor, rate: Tensor | None = None) -> Tensor:
        """How far in Hz the second line of each of the lowest partials is above the first, which is at ``hertz
        [..., layered]``, for an ``inharmonicity`` and a ``ratio [..., 1]``.

        Harmonic notes are sustained ones; they would be heard to repeat themselves, and move by other means.
        """
        beat = torch.clamp(hertz * FASTEST_BEAT_SHARE, max=FASTEST_BEAT_HERTZ)
        rate = self.rate if rate is None else rate
        return hertz * ratio + beat * (rate * (inharmonicity > 0).to(hertz.dtype))

    def phases_after(self, seconds: Tensor, pitch: Tensor, inharmonicity: Tensor, ratio: Tensor) -> Tensor:
        """The lines' phases ``[B, lines]`` in cycles some ``seconds`` after all were 0, of a note whose pitch in Hz,
        inharmonicity and ratio stay; all ``[B]``. Only how far the second lines are from the first is told: the first
        are at 0."""
        lowest = self.frequencies(pitch, inharmonicity, ratio)[:, : self.layered].double()
        turns = self.apart(lowest, inharmonicity[:, None], ratio[:, None].double()) * seconds[:, None]
        return F.pad((turns - torch.floor(turns)).float(), (self.count, 0))

    def forward(self, hertz: Tensor, amplitude: Tensor, before: Tensor, phase: Tensor) -> tuple[Tensor, Tensor]:
        # Exact phase: each slot's cycles on a grid of 2^-19, wrapped before and after the sum.
        both = hertz.sum(dim=-2)
        cycles = torch.round(both * (0.5 * SLOT_SAMPLES / SAMPLE_RATE * PHASE_STEPS)) * (1.0 / PHASE_STEPS)
        cycles = cycles - torch.floor(cycles)
        total = torch.cumsum(torch.cat([phase[:, None], cycles], dim=1), dim=1)
        wrapped = total - torch.floor(total)

        told = torch.cat([wrapped[:, :-1, None], hertz], dim=-2)
        level = self.ends(torch.cat([before[:, None], amplitude], dim=1)).unflatten(-1, (2, -1))
        if torch.is_grad_enabled() and amplitude.requires_grad:
            samples = _Sum.apply(self, told.flatten(0, 1), level.flatten(0, 1)).unflatten(0, amplitude.shape[:2])
        else:
            samples = self.mixed(self.turning(told, both), level)
        return samples.flatten(2), wrapped[:, -1]

    def turning(self, told: Tensor, both: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """From the lines' phases and frequencies ``told […, 3, lines]``, and the frequencies' sum ``[…, lines]``: cosines
        and sines of the phases at each step's middle ``[…, 16, lines]``, and of the turns from there to each pair of
        samples ``[…, 4, lines]``, the outermost first."""
        angle = self.steps @ told
        turn = self.turns * both[..., None, :]
        return torch.cos(angle), torch.sin(angle), torch.cos(turn), torch.sin(turn)

    def mixed(self, turning: tuple[Tensor, Tensor, Tensor, Tensor], level: Tensor) -> Tensor:
        """The lines' sum ``[…, 16, 8]`` with amplitudes on a line between a slot's two ``level […, 2, lines + layered]``.

        A line a cos θ − b sin θ is, at θ ± turn, an even part (a cos θ − b sin θ) cos turn and an odd one, which is
        taken off or added, (a sin θ + b cos θ) sin turn. Only second layers have a b.
        """
        cosine, sine, near, far = turning
        level = level[..., None, :]
        across, along = torch.split(level, [self.lines, self.layered], dim=-1)
        even, odd = _summed(cosine, near, across), _summed(sine, far, across)
        if self.layered:
            second = slice(self.count, None)
            even = even - _summed(sine[..., second], near[..., second], along)
            odd = odd + _summed(cosine[..., second], far[..., second], along)
        fading, rising = torch.split(torch.cat([even, odd], dim=-1) @ self.mirror, STEP_SAMPLES, dim=-1)
        return fading + (rising - fading) * self.ramp

    def gradient(self, turning: tuple[Tensor, Tensor, Tensor, Tensor], samples: Tensor) -> Tensor:
        """Of ``mixed``: from the gradient of its samples ``[…, 16, 8]`` that of ``level``."""
        cosine, sine, near, far = turning
        ends = torch.cat([samples * (1.0 - self.ramp), samples * self.ramp], dim=-1) @ self.mirror.T
        even, odd = ends.transpose(-1, -2).split(2 * PAIRS, dim=-2)
        across = _spread(even, cosine, near) + _spread(odd, sine, far)
        second = slice(self.count, None)
        along = _spread(odd, cosine[..., second], far[..., second]) - _spread(even, sine[..., second], near[..., second])
        return torch.cat([across, along], dim=-1)


def _mirror() -> Tensor:
    """``[16, 16]``: from the even parts of two levels' four pairs, and the odd ones, to the eight samples of each."""
    mirror = torch.zeros(2, 2, PAIRS, 2, STEP_SAMPLES)  # part, level, pair to level, sample
    for level in range(2):
        for pair in range(PAIRS):
            for sample, sign in ((pair, 1.0), (STEP_SAMPLES - 1 - pair, -1.0)):
                mirror[0, level, pair, level, sample] = 1.0
                mirror[1, level, pair, level, sample] = sign
    return mirror.reshape(4 * PAIRS, 2 * STEP_SAMPLES)


def _summed(steps: Tensor, pairs: Tensor, level: Tensor) -> Tensor:
    """Over the lines: ``steps […, 16, lines]`` times ``pairs […, 4, lines]`` times ``level […, 2, 1, lines]``, as
    ``[…, 16, 8]``."""
    return steps @ (pairs[..., None, :, :] * level).flatten(-3, -2).transpose(-1, -2)


def _spread(gradient: Tensor, steps: Tensor, pairs: Tensor) -> Tensor:
    """Of ``_summed``: from its gradient ``[…, 8, 16]`` that of the level, ``[…, 2, lines]``."""
    return ((gradient @ steps).unflatten(-2, (2, PAIRS)) * pairs[..., None, :, :]).sum(dim=-2)


class _Sum(torch.autograd.Function):
    """``PartialBank.mixed`` for training, of tensors ``[slots, …]``: on a CPU ROWS slots at a time, which stay in its
    caches, on a GPU all at once, which are fewer launches; and gradients for the amplitudes alone, since phases and
    frequencies are told and never learned."""

    ROWS = 32

    @staticmethod
    def forward(context, bank: PartialBank, told: Tensor, level: Tensor) -> Tensor:
        context.bank = bank
        context.save_for_backward(told)
        return torch.cat([bank.mixed(_Sum._turning(bank, part), levels) for part, levels in _Sum._parts(told, level)])

    @staticmethod
    def backward(context, gradient: Tensor) -> tuple:
        bank, (told,) = context.bank, context.saved_tensors
        parts = _Sum._parts(told, gradient)
        return None, None, torch.cat([bank.gradient(_Sum._turning(bank, part), some) for part, some in parts])

    @staticmethod
    def _turning(bank: PartialBank, told: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        return bank.turning(told, told[:, 1:].sum(dim=1))

    @staticmethod
    def _parts(*tensors: Tensor) -> Iterable[tuple[Tensor, ...]]:
        rows = _Sum.ROWS if tensors[0].device.type == "cpu" else len(tensors[0])
        return zip(*(tensor.split(rows) for tensor in tensors))


def audible(hertz: Tensor) -> Tensor:
    """1 for partials below FULL_HERTZ, 0 above SILENT_HERTZ, and a line between."""
    return ((SILENT_HERTZ - hertz) * (1.0 / (SILENT_HERTZ - FULL_HERTZ))).clamp(0.0, 1.0)
