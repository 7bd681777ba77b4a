"""The figures of a score in the manifests of the models that they were measured with."""

import math
from collections.abc import Iterable

from ..measure.report import Figure

_DIGITS = 4


def quality(figures: Iterable[Figure]) -> dict:
    """A manifest's `quality` of one instrument: by measure and name, values to four digits."""
    told: dict[str, dict] = {}
    for figure in figures:
        told.setdefault(figure.measure, {})[figure.name] = _described(figure)
    return told


def _described(figure: Figure) -> dict:
    described = {"value": _rounded(figure.value), "unit": figure.unit or "1"}
    if figure.bound is None:
        return described
    return described | {"atLeast" if figure.at_least else "atMost": figure.bound, "passed": figure.passed}


def _rounded(value: float) -> float | None:
    """None where there is no finite number."""
    return float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None
