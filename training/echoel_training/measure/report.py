"""Figures, each with its bound, and how they are told."""

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One measured number. It passes if it is at most (or at least) its bound; without a bound it only informs."""

    measure: str
    name: str
    value: float
    unit: str
    bound: float | None = None
    at_least: bool = False
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def passed(self) -> bool | None:
        if self.bound is None:
            return None
        # NaN passes nothing.
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    def as_json(self) -> dict[str, Any]:
        """With null for what is not a finite number."""
        return {
            "measure": self.measure,
            "name": self.name,
            "value": _finite(self.value),
            "unit": self.unit,
            "bound": self.bound,
            "comparison": None if self.bound is None else "at least" if self.at_least else "at most",
            "passed": self.passed,
            "details": _finite(self.details),
        }


def table(figures: Iterable[Figure]) -> list[str]:
    """Lines of text, one per figure, under a heading per measure."""
    rows, measure = [], None
    figures = list(figures)
    width = max((len(figure.name) for figure in figures), default=0)
    for figure in figures:
        if figure.measure != measure:
            measure = figure.measure
            rows += ([""] if rows else []) + [measure]
        bound = "" if figure.bound is None else f"{'≥' if figure.at_least else '≤'} {told(figure.bound)}"
        verdict = {None: "", True: "pass", False: "FAIL"}[figure.passed]
        value = f"{told(figure.value):>9} {figure.unit:<8}"
        rows.append(f"  {figure.name:<{width}}  {value}  {bound:<10} {verdict}".rstrip())
    judged = [figure.passed for figure in figures if figure.passed is not None]
    return [*rows, "", f"{sum(judged)} of {len(judged)} bounds kept"]


def worst(values: Iterable[float]) -> float:
    """The largest magnitude; NaN if one is NaN, or there is none."""
    magnitudes = [abs(value) for value in values]
    return math.nan if not magnitudes or any(map(math.isnan, magnitudes)) else max(magnitudes)


def middle(values: Iterable[float]) -> float:
    """The median."""
    return float(statistics.median(values))


def told(value: float) -> str:
    """A value as a table shows it: three digits."""
    if not math.isfinite(value):
        return "none" if math.isnan(value) else "∞"
    if value == 0 or abs(value) >= 1e-4:
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    return f"{value:.1e}"


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
