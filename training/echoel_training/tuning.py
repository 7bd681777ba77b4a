"""How recorded notes are tuned: the frequency of partial 1 and, of struck strings, the inharmonicity."""

import numpy as np

from .inharmonicity import FEWEST_PARTIALS, find_partials, fit_partials
from .rendering import SAMPLE_RATE


def nominal_hertz(key: float) -> float:
    """Equal temperament, A4 = 440 Hz."""
    return 440.0 * 2 ** ((key - 69) / 12)


def measure_f0(audio: np.ndarray, nominal: float, within_cents: float = 60.0) -> float:
    """The fundamental in Hz of a steady tone near `nominal` Hz, at 48 kHz.

    The sum over harmonics of the magnitude spectrum at k·f, as large as it gets within ±`within_cents` of
    `nominal`, refined by a parabola through the best point and its neighbours. `nominal` where the tone is too
    short to tell (under eight periods), or has no such peak inside the range.
    """
    if len(audio) < 8 * SAMPLE_RATE / nominal:
        return nominal
    size = 1 << (4 * len(audio) - 1).bit_length()
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(len(audio)), size))
    cents = np.arange(-within_cents, within_cents + 0.5, 0.5)
    candidates = nominal * 2 ** (cents / 1200)
    highest = max(1, min(16, int(8_000 / nominal)))
    score = np.zeros(len(candidates))
    for harmonic in range(1, highest + 1):
        bins = candidates * harmonic * size / SAMPLE_RATE
        if bins[-1] >= len(spectrum) - 1:
            break
        score += np.interp(bins, np.arange(len(spectrum)), spectrum)
    best = int(np.argmax(score))
    if score[best] == 0 or best in (0, len(score) - 1):
        return nominal
    left, middle, right = score[best - 1 : best + 2]
    curvature = left - 2 * middle + right
    offset = 0.5 * (left - right) / curvature if curvature < 0 else 0.0
    return float(nominal * 2 ** ((cents[best] + 0.5 * offset) / 1200))


def measure_tuning(notes: list[np.ndarray], keys: list[int], struck: bool) -> tuple[float, float]:
    """How far a recording is off equal temperament, in cents, and its inharmonicity B.

    `notes` are that one recording played at `keys`, each from its note-on to its note-off: resampling changes neither
    number, so each is the median over the notes. Of a note that is not `struck` B is 0 and its pitch is that of
    `measure_f0`, without the attack; of one that is, both are of the fit to its partials.
    """
    nominal = [float(nominal_hertz(key)) for key in keys]
    if struck:
        found = [(hertz, *find_partials(note, hertz)) for note, hertz in zip(notes, nominal)]
        found = [note for note in found if len(note[1]) >= FEWEST_PARTIALS]
        if found:
            inharmonicity = float(np.median([fit_partials(*partials)[1] for _, *partials in found]))
            pitches = [fit_partials(*partials, inharmonicity)[0] / hertz for hertz, *partials in found]
            return _median_cents(pitches), inharmonicity
    attacks = [min(int(0.2 * SAMPLE_RATE), len(note) // 4) for note in notes]
    pitches = [measure_f0(note[attack:], hertz) / hertz for note, attack, hertz in zip(notes, attacks, nominal)]
    return _median_cents(pitches), 0.0


def _median_cents(ratios: list[float]) -> float:
    return float(1200 * np.median(np.log2(ratios)))
