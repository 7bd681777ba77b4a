"""The figures of what is compared note by note: mel distance, partials, onset, attack and T60."""

import math
from collections.abc import Sequence

import numpy as np

from ..measure.report import Figure
from .envelope import (
    attack_seconds,
    decay_range,
    held_decay_decibels_per_second,
    onset_seconds,
    release_t60_seconds,
)
from .mel import mel_distance
from .notes import Rendering, ScoredNote, Way
from .partials import partial_errors

ENCODER_SHARE, ENCODER_DECIBELS = 0.5, 5.0
PRIOR_SHARE, PRIOR_DECIBELS = 0.6, 6.0
PARTIAL_CENTS, ONSET_MILLISECONDS, TIME_PER_CENT = 5.0, 2.0, 20.0
SHORTEST_ATTACK_SECONDS = 0.005
"""A shorter attack is taken for one of 5 ms: 20 % of it is a millisecond, the step of the envelope."""
SHORTEST_T60_SECONDS = 0.05

_THROUGH: dict[Way, str] = {
    "prior": "through the prior",
    "encoder": "through encoder latents",
    "additive": "additive synth and filtered noise",
    "sampler": "the sampler with that zone missing",
    "velocity": "the floor, another velocity",
}


def distances(renderings: Sequence[Rendering]) -> list[dict[Way, float]]:
    """Each note's mel distance by way, dB."""
    return [
        {way: mel_distance(audio, each.note.reference) for way, audio in each.audio.items()} for each in renderings
    ]


def distance_figures(instrument: str, renderings: Sequence[Rendering]) -> list[Figure]:
    """Mel distances beside the three baselines', means over the notes of unheard zones.

    A SoundFont may play one recording at every velocity: notes of an unheard velocity are then heard notes, and have a
    line of their own, without a bound, unless no zone was kept from training.
    """
    measure = f"Mel distance: {instrument}"
    by_note = list(zip(renderings, distances(renderings), strict=True))
    judged = [each for each in by_note if each[0].note.why == "zone"] or by_note
    others = [each for each in by_note if each not in judged]
    of = f"mean of {len(judged)} notes of unheard {'zones' if judged[0][0].note.why == 'zone' else 'velocities'}"
    mean = {way: _mean(judged, way) for way in _THROUGH if any(way in found for _, found in judged)}
    bounds = {
        "encoder": max(ENCODER_SHARE * mean["additive"], ENCODER_DECIBELS),
        "prior": max(PRIOR_SHARE * mean["additive"], PRIOR_DECIBELS),
    }
    figures = []
    for way, value in mean.items():
        details = {"perNote": [_described(each.note) | {"decibels": found.get(way)} for each, found in by_note]}
        bound = round(bounds[way], 2) if way in bounds else None
        figures.append(Figure(measure, f"{_THROUGH[way]}, {of}", value, "dB", bound, details=details))
    for way in ("encoder", "prior"):
        if way in mean:
            share = 100 * mean[way] / mean["additive"]
            figures.append(Figure(measure, f"{_THROUGH[way]}, against the additive synth", share, "%"))
    if "prior" in mean and "sampler" in mean:
        name = "through the prior, less the sampler's: 0 or less is no worse"
        figures.append(Figure(measure, name, mean["prior"] - mean["sampler"], "dB"))
    for way in ("prior", "encoder"):
        if others and any(way in found for _, found in others):
            name = f"{_THROUGH[way]}, mean of {len(others)} notes of an unheard velocity"
            figures.append(Figure(measure, name, _mean(others, way), "dB"))
    return figures


def partial_figures(instrument: str, renderings: Sequence[Rendering], way: Way = "prior") -> list[Figure]:
    """How far partials 2 to 10 lie from the SoundFont's, over all notes."""
    errors = [(each.note, partial_errors(each.audio[way], each.note)) for each in renderings if way in each.audio]
    values = [abs(value) for _, found in errors for value in found.values()]
    details = {"perNote": [_described(note) | {"cents": list(found.values())} for note, found in errors]}
    name = f"{len(values)} partials 2 to 10 {_THROUGH[way]}, against the SoundFont's"
    return _middle_and_most(f"Partials: {instrument}", name, values, "cents", _bound(way, PARTIAL_CENTS), details)


def onset_figures(instrument: str, renderings: Sequence[Rendering], way: Way = "prior") -> list[Figure]:
    """How far onsets lie from the SoundFont's."""

    def error(audio: np.ndarray, note: ScoredNote) -> float:
        return 1000 * abs(onset_seconds(audio) - onset_seconds(note.reference))

    return _per_note(
        f"Onset: {instrument}", "onsets", "ms", renderings, way, error, _bound(way, ONSET_MILLISECONDS)
    )


