"""Manifests of models and instruments, as `Documentation/Models.md` describes them (format version 1)."""

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path

from . import TrainingError
from .catalogue import ARTICULATIONS
from .files import atomic_path, file_sha256

FORMAT_VERSION = 1
KINDS = ("streaming-decoder", "streaming-encoder", "prior", "effect", "model")
EFFECT_METHODS = ("forward", "encode", "decode")
NOTE_COLUMNS = ("pitch", "velocity", "secondsOn", "secondsOff")
"""The columns of a note that every prior takes."""

MOVEMENT_COLUMNS = ("variation", "temperature")
"""The columns of a note that a prior may take besides, and `instrument.<name>` for each of several instruments."""

TEMPERATURES = (0.0, 2.0)
"""The least and the most movement of a sustained note; 1 is as recorded."""

_TYPES = ("float32", "float16", "float64", "int64", "int32", "int16", "int8", "uint8", "bool", "string")
_DIMENSION = re.compile(r"(?:[1-9][0-9]*\*)?[a-z][A-Za-z0-9_]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def tensor(
    name: str, shape: Sequence[int | str], *, role: str | None = None, type: str = "float32", unit: str = "1"
) -> dict:
    """One input or output; a dimension is a size, a name, or a multiple of a name such as `8*slots`."""
    return {"name": name, "role": role or name, "shape": list(shape), "type": type, "unit": unit}


def state(name: str, shape: Sequence[int | str], *, unit: str = "1") -> dict:
    """A state `name`: the input `state_<name>` and the output `next_<name>`."""
    return {"input": f"state_{name}", "output": f"next_{name}", "shape": list(shape), "unit": unit}


def model_manifest(
    path: str | os.PathLike,
    *,
    kind: str,
    inputs: Sequence[dict],
    outputs: Sequence[dict],
    licence: str,
    authors: Sequence[str],
    states: Sequence[dict] = (),
    attribution: Sequence[str] = (),
    training: dict | None = None,
    quality: dict | None = None,
    reproduce: str = "",
    **fields,
) -> dict:
    """The checked manifest of the model file at `path`; `fields` are those of its kind (`sampleRate`, …)."""
    path = Path(path)
    manifest = {
        "formatVersion": FORMAT_VERSION,
        "kind": kind,
        "name": path.stem,
        "file": path.name,
        "sha256": file_sha256(path),
        "sizeBytes": path.stat().st_size,
        "licence": licence,
        "authors": list(authors),
        "attribution": list(attribution),
        **fields,
        "inputs": list(inputs),
        "outputs": list(outputs),
        "states": list(states),
        "training": training or {},
        "quality": quality or {},
        "reproduce": reproduce,
    }
    validate_manifest(manifest, path.name)
    return manifest


def instrument_manifest(
    *,
    name: str,
    title: str,
    family: str,
    low_key: int,
    high_key: int,
    programs: Sequence[int],
    licence: str,
    authors: Sequence[str],
    decoder: str | os.PathLike,
    prior: str | os.PathLike,
    encoder: str | os.PathLike | None = None,
    attribution: Sequence[str] = (),
    articulation: str = "sustained",
    pitched: bool = True,
    velocity_exponent: float = 2.0,
    gain: float,
    release_seconds: float,
    instrument: str | None = None,
    temperature: float | None = None,
    card: str | None = None,
) -> dict:
    """The checked `<name>.instrument.json` of an instrument whose models lie at the given paths.

    `instrument` is its column in a prior that plays several, `temperature` (0 to 2) goes with a prior that has the
    column; `check_against_prior` compares both with the prior's manifest.
    """
    manifest = {
        "formatVersion": FORMAT_VERSION,
        "name": name,
        "title": title,
        "family": family,
        "pitched": pitched,
        "articulation": articulation,
        "lowKey": low_key,
        "highKey": high_key,
        "programs": list(programs),
        "licence": licence,
        "authors": list(authors),
        "attribution": list(attribution),
        "decoder": file_reference(decoder),
        "prior": file_reference(prior),
        **({"encoder": file_reference(encoder)} if encoder else {}),
        **({} if instrument is None else {"instrument": instrument}),
        "velocityExponent": velocity_exponent,
        "gain": gain,
        "releaseSeconds": release_seconds,
        **({} if temperature is None else {"temperature": temperature}),
        "card": card or f"{name}.md",
    }
    validate_instrument(manifest, f"{name}.instrument.json")
    return manifest


