"""The SoundFont that an instrument was learned from, asked for notes that the dataset does not hold."""

from collections.abc import Sequence

import numpy as np

from .. import TrainingError
from ..rendering import Synthesizer
from .recordings import Recordings

_SAME = 1e-3  # of the peak: another release of FluidSynth may round otherwise


class Origin:
    """Plays an instrument's own SoundFont program, level-normalised as its dataset."""

    def __init__(self, recordings: Recordings, programs: Sequence[int], synthesizer: Synthesizer):
        """Finds which of the General MIDI `programs` it is: the one that plays a note of the dataset.

        Raises `TrainingError` where none of them does: then the dataset is of another SoundFont.
        """
        self._recordings, self._synthesizer = recordings, synthesizer
        shortest = int(np.argmin(recordings.off_sample))
        expected = recordings.audio(shortest)
        asked = [int(part[shortest]) for part in (recordings.key, recordings.velocity, recordings.off_sample)]
        for self.program in programs:
            audio = self.play(*asked)
            if len(audio) == len(expected) and abs(audio - expected).max() <= _SAME * abs(expected).max():
                return
        raise TrainingError(
            f"no program of {recordings.name} ({', '.join(map(str, programs))}) in {synthesizer.soundfont.name} plays "
            "the dataset's notes; render the dataset anew from this SoundFont, or give its own with --soundfont"
        )

    def play(self, key: int, velocity: int, off_sample: int, repitched_cents: float = 0.0) -> np.ndarray:
        """One note with its release, float32 at 48 kHz."""
        note = self._synthesizer.render(self.program, key, velocity, off_sample, repitched_cents=repitched_cents)
        gain = self._recordings.fields["instrument_gain"][self._recordings.number]
        return note.audio * np.float32((127 / velocity) ** 2 * gain)
