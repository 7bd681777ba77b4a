"""A catalogue's notes as one file of training data.

The file is an uncompressed `.npz`:

| field | shape | meaning |
|---|---|---|
| `audio` | float32 [total] | the notes one after the other, mono, 48 kHz, level-normalised; see `note_audio` |
| `start` | int64 [N] | where in `audio` the note begins: the sample of its note-on |
| `samples` | int64 [N] | length of the note with its release |
| `key`, `velocity` | int64 [N] | MIDI |
| `off_sample` | int64 [N] | the sample of the note-off, counted from the note-on |
| `f0` | float64 [N] | measured frequency of partial 1 in Hz; see `tuning.measure_tuning` |
| `inharmonicity` | float64 [N] | B of `inharmonicity.partial_hertz`; 0 is harmonic, as everything that is not struck |
| `detune` | float64 [N] | cents from a synthesizer's first layer to its second, by `soundfont.layers_cents`; 0: no layers |
| `vibrato` | float32 [frames] | the notes' vibrato one after the other, cents from the mean, every 512 samples; see `note_vibrato` |
| `instrument` | int64 [N] | index into `instruments` |
| `zone` | int64 [N] | the SoundFont's key zone, counted from the instrument's lowest key: one zone, one recording |
| `held_out` | bool [N] | kept from training |
| `instruments` | str [I] | names |
| `struck` | bool [I] | whether the instrument's notes decay while they are held |
| `instrument_gain` | float64 [I] | the normalisation constant |
| `fingerprint` | str | hash of everything that the notes depend on |

Level-normalised: multiplied by `(127 / velocity)²`, the inverse of the SoundFont's own velocity curve, and by
`instrument_gain`, which brings the median peak of the instrument's longest notes to 0.5.
"""

import hashlib
import json
import multiprocessing
import os
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from . import TrainingError
from .catalogue import Catalogue, CatalogueInstrument
from .files import atomic_path, file_sha256
from .rendering import BUFFER_SAMPLES, SAMPLE_RATE, SILENCE_DECIBELS, Synthesizer, off_sample_for
from .soundfont import SampleZone, key_zones, layers_cents, read_zones
from .tuning import measure_tuning, nominal_hertz
from .vibrato import frames_of, measure_vibrato

FORMAT_VERSION = 6
"""Raise it whenever the same catalogue gives other fields or samples."""

_TARGET_PEAK = 0.5
_FEW_NOTES = 64  # are rendered sooner than other processes have started
_FIELDS = (
    "audio",
    "start",
    "samples",
    "key",
    "velocity",
    "off_sample",
    "f0",
    "inharmonicity",
    "detune",
    "vibrato",
    "instrument",
    "zone",
    "held_out",
    "instruments",
    "struck",
    "instrument_gain",
    "fingerprint",
)


@dataclass(frozen=True)
class NoteRequest:
    """One note to render."""

    instrument: int
    program: int
    bank: int
    key: int
    velocity: int
    off_sample: int


def note_requests(index: int, instrument: CatalogueInstrument) -> list[NoteRequest]:
    """Every note of an instrument.

    Note-offs are spread over eight of FluidSynth's buffers by key and velocity, so that releases begin at the
    start and in the middle of a 128-sample slot alike.
    """
    requests = []
    for key in range(instrument.low_key, instrument.high_key + 1):
        for row, velocity in enumerate(instrument.velocities):
            for column, seconds in enumerate(instrument.note_seconds):
                spread = (3 * key + 5 * row + column) % 8 * BUFFER_SAMPLES
                off_sample = off_sample_for(seconds) + spread
                requests.append(NoteRequest(index, instrument.program, instrument.bank, key, velocity, off_sample))
    return requests


def fingerprint(catalogue: Catalogue, soundfont_sha256: str, synthesizer_version: str) -> str:
    """The content hash that names a rendered dataset, 64 hexadecimal digits."""
    described = {
        "format": FORMAT_VERSION,
        "soundfont": soundfont_sha256,
        "fluidsynth": synthesizer_version,
        "sampleRate": SAMPLE_RATE,
        "silence": SILENCE_DECIBELS,
        "catalogue": catalogue.parameters(),
    }
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def default_dataset_path(catalogue: Catalogue, digest: str) -> Path:
    """Where a dataset lies when no path is given: in `ECHOEL_CACHE`, else the user's cache folder."""
    cache = os.environ.get("ECHOEL_CACHE") or Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")) / "echoel"
    return Path(cache).expanduser() / "training" / f"{catalogue.name}-{digest[:12]}.npz"