def write_json(value: dict, path: str | os.PathLike) -> None:
    """Write `value` as indented UTF-8 JSON, complete or not at all."""
    with atomic_path(path) as partial:
        text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
        partial.write_text(text + "\n", encoding="utf-8")


def read_json(path: str | os.PathLike) -> dict:
    """The object in a JSON file."""
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TrainingError(f"there is no file {path}") from None
    except (OSError, ValueError) as error:
        raise TrainingError(f"{path} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise TrainingError(f"{path} does not hold a JSON object")
    return value


def validate_manifest(manifest: dict, where: str) -> None:
    """Check a model's manifest for itself; `where` names it in the error."""
    check = _Checker(manifest, where)
    check.common()
    kind = check.value("kind", str)
    check.require(kind in KINDS, f"`kind` is {kind!r}; it is one of {', '.join(KINDS)}")
    check.file_reference(manifest)
    size = check.value("sizeBytes", int)
    check.require(size > 0, "`sizeBytes` must be positive")
    names = []
    for key in ("inputs", "outputs"):
        entries = check.value(key, list)
        check.require(len(entries) > 0, f"`{key}` is empty")
        for entry in entries:
            check.tensor(key, entry)
        names.append([entry["name"] for entry in entries])
    for entry in check.value("states", list) if "states" in manifest else []:
        check.state(entry)
        names[0].append(entry["input"])
        names[1].append(entry["output"])
    for key, group in zip(("inputs", "outputs"), names):
        check.require(len(set(group)) == len(group), f"two {key} have the same name")
    if kind.startswith("streaming-"):
        for key in ("sampleRate", "slotSamples"):
            check.require(check.value(key, int) > 0, f"`{key}` must be positive")
        check.require(check.value("delaySamples", int) >= 0, "`delaySamples` must not be negative")
    if kind == "effect":
        _validate_effect(manifest, check)
    if kind == "streaming-decoder":
        check.require(check.value("maximumSlots", int) > 0, "`maximumSlots` must be positive")
    if "noteChannels" in manifest:
        channels = check.value("noteChannels", list)
        good = kind == "streaming-encoder" and all(_is(channel, int) and channel >= 0 for channel in channels)
        check.require(good, f"`noteChannels` is {channels!r}; an encoder may list channels of its latent there")
    if kind == "prior":
        instruments = check.texts("instruments")
        expected = [*NOTE_COLUMNS, *(f"instrument.{name}" for name in instruments)]
        columns = check.texts("columns")
        missing = [name for name in expected if name not in columns]
        check.require(not missing, f"`columns` lacks {missing[0] if missing else ''}")
        check.require(len(set(columns)) == len(columns), "`columns` holds a name twice")
        unknown = [name for name in columns if name not in (*expected, *MOVEMENT_COLUMNS)]
        check.require(not unknown, f"`columns` holds {unknown[0] if unknown else ''}, which no host fills")
        width = manifest["inputs"][0]["shape"][-1]
        check.require(width == len(columns), f"`columns` has {len(columns)} names, the input {width}")


def _validate_effect(manifest: dict, check: "_Checker") -> None:
    for key in ("sampleRate", "hopSamples"):
        check.require(check.value(key, int) > 0, f"`{key}` must be positive")
    check.require(check.value("delaySamples", int) >= 0, "`delaySamples` must not be negative")
    if "windowSamples" in manifest:
        check.require(check.value("windowSamples", int) >= manifest["hopSamples"], "`windowSamples` is less than a hop")
    if "overlapAdd" in manifest:
        check.value("overlapAdd", bool)
    method = manifest.get("method", "forward")
    check.require(method in EFFECT_METHODS, f"`method` is {method!r}; it is one of {', '.join(EFFECT_METHODS)}")
    roles = [[entry["role"] for entry in manifest[key]] for key in ("inputs", "outputs")]
    wanted = [["latent" if method == "decode" else "audio"], ["latent" if method == "encode" else "audio"]]
    check.require(roles == wanted, f"an effect that does {method} has the inputs and outputs {wanted}, not {roles}")
    if "decoder" in manifest:
        check.require(method == "encode", "only `encode` has a `decoder`")
        check.file_reference(check.value("decoder", dict), "decoder.")


def validate_instrument(manifest: dict, where: str) -> None:
    """Check an `<name>.instrument.json` for itself; `where` names it in the error."""
    check = _Checker(manifest, where)
    check.common()
    for key in ("title", "family", "card", *(("instrument",) if "instrument" in manifest else ())):
        check.value(key, str)
    check.value("pitched", bool)
    if "articulation" in manifest:
        articulation = check.value("articulation", str)
        check.require(articulation in ARTICULATIONS, f"`articulation` is {articulation!r}; it is sustained or struck")
    low, high = check.value("lowKey", int), check.value("highKey", int)
    check.require(0 <= low <= high <= 127, f"keys {low} to {high} are not a range within 0 to 127")
    for program in check.value("programs", list):
        check.require(_is(program, int) and 0 <= program <= 127, f"`programs` holds {program!r}; they are 0 to 127")
    for key in ("decoder", "prior", "encoder"):
        if key != "encoder" or key in manifest:
            check.file_reference(check.value(key, dict), f"{key}.")
    for key in ("velocityExponent", "gain", "releaseSeconds"):
        check.require(check.value(key, (int, float)) >= 0, f"`{key}` must not be negative")
    if "temperature" in manifest:
        temperature = check.value("temperature", (int, float))
        low, high = TEMPERATURES
        check.require(low <= temperature <= high, f"`temperature` is {temperature}; it is {low:g} to {high:g}")


def check_against_prior(instrument: dict, prior: dict) -> None:
    """Check that the keys of an instrument's manifest and the columns of its prior's stand for one another."""
    check = _Checker(instrument, f"{instrument['name']}.instrument.json")
    names = ", ".join(prior["instruments"])
    column = instrument.get("instrument")
    if prior["instruments"]:
        check.require(column is not None, f"`instrument` is missing; {prior['name']} plays {names}")
        check.require(column in prior["instruments"], f"`instrument` is {column!r}; {prior['name']} plays {names}")
    else:
        check.require(column is None, f"`instrument` is {column!r}, and {prior['name']} has no column for it")
    if "temperature" in instrument:
        check.require("temperature" in prior["columns"], f"`temperature` has no column in {prior['name']}")


def check_against_model(manifest: dict, folder: str | os.PathLike) -> None:
    """Check that the model file in `folder` is the one that the manifest describes, tensor by tensor."""
    import onnx

    path = Path(folder) / manifest["file"]
    if not path.is_file():
        raise TrainingError(f"{manifest['name']}: there is no file {path}")
    if path.stat().st_size != manifest["sizeBytes"] or file_sha256(path) != manifest["sha256"]:
        raise TrainingError(f"{path} is not the file that its manifest describes; write both anew")
    graph = onnx.load(path).graph
    states = manifest.get("states", [])
    weights = {weight.name for weight in graph.initializer}
    for key, state_key, values in (
        ("inputs", "input", [value for value in graph.input if value.name not in weights]),
        ("outputs", "output", graph.output),
    ):
        described = {entry["name"]: (entry["shape"], entry["type"]) for entry in manifest[key]}
        described |= {entry[state_key]: (entry["shape"], "float32") for entry in states}
        actual = {value.name: _described(value) for value in values}
        if set(described) != set(actual):
            difference = sorted(set(described) ^ set(actual))[0]
            raise TrainingError(f"{manifest['name']}: {difference} is in only one of the {key} and the manifest")
        for name, (shape, element_type) in described.items():
            model_shape, model_type = actual[name]
            same = len(shape) == len(model_shape) and all(
                theirs is None or isinstance(ours, str) or ours == theirs for ours, theirs in zip(shape, model_shape)
            )
            if not same or element_type != model_type:
                raise TrainingError(
                    f"{manifest['name']}: {name} is {model_type} {model_shape} in the model "
                    f"and {element_type} {shape} in the manifest"
                )


def _described(value) -> tuple[list[int | None], str]:
    import onnx

    described = value.type.tensor_type
    shape = [dimension.dim_value if dimension.HasField("dim_value") else None for dimension in described.shape.dim]
    names = {"FLOAT": "float32", "DOUBLE": "float64"}
    name = onnx.TensorProto.DataType.Name(described.elem_type)
    return shape, names.get(name, name.lower())


def file_reference(path: str | os.PathLike) -> dict:
    """How a manifest names another file."""
    return {"file": Path(path).name, "sha256": file_sha256(path)}


def _is(value, kind) -> bool:
    kinds = kind if isinstance(kind, tuple) else (kind,)
    return isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))


