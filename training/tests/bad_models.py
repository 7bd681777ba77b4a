"""The shipped instruments, each spoilt in one way: what a scoring must see.

Every function writes a whole models folder (what `echoel --models` takes) whose manifests are right about its files.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
from click.testing import CliRunner
from onnx import helper, numpy_helper

from echoel_training.catalogue import DEFAULT_CATALOGUE
from echoel_training.cli import cli
from echoel_training.files import file_sha256

MODELS = Path(__file__).parents[2] / "Models"


def untrained(folder: Path, name: str) -> Path:
    """Networks with random weights under a shipped instrument's name, with its range and levels."""
    catalogue, fresh = folder / "catalogue.toml", folder / "Models" / "NeuralSynth"
    catalogue.write_text(_part_of_catalogue(name))
    done = CliRunner().invoke(
        cli, ["export", "--untrained", "--catalogue", str(catalogue), "--out", str(fresh)]
    )
    assert done.exit_code == 0, done.output
    file = f"{name}.instrument.json"
    shipped = _read(MODELS / "NeuralSynth" / file)
    kept = ("lowKey", "highKey", "gain", "velocityExponent", "releaseSeconds", "programs")
    _write(fresh / file, _read(fresh / file) | {part: shipped[part] for part in kept})
    return fresh.parent


def _part_of_catalogue(name: str) -> str:
    """The catalogue of the shipped instruments with one of them only: exporting takes seconds per instrument."""
    head, *instruments = DEFAULT_CATALOGUE.read_text().split("[[instruments]]")
    [one] = [part for part in instruments if f'name = "{name}"' in part]
    return f"{head}[[instruments]]{one}"


def with_latents_of(folder: Path, name: str, other: str) -> Path:
    """Another instrument's latents under the name of `name`."""
    models = _copy(folder)
    file = models / "NeuralSynth" / f"{name}.instrument.json"
    theirs = _read(models / "NeuralSynth" / f"{other}.instrument.json")
    # One prior for all is told the instrument; a prior of an instrument's own is another file.
    kept = {part: theirs[part] for part in ("prior", "instrument", "temperature") if part in theirs}
    described = {part: value for part, value in _read(file).items() if part not in ("instrument", "temperature")}
    _write(file, described | kept)
    return models


def detuned(folder: Path, cents: float) -> Path:
    """A decoder that plays every pitch so much higher."""

    def spoil(graph: onnx.GraphProto) -> None:
        for node in graph.node:
            for place, value in enumerate(node.input):
                if value == "pitch":
                    node.input[place] = "pitch_detuned"
        graph.initializer.append(_constant("detuning", 2 ** (cents / 1200)))
        graph.node.insert(0, helper.make_node("Mul", ["pitch", "detuning"], ["pitch_detuned"]))

    return _with_decoder(folder, spoil)


def clicking(folder: Path, height: float) -> Path:
    """A decoder that adds `height` to the first sample of every run."""

    def spoil(graph: onnx.GraphProto) -> None:
        for node in graph.node:
            node.output[:] = ["audio_clean" if value == "audio" else value for value in node.output]
            node.input[:] = ["audio_clean" if value == "audio" else value for value in node.input]
        for name, value in (("click_start", [0]), ("click_end", [1]), ("click_last", [2**31 - 1]), ("click_axis", [2])):
            graph.initializer.append(numpy_helper.from_array(np.array(value, np.int64), name))
        graph.initializer.append(_constant("click_height", height))
        graph.node.extend(
            [
                helper.make_node("Slice", ["audio_clean", "click_start", "click_end", "click_axis"], ["click_first"]),
                helper.make_node("Slice", ["audio_clean", "click_end", "click_last", "click_axis"], ["click_rest"]),
                helper.make_node("Add", ["click_first", "click_height"], ["click_loud"]),
                helper.make_node("Concat", ["click_loud", "click_rest"], ["audio"], axis=2),
            ]
        )

    return _with_decoder(folder, spoil)


def _copy(folder: Path) -> Path:
    models = folder / "Models"
    shutil.copytree(MODELS / "NeuralSynth", models / "NeuralSynth")
    return models


def _with_decoder(folder: Path, spoil) -> Path:
    """The shipped models, every decoder's graph changed by `spoil`."""
    models = _copy(folder)
    instruments = {file: _read(file) for file in (models / "NeuralSynth").glob("*.instrument.json")}
    for decoder in {described["decoder"]["file"] for described in instruments.values()}:
        file = models / "NeuralSynth" / decoder
        model = onnx.load(file)
        spoil(model.graph)
        onnx.checker.check_model(model)
        file.write_bytes(model.SerializeToString())
        manifest = file.with_suffix(".json")
        digest = file_sha256(file)
        _write(manifest, _read(manifest) | {"sha256": digest, "sizeBytes": file.stat().st_size})
        for path, described in instruments.items():
            if described["decoder"]["file"] == decoder:
                described["decoder"]["sha256"] = digest
                _write(path, described)
    return models


def _constant(name: str, value: float) -> onnx.TensorProto:
    return numpy_helper.from_array(np.array(value, np.float32), name)


def _read(file: Path) -> dict:
    return json.loads(file.read_text())


def _write(file: Path, value: dict) -> None:
    file.write_text(json.dumps(value))
