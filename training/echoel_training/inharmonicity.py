"""The partials of a struck or plucked string, which are not quite harmonic.

A stiff string's partial k lies at k·f·√((1 + B·k²) / (1 + B)): f is the frequency of partial 1 and B, the
inharmonicity, is about 1e-4 in the middle of a piano and several 1e-3 at its top. Fletcher, *Normal Vibration
Frequencies of a Stiff Piano String*, JASA 36 (1964). Playing a recording faster raises f and keeps B.
"""

import numpy as np
from scipy.optimize import least_squares

from .rendering import SAMPLE_RATE

MOST_PARTIALS = 20
HIGHEST_HERTZ = 10_000.0
FEWEST_PARTIALS = 3
"""With fewer than these, nothing is said about B."""

_ATTACK_SECONDS = 0.03  # the hammer's noise
_PERIODS = 400  # at most: high notes are gone soon
_SHORTEST_SECONDS, _LONGEST_SECONDS = 0.4, 2.0
_ABOVE_FLOOR = 10.0  # a partial's peak over the median magnitude around it
_FIRST_CENTS = (-40.0, 40.0)  # where partial 1 is sought around its nominal frequency
_EARLY_CENTS = (-20.0, 50.0)  # the next one, in proportion to the last one found: strings only stretch
_FITTED_CENTS = (-15.0, 15.0)  # the next one, around the fit
_ENOUGH_FOR_A_FIT = 5
_WIDEST_GAP = 2  # beyond it, stretching has carried the next one out of _EARLY_CENTS
_ERROR_HERTZ, _ERROR_CENTS = 0.1, 1.0  # what a real partial is off the formula: beating strings, a moving bridge


def partial_hertz(number, f0, inharmonicity):
    """The frequencies in Hz of partials `number` (1, 2, …), as arrays or scalars."""
    return number * f0 * np.sqrt((1 + inharmonicity * np.square(number)) / (1 + inharmonicity))


def find_partials(audio: np.ndarray, nominal: float) -> tuple[np.ndarray, np.ndarray]:
    """The partials, up to the twentieth and 10 kHz, of a struck note near `nominal` Hz at 48 kHz.

    `audio` begins at the note-on. Returns the numbers of those that stand out of the spectrum's floor (1, 2, …) and
    their frequencies in Hz: peaks of the spectrum of the first 0.4 to 2 s, each sought where those before it say.
    """
    start = int(_ATTACK_SECONDS * SAMPLE_RATE)
    seconds = np.clip(_PERIODS / nominal, _SHORTEST_SECONDS, _LONGEST_SECONDS)
    part = audio[start : start + int(seconds * SAMPLE_RATE)]
    numbers: list[int] = []
    found: list[float] = []
    if len(part) < 16 * SAMPLE_RATE / nominal:
        return np.array(numbers), np.array(found)
    size = 1 << (8 * len(part) - 1).bit_length()
    spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part)), size))
    for number in range(1, min(MOST_PARTIALS, int(HIGHEST_HERTZ / nominal)) + 1):
        if not numbers:
            expected, within = number * nominal, _FIRST_CENTS
        elif len(numbers) >= _ENOUGH_FOR_A_FIT:
            expected = partial_hertz(number, *fit_partials(np.array(numbers), np.array(found)))
            within = _FITTED_CENTS
        elif number - numbers[-1] <= _WIDEST_GAP:
            expected, within = number * found[-1] / numbers[-1], _EARLY_CENTS
        else:
            break
        hertz = _peak(spectrum, size, expected, within, nominal)
        if hertz is not None:
            numbers.append(number)
            found.append(hertz)
    return np.array(numbers), np.array(found)


def fit_partials(numbers: np.ndarray, hertz: np.ndarray, inharmonicity: float | None = None) -> tuple[float, float]:
    """The f (Hz) and B that fit partials `numbers` at `hertz` best, B ≥ 0; the best f for an `inharmonicity` given.

    Least squares with a soft L1 loss, so that a wrong partial pulls little.
    """
    scale = np.hypot(_ERROR_HERTZ, hertz * (2 ** (_ERROR_CENTS / 1200) - 1))
    reference = float(np.median(hertz / numbers))

    def residuals(parameters: np.ndarray) -> np.ndarray:
        bent = parameters[1] * 1e-4 if inharmonicity is None else inharmonicity
        return (partial_hertz(numbers, reference * np.exp(parameters[0] * 1e-3), bent) - hertz) / scale

    free = inharmonicity is None
    start, low, high = ([0.0, 1.0], [-100, 0], [100, 1_000]) if free else ([0.0], [-100], [100])
    fitted = least_squares(residuals, start, bounds=(low, high), loss="soft_l1").x
    return reference * float(np.exp(fitted[0] * 1e-3)), float(fitted[1] * 1e-4) if free else inharmonicity


def _peak(
    spectrum: np.ndarray, size: int, expected: float, within: tuple[float, float], spacing: float
) -> float | None:
    """The frequency in Hz of the highest peak `within` cents of `expected`, or None where none stands out."""
    hertz_per_bin = SAMPLE_RATE / size
    first, last = (round(expected * 2 ** (cents / 1200) / hertz_per_bin) for cents in within)
    reach = int(0.5 * spacing / hertz_per_bin)
    first, last = max(first, round(expected / hertz_per_bin) - reach), min(last, len(spectrum) - 2)
    if last - first < 2:
        return None
    best = first + int(np.argmax(spectrum[first : last + 1]))
    if best in (first, last) or spectrum[best] <= _ABOVE_FLOOR * np.median(spectrum[best - reach : best + reach]):
        return None
    left, middle, right = np.log(spectrum[best - 1 : best + 2] + 1e-30)
    return (best + 0.5 * (left - right) / (left - 2 * middle + right)) * hertz_per_bin
