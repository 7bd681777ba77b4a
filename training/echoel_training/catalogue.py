"""Catalogues: which instruments a dataset holds, as TOML."""

import os
import re
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path

from . import TrainingError

DEFAULT_CATALOGUE = Path(__file__).parents[1] / "catalogue" / "ensemble.toml"
"""The instruments that are shipped."""

ARTICULATIONS = ("sustained", "struck")

_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class CatalogueInstrument:
    """One instrument: a General MIDI program of the SoundFont over a range of keys."""

    name: str
    """Lower case; names the prior's column `instrument.<name>` and the instrument's files."""
    title: str
    family: str
    program: int
    """The program to render, 0…127."""
    programs: tuple[int, ...]
    """The General MIDI programs that the instrument answers to when it plays."""
    articulation: str
    """`sustained` (sounds until the note-off) or `struck` (decays from the note-on; its partials are stretched)."""
    low_key: int
    high_key: int
    velocities: tuple[int, ...]
    note_seconds: tuple[float, ...]
    """Nominal times from note-on to note-off."""
    bank: int = 0
    held_out_zones: tuple[int, ...] = ()
    """Key zones of the SoundFont that are kept from training, counted from 0 at `low_key`."""
    description: str = ""
    """For the card: what it is, in a sentence without its name."""
    limits: tuple[str, ...] = ()
    """For the card: sentences about what it cannot do that no figure says."""


@dataclass(frozen=True)
class Catalogue:
    """Instruments that share one decoder, and what of them is kept from training."""

    name: str
    title: str
    attribution: tuple[str, ...]
    instruments: tuple[CatalogueInstrument, ...]
    held_out_velocities: tuple[int, ...] = ()

    def parameters(self) -> dict:
        """Everything that the rendered samples and their fields depend on."""
        described = asdict(self)
        for title in ("title", "attribution"):
            del described[title]
        for instrument in described["instruments"]:
            for title in ("title", "family", "programs", "description", "limits"):
                del instrument[title]
        return described


def read_catalogue(path: str | os.PathLike) -> Catalogue:
    """Read and check a catalogue."""
    path = Path(path)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TrainingError(f"there is no catalogue at {path}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TrainingError(f"the catalogue {path} is not TOML: {error}") from error
    fields = _Fields(table, str(path))
    catalogue = Catalogue(
        name=fields.name("name"),
        title=fields.value("title", str),
        attribution=fields.list("attribution", str, may_be_empty=True),
        instruments=tuple(
            _instrument(_Fields(row, f"{path}, instrument {index + 1}"))
            for index, row in enumerate(fields.list("instruments", dict))
        ),
        held_out_velocities=fields.integers("held_out_velocities", 1, 127, may_be_empty=True),
    )
    fields.finish()
    names = [instrument.name for instrument in catalogue.instruments]
    if len(set(names)) != len(names):
        raise TrainingError(f"{path}: two instruments have the same name; give each its own")
    for instrument in catalogue.instruments:
        if not set(instrument.velocities) - set(catalogue.held_out_velocities):
            raise TrainingError(f"{path}: every velocity of {instrument.name} is held out; nothing is left to train on")
    return catalogue


def _instrument(fields: "_Fields") -> CatalogueInstrument:
    program = fields.integer("program", 0, 127)
    low_key = fields.integer("low_key", 0, 127)
    instrument = CatalogueInstrument(
        name=fields.name("name"),
        title=fields.value("title", str),
        family=fields.value("family", str),
        program=program,
        programs=fields.integers("programs", 0, 127),
        articulation=fields.value("articulation", str),
        low_key=low_key,
        high_key=fields.integer("high_key", low_key, 127),
        velocities=fields.integers("velocities", 1, 127),
        note_seconds=tuple(float(seconds) for seconds in fields.list("note_seconds", (int, float))),
        bank=fields.integer("bank", 0, 16_383) if fields.has("bank") else 0,
        held_out_zones=fields.integers("held_out_zones", 0, 127) if fields.has("held_out_zones") else (),
        description=fields.value("description", str) if fields.has("description") else "",
        limits=fields.list("limits", str) if fields.has("limits") else (),
    )
    if instrument.articulation not in ARTICULATIONS:
        raise TrainingError(
            f"{fields.where}: `articulation` is {instrument.articulation!r}; it must be {' or '.join(ARTICULATIONS)}"
        )
    for seconds in instrument.note_seconds:
        if not 0.01 <= seconds <= 60:
            raise TrainingError(f"{fields.where}: note_seconds holds {seconds}; notes last 0.01 to 60 seconds")
    fields.finish()
    return instrument


class _Fields:
    """The fields of one table; each is read once, and what is left over is a mistake."""

    def __init__(self, table: dict, where: str):
        self._table, self.where = dict(table), where

    def value(self, key: str, kind: type | tuple[type, ...]):
        if key not in self._table:
            raise TrainingError(f"{self.where}: `{key}` is missing")
        value = self._table.pop(key)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise TrainingError(f"{self.where}: `{key}` is {value!r}, which is of the wrong type")
        return value

    def name(self, key: str) -> str:
        value = self.value(key, str)
        if not _NAME.fullmatch(value):
            raise TrainingError(f"{self.where}: `{key}` is {value!r}; use lower-case letters, digits and _")
        return value

    def list(self, key: str, kind: type | tuple[type, ...], may_be_empty: bool = False) -> tuple:
        values = self.value(key, list)
        if not values and not may_be_empty:
            raise TrainingError(f"{self.where}: `{key}` is empty")
        for value in values:
            if not isinstance(value, kind) or isinstance(value, bool):
                raise TrainingError(f"{self.where}: `{key}` holds {value!r}, which is of the wrong type")
        return tuple(values)

    def has(self, key: str) -> bool:
        return key in self._table

    def integer(self, key: str, low: int, high: int) -> int:
        value = self.value(key, int)
        if not low <= value <= high:
            raise TrainingError(f"{self.where}: `{key}` is {value}; it must be {low} to {high}")
        return value

    def integers(self, key: str, low: int, high: int, may_be_empty: bool = False) -> tuple[int, ...]:
        values = self.list(key, int, may_be_empty)
        for value in values:
            if not low <= value <= high:
                raise TrainingError(f"{self.where}: `{key}` holds {value}; each must be {low} to {high}")
        if len(set(values)) != len(values):
            raise TrainingError(f"{self.where}: `{key}` holds a value twice")
        return values

    def finish(self) -> None:
        if self._table:
            raise TrainingError(f"{self.where}: `{sorted(self._table)[0]}` is not a field of a catalogue")
