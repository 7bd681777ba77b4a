"""The key zones of a SoundFont's presets.

A SoundFont 2 file plays a few recordings, each over a range of keys: keys of one zone share a recording, so a model
that has heard one of them has nearly heard them all. What is kept from training to measure on should therefore be
whole zones. Layout of the chunks: *SoundFont Technical Specification*, version 2.04, section 7.
"""

import math
import os
import struct
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from . import TrainingError

_BAG = [("generator", "<u2"), ("modulator", "<u2")]
_GENERATOR = [("operator", "<u2"), ("amount", "<u2")]
_RECORDS = {
    b"phdr": [("name", "S20"), ("preset", "<u2"), ("bank", "<u2"), ("bag", "<u2"), ("unused", "<u4", 3)],
    b"pbag": _BAG,
    b"pgen": _GENERATOR,
    b"inst": [("name", "S20"), ("bag", "<u2")],
    b"ibag": _BAG,
    b"igen": _GENERATOR,
    b"shdr": [("name", "S20"), ("positions", "<u4", 5), ("root", "u1"), ("correction", "i1"), ("link", "<u2", 2)],
}
_INSTRUMENT, _KEY_RANGE, _VELOCITY_RANGE, _SAMPLE, _ROOT_KEY = 41, 43, 44, 53, 58
_COARSE_TUNE, _FINE_TUNE, _SAMPLE_MODES = 51, 52, 54
_START, _END, _LOOP_START, _LOOP_END = (0, 4), (1, 12), (2, 45), (3, 50)  # offsets: samples, and 32 768 samples
_MOST_PERIODS = 2
_EVERYTHING = 127 << 8  # the range 0 to 127


@dataclass(frozen=True)
class SampleZone:
    """A recording, where it sounds and how it is played; the ends of the ranges belong to them."""

    sample: str
    root_key: int
    low_key: int
    high_key: int
    low_velocity: int
    high_velocity: int
    cents: float
    """Raised by so much on playback, beyond what the distance of a key from the root key asks for."""
    sample_rate: int
    """Hz, of the recording."""
    samples: int
    """The recording's length."""
    loop: tuple[int, int] | None
    """The first sample of the loop and the one after its last, counted from the recording's first; None: no loop."""

    def sounds_at(self, key: int, velocity: int) -> bool:
        return self.low_key <= key <= self.high_key and self.low_velocity <= velocity <= self.high_velocity


def read_zones(path: str | os.PathLike, program: int, bank: int = 0) -> list[SampleZone]:
    """The zones of a preset, in the file's order."""
    path = Path(path)
    tables = _read_tables(path)
    try:
        return _zones(tables, path, program, bank)
    except IndexError:
        raise TrainingError(f"{path} is damaged: its presets refer to what is not there") from None


def key_zones(zones: list[SampleZone], keys: range, velocity: int) -> list[int]:
    """For each key the number of its zone, counted from 0 at the lowest key.

    Neighbouring keys belong to one zone where the same recordings sound at `velocity`.
    """
    numbers: list[int] = []
    before = None
    for key in keys:
        sounding = frozenset(zone.sample for zone in zones if zone.sounds_at(key, velocity))
        numbers.append((numbers[-1] + (sounding != before)) if numbers else 0)
        before = sounding
    return numbers


def layers_cents(zones: list[SampleZone], key: int, velocity: int) -> float:
    """How far the second of two layers of a synthesizer's preset is above the first, in cents, such as make a tone
    beat; 0 where there are no two, or where they are recordings and no waveforms.

    A layer is a waveform where its loop holds one period or two: its pitch is then the loop's.
    """
    nominal, layers = 440.0 * 2 ** ((key - 69) / 12), []
    for zone in zones:
        if zone.sounds_at(key, velocity) and zone.loop:
            octaves = (key - zone.root_key) / 12 + zone.cents / 1200
            looped = zone.sample_rate * 2**octaves / (zone.loop[1] - zone.loop[0])
            periods = max(1, round(nominal / looped))
            if periods <= _MOST_PERIODS:
                layers.append(1200 * math.log2(periods * looped / nominal))
    return layers[1] - layers[0] if len(layers) == 2 else 0.0


def describe_recordings(zones: list[SampleZone]) -> list[dict]:
    """For reports: each recording of a preset once, in order of its keys, over all velocities at which it sounds."""
    velocities: dict[SampleZone, list[int]] = {}
    for zone in zones:
        anywhere = replace(zone, low_velocity=0, high_velocity=127)
        velocities.setdefault(anywhere, []).extend((zone.low_velocity, zone.high_velocity))
    return [
        {
            "sample": zone.sample,
            "keys": [zone.low_key, zone.high_key],
            "velocities": [min(sounding), max(sounding)],
            "rootKey": zone.root_key,
            "cents": zone.cents,
            "sampleRate": zone.sample_rate,
            "seconds": zone.samples / zone.sample_rate,
            "loopSeconds": [sample / zone.sample_rate for sample in zone.loop] if zone.loop else None,
        }
        for zone, sounding in sorted(velocities.items(), key=lambda pair: pair[0].low_key)
    ]


