"""Every General MIDI program of a SoundFont at some keys, as what `timbre` says of its notes.

A key of all programs at four velocities is one file of a few hundred kilobytes in the user's cache folder, named by
everything that it depends on; keys are rendered as they are first asked for.
"""

import hashlib
import json
import multiprocessing
import os
import zipfile
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
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
    """float32 ``[K, 128, 4, 116]``: what `timbre` says of each key, program and velocity."""
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
    """By processes, not threads: see `dataset`. A key is kept as soon as it is whole."""
    found: dict[int, dict[str, np.ndarray]] = {}
    parts: dict[int, list[tuple[np.ndarray, ...]]] = {key: [] for key in keys}
    jobs = [(key, velocity) for key in keys for velocity in VELOCITIES]
    context = multiprocessing.get_context("spawn")
    work = partial(render_programs, synthesizer.soundfont)
    with (
        ProcessPoolExecutor(min(workers, len(jobs)), context) as pool,
        tqdm(total=len(jobs) * len(PROGRAMS), unit="note", desc="gallery", disable=None) as progress,
    ):
        try:
            for (key, _), part in zip(jobs, pool.map(work, *zip(*jobs)), strict=True):
                progress.update(len(PROGRAMS))
                parts[key].append(part)
                if len(parts[key]) == len(VELOCITIES):
                    features, sounds, likeness = zip(*parts.pop(key))
                    found[key] = {
                        "features": np.stack(features, axis=1),
                        "sounds": np.stack(sounds, axis=1),
                        "likeness": np.min(likeness, axis=0),
                    }
                    with atomic_path(paths[key]) as file:
                        np.savez(file, **found[key])
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return found


def render_programs(soundfont: Path, key: int, velocity: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One key and velocity of every program: features ``[128, 116]``, whether there is a sound ``[128]``, and
    correlations of the held notes ``[128, 128]``."""
    synthesizer = Synthesizer(soundfont)
    features = np.zeros((len(PROGRAMS), sum(timbre.PARTS)), np.float32)
    sounds = np.zeros(len(PROGRAMS), bool)
    held = np.zeros((len(PROGRAMS), timbre.OFF_SAMPLE), np.float32)
    for program in PROGRAMS:
        if (audio := render_note(synthesizer, program, key, velocity)) is not None:
            features[program], sounds[program] = timbre.describe(audio), True
            held[program] = audio[: timbre.OFF_SAMPLE] / np.linalg.norm(audio[: timbre.OFF_SAMPLE])
    return features, sounds, held @ held.T


def render_note(synthesizer: Synthesizer, program: int, key: int, velocity: int) -> np.ndarray | None:
    """The SoundFont's note as `timbre` wants it, or None where the program has no sound at that key."""
    try:
        return synthesizer.render(
            program, key, velocity, timbre.OFF_SAMPLE, tail_seconds=timbre.TAIL_SECONDS
        ).audio
    except NoSound:
        return None
