"""The notes of an instrument whose identity is asked, as the product and the additive synth play them."""

import os
from collections.abc import Sequence

import numpy as np

from ..measure.midi import key_frequency
from ..measure.product import Bench
from ..measure.report import Figure
from ..measure.tool import Instrument
from . import timbre
from .additive import AdditiveSynth
from .identity import ASKED_NOTES, Query, identity_figures, query_notes
from .notes import SAMPLE_RATE, ScoredNote
from .origin import Origin
from .playing import Request, play
from .recordings import Recordings

ASKED_KEYS = 8

_SAMPLES = timbre.OFF_SAMPLE + round(timbre.TAIL_SECONDS * SAMPLE_RATE)


def asked_keys(recordings: Recordings, count: int = ASKED_KEYS) -> list[int]:
    """Keys of zones that training has not heard, evenly spread over them; of all keys where no zone was kept."""
    unheard = np.unique(recordings.key[np.isin(recordings.zone, recordings.missing_zones)])
    keys = unheard if len(unheard) else np.unique(recordings.key)
    places = (np.arange(count) + 0.5) / count * len(keys)
    return sorted({int(keys[int(place)]) for place in places})


def recording_of(recordings: Recordings, key: int) -> frozenset[int]:
    """The keys of a key's zone."""
    zones = recordings.zone[recordings.key == key]
    return frozenset(int(each) for each in recordings.key[np.isin(recordings.zone, zones)])


def identity_of(
    bench: Bench,
    instrument: Instrument,
    recordings: Recordings,
    origin: Origin,
    additive: AdditiveSynth,
    soundfont: str | os.PathLike | None = None,
    quick: bool = False,
) -> list[Figure]:
    """What sixteen of the instrument's notes (`quick`: eight) are heard as."""
    fewer = 2 if quick else 1
    notes = query_notes(asked_keys(recordings, ASKED_KEYS // fewer), ASKED_NOTES // fewer)
    return identity_figures(
        [
            query._replace(recording=recording_of(recordings, query.key))
            for query in played_queries(bench, instrument, origin.program, notes)
        ],
        additive_queries(additive, origin, instrument.name, notes),
        soundfont,
    )


def played_queries(
    bench: Bench, instrument: Instrument, program: int, notes: Sequence[tuple[int, int]]
) -> list[Query]:
    """Notes (key and velocity) as `echoel` plays them, to be heard as a General MIDI program."""
    requests = [Request(key, velocity, timbre.OFF_SAMPLE, _SAMPLES) for key, velocity in notes]
    sounds = play(bench, instrument, requests)
    return [Query(instrument.name, program, *note, sound) for note, sound in zip(notes, sounds, strict=True)]


def additive_queries(
    additive: AdditiveSynth, origin: Origin, name: str, notes: Sequence[tuple[int, int]]
) -> list[Query]:
    """The same notes as the baseline plays them, as loud as the SoundFont's."""
    queries = []
    for key, velocity in notes:
        audio = origin.play(key, velocity, timbre.OFF_SAMPLE)
        reference = np.zeros(_SAMPLES, np.float32)
        reference[: len(audio)] = audio[:_SAMPLES]
        note = ScoredNote(name, key, velocity, timbre.OFF_SAMPLE, key_frequency(key), 0.0, reference, "zone")
        queries.append(Query(name, origin.program, key, velocity, additive.play(note)))
    return queries
