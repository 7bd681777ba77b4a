"""Manifests say what Documentation/Models.md says, and nothing wrong passes."""

import copy
import json

import numpy as np
import pytest

from echoel_training import TrainingError
from echoel_training.files import atomic_path, file_sha256
from echoel_training.fixtures import write_fixtures
from echoel_training.manifest import (
    check_against_model,
    check_against_prior,
    model_manifest,
    read_json,
    tensor,
    validate_instrument,
    validate_manifest,
    write_json,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("models")
    write_fixtures(path)
    return path


def test_a_manifest_names_its_file_by_content(folder):
    manifest = read_json(folder / "sine_decoder.json")
    content = (folder / "sine_decoder.onnx").read_bytes()
    assert manifest["sizeBytes"] == len(content)
    assert manifest["sha256"] == file_sha256(folder / "sine_decoder.onnx")
    assert manifest["formatVersion"] == 1 and manifest["kind"] == "streaming-decoder"
    assert manifest["inputs"][2] == {
        "name": "noise",
        "role": "noise",
        "shape": ["batch", 16, "8*slots"],
        "type": "float32",
        "unit": "1",
    }
    assert manifest["states"][0] == {
        "input": "state_phase",
        "output": "next_phase",
        "shape": ["batch", 1, 1],
        "unit": "cycles",
    }


@pytest.mark.parametrize("name", ["sine_decoder", "sine_encoder", "sine_prior", "sway_prior"])
def test_a_manifest_agrees_with_its_model(folder, name):
    check_against_model(read_json(folder / f"{name}.json"), folder)


def test_an_instrument_names_its_models_by_content(folder):
    instrument = read_json(folder / "sine.instrument.json")
    for part in ("decoder", "prior"):
        assert instrument[part]["sha256"] == file_sha256(folder / instrument[part]["file"])
    assert "encoder" not in instrument


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (["formatVersion"], 2, "`formatVersion` is 2"),
        (["formatVersion"], None, "`formatVersion` is None"),
        (["kind"], "sampler", "`kind` is 'sampler'"),
        (["name"], "", "`name` is empty"),
        (["licence"], "", "`licence` is empty"),
        (["authors"], [], "`authors` is empty"),
        (["attribution"], [3], "`attribution` must hold names"),
        (["file"], "../other.onnx", "`file` is '../other.onnx'"),
        (["file"], "/etc/passwd", "`file` is '/etc/passwd'"),
        (["sha256"], "ABC", "`sha256` is not 64"),
        (["sizeBytes"], 0, "`sizeBytes` must be positive"),
        (["sizeBytes"], True, "`sizeBytes` is True"),
        (["inputs"], [], "`inputs` is empty"),
        (["inputs", 0, "type"], "float", "latent has the type 'float'"),
        (["inputs", 0, "shape", 1], 0, "latent has the dimension 0"),
        (["inputs", 0, "shape", 2], "slots+1", r"latent has the dimension 'slots\+1'"),
        (["inputs", 1, "name"], "latent", "two inputs have the same name"),
        (["inputs", 1], 7, "`inputs` must hold objects"),
        (["states", 0, "output"], "audio", "two outputs have the same name"),
        (["states", 0, "shape"], [1, 1], "state_phase must have the batch on its first axis"),
        (["sampleRate"], 0, "`sampleRate` must be positive"),
        (["delaySamples"], -1, "`delaySamples` must not be negative"),
        (["maximumSlots"], "16", "`maximumSlots` is '16'"),
    ],
)
def test_a_wrong_manifest_is_named(folder, path, value, said):
    manifest = read_json(folder / "sine_decoder.json")
    place = manifest
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(TrainingError, match="x.json: .*" + said):
        validate_manifest(manifest, "x.json")


@pytest.mark.parametrize("key", ["kind", "name", "file", "sha256", "sizeBytes", "inputs", "outputs", "delaySamples"])
def test_a_missing_field_is_named(folder, key):
    manifest = read_json(folder / "sine_decoder.json")
    del manifest[key]
    with pytest.raises(TrainingError, match=f"`{key}` is missing"):
        validate_manifest(manifest, "x.json")


def test_a_priors_columns_must_cover_its_instruments(folder):
    manifest = read_json(folder / "sine_prior.json")
    without = copy.deepcopy(manifest)
    without["columns"].remove("instrument.soft")
    with pytest.raises(TrainingError, match="lacks instrument.soft"):
        validate_manifest(without, "x.json")
    wider = copy.deepcopy(manifest)
    wider["columns"].append("variation")
    with pytest.raises(TrainingError, match="has 7 names, the input 6"):
        validate_manifest(wider, "x.json")


