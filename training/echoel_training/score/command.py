"""`echoel_training score`: instrument by instrument, what plays each note, and what is measured of it."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .. import TrainingError
from ..measure.product import Bench, decoder_cost
from ..measure.report import Figure
from ..measure.tool import Echoel, Instrument
from ..rendering import Synthesizer
from . import compare
from .additive import AdditiveSynth
from .asked import identity_of
from .levels import level_figures
from .notes import Rendering, Way
from .origin import Origin
from .playing import Request, play, resynthesize
from .recordings import Recordings
from .sampler import play_other_velocity, play_with_zone_missing
from .selection import held_out_notes, level_notes, spread_keys
from .sustain import sustain_figures
from .tuning import tune_of_range

NO_WORSE_THAN_SAMPLER = 2
"""Of the four instruments, at least so many."""
_ALL_INSTRUMENTS = 4
_SUSTAIN_KEYS = 4
_TIMED: tuple[Way, ...] = ("prior", "encoder", "sampler")
"""The ways whose onsets, attacks, decays and partials are told; the first of them is judged."""


@dataclass(frozen=True)
class Score:
    """What was measured, and the notes that it was measured on."""

    figures: list[Figure]
    renderings: list[Rendering]


class Scorer:
    """Everything that scoring an instrument needs: the product, a dataset's fields, and its SoundFont."""

    def __init__(
        self,
        echoel: Echoel,
        fields: dict[str, np.ndarray],
        synthesizer: Synthesizer,
        quick: bool = False,
        announce: Callable[[str], None] = lambda what: None,
    ):
        self._echoel, self._fields, self._synthesizer = echoel, fields, synthesizer
        self._quick, self._announce = quick, announce

    def score(self, instruments: Sequence[Instrument]) -> Score:
        """Scores one instrument after another, and what is asked of all of them together."""
        figures, renderings = [], []
        with tempfile.TemporaryDirectory(prefix="echoel-score-") as folder:
            bench = Bench(self._echoel, Path(folder))
            for instrument in instruments:
                recordings = Recordings.of(self._fields, instrument.name)
                origin = Origin(recordings, instrument.programs, self._synthesizer)
                additive = AdditiveSynth.learn(recordings)
                played = self.renderings(bench, instrument, recordings, origin, additive)
                renderings += played
                figures += self._figures(bench, instrument, recordings, origin, additive, played)
        return Score([*figures, *overall_figures(renderings)], renderings)

    def renderings(
        self,
        bench: Bench,
        instrument: Instrument,
        recordings: Recordings,
        origin: Origin,
        additive: AdditiveSynth,
    ) -> list[Rendering]:
        """The held-out notes by every way there is."""
        self._announce(f"{instrument.name}: held-out notes through the prior, encoder latents and the baselines")
        notes = held_out_notes(recordings, self._quick)
        played = play(bench, instrument, [Request.of(note) for note in notes])
        encoded = resynthesize(bench, instrument, notes) if instrument.has_encoder else [None] * len(notes)
        renderings = []
        for note, prior, encoder in zip(notes, played, encoded, strict=True):
            audio = {
                "prior": prior,
                "encoder": encoder,
                "additive": additive.play(note),
                "sampler": play_with_zone_missing(origin, recordings, note),
                "velocity": play_other_velocity(origin, recordings, note),
            }
            renderings.append(Rendering(note, {way: sound for way, sound in audio.items() if sound is not None}))
        return renderings

    def _figures(self, bench, instrument, recordings, origin, additive, renderings) -> Iterator[Figure]:
        name = instrument.name
        yield from compare.distance_figures(name, renderings)
        self._announce(f"{name}: pitch over its range, chords and bends")
        yield from tune_of_range(bench, instrument, recordings, self._quick)
        self._announce(f"{name}: partials, onsets, attacks and decays")
        for figures in (compare.partial_figures, compare.onset_figures, compare.attack_figures):
            for way in _TIMED:
                yield from figures(name, renderings, way)
        for way in _TIMED:
            yield from compare.decay_figures(name, renderings, recordings.is_struck, way)
        self._announce(f"{name}: every velocity")
        notes = level_notes(recordings, self._quick)
        yield from level_figures(name, notes, play(bench, instrument, [Request.of(note) for note in notes]))
        self._announce(f"{name}: held notes")
        keys = spread_keys(recordings, 2 if self._quick else _SUSTAIN_KEYS)
        yield from sustain_figures(bench, instrument, origin, keys, recordings.is_struck)
        self._announce(f"{name}: which of all programs its notes are heard as")
        yield from identity_of(bench, instrument, recordings, origin, additive, self._synthesizer.soundfont, self._quick)
        self._announce(f"{name}: cost")
        yield decoder_cost(bench, instrument)


def choose_instruments(echoel: Echoel, fields: dict[str, np.ndarray], names: Sequence[str]) -> list[Instrument]:
    """The named instruments, else all that are both installed and in the dataset, in its order."""
    if names:
        return echoel.instruments(list(dict.fromkeys(names)))
    installed = {instrument.name: instrument for instrument in echoel.instruments()}
    chosen = [installed[str(name)] for name in fields["instruments"] if str(name) in installed]
    if not chosen:
        raise TrainingError(
            f"none of the dataset's instruments ({', '.join(map(str, fields['instruments']))}) is in {echoel.models}; "
            "give their folder with --models"
        )
    return chosen


def overall_figures(renderings: Sequence[Rendering]) -> list[Figure]:
    """What is asked of the four together: nothing where fewer are scored."""
    names = list(dict.fromkeys(each.note.instrument for each in renderings))
    if len(names) < _ALL_INSTRUMENTS:
        return []
    better = []
    for name in names:
        own = [each for each in renderings if each.note.instrument == name and "sampler" in each.audio]
        found = compare.distances(own)
        if found and np.mean([each["prior"] for each in found]) <= np.mean([each["sampler"] for each in found]):
            better.append(name)
    name = f"of {len(names)} instruments no worse than the sampler, through the prior"
    return [Figure("All together", name, len(better), "", NO_WORSE_THAN_SAMPLER, True, {"instruments": better})]
