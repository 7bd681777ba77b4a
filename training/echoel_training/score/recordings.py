"""One instrument's notes in a dataset: what was kept from training, and what was not."""

from dataclasses import dataclass

import numpy as np

from .. import TrainingError
from ..dataset import note_audio
from .notes import AFTER_SECONDS, SAMPLE_RATE, ScoredNote


@dataclass(frozen=True, eq=False)
class Recordings:
    """The rows of one instrument; every array is as long as `row`."""

    fields: dict[str, np.ndarray]
    name: str
    number: int
    """The instrument's index in the dataset."""
    row: np.ndarray
    key: np.ndarray
    velocity: np.ndarray
    off_sample: np.ndarray
    zone: np.ndarray
    held_out: np.ndarray

    @staticmethod
    def of(fields: dict[str, np.ndarray], name: str) -> "Recordings":
        """The named instrument's part of a dataset."""
        names = [str(each) for each in fields["instruments"]]
        if name not in names:
            raise TrainingError(f"the dataset has no instrument {name!r}; it has {', '.join(names)}")
        number = names.index(name)
        row = np.flatnonzero(fields["instrument"] == number)
        columns = {part: fields[part][row] for part in ("key", "velocity", "off_sample", "zone", "held_out")}
        return Recordings(fields, name, number, row, **columns)

    @property
    def is_struck(self) -> bool:
        """Whether its notes fade while they are held."""
        return bool(self.fields["struck"][self.number])

    @property
    def missing_zones(self) -> np.ndarray:
        """The zones of which training has no note."""
        return np.setdiff1d(np.unique(self.zone), np.unique(self.zone[~self.held_out]))

    @property
    def missing_velocities(self) -> np.ndarray:
        """The velocities of which training has no note."""
        return np.setdiff1d(np.unique(self.velocity), np.unique(self.velocity[~self.held_out]))

    @property
    def lengths(self) -> np.ndarray:
        """Nominal note lengths in samples, rising: lengths within 1024 samples of each other are one."""
        found = np.unique(self.off_sample)
        return found[np.append(True, np.diff(found) > 1024)]

    def length_of(self, index: np.ndarray | int) -> np.ndarray:
        """The number of the nominal length of each note."""
        return np.searchsorted(self.lengths, self.off_sample[index], side="right") - 1

    def audio(self, index: int) -> np.ndarray:
        """The note with its release, float32, level-normalised."""
        return note_audio(self.fields, int(self.row[index]))

    def hertz(self, index: int) -> float:
        return float(self.fields["f0"][self.row[index]])

    def inharmonicity(self, index: int) -> float:
        return float(self.fields["inharmonicity"][self.row[index]])

    def scored(self, index: int, why: str) -> ScoredNote:
        """A note as the reference of what is scored: with silence after it."""
        audio = self.audio(index)
        silence = np.zeros(round(AFTER_SECONDS * SAMPLE_RATE), np.float32)
        return ScoredNote(
            instrument=self.name,
            key=int(self.key[index]),
            velocity=int(self.velocity[index]),
            off_sample=int(self.off_sample[index]),
            hertz=self.hertz(index),
            inharmonicity=self.inharmonicity(index),
            reference=np.concatenate([audio.astype(np.float32), silence]),
            why=why,
        )

    def find(self, key: int, velocity: int, length: int) -> int:
        """The index of the note of this key, velocity and number of its nominal length."""
        found = np.flatnonzero((self.key == key) & (self.velocity == velocity))
        found = found[self.length_of(found) == length]
        if len(found) == 0:
            raise TrainingError(
                f"the dataset has no {self.name} of key {key}, velocity {velocity} and length {length}; render it anew"
            )
        return int(found[0])

    def nearest(self, among: np.ndarray, key: int, velocity: int) -> int | None:
        """Of the notes `among` one of the nearest key, and of those the nearest velocity; None where there is none."""
        if len(among) == 0:
            return None
        return int(among[np.lexsort((abs(self.velocity[among] - velocity), abs(self.key[among] - key)))[0]])