class _Checker:
    def __init__(self, manifest: dict, where: str):
        self._manifest, self._where = manifest, where

    def require(self, condition: bool, message: str) -> None:
        if not condition:
            raise TrainingError(f"{self._where}: {message}")

    def value(self, key: str, kind, table: dict | None = None, prefix: str = ""):
        table = self._manifest if table is None else table
        self.require(key in table, f"`{prefix}{key}` is missing")
        self.require(_is(table[key], kind), f"`{prefix}{key}` is {table[key]!r}, which is of the wrong type")
        return table[key]

    def texts(self, key: str) -> list[str]:
        values = self.value(key, list)
        self.require(all(_is(value, str) for value in values), f"`{key}` must hold names")
        return values

    def common(self) -> None:
        version = self.value("formatVersion", int)
        self.require(version == FORMAT_VERSION, f"`formatVersion` is {version}; this program knows {FORMAT_VERSION}")
        self.require(bool(self.value("name", str)), "`name` is empty")
        self.require(bool(self.value("licence", str)), "`licence` is empty; give an SPDX identifier")
        self.require(bool(self.texts("authors")), "`authors` is empty")
        self.texts("attribution")

    def file_reference(self, table: dict, prefix: str = "") -> None:
        file = self.value("file", str, table, prefix)
        plain = bool(file) and "/" not in file and "\\" not in file and not file.startswith(".")
        self.require(plain, f"`{prefix}file` is {file!r}; it must be the name of a file beside the manifest")
        digest = self.value("sha256", str, table, prefix)
        self.require(bool(_SHA256.fullmatch(digest)), f"`{prefix}sha256` is not 64 lower-case hexadecimal digits")

    def tensor(self, key: str, entry) -> None:
        self.require(_is(entry, dict), f"`{key}` must hold objects")
        for field in ("name", "role", "unit", "type"):
            self.value(field, str, entry, f"{key}.")
        self.require(entry["type"] in _TYPES, f"{entry['name']} has the type {entry['type']!r}, which is none")
        self._shape(entry["name"], self.value("shape", list, entry, f"{key}."))

    def state(self, entry) -> None:
        self.require(_is(entry, dict), "`states` must hold objects")
        for field in ("input", "output", "unit"):
            self.value(field, str, entry, "states.")
        self._shape(entry["input"], self.value("shape", list, entry, "states."))
        self.require(
            bool(entry["shape"]) and isinstance(entry["shape"][0], str),
            f"{entry['input']} must have the batch on its first axis",
        )

    def _shape(self, name: str, shape: list) -> None:
        for size in shape:
            good = (_is(size, int) and size > 0) or (_is(size, str) and bool(_DIMENSION.fullmatch(size)))
            self.require(good, f"{name} has the dimension {size!r}, which is neither a size nor a name")
