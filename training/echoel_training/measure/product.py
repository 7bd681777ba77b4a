"""The measures of the product: pieces rendered through `echoel`, and the figures that come of them."""

import hashlib
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from .. import TrainingError
from . import pieces
from .continuity import EXPECTED_SHARE, Boundaries, boundaries
from .midi import SAMPLE_RATE, Bend, Note, key_frequency, midi_file
from .pieces import seconds
from .pitch import cents_statistics, chord_cents, strongest_spur, tone_cents
from .report import Figure, middle, worst
from .steadiness import HeldNote, held_note, release
from .tool import Echoel, Instrument

MEDIAN_CENTS, MOST_CENTS = 3.0, 10.0
SLICE_SAMPLES = 256  # what the synthesiser renders at once

_ATTACK = 0.3  # seconds of a note before it is steady
_PAUSE = 0.1  # seconds of silence after a release
GAIN_DB = -18
"""Of every rendering: a chord of twelve must not clip."""
_KEYS = list(range(pieces.LOW_KEY, pieces.HIGH_KEY + 1))


class Bench:
    """Where measures find the tool and put what it renders. `kept` is called with sounds worth a picture."""

    def __init__(self, echoel: Echoel, folder: Path, kept: Callable[[str, Path], None] = lambda name, file: None):
        self.echoel = echoel
        self.folder = folder
        self.kept = kept

    def sound(
        self, name: str, instrument: str, notes: list[Note], bends: list[Bend] = (), end: int | None = None, *options
    ) -> tuple[np.ndarray, int]:
        file = self.folder / f"{name}.wav"
        song = midi_file(notes, bends, end)
        rendering = self.echoel.render(song, file, instrument, "--gain", GAIN_DB, *options)
        if rendering.report["peak"] >= 1.0:
            raise TrainingError(f"{instrument} clips even at {GAIN_DB} dB: nothing can be measured")
        self.kept(name, file)
        samples = rendering.mono()
        file.unlink()
        return samples


def in_tune(bench: Bench, instrument: Instrument, keys: Sequence[int] = _KEYS, chord_count: int = 8) -> list[Figure]:
    """Keys one by one, in chords of twelve, and every third of them bent by two semitones either way."""
    singles, foreign = _single_notes(bench, instrument, keys)
    return [
        *singles,
        *chords_in_tune(bench, instrument, pieces.chords(count=chord_count)),
        *bends_in_tune(bench, instrument, keys[::3]),
        *foreign,
    ]


def _single_notes(
    bench: Bench, instrument: Instrument, keys: Sequence[int]
) -> tuple[list[Figure], list[Figure]]:
    """Whether notes are in tune, and what sounds between their partials."""
    notes = pieces.one_by_one(list(keys), 1.3, instrument.release_seconds + _PAUSE)
    x, rate = bench.sound(f"{instrument.name}-notes", instrument.name, notes)
    singles = {note.key: _note_cents(x, rate, note) for note in notes}
    spurs = {note.key: strongest_spur(_steady_part(x, rate, note), rate, key_frequency(note.key)) for note in notes}
    trained = [cents for key, cents in singles.items() if instrument.low_key <= key <= instrument.high_key]
    # No bound is known for this: it tells how clean the tones are whose pitch was measured.
    foreign = {"keys": list(spurs), "levelDb": [s[0] for s in spurs.values()], "hz": [s[1] for s in spurs.values()]}
    levels, measure = foreign["levelDb"], _tune(instrument)
    return [
        *tune_figures(measure, f"{len(singles)} notes, MIDI {keys[0]}–{keys[-1]}", list(singles.values())),
        *tune_figures(measure, f"{len(trained)} of them in its range", trained),
    ], [
        Figure(measure, "strongest line that is no partial: median", middle(levels), "dB", details=foreign),
        Figure(measure, "strongest line that is no partial: worst", max(levels), "dB"),
    ]


