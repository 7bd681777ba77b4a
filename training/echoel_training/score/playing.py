"""Notes played by the product, each cut out of the sound file that `echoel render` writes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .. import TrainingError
from ..measure.midi import BEND_SEMITONES, Bend, Note, key_frequency
from ..measure.product import GAIN_DB, Bench
from ..measure.tool import Instrument
from .notes import SAMPLE_RATE, ScoredNote

_FIRST_ONSET = 4_877
_PAUSE_SAMPLES = 4_877  # odd, so that onsets fall on every place of slots and slices
_BEND_LEAD_SAMPLES = 2_400  # a bend is there 50 ms before its note


@dataclass(frozen=True)
class Request:
    """A note to play."""

    key: int
    velocity: int
    off_sample: int
    """Samples from note-on to note-off."""
    samples: int
    """How much of it is cut out, from the note-on."""
    hertz: float | None = None
    """Its pitch, within two semitones of the key's; None is the key's own."""

    @staticmethod
    def of(note: ScoredNote) -> "Request":
        """As a reference was played, at the pitch that it has."""
        return Request(note.key, note.velocity, note.off_sample, len(note.reference), note.hertz)


def play(bench: Bench, instrument: Instrument, requests: Sequence[Request]) -> list[np.ndarray]:
    """Each note as `echoel render` plays it, float32 `[samples]`, sample 0 the note-on.

    Every note sounds alone, and its pitch is bent before it begins, in steps of 0.024 cents. Level-normalised as a
    dataset is: what the product multiplies by, gain · (velocity / 127) ^ velocityExponent, is taken out. Nothing is
    fitted to what comes out.
    """
    notes, bends, onset = [], [], _FIRST_ONSET
    for request in requests:
        notes.append(Note(onset, request.off_sample, request.key, request.velocity))
        bends.append(Bend(onset - _BEND_LEAD_SAMPLES, _semitones(request)))
        ends = request.off_sample + math.ceil(instrument.release_seconds * SAMPLE_RATE)
        onset += max(request.samples, ends) + _PAUSE_SAMPLES
    sound, rate = bench.sound(f"{instrument.name}-score", instrument.name, notes, bends, onset)
    if rate != SAMPLE_RATE or len(sound) < onset - _PAUSE_SAMPLES:
        raise TrainingError(f"echoel rendered {len(sound)} samples at {rate} Hz where {onset} at 48000 Hz were asked")
    cut = []
    for note, request in zip(notes, requests, strict=True):
        level = 10 ** (GAIN_DB / 20) * instrument.gain * (note.velocity / 127) ** instrument.velocity_exponent
        cut.append((sound[note.onset : note.onset + request.samples] / level).astype(np.float32))
    return cut


def resynthesize(bench: Bench, instrument: Instrument, notes: Sequence[ScoredNote]) -> list[np.ndarray]:
    """Each note's reference as `echoel resynthesize` takes it through the instrument's encoder and decoder; as long."""
    recordings = [(note.reference, note.hertz) for note in notes]
    sounds = bench.echoel.resynthesize(recordings, instrument.name, bench.folder)
    for note, sound in zip(notes, sounds, strict=True):
        if sound.shape != note.reference.shape:
            raise TrainingError(f"echoel made {sound.shape} samples of a recording of {len(note.reference)}")
    return sounds


def _semitones(request: Request) -> float:
    if request.hertz is None:
        return 0.0
    semitones = 12 * math.log2(request.hertz / key_frequency(request.key))
    if abs(semitones) > BEND_SEMITONES:
        raise TrainingError(f"{request.hertz:.2f} Hz are {semitones:.1f} semitones from key {request.key}: at most 2")
    return semitones
