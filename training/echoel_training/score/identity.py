"""Whether a note is heard as the instrument that it should be: its nearest neighbours among all General MIDI programs.

A played note is compared with the SoundFont's notes of all 128 programs at the keys up to four semitones away and
velocities 40, 64, 96 and 120, by what `timbre` says of them. Its own key is never among them, so the recording that
it was made from can be there only transposed or, in a neighbouring zone, not at all.

Onset, sustain and envelope each have a nearest neighbour of their own (Euclidean; each number divided by how much it
varies among one program's notes, pooled over the programs), and a note is heard as the program that at least two of
the three belong to, or as none. One distance over all of them would not do: the average spectrum of a trumpet is
enough to be nearer to it than to any other program, however it begins and moves. Programs that `gallery` finds to be
there twice count as one. The SoundFont's own notes, asked in the same way, give the rate that can be reached: a score
is the share of that rate.

That rate is flattered: a recording is heard at three or four neighbouring keys, so the nearest neighbour of the
SoundFont's own note is mostly that very recording, by what is accidental in it. So both rates are also told with the
note's own recording kept out of its program's part of the gallery, as information.
"""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..measure.report import Figure
from ..rendering import Synthesizer
from . import timbre
from .gallery import PROGRAMS, VELOCITIES, Gallery, open_gallery, render_note

NEIGHBOURS = (-4, -3, -2, -1, 1, 2, 3, 4)
"""Semitones from the asked key to those that are compared."""

ASKED_NOTES = 16
LEAST_SHARE = 80.0
"""Percent of the SoundFont's own rate that an instrument must reach, and additive synthesis must not."""


class Query(NamedTuple):
    """A note to be identified, released at `timbre.OFF_SAMPLE`."""

    instrument: str
    program: int
    """General MIDI, 0…127: what it should be heard as."""
    key: int
    velocity: int
    audio: np.ndarray
    """float32 [samples], 48 kHz, sample 0 the note-on, at any level."""
    recording: frozenset[int] = frozenset()
    """The keys at which the SoundFont plays the recording of this key, where that is known."""


@dataclass(frozen=True)
class Answer:
    """What a note was taken for."""

    nearest: tuple[int, ...]
    """The programs of the nearest onset, sustain and envelope."""
    heard_as: int | None
    """The program of at least two of them."""
    right: bool