def chords_in_tune(
    bench: Bench, instrument: Instrument, played: list[list[int]], held_seconds: float = 5.0
) -> list[Figure]:
    """Every note of some chords of twelve, by its fundamental."""
    notes = pieces.struck_together(played, held_seconds, instrument.release_seconds + _PAUSE)
    x, rate = bench.sound(f"{instrument.name}-chords", instrument.name, notes)
    cents = []
    for i, chord in enumerate(played):
        first = notes[i * pieces.CHORD_NOTES]
        cents += chord_cents(x[first.onset + seconds(_ATTACK) : first.end], rate, chord)
    name = f"{len(cents)} notes in {len(played)} chords of {pieces.CHORD_NOTES}"
    return tune_figures(_tune(instrument), name, cents)


def bends_in_tune(
    bench: Bench, instrument: Instrument, keys: Sequence[int], held_seconds: float = 3.0
) -> list[Figure]:
    """Notes that are bent by two semitones up and then down while they sound."""
    targets = [2.0, -2.0]
    notes = pieces.one_by_one(list(keys), held_seconds, instrument.release_seconds + _PAUSE)
    bends = pieces.bent(notes, targets)
    x, rate = bench.sound(f"{instrument.name}-bends", instrument.name, notes, bends)
    cents = []
    for note in notes:
        part = note.length // 3
        for i, target in enumerate(targets):
            start = note.onset + part * (i + 1)
            hz = key_frequency(note.key + Bend(0, target).exact_semitones)
            cents.append(tone_cents(x[start + seconds(0.2) : start + part], rate, hz))
    return tune_figures(_tune(instrument), f"{len(cents)} bends of ±2 semitones", cents)


def tune_figures(measure: str, name: str, cents: list[float]) -> list[Figure]:
    """The median, the 95th percentile and those that were not found, each with its bound."""
    median, most, missing = cents_statistics(cents)
    return [
        Figure(measure, f"{name}: median", median, "cents", MEDIAN_CENTS, details={"cents": cents}),
        Figure(measure, f"{name}: 95 % within", most, "cents", MOST_CENTS),
        Figure(measure, f"{name}: not found", missing, "notes", 0),
    ]


def _tune(instrument: Instrument) -> str:
    return f"In tune: {instrument.name}"


def steady(bench: Bench, instrument: Instrument, count: int = 4, held_seconds: float = 20.0) -> list[Figure]:
    """Held notes, their releases, and the slices that they are made of; struck ones are held for a quarter of the time,
    and nothing is asked of their level and colour."""
    keys = _spread(instrument, count)
    if instrument.is_struck:
        held_seconds /= 4
    notes = pieces.one_by_one(keys, held_seconds, instrument.release_seconds + 2 * _PAUSE)
    end = notes[-1].end + seconds(instrument.release_seconds + _PAUSE)
    x, rate = bench.sound(f"{instrument.name}-held", instrument.name, notes, end=end)
    courses = [_course(x, rate, note) for note in notes]
    releases = []
    for note in notes:
        last = note.end + seconds(instrument.release_seconds + _PAUSE)
        releases.append(release(x[note.onset : last], rate, note.length, instrument.release_seconds))

    held = f"Held for {held_seconds:g} s: {instrument.name}"
    let_go = f"Let go: {instrument.name}"
    details = {"keys": keys, "courses": [_course_json(course) for course in courses]}
    constant = [
        Figure(held, "level drift", worst(c.level_drift_db for c in courses), "dB", 3.0),
        Figure(held, "deepest dip of the level", worst(c.level_dip_db for c in courses), "dB", 6.0),
        Figure(held, "centroid drift", worst(c.centroid_drift_octaves for c in courses), "octaves", 0.2),
    ]
    return [
        *([] if instrument.is_struck else constant),
        Figure(
            held,
            "pitch drift",
            worst(c.pitch_drift_cents for c in courses),
            "cents",
            3.0,
            details=details,
        ),
        Figure(held, "farthest from its pitch", worst(c.worst_cents for c in courses), "cents", 10.0),
        Figure(let_go, "after the release, against the note", max(r.residual_db for r in releases), "dB", -90.0),
        Figure(
            let_go, "until 60 dB down", max(r.seconds_to_60_db for r in releases), "s", instrument.release_seconds
        ),
        *continuous(x, notes, instrument),
    ]


