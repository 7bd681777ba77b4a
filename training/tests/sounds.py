"""Sounds made to have a known fault, and the notes that they are played for."""

import numpy as np

from echoel_training.inharmonicity import partial_hertz
from echoel_training.score.notes import SAMPLE_RATE, Rendering, ScoredNote

SEED = 48


def tone(hertz, seconds, *, cents=0.0, inharmonicity=0.0, partials=12, slope=1.0, seed=SEED):
    """A steady tone whose partials fall with 1/k^slope, with random phases, about 0.3 loud."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    x = np.zeros(len(time))
    for number in range(1, partials + 1):
        place = partial_hertz(number, hertz * 2 ** (cents / 1200), inharmonicity)
        if place < 20_000:
            x += 0.2 / number**slope * np.sin(2 * np.pi * (place * time + rng.random()))
    return x


def noise(seconds, level, seed=SEED):
    return level * np.random.default_rng(seed).standard_normal(round(seconds * SAMPLE_RATE))


def envelope(held, after, *, onset=0.0, attack=0.01, t60_held=np.inf, t60=0.2):
    """Silence until `onset`, a straight rise of `attack`, a decay, and from `held` on a release; all in seconds."""
    time = np.arange(round((held + after) * SAMPLE_RATE)) / SAMPLE_RATE
    rise = np.clip((time - onset) / max(attack, 1e-6), 0, 1)
    decibels = -60 / t60_held * (time - onset) - 60 / t60 * np.maximum(time - held, 0)
    return rise * 10 ** (decibels / 20)


def note(
    hertz=440.0, held=1.5, after=1.0, *, key=69, why="zone", velocity=100, inharmonicity=0.0, partials=12, **shape
):
    """A note to score, its reference a tone with an envelope."""
    sound = tone(hertz, held + after, inharmonicity=inharmonicity, partials=partials) * envelope(held, after, **shape)
    return ScoredNote(
        instrument="tones",
        key=key,
        velocity=velocity,
        off_sample=round(held * SAMPLE_RATE),
        hertz=hertz,
        inharmonicity=inharmonicity,
        reference=sound.astype(np.float32),
        why=why,
    )


def played(scored: ScoredNote, sound, **others) -> Rendering:
    """As if the product had played `sound`."""
    audio = {"prior": sound, **others}
    return Rendering(scored, {way: np.asarray(x, np.float32)[: len(scored.reference)] for way, x in audio.items()})
