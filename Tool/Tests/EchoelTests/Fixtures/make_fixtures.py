"""Makes this folder's files: NumPy arrays of every kind, and models of a few operators.

python make_fixtures.py            (numpy, onnx)
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FOLDER = Path(__file__).parent
ARRAYS = FOLDER / "Arrays"
MODELS = FOLDER / "Models" / "NeuralSynth"


def arrays() -> None:
    ARRAYS.mkdir(exist_ok=True)
    steps = np.arange(6).reshape(2, 3) / 2 - 1
    np.save(ARRAYS / "float32.npy", steps.astype("<f4"))
    np.save(ARRAYS / "float16.npy", steps.astype("<f2"))
    np.save(ARRAYS / "int64.npy", (np.arange(3) - 1).astype("<i8") * 10**12)
    np.save(ARRAYS / "int32.npy", np.array(-7, "<i4"))
    np.save(ARRAYS / "fortran.npy", np.asfortranarray(np.arange(24).reshape(2, 3, 4).astype("<f4")))
    np.save(ARRAYS / "empty.npy", np.zeros((0, 3), "<f4"))
    np.save(ARRAYS / "float64.npy", np.zeros(2))
    np.save(ARRAYS / "structured.npy", np.zeros(2, [("a", "<f4"), ("b", "<i4")]))
    np.save(ARRAYS / "big_endian.npy", np.arange(2).astype(">f4"))
    for version in (2, 3):
        with open(ARRAYS / f"version{version}.npy", "wb") as file:
            np.lib.format.write_array(file, np.arange(4).astype("<f4"), version=(version, 0))


def tensor(name: str, kind: int, shape: list) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def constant(name: str, values: object, kind: str) -> onnx.TensorProto:
    return numpy_helper.from_array(np.asarray(values, kind), name)


def save(path: Path, nodes: list, inputs: list, outputs: list, constants: list) -> None:
    graph = helper.make_graph(nodes, path.stem, inputs, outputs, constants)
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="make_fixtures")
    helper.set_model_props(model, {"purpose": "a fixture"})
    onnx.checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)


def doubler() -> None:
    """Every type that runs, doubled."""
    kinds = {"f": ("float32", TensorProto.FLOAT, ["batch", 3]), "h": ("float16", TensorProto.FLOAT16, ["2*slots"]),
             "l": ("int64", TensorProto.INT64, [3]), "i": ("int32", TensorProto.INT32, [])}
    save(
        FOLDER / "doubler.onnx",
        [helper.make_node("Add", [name, name], [f"{name}2"]) for name in kinds],
        [tensor(name, kind, shape) for name, (_, kind, shape) in kinds.items()],
        [tensor(f"{name}2", kind, shape) for name, (_, kind, shape) in kinds.items()], [])


def not_finite() -> None:
    save(
        FOLDER / "not_finite.onnx", [helper.make_node("Add", ["x", "bias"], ["y"])],
        [tensor("x", TensorProto.FLOAT, [2])], [tensor("y", TensorProto.FLOAT, [2])],
        [constant("bias", [0, np.nan], "<f4")])


def manifest(path: Path, kind: str, **more: object) -> dict:
    data = path.read_bytes()
    entry = {
        "formatVersion": 1, "kind": kind, "name": path.stem, "file": path.name,
        "sha256": hashlib.sha256(data).hexdigest(), "sizeBytes": len(data), "licence": "CC0-1.0",
        "authors": ["make_fixtures"], **more}
    path.with_suffix(".json").write_text(json.dumps(entry, indent=2) + "\n")
    return entry


def described(name: str, shape: list) -> dict:
    return {"name": name, "role": name, "shape": shape, "type": "float32", "unit": "1"}


def instruments() -> None:
    """Two instruments that share a decoder whose sound is its noise, as loud as the latent says."""
    decoder = MODELS / "noise_decoder.onnx"
    save(
        decoder,
        [
            helper.make_node("Transpose", ["noise"], ["frames"], perm=[0, 2, 1]),
            helper.make_node("Reshape", ["frames", "slot_shape"], ["slots_of_noise"]),
            helper.make_node("Transpose", ["latent"], ["levels"], perm=[0, 2, 1]),
            helper.make_node("ReduceMean", ["levels"], ["level"], axes=[2], keepdims=1),
            helper.make_node("Transpose", ["pitch"], ["hertz"], perm=[0, 2, 1]),
            helper.make_node("Mul", ["hertz", "zero"], ["nothing"]),
            helper.make_node("Add", ["level", "nothing"], ["gain"]),
            helper.make_node("Mul", ["slots_of_noise", "gain"], ["sound"]),
            helper.make_node("Reshape", ["sound", "audio_shape"], ["audio"]),
            helper.make_node("Add", ["state_count", "one"], ["next_count"]),
        ],
        [
            tensor("latent", TensorProto.FLOAT, ["batch", 2, "slots"]),
            tensor("pitch", TensorProto.FLOAT, ["batch", 1, "slots"]),
            tensor("noise", TensorProto.FLOAT, ["batch", 16, "8*slots"]),
            tensor("state_count", TensorProto.FLOAT, ["batch", 1]),
        ],
        [
            tensor("audio", TensorProto.FLOAT, ["batch", 1, "128*slots"]),
            tensor("next_count", TensorProto.FLOAT, ["batch", 1]),
        ],
        [
            constant("slot_shape", [0, -1, 128], "<i8"), constant("audio_shape", [0, 1, -1], "<i8"),
            constant("zero", 0, "<f4"), constant("one", 1, "<f4"),
        ])
    decoder_entry = manifest(
        decoder, "streaming-decoder", sampleRate=48000, slotSamples=128, maximumSlots=16, delaySamples=128,
        inputs=[
            described("latent", ["batch", 2, "slots"]), described("pitch", ["batch", 1, "slots"]),
            described("noise", ["batch", 16, "8*slots"])],
        outputs=[described("audio", ["batch", 1, "128*slots"])],
        states=[{"input": "state_count", "output": "next_count", "shape": ["batch", 1], "unit": "1"}])

    prior = MODELS / "noise_prior.onnx"
    weights = np.zeros((6, 2), "<f4")
    weights[4] = 1
    weights[5] = 0.25
    save(
        prior, [helper.make_node("MatMul", ["note", "weights"], ["latent"])],
        [tensor("note", TensorProto.FLOAT, ["batch", 6])], [tensor("latent", TensorProto.FLOAT, ["batch", 2])],
        [constant("weights", weights, "<f4")])
    names = ["hiss", "hush"]
    prior_entry = manifest(
        prior, "prior", inputs=[described("note", ["batch", 6])], outputs=[described("latent", ["batch", 2])],
        columns=["pitch", "velocity", "secondsOn", "secondsOff", *(f"instrument.{name}" for name in names)],
        instruments=names)

    def reference(entry: dict) -> dict:
        return {"file": entry["file"], "sha256": entry["sha256"]}

    for name, programs in zip(names, ([0, 1], [48])):
        entry = {
            "formatVersion": 1, "name": name, "title": f"A {name}", "family": "noise", "pitched": False,
            "lowKey": 0, "highKey": 127, "programs": programs, "licence": "CC0-1.0", "authors": ["make_fixtures"],
            "decoder": reference(decoder_entry), "prior": reference(prior_entry), "instrument": name,
            "velocityExponent": 2.0, "gain": 0.1, "releaseSeconds": 0.1}
        (MODELS / f"{name}.instrument.json").write_text(json.dumps(entry, indent=2) + "\n")


if __name__ == "__main__":
    arrays()
    doubler()
    not_finite()
    instruments()
