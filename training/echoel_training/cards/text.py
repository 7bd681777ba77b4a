"""Markdown, and how keys, numbers and lists are written in it."""

import math
import textwrap
from collections.abc import Iterable, Sequence

from ..measure.report import told

WIDTH = 100

_PITCHES = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")


def key_name(key: int) -> str:
    """A MIDI key as musicians call it; 60 is C4."""
    return f"{_PITCHES[key % 12]}{key // 12 - 1}"


def runs(numbers: Iterable[int]) -> list[str]:
    """Neighbouring numbers as one range: 48, 49, 50, 56 are `48–50` and `56`."""
    found: list[list[int]] = []
    for number in sorted(set(numbers)):
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return [str(low) if low == high else f"{low}–{high}" for low, high in found]


def listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def measured(value: float, unit: str) -> str:
    """A value with its unit; what was not a finite number says so."""
    return f"{told(value)} {unit}".rstrip() if math.isfinite(value) else "not measurable"


def paragraph(words: str, first: str = "", rest: str = "") -> str:
    """Wrapped to the width, after `first` on the first line and `rest` on the others."""
    return textwrap.fill(
        words, WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )


def points(every: Iterable[str]) -> str:
    """A list of sentences."""
    return "\n".join(paragraph(one, "- ", "  ") for one in every)


def table(rows: Iterable[Sequence[str]], head: Sequence[str], right: Iterable[int] = ()) -> str:
    """A table; the columns `right` are aligned to their right."""
    rule = ["---:" if column in set(right) else "---" for column in range(len(head))]
    lines = ["|" + "|".join(f" {cell} " if cell else " " for cell in row) + "|" for row in (head, *rows)]
    return "\n".join([lines[0], f"|{'|'.join(rule)}|", *lines[1:]])


def shell(*lines: str) -> str:
    """Commands to be typed; long ones are broken before an option."""
    return "\n".join(["```sh", *(_broken(line) for line in lines), "```"])


def _broken(line: str) -> str:
    if len(line) <= WIDTH:
        return line
    cut = line.rfind(" --", 0, WIDTH - 1)
    return line if cut <= 0 else f"{line[:cut]} \\\n    {_broken(line[cut + 1 :])}"