def attack_figures(instrument: str, renderings: Sequence[Rendering], way: Way = "prior") -> list[Figure]:
    """How much longer or shorter attacks are than the SoundFont's."""

    def error(audio: np.ndarray, note: ScoredNote) -> float:
        times = (attack_seconds(audio, note.hertz), attack_seconds(note.reference, note.hertz))
        return _per_cent(*times, SHORTEST_ATTACK_SECONDS)

    return _judged_times(f"Attack time: {instrument}", "attacks", renderings, way, error)


def decay_figures(
    instrument: str, renderings: Sequence[Rendering], is_struck: bool, way: Way = "prior"
) -> list[Figure]:
    """How much longer or shorter T60 is than the SoundFont's: of releases, and of what is struck while it is held."""
    measure = f"T60: {instrument}"
    held = _judged_times(measure, "held notes", renderings, way, _held_decay_error) if is_struck else []
    return [*held, *_judged_times(measure, "releases", renderings, way, _release_error)]


def _judged_times(measure, what, renderings, way, error) -> list[Figure]:
    """A time against the SoundFont's. Through the prior, notes of heard and of unheard zones apart: how a recording begins
    and decays is partly its own, so of one that nobody has heard no more is asked than the sampler knows that plays its
    neighbour, if that is more than 20 % and can be measured."""
    if way != "prior":
        return _per_note(measure, what, "%", renderings, way, error, None)
    found = []
    for why, of in (("velocity", "of heard zones, at an unheard velocity,"), ("zone", "of unheard zones")):
        notes = [each for each in renderings if each.note.why == why]
        bound = TIME_PER_CENT
        if why == "zone":
            sampler = _per_note(measure, what, "%", notes, "sampler", error, None)
            bound = max([bound, *(figure.value for figure in sampler if math.isfinite(figure.value))])
        found += _per_note(measure, f"{what} {of}", "%", notes, way, error, round(bound, 1))
    return found


def _held_decay_error(audio: np.ndarray, note: ScoredNote) -> float | None:
    span = decay_range(note.reference, note.off_sample)
    if span is None:
        return None
    theirs = held_decay_decibels_per_second(note.reference, span)
    ours = held_decay_decibels_per_second(audio, span)
    return _per_cent(-60 / ours if ours < 0 else math.inf, -60 / theirs, SHORTEST_T60_SECONDS)


def _release_error(audio: np.ndarray, note: ScoredNote) -> float | None:
    theirs = release_t60_seconds(note.reference, note.off_sample)
    if math.isnan(theirs):
        return None
    return _per_cent(release_t60_seconds(audio, note.off_sample), theirs, SHORTEST_T60_SECONDS)


def _per_note(measure, what, unit, renderings, way, error, bound) -> list[Figure]:
    found = [(each.note, error(each.audio[way], each.note)) for each in renderings if way in each.audio]
    found = [(note, value) for note, value in found if value is not None]
    details = {"perNote": [_described(note) | {"value": value} for note, value in found]}
    name = f"{len(found)} {what} {_THROUGH[way]}, against the SoundFont's"
    return _middle_and_most(measure, name, [value for _, value in found], unit, bound, details)


def _middle_and_most(measure, name, values, unit, bound, details) -> list[Figure]:
    """The median, and where it is judged the 90th percentile beside it; nothing where there was nothing to measure.

    What could not be measured in ours (NaN) is infinitely wrong.
    """
    if not values:
        return []
    known = np.nan_to_num(np.asarray(values, float), nan=math.inf, posinf=math.inf)
    most = float(np.quantile(known, 0.9, method="inverted_cdf"))
    median = Figure(measure, f"{name}: median", float(np.median(known)), unit, bound, details=details)
    return [median] if bound is None else [median, Figure(measure, f"{name}: 90 % within", most, unit)]


def _per_cent(ours: float, theirs: float, shortest: float) -> float:
    """The difference of two times, each at least `shortest`."""
    if math.isnan(ours):
        return math.nan
    ours, theirs = max(ours, shortest), max(theirs, shortest)
    return 100 * abs(ours / theirs - 1)


def _bound(way: Way, bound: float) -> float | None:
    """What is asked is asked of the instrument as it is played; the encoder's and the sampler's figures inform."""
    return bound if way == "prior" else None


def _mean(by_note, way: Way) -> float:
    return float(np.mean([found[way] for _, found in by_note if way in found]))


def _described(note: ScoredNote) -> dict:
    return {"key": note.key, "velocity": note.velocity, "offSample": note.off_sample, "why": note.why}