def query_notes(keys: Sequence[int], count: int = ASKED_NOTES) -> list[tuple[int, int]]:
    """Key and velocity of about `count` notes to ask for: as many of the gallery's velocities at each key, in turn."""
    each = min(max(1, count // len(keys)), len(VELOCITIES))
    turns = [range(place, place + len(VELOCITIES), len(VELOCITIES) // each) for place in range(len(keys))]
    return [(key, VELOCITIES[turn % len(VELOCITIES)]) for key, some in zip(keys, turns) for turn in list(some)[:each]]


def identity_figures(
    queries: Sequence[Query], additive: Sequence[Query] = (), soundfont: str | os.PathLike | None = None
) -> list[Figure]:
    """The figures of each instrument, in the order of the queries.

    `queries` are the instruments' notes and `additive` the baseline's, which has to fail: its figure passes below the
    bound. What is not in the gallery's cache is rendered first.
    """
    queries = [Query(*query) for query in queries]
    additive = [Query(*query) for query in additive]
    own = soundfont_queries(queries, soundfont)
    keys = {query.key + step for query in queries + additive for step in NEIGHBOURS if 0 <= query.key + step <= 127}
    judge = Judge(open_gallery(keys, soundfont))
    figures = []
    for instrument in dict.fromkeys(query.instrument for query in queries):
        reachable = _rate(judge, own, instrument)
        measure = f"Identity: {instrument}"
        figures += [
            _share(measure, "top-1, of the SoundFont's own rate", _rate(judge, queries, instrument), reachable, True),
            _own(measure, reachable),
        ]
        if any(query.recording for query in queries if query.instrument == instrument):
            figures += [
                _apart(measure, _rate(judge, some, instrument, apart=True), whose)
                for some, whose in ((queries, "ours"), (own, "the SoundFont's own"))
            ]
        if any(query.instrument == instrument for query in additive):
            found = _rate(judge, additive, instrument)
            figures.append(_share(measure, "additive synth and filtered noise, which must stay below", found, reachable, False))
    return figures


def soundfont_queries(queries: Iterable[Query], soundfont: str | os.PathLike | None = None) -> list[Query]:
    """The SoundFont's own notes at the keys and velocities of the queries, where it has them."""
    synthesizer = Synthesizer(soundfont)
    asked = {query[:4]: query.recording for query in (Query(*query) for query in queries)}
    notes = [(each, render_note(synthesizer, *each[1:])) for each in asked]
    return [Query(*each, audio, asked[each]) for each, audio in notes if audio is not None]


class Judge:
    """Finds nearest neighbours in a gallery."""

    def __init__(self, gallery: Gallery):
        self._keys = gallery.keys
        self._sounds = gallery.sounds
        self._same = gallery.same()
        self._scale = _scale(gallery)
        self._features = gallery.features * self._scale

    def answer(self, query: Query, apart: bool = False) -> Answer:
        """What is nearest among the notes near the query's key, never at it; `apart` from the query's own recording, too."""
        near = np.isin(self._keys - query.key, NEIGHBOURS)
        sounds = self._sounds[near]
        if apart:
            of_recording = np.isin(self._keys[near], list(query.recording))
            of_program = self._same == self._same[query.program]
            sounds = sounds & ~(of_recording[:, None] & of_program)[..., None]
        squares = (self._features[near] - timbre.describe(query.audio) * self._scale) ** 2
        nearest = []
        for part in timbre.PARTS.values():
            distance = np.where(sounds, squares[..., part].sum(axis=-1), np.inf)
            nearest.append(int(np.unravel_index(np.argmin(distance), distance.shape)[1]))
        (program, votes), *_ = Counter(int(self._same[each]) for each in nearest).most_common()
        if votes == 1:
            return Answer(tuple(nearest), None, False)
        heard_as = next(each for each in nearest if self.is_same(each, program))
        return Answer(tuple(nearest), heard_as, self.is_same(program, query.program))

    def is_same(self, one: int, other: int) -> bool:
        """Whether two programs are one, there twice."""
        return bool(self._same[one] == self._same[other])


def _scale(gallery: Gallery) -> np.ndarray:
    """One over the standard deviation of each number among one program's notes, float32 ``[136]``."""
    squares = notes = 0.0
    for program in PROGRAMS:
        of_program = gallery.features[:, program][gallery.sounds[:, program]].astype(np.float64)
        if len(of_program):
            squares = squares + ((of_program - of_program.mean(axis=0)) ** 2).sum(axis=0)
            notes += len(of_program)
    return (1 / np.sqrt(np.maximum(squares / notes, 1e-9))).astype(np.float32)


def _rate(judge: Judge, queries: Sequence[Query], instrument: str, apart: bool = False) -> dict:
    """How many of an instrument's notes are identified, each part's own share of right ones, and what the other notes
    are taken for, most often first (null: for nothing in particular)."""
    asked = [query for query in queries if query.instrument == instrument]
    answers = [judge.answer(query, apart) for query in asked]
    wrong = Counter(answer.heard_as for answer in answers if not answer.right)
    right = sum(answer.right for answer in answers)
    parts = [
        sum(judge.is_same(answer.nearest[place], query.program) for answer, query in zip(answers, asked, strict=True))
        for place in range(len(timbre.PARTS))
    ]
    return {
        "notes": len(answers),
        "right": right,
        "rate": right / len(answers) if answers else 0.0,
        "rightByPart": dict(zip(timbre.PARTS, parts, strict=True)),
        "takenFor": [{"program": program, "notes": count} for program, count in wrong.most_common()],
    }


def _share(measure: str, name: str, found: dict, reachable: dict, at_least: bool) -> Figure:
    share = 100 * found["rate"] / reachable["rate"] if reachable["rate"] else float("nan")
    return Figure(measure, _told(name, found), share, "%", LEAST_SHARE, at_least, found)


def _own(measure: str, reachable: dict) -> Figure:
    name = _told("top-1 of the SoundFont's own notes", reachable)
    return Figure(measure, name, 100 * reachable["rate"], "%", details=reachable)


def _apart(measure: str, found: dict, whose: str) -> Figure:
    name = f"top-1 without the notes' own recordings in the gallery, {whose}"
    return Figure(measure, name, 100 * found["rate"], "%", details=found)


def _told(name: str, found: dict) -> str:
    """With what the notes are taken for that are not identified."""
    others = [
        f"{each['notes']} as {'nothing' if each['program'] is None else 'program ' + str(each['program'])}"
        for each in found["takenFor"]
    ]
    return f"{name} (heard: {', '.join(others)})" if others else name