def prepare_dataset(
    catalogue: Catalogue,
    out: str | os.PathLike | None = None,
    soundfont: str | os.PathLike | None = None,
    workers: int | None = None,
) -> tuple[Path, bool]:
    """The path of the catalogue's dataset, and whether it had to be rendered.

    A file at `out` that is the same dataset is used as it is; another dataset there is replaced.
    """
    synthesizer = Synthesizer(soundfont)
    digest = fingerprint(catalogue, file_sha256(synthesizer.soundfont), synthesizer.version)
    path = Path(out) if out else default_dataset_path(catalogue, digest)
    if _stored_fingerprint(path) == digest:
        return path, False
    fields = render_catalogue(catalogue, synthesizer, workers)
    with atomic_path(path) as partial:
        np.savez(partial, fingerprint=np.array(digest), **fields)
    return path, True


def load_dataset(path: str | os.PathLike, *, audio: bool = True) -> dict[str, np.ndarray]:
    """The fields of a dataset file, checked to be complete; without `audio` only the small ones."""
    try:
        with np.load(path, allow_pickle=False) as file:
            fields = {name: file[name] for name in file.files if audio or name != "audio"}
    except FileNotFoundError:
        raise TrainingError(f"there is no dataset at {path}; make it with `echoel_training render`") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise TrainingError(f"{path} is not a dataset: {error}; make it anew with `echoel_training render`") from error
    if missing := [name for name in _FIELDS if name not in fields and (audio or name != "audio")]:
        raise TrainingError(f"{path} lacks `{missing[0]}`; make it anew with `echoel_training render`")
    return fields


def note_audio(fields: dict[str, np.ndarray], row: int) -> np.ndarray:
    """The note of a row, float32 [samples]; sample 0 is its note-on. A view: copy it before changing it."""
    start = int(fields["start"][row])
    return fields["audio"][start : start + int(fields["samples"][row])]


def note_vibrato(fields: dict[str, np.ndarray], row: int) -> np.ndarray:
    """The vibrato of a row's note as `vibrato.measure_vibrato` gives it, float32 [frames]; zero where it has none."""
    frames = frames_of(fields["samples"][: row + 1])
    return fields["vibrato"][int(frames[:-1].sum()) : int(frames.sum())]


def describe_dataset(path: str | os.PathLike) -> dict:
    """What a dataset holds, for reports."""
    fields = load_dataset(path, audio=False)
    instruments = []
    for index, name in enumerate(fields["instruments"]):
        rows = fields["instrument"] == index
        zones = np.unique(fields["zone"][rows])
        instruments.append(
            {
                "name": str(name),
                "notes": int(rows.sum()),
                "heldOut": int(fields["held_out"][rows].sum()),
                "releaseSeconds": float((fields["samples"] - fields["off_sample"])[rows].max() / SAMPLE_RATE),
                "zones": [_describe_zone(fields, rows & (fields["zone"] == zone)) for zone in zones],
            }
        )
    return {
        "notes": len(fields["key"]),
        "seconds": float(fields["samples"].sum() / SAMPLE_RATE),
        "fingerprint": str(fields["fingerprint"]),
        "instruments": instruments,
    }


def _describe_zone(fields: dict[str, np.ndarray], rows: np.ndarray) -> dict:
    """What keys a zone has, whether all of it is held out, and how its recording is tuned."""
    keys = fields["key"][rows]
    cents = 1200 * np.log2(fields["f0"][rows] / nominal_hertz(keys))
    return {
        "zone": int(fields["zone"][rows][0]),
        "lowKey": int(keys.min()),
        "highKey": int(keys.max()),
        "heldOut": bool(fields["held_out"][rows].all()),
        "inharmonicity": float(np.median(fields["inharmonicity"][rows])),
        "cents": float(np.median(cents)),
    }


_worker_synthesizer: Synthesizer  # of a rendering process, set as it starts


