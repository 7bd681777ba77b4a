"""Every General MIDI program of a SoundFont at some keys, as what `timbre` says of its notes.

A key of all programs at four velocities is one file of a few hundred kilobytes in the user's cache folder, named by
everything that it depends on; keys are rendered as they are first asked for.
"""

import hashlib
import json
import multiprocessing
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ..files import atomic_path, file_sha256
from ..rendering import NoSound, Synthesizer
from . import timbre

PROGRAMS = range(128)
VELOCITIES = (40, 64, 96, 120)

EQUAL_CORRELATION = 0.95
"""Programs whose held notes correlate at least so much at every key and velocity are one program: FluidR3 has a few
twice, with another release or a slightly other filter, such as its strings at 44, 48 and 49."""

_MOST_WORKERS = 2


@dataclass(frozen=True, eq=False)
class Gallery:
    """The notes of K keys."""

    keys: np.ndarray
    """int64 ``[K]``, rising."""
    features: np.ndarray
    """float32 ``[K, 128, 4, 136]``: what `timbre` says of each key, program and velocity."""
    sounds: np.ndarray
    """bool ``[K, 128, 4]``: whether the SoundFont has that note at all."""
    likeness: np.ndarray
    """float32 ``[K, 128, 128]``: how much two programs' held notes correlate, where they do so least."""

    def same(self) -> np.ndarray:
        """int64 ``[128]``: of each program the lowest one that is the same."""
        alike = self.likeness.min(axis=0) >= EQUAL_CORRELATION
        lowest = np.arange(len(alike))
        for program in PROGRAMS:
            lowest[program] = lowest[np.append(np.flatnonzero(alike[program, :program]), program)].min()
        return lowest


def open_gallery(keys: Iterable[int], soundfont: str | os.PathLike | None = None, workers: int | None = None) -> Gallery:
    """The gallery of the given keys; what is not in the cache is rendered, by up to `workers` processes."""
    synthesizer = Synthesizer(soundfont)
    keys = sorted(set(keys))
    paths = _paths(synthesizer, keys)
    found = {key: part for key, path in paths.items() if (part := _load(path)) is not None}
    if missing := [key for key in keys if key not in found]:
        found |= _render(synthesizer, missing, workers or min(os.cpu_count() or 1, _MOST_WORKERS), paths)
    stacked = {name: np.stack([found[key][name] for key in keys]) for name in ("features", "sounds", "likeness")}
    return Gallery(np.array(keys), **stacked)


def _paths(synthesizer: Synthesizer, keys: list[int]) -> dict[int, Path]:
    cache = os.environ.get("ECHOEL_CACHE") or Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")) / "echoel"
    described = {
        "soundfont": file_sha256(synthesizer.soundfont),
        "fluidsynth": synthesizer.version,
        "timbre": timbre.VERSION,
        "velocities": VELOCITIES,
    }
    digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()[:12]
    return {key: Path(cache).expanduser() / "timbre" / f"{digest}-{key:03d}.npz" for key in keys}


def _load(path: Path) -> dict[str, np.ndarray] | None:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in ("features", "sounds", "likeness")}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
        return None


def _render(
    synthesizer: Synthesizer, keys: list[int], workers: int, paths: dict[int, Path]
) -> dict[int, dict[str, np.ndarray]]:
    """A key is kept as soon as it is whole."""
    found: dict[int, dict[str, np.ndarray]] = {}
    jobs = [(key, velocity) for key in keys for velocity in VELOCITIES]
    with (
        _renderer(synthesizer.soundfont, min(workers, len(jobs))) as rendered,
        tqdm(total=len(jobs) * len(PROGRAMS), unit="note", desc="gallery", disable=None) as progress,
    ):
        parts: list[tuple[np.ndarray, ...]] = []
        for (key, _), part in zip(jobs, rendered(*zip(*jobs)), strict=True):
            progress.update(len(PROGRAMS))
            parts.append(part)
            if len(parts) == len(VELOCITIES):
                features, sounds, likeness = zip(*parts)
                found[key] = {
                    "features": np.stack(features, axis=1),
                    "sounds": np.stack(sounds, axis=1),
                    "likeness": np.min(likeness, axis=0),
                }
                with atomic_path(paths[key]) as file:
                    np.savez(file, **found[key])
                parts.clear()
    return found


@contextmanager
def _renderer(soundfont: Path, workers: int) -> Iterator[Callable]:
    """What renders all programs at keys and velocities, in order; by processes, not threads, as in `dataset`."""
    if workers == 1:
        yield partial(map, partial(render_programs, soundfont, PROGRAMS))
        return
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        try:
            yield partial(pool.map, partial(render_programs, soundfont, PROGRAMS))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def render_programs(
    soundfont: Path, programs: Sequence[int], key: int, velocity: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One key and velocity of P programs: features ``[P, 136]``, whether there is a sound ``[P]``, and correlations of
    the held notes ``[P, P]``."""
    synthesizer = Synthesizer(soundfont)
    features = np.zeros((len(programs), timbre.SIZE), np.float32)
    sounds = np.zeros(len(programs), bool)
    held = np.zeros((len(programs), timbre.OFF_SAMPLE), np.float32)
    for place, program in enumerate(programs):
        if (audio := render_note(synthesizer, program, key, velocity)) is not None:
            features[place], sounds[place] = timbre.describe(audio), True
            held[place] = audio[: timbre.OFF_SAMPLE] / np.linalg.norm(audio[: timbre.OFF_SAMPLE])
    return features, sounds, held @ held.T


def render_note(synthesizer: Synthesizer, program: int, key: int, velocity: int) -> np.ndarray | None:
    """The SoundFont's note as `timbre` wants it, or None where the program has no sound at that key."""
    try:
        return synthesizer.render(
            program, key, velocity, timbre.OFF_SAMPLE, tail_seconds=timbre.TAIL_SECONDS
        ).audio
    except NoSound:
        return None