@pytest.mark.parametrize("name", ["sine_prior", "sway_prior"])
@pytest.mark.parametrize("column", ["macro.brightness", "Temperature", "instrument.tuba"])
def test_a_column_that_nothing_fills_is_named(folder, name, column):
    manifest = read_json(folder / f"{name}.json")
    manifest["columns"].append(column)
    with pytest.raises(TrainingError, match=f"`columns` holds {column}, which no host fills"):
        validate_manifest(manifest, "x.json")


@pytest.mark.parametrize(
    ("name", "prior", "change", "said"),
    [
        ("sine", "sine_prior", {}, None),
        ("sway", "sway_prior", {}, None),
        ("sine", "sway_prior", {}, "`instrument` is 'sine', and sway_prior has no column"),
        ("sway", "sine_prior", {}, "`instrument` is missing; sine_prior plays sine, soft"),
        ("sine", "sine_prior", {"instrument": "tuba"}, "`instrument` is 'tuba'; sine_prior plays sine, soft"),
        ("sine", "sine_prior", {"temperature": 1}, "`temperature` has no column in sine_prior"),
    ],
)
def test_an_instrument_and_its_prior_agree(folder, name, prior, change, said):
    instrument = read_json(folder / f"{name}.instrument.json") | change
    prior = read_json(folder / f"{prior}.json")
    if said is None:
        check_against_prior(instrument, prior)
    else:
        with pytest.raises(TrainingError, match=f"{name}.instrument.json: {said}"):
            check_against_prior(instrument, prior)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("lowKey", 128, "keys 128 to 127"),
        ("programs", [128], "`programs` holds 128"),
        ("pitched", 1, "`pitched` is 1"),
        ("gain", -0.1, "`gain` must not be negative"),
        ("releaseSeconds", "1", "`releaseSeconds` is '1'"),
        ("instrument", None, "`instrument` is None"),
        ("temperature", -0.5, "`temperature` is -0.5; it is 0 to 2"),
        ("temperature", 2.5, "`temperature` is 2.5; it is 0 to 2"),
        ("temperature", "warm", "`temperature` is 'warm'"),
        ("decoder", {"file": "a.onnx"}, "`decoder.sha256` is missing"),
        ("prior", {"file": "a/b.onnx", "sha256": "0" * 64}, "`prior.file` is 'a/b.onnx'"),
    ],
)
def test_a_wrong_instrument_is_named(folder, key, value, said):
    instrument = read_json(folder / "sine.instrument.json") | {key: value}
    with pytest.raises(TrainingError, match=said):
        validate_instrument(instrument, "sine.instrument.json")


def test_a_model_that_changed_is_noticed(folder, tmp_path):
    manifest = read_json(folder / "sine_prior.json")
    with pytest.raises(TrainingError, match="there is no file"):
        check_against_model(manifest, tmp_path)
    content = bytearray((folder / "sine_prior.onnx").read_bytes())
    content[-1] ^= 1
    (tmp_path / "sine_prior.onnx").write_bytes(content)
    with pytest.raises(TrainingError, match="not the file that its manifest describes"):
        check_against_model(manifest, tmp_path)


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ([tensor("z", ["batch", 4])], "only one of the inputs"),
        ([tensor("x", ["batch", 5])], r"x is float32 \[None, 4\] in the model and float32 \['batch', 5\]"),
        ([tensor("x", ["batch", 4], type="int64")], "and int64"),
        ([tensor("x", ["batch", 4, 1])], "x is float32"),
    ],
)
def test_a_manifest_that_contradicts_its_model_is_noticed(folder, inputs, said):
    manifest = model_manifest(
        folder / "identity.onnx",
        kind="model",
        inputs=inputs,
        outputs=[tensor("y", ["batch", 4])],
        licence="Apache-2.0",
        authors=["Echoelmusic"],
    )
    with pytest.raises(TrainingError, match=said):
        check_against_model(manifest, folder)


def test_a_file_is_complete_or_not_there(tmp_path):
    path = tmp_path / "deep" / "value.json"
    write_json({"title": "Größe", "value": 1}, path)
    assert json.loads(path.read_text(encoding="utf-8"))["title"] == "Größe"
    with pytest.raises(ValueError):
        write_json({"value": np.nan}, path)
    with pytest.raises(RuntimeError), atomic_path(path) as partial:
        partial.write_text("half")
        raise RuntimeError
    assert read_json(path)["value"] == 1
    assert [entry.name for entry in path.parent.iterdir()] == ["value.json"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError, match="cannot be written"):
        write_json({}, tmp_path / "file" / "value.json")


@pytest.mark.parametrize("content", ["", "{", "[1]", "\ud800"])
def test_what_is_no_json_object_is_named(tmp_path, content):
    path = tmp_path / "value.json"
    path.write_bytes(content.encode("utf-8", "surrogatepass"))
    with pytest.raises(TrainingError, match="value.json"):
        read_json(path)