def continuous(x: np.ndarray, notes: list[Note], instrument: Instrument) -> list[Figure]:
    """Whether the slots and slices that held notes of a rendering `x` are made of can be heard."""
    measure = f"Continuous: {instrument.name}"
    figures = []
    for name, period in [("slots", instrument.slot_samples), ("slices", SLICE_SAMPLES)]:
        found: list[Boundaries] = []
        for note in notes:
            start = note.onset + seconds(1.0)
            # A voice's slots count from its note-on and the decoder's delay; the slices from time 0.
            grid = note.onset - instrument.delay_samples if name == "slots" else 0
            found.append(boundaries(x[start : note.end], period, grid - start))
        shares = max(found, key=lambda b: b.share_above - b.share_limit)
        energies = max(found, key=lambda b: b.energy_ratio - b.energy_limit)
        of = f"{sum(b.count for b in found)} boundaries of {name} ({period} samples)"
        details = {"perNote": [vars(b) for b in found], "expectedShare": EXPECTED_SHARE}
        figures += [
            Figure(
                measure,
                f"{of}: above p99.9",
                100 * shares.share_above,
                "%",
                round(100 * shares.share_limit, 3),
                details=details,
            ),
            Figure(measure, f"{name}: energy against elsewhere", energies.energy_ratio, "×", energies.energy_limit),
            Figure(measure, f"{name}: largest at a boundary ÷ p99.9", max(b.largest for b in found), "×"),
            Figure(measure, f"{name}: largest inside ÷ p99.9", max(b.largest_inside for b in found), "×"),
        ]
    return figures


def fast(bench: Bench, instrument: Instrument) -> list[Figure]:
    """Eight notes held for 20 s on one thread, the best of three; and the decoder alone."""
    keys = _spread(instrument, 8)
    song = midi_file([Note(77, seconds(20.0), key) for key in keys])
    reports = []
    for _ in range(3):
        rendering = bench.echoel.render(song, bench.folder / "eight.wav", instrument.name, "--threads", 1)
        reports.append(rendering.report)
        rendering.file.unlink()
    best = max(report["realTimeFactor"] for report in reports)
    measure = f"Fast: {instrument.name}"
    return [
        Figure(measure, "voices at once", min(r["voicesPeak"] for r in reports), "voices", 8, True),
        Figure(measure, "8 voices, 1 thread", best, "× real time", 5.0, True, details={"reports": reports}),
        decoder_cost(bench, instrument),
    ]


