"""What `echoel_training score` measured, read back."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .. import TrainingError
from ..manifest import read_json
from ..measure.report import Figure

_BOUNDS = {None: False, "at most": False, "at least": True}


@dataclass(frozen=True)
class Scores:
    """Figures by instrument; their measures are named without it."""

    dataset: str
    """The fingerprint of the dataset that they were measured on."""
    quick: bool
    """Fewer notes of everything were measured."""
    figures: dict[str, list[Figure]]
    models: dict[str, dict[str, str]]
    """The SHA-256 of what was measured: by instrument, then by role."""
    together: list[Figure]
    """What is asked of all instruments at once."""

    def of(self, name: str) -> list[Figure]:
        """The figures of one instrument."""
        if name not in self.figures:
            raise TrainingError(
                f"the scores hold no figure of {name}; measure it with `echoel_training score --instrument {name}` and "
                "give that score.json as well"
            )
        return self.figures[name]


def read_scores(paths: Sequence[Path]) -> Scores:
    """The figures of one or more `score.json`; each instrument is in one of them, and all are of one dataset."""
    read = [_read(path) for path in paths]
    first = read[0]
    figures: dict[str, list[Figure]] = {}
    models: dict[str, dict[str, str]] = {}
    for path, scores in zip(paths, read, strict=True):
        if (scores.dataset, scores.quick) != (first.dataset, first.quick):
            raise TrainingError(
                f"{path} was not measured like {paths[0]}: on another dataset, or only one of them with --quick; "
                "score all instruments alike"
            )
        if twice := sorted(figures.keys() & scores.figures.keys()):
            raise TrainingError(f"{twice[0]} is in two of the scores; leave out {path} or the one before it")
        figures |= scores.figures
        models |= scores.models
    return Scores(first.dataset, first.quick, figures, models, [figure for scores in read for figure in scores.together])


def _read(path: Path) -> Scores:
    report = read_json(path)
    try:
        by_instrument: dict[str, list[Figure]] = {}
        together = []
        for figure in map(_figure, report["figures"]):
            measure, separator, name = figure.measure.rpartition(": ")
            if separator:
                by_instrument.setdefault(name, []).append(replace(figure, measure=measure))
            else:
                together.append(figure)
        return Scores(str(report["dataset"]), bool(report["quick"]), by_instrument, dict(report["models"]), together)
    except (KeyError, TypeError, ValueError) as error:
        raise TrainingError(f"{path} is not what `echoel_training score --out` writes: {error!r}; score again") from error


def _figure(row: dict) -> Figure:
    """The other way round than `Figure.as_json`: what is null there was not a finite number."""
    value = math.nan if row["value"] is None else float(row["value"])
    return Figure(row["measure"], row["name"], value, row["unit"], row["bound"], _BOUNDS[row["comparison"]])
