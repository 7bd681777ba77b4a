"""Which notes are scored."""

import numpy as np

from .. import TrainingError
from .notes import ScoredNote
from .recordings import Recordings

ZONE_NOTES = 12
VELOCITY_NOTES = 12
LEVEL_KEYS = 6


def held_out_notes(recordings: Recordings, quick: bool = False) -> list[ScoredNote]:
    """Twelve notes of zones that training has not heard, and twelve of a velocity that it has not heard (`quick`: four
    each).

    Keys are spread over the zones. Note lengths follow one another, beginning with the longest, and so do velocities;
    there are three to five of each, so that few notes have most of the combinations.
    """
    zones, velocities = recordings.missing_zones, recordings.missing_velocities
    if len(zones) == 0 and len(velocities) == 0:
        raise TrainingError(
            f"the dataset keeps no whole zone and no velocity of {recordings.name} from training: what would be scored "
            "has been learned; add held_out_zones or held_out_velocities to the catalogue"
        )
    in_zone = np.isin(recordings.zone, zones)
    chosen = _spread(recordings, np.flatnonzero(in_zone), ZONE_NOTES // (3 if quick else 1))
    notes = [recordings.scored(index, "zone") for index in chosen]
    unheard = np.flatnonzero(~in_zone & np.isin(recordings.velocity, velocities))
    chosen = _spread(recordings, unheard, VELOCITY_NOTES // (3 if quick else 1))
    return notes + [recordings.scored(index, "velocity") for index in chosen]


def level_notes(recordings: Recordings, quick: bool = False) -> list[ScoredNote]:
    """Every velocity, trained or not, at six keys (`quick`: two), of the length that is nearest to a second."""
    length = int(np.argmin(abs(recordings.lengths - 48_000)))
    found = []
    for velocity in np.unique(recordings.velocity):
        for key in spread_keys(recordings, 2 if quick else LEVEL_KEYS):
            index = recordings.find(key, velocity, length)
            why = "zone" if recordings.zone[index] in recordings.missing_zones else "velocity"
            found.append(recordings.scored(index, why if recordings.held_out[index] else "trained"))
    return found


def spread_keys(recordings: Recordings, count: int) -> list[int]:
    """Half of the keys from zones that training has not heard, half from the others, each from end to end."""
    unheard = np.isin(recordings.zone, recordings.missing_zones)
    keys: set[int] = set()
    for among, some in ((recordings.key[unheard], count // 2), (recordings.key[~unheard], count - count // 2)):
        every = np.unique(among)
        if len(every):
            keys |= {int(key) for key in every[np.linspace(0, len(every) - 1, 2 * some + 1)[1::2].astype(int)]}
    return sorted(keys)


def _spread(recordings: Recordings, candidates: np.ndarray, count: int) -> list[int]:
    """Up to `count` of the candidates, over keys, lengths and velocities."""
    if len(candidates) == 0:
        return []
    keys, velocities = np.unique(recordings.key[candidates]), np.unique(recordings.velocity[candidates])
    if len(keys) > count:
        keys = keys[np.linspace(0, len(keys) - 1, count).astype(int)]
    lengths = len(recordings.lengths)
    chosen: list[int] = []
    for number in range(count):
        key, velocity = keys[number % len(keys)], velocities[number % len(velocities)]
        length = (lengths - 1 - number) % lengths
        index = recordings.find(key, velocity, length)
        if index not in chosen:
            chosen.append(index)
    return chosen