def _read_tables(path: Path) -> dict[bytes, np.ndarray]:
    try:
        with open(path, "rb") as file:
            kind, _, form = struct.unpack("<4sI4s", file.read(12))
            if kind != b"RIFF" or form != b"sfbk":
                raise TrainingError(f"{path} is not a SoundFont 2 file")
            while header := file.read(8):
                name, size = struct.unpack("<4sI", header)
                if name == b"LIST" and file.read(4) == b"pdta":
                    return _split(file.read(size - 4), path)
                file.seek(size + size % 2 - (4 if name == b"LIST" else 0), os.SEEK_CUR)
    except FileNotFoundError:
        raise TrainingError(f"there is no SoundFont at {path}") from None
    except struct.error:
        pass
    raise TrainingError(f"{path} is damaged: it ends before its presets")


def _split(data: bytes, path: Path) -> dict[bytes, np.ndarray]:
    tables, position = {}, 0
    while position + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, position)
        body = data[position + 8 : position + 8 + size]
        if (layout := _RECORDS.get(name)) is not None:
            record = np.dtype(layout)
            if len(body) != size or size % record.itemsize or size == 0:
                raise TrainingError(f"{path} is damaged: its {name.decode()} chunk has {len(body)} bytes")
            tables[name] = np.frombuffer(body, record)
        position += 8 + size + size % 2
    if missing := [name for name in _RECORDS if name not in tables]:
        raise TrainingError(f"{path} is damaged: it has no {missing[0].decode()} chunk")
    return tables


def _zones(tables: dict[bytes, np.ndarray], path: Path, program: int, bank: int) -> list[SampleZone]:
    presets = tables[b"phdr"][:-1]  # the last record of every table only ends it
    found = np.flatnonzero((presets["preset"] == program) & (presets["bank"] == bank))
    if len(found) == 0:
        raise TrainingError(f"{path.name} has no program {program} in bank {bank}")
    zones = []
    for outer in _bags(tables, b"phdr", b"pbag", b"pgen", int(found[0]), _INSTRUMENT):
        for inner in _bags(tables, b"inst", b"ibag", b"igen", outer[_INSTRUMENT], _SAMPLE):
            keys, velocities = (
                _intersection(outer.get(operator, _EVERYTHING), inner.get(operator, _EVERYTHING))
                for operator in (_KEY_RANGE, _VELOCITY_RANGE)
            )
            if keys and velocities:
                zones.append(_sample_zone(tables[b"shdr"][:-1][inner[_SAMPLE]], outer, inner, keys, velocities))
    return zones


def _sample_zone(sample: np.void, outer: dict[int, int], inner: dict[int, int], keys, velocities) -> SampleZone:
    start, end, loop_start, loop_end, sample_rate = (int(position) for position in sample["positions"])
    start, end, loop_start, loop_end = (
        position + _signed(inner.get(fine, 0)) + 32_768 * _signed(inner.get(coarse, 0))
        for position, (fine, coarse) in zip(
            (start, end, loop_start, loop_end), (_START, _END, _LOOP_START, _LOOP_END)
        )
    )
    cents = float(sample["correction"]) + sum(
        100 * _signed(level.get(_COARSE_TUNE, 0)) + _signed(level.get(_FINE_TUNE, 0)) for level in (outer, inner)
    )
    return SampleZone(
        _text(sample["name"]),
        inner.get(_ROOT_KEY, int(sample["root"])),
        *keys,
        *velocities,
        cents=cents,
        sample_rate=sample_rate,
        samples=end - start,
        loop=(loop_start - start, loop_end - start) if inner.get(_SAMPLE_MODES, 0) % 2 else None,
    )


def _bags(tables, headers: bytes, bags: bytes, generators: bytes, row: int, terminal: int) -> list[dict[int, int]]:
    """The generators of each zone that ends in `terminal`, with the global zone's where it has none itself."""
    first, last = int(tables[headers][row]["bag"]), int(tables[headers][row + 1]["bag"])
    zones, common = [], {}
    for bag in range(first, last):
        start, end = int(tables[bags][bag]["generator"]), int(tables[bags][bag + 1]["generator"])
        own = {int(operator): int(amount) for operator, amount in tables[generators][start:end]}
        if terminal in own:
            zones.append(common | own)
        elif bag == first:
            common = own
    return zones


def _intersection(one: int, other: int) -> tuple[int, int] | None:
    low, high = max(one & 0xFF, other & 0xFF), min(one >> 8, other >> 8)
    return (low, high) if low <= high else None


def _signed(amount: int) -> int:
    return amount - 65_536 if amount >= 32_768 else amount


def _text(name: bytes) -> str:
    return name.split(b"\0")[0].decode("latin-1").strip()