def decoder_cost(bench: Bench, instrument: Instrument) -> Figure:
    """What the decoder alone takes, as the synthesiser runs it."""
    timing = bench.echoel.bench(instrument.decoder, 8, SLICE_SAMPLES // instrument.slot_samples, 5.0)
    # A run is 8 voices of 256 samples; per voice and 2048 samples it takes 2048 / 256 / 8 times as long.
    per_window = timing["p50Ms"] * (2048 / SLICE_SAMPLES) / 8
    name = "decoder per voice and 2048 samples, batch of 8"
    return Figure(f"Fast: {instrument.name}", name, per_window, "ms", 1.0, details={"bench": timing})


def memory(bench: Bench, instrument: Instrument) -> list[Figure]:
    """The memory that a piece of 2000 notes in three minutes takes, and its first and second thirds' pieces."""
    peaks, notes = [], 0
    for minutes in (1, 2, 3):
        piece = pieces.dense(60.0 * minutes, 2000 / 180, instrument.low_key, instrument.high_key)
        rendering = bench.echoel.render(midi_file(piece), bench.folder / "dense.wav", instrument.name)
        rendering.file.unlink()
        peaks.append(rendering.peak_memory_bytes / 1e6)
        notes = rendering.report["notes"]
    measure = f"Memory: {instrument.name}"
    return [
        Figure(measure, "notes in three minutes", notes, "notes", 2000, True),
        Figure(measure, "peak of three minutes", peaks[2], "MB", 300.0, details={"perMinutesMB": peaks}),
        Figure(measure, "three minutes more than one", peaks[2] - peaks[0], "MB", 8.0),
    ]


def repeatable(bench: Bench, instruments: list[Instrument]) -> list[Figure]:
    """The same file for every block size, on every run, at every sample rate."""
    low, high = max(i.low_key for i in instruments), min(i.high_key for i in instruments)
    song = midi_file(*pieces.medley(min(len(instruments), 9), low, high))
    who = ",".join([instruments[0].name, *(f"{c + 2}={i.name}" for c, i in enumerate(instruments[1:9]))])
    measure = "Repeatable"
    figures, lengths = [], {}
    for rate in (48_000, 44_100, 96_000):
        files = set()
        blocks = (1, 64, 333, 4096, 333)
        for block in blocks:
            out = bench.folder / "medley.wav"
            rendering = bench.echoel.render(song, out, who, "--block", block, "--sample-rate", rate)
            files.add(hashlib.sha256(out.read_bytes()).hexdigest())
            samples, found_rate = rendering.mono()
            lengths[rate] = len(samples)
            out.unlink()
            if found_rate != rate:
                files.add(f"a file of {found_rate} Hz")
        name = f"different files at {rate} Hz, blocks of {', '.join(map(str, blocks))}"
        figures.append(Figure(measure, name, len(files) - 1, "files", 0, details={"sha256": sorted(files)}))
    for rate in (44_100, 96_000):
        expected = lengths[48_000] * rate / 48_000
        name = f"length at {rate} Hz against that at 48000 Hz"
        figures.append(Figure(measure, name, abs(lengths[rate] - expected), "samples", 1.0))
        cents = []
        for instrument in instruments:
            notes = pieces.one_by_one(_spread(instrument, 7), 1.3, instrument.release_seconds + _PAUSE)
            x, found = bench.sound(f"{instrument.name}-{rate}", instrument.name, notes, [], None, "--sample-rate", rate)
            cents += [_note_cents(x, found, note) for note in notes]
        figures.append(Figure(measure, f"out of tune at {rate} Hz: farthest", worst(cents), "cents", MOST_CENTS))
    return figures


def parity(bench: Bench) -> list[Figure]:
    """The reference encoder and decoder: `echoel run` against Python's ONNX Runtime."""
    import onnxruntime

    from ..reference import export_reference

    figures = []
    rng = np.random.default_rng(7)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    for path in export_reference(bench.folder / "reference"):
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        outputs = [tensor.name for tensor in session.get_outputs()]
        for batch in (1, 3, 16):
            inputs = {
                tensor.name: (
                    0.5 * rng.standard_normal([batch, *(int(size) for size in tensor.shape[1:])])
                ).astype(np.float32)
                for tensor in session.get_inputs()
            }
            expected = session.run(outputs, inputs)
            actual = bench.echoel.run(path, inputs, outputs, bench.folder)
            farthest = max(
                float(np.abs(a - b).max()) if a.shape == b.shape else math.inf
                for a, b in zip(actual, expected, strict=True)
            )
            name = f"{path.stem}, batch {batch}: largest difference"
            details = {"onnxruntime": onnxruntime.__version__, "largest": float(max(np.abs(b).max() for b in expected))}
            figures.append(Figure("Parity", name, farthest, "", 1e-6, details=details))
    return figures


def _note_cents(x: np.ndarray, rate: int, note: Note) -> float:
    return tone_cents(_steady_part(x, rate, note), rate, key_frequency(note.key))


def _steady_part(x: np.ndarray, rate: int, note: Note) -> np.ndarray:
    scale = rate / SAMPLE_RATE
    return x[round((note.onset + seconds(_ATTACK)) * scale) : round(note.end * scale)]


def _course(x: np.ndarray, rate: int, note: Note) -> HeldNote:
    return held_note(x[note.onset + seconds(1.0) : note.end], rate, key_frequency(note.key))


def _course_json(course: HeldNote) -> dict[str, list[float]]:
    return {
        "seconds": course.seconds.tolist(),
        "levelDb": course.level_db.tolist(),
        "centroidHz": course.centroid_hz.tolist(),
        "pitchSeconds": course.pitch_seconds.tolist(),
        "pitchCents": course.pitch_cents.tolist(),
        "levelMedianDb": [middle(course.level_db.tolist())],
    }


def _spread(instrument: Instrument, count: int) -> list[int]:
    """Keys across the part of an instrument's range that lies within MIDI 48 to 84."""
    low, high = max(instrument.low_key, pieces.LOW_KEY), min(instrument.high_key, pieces.HIGH_KEY)
    return [round(low + (high - low) * i / (count - 1)) for i in range(count)]