def render_catalogue(
    catalogue: Catalogue, synthesizer: Synthesizer, workers: int | None = None
) -> dict[str, np.ndarray]:
    """Render every note of the catalogue; the fields of the module's table without `fingerprint`."""
    requests, zone, detune = [], [], []
    for index, instrument in enumerate(catalogue.instruments):
        wanted = note_requests(index, instrument)
        requests += wanted
        recordings = read_zones(synthesizer.soundfont, instrument.program, instrument.bank)
        zones = _zones_by_key(recordings, instrument)
        zone += [zones[request.velocity][request.key] for request in wanted]
        detune += [layers_cents(recordings, request.key, request.velocity) for request in wanted]

    notes = []
    with _renderer(synthesizer, workers or os.cpu_count() or 1, len(requests)) as rendered:
        for note, request in tqdm(
            zip(rendered(requests), requests), total=len(requests), unit="note", desc="render", disable=None
        ):
            notes.append(note * np.float32((127 / request.velocity) ** 2))

    instrument = np.array([request.instrument for request in requests])
    off_sample = np.array([request.off_sample for request in requests])
    key = np.array([request.key for request in requests])
    velocity = np.array([request.velocity for request in requests])
    samples = np.array([len(note) for note in notes])
    peaks = np.array([np.abs(note).max() for note in notes])
    gains = []
    for index, described in enumerate(catalogue.instruments):
        longest = (instrument == index) & (off_sample >= off_sample_for(max(described.note_seconds)))
        gains.append(_TARGET_PEAK / float(np.median(peaks[longest])))
    zone = np.array(zone)
    struck = np.array([described.articulation == "struck" for described in catalogue.instruments])
    f0, inharmonicity = _measure_all(notes, requests, zone, struck)
    start = np.cumsum(samples) - samples
    audio = np.empty(int(samples.sum()), np.float32)
    for row in range(len(notes)):
        audio[start[row] : start[row] + samples[row]] = notes[row] * np.float32(gains[instrument[row]])
        notes[row] = None  # as they are copied: two copies of everything would be a lot of memory
    vibrato = [
        np.zeros(frames_of(int(samples[row])), np.float32)
        if struck[instrument[row]]
        else measure_vibrato(audio[start[row] : start[row] + samples[row]], int(off_sample[row]), float(f0[row]))
        for row in range(len(notes))
    ]
    held_out = np.isin(velocity, catalogue.held_out_velocities)
    for index, described in enumerate(catalogue.instruments):
        held_out |= (instrument == index) & np.isin(zone, described.held_out_zones)
    return {
        "audio": audio,
        "start": start,
        "samples": samples,
        "key": key,
        "velocity": velocity,
        "off_sample": off_sample,
        "f0": f0,
        "inharmonicity": inharmonicity,
        "detune": np.array(detune),
        "vibrato": np.concatenate(vibrato),
        "instrument": instrument,
        "zone": zone,
        "held_out": held_out,
        "instruments": np.array([described.name for described in catalogue.instruments]),
        "struck": struck,
        "instrument_gain": np.array(gains),
    }


@contextmanager
def _renderer(
    synthesizer: Synthesizer, workers: int, count: int
) -> Iterator[Callable[[list[NoteRequest]], Iterator[np.ndarray]]]:
    """A function that renders notes in order.

    By processes, not threads: FluidSynth's synthesizers share the samples that they load, and two that load and
    unload them at the same time play wrong notes.
    """
    if workers == 1 or count < _FEW_NOTES:
        yield lambda requests: map(partial(_render, synthesizer), requests)
        return
    context = multiprocessing.get_context("spawn")
    initial = {"initializer": _start_worker, "initargs": (synthesizer.soundfont,)}
    with ProcessPoolExecutor(workers, context, **initial) as pool:
        try:
            yield lambda requests: pool.map(_render_in_worker, requests, chunksize=8)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _render(synthesizer: Synthesizer, request: NoteRequest) -> np.ndarray:
    return synthesizer.render(request.program, request.key, request.velocity, request.off_sample, request.bank).audio


def _start_worker(soundfont: Path) -> None:
    global _worker_synthesizer
    _worker_synthesizer = Synthesizer(soundfont)


def _render_in_worker(request: NoteRequest) -> np.ndarray:
    return _render(_worker_synthesizer, request)


def _zones_by_key(zones: list[SampleZone], instrument: CatalogueInstrument) -> dict[int, dict[int, int]]:
    """The zone of each key, by velocity."""
    keys = range(instrument.low_key, instrument.high_key + 1)
    numbers = {velocity: dict(zip(keys, key_zones(zones, keys, velocity))) for velocity in instrument.velocities}
    there = set().union(*(row.values() for row in numbers.values()))
    if missing := sorted(set(instrument.held_out_zones) - there):
        raise TrainingError(
            f"{instrument.name} has no zone {missing[0]} to hold out; its zones are 0 to {max(there)} in this SoundFont"
        )
    if there == set(instrument.held_out_zones):
        raise TrainingError(f"every zone of {instrument.name} is held out; nothing is left to train on")
    return numbers


def _measure_all(
    notes: list[np.ndarray], requests: list[NoteRequest], zone: np.ndarray, struck: list[bool]
) -> tuple[np.ndarray, np.ndarray]:
    """f0 and inharmonicity of every note, measured once per instrument, zone and velocity: on the longest notes of
    what is one recording, played at several keys."""
    recordings: dict[tuple[int, int, int], dict[int, int]] = {}
    identities = [(request.instrument, int(number), request.velocity) for request, number in zip(requests, zone)]
    for row, (request, identity) in enumerate(zip(requests, identities)):
        longest = recordings.setdefault(identity, {})
        before = longest.get(request.key)
        if before is None or request.off_sample > requests[before].off_sample:
            longest[request.key] = row
    tuning = {}
    for identity, longest in recordings.items():
        held = [notes[row][: requests[row].off_sample] for row in longest.values()]
        tuning[identity] = measure_tuning(held, list(longest), struck[identity[0]])
    cents, inharmonicity = np.array([tuning[identity] for identity in identities]).T
    return nominal_hertz(np.array([request.key for request in requests])) * 2 ** (cents / 1200), inharmonicity


def _stored_fingerprint(path: Path) -> str | None:
    try:
        with np.load(path, allow_pickle=False) as file:
            return str(file["fingerprint"]) if "fingerprint" in file.files else None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        return None
