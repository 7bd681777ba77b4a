"""What ``echoel optimize`` writes is ONNX by ONNX's own checker, and computes what the original does in ONNX Runtime as it comes."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

ROOT = Path(__file__).parents[2]
BUILT = [os.environ.get("ECHOEL", ""), *(ROOT / "Tool" / ".build" / kind / "echoel" for kind in ("release", "debug"))]


@pytest.fixture(scope="module")
def echoel() -> Path:
    found = [Path(path) for path in BUILT if path and Path(path).is_file()]
    if not found:
        pytest.skip("echoel has not been built; script/build does")
    return found[0]


def decoder(seed: int = 4) -> onnx.ModelProto:
    """A decoder in small: a matrix, a transposed convolution with normalised weights, a batch normalisation, another."""
    random = np.random.default_rng(seed)

    def weight(name: str, *shape: int) -> onnx.TensorProto:
        return numpy_helper.from_array(random.uniform(-0.4, 0.4, shape).astype(np.float32), name)

    def node(kind: str, inputs: list[str], output: str, **attributes) -> onnx.NodeProto:
        return helper.make_node(kind, inputs, [output], name=output, **attributes)

    nodes = [
        node("Gemm", ["latent", "matrix", "offset"], "linear", transB=1),
        node("Reshape", ["linear", "shape"], "view"),
        node("ConvTranspose", ["view", "first", "first_bias"], "spread", strides=[2], pads=[1, 1]),
        node("Relu", ["spread"], "rectified"),
        node("ReduceL2", ["direction", "axes"], "length"),
        node("Div", ["direction", "length"], "unit"),
        node("Mul", ["unit", "gain"], "second"),
        node("ConvTranspose", ["rectified", "second"], "wide", strides=[4], pads=[2, 2]),
        node("BatchNormalization", ["wide", "scale", "shift", "mean", "variance"], "normal"),
        node("LeakyRelu", ["normal"], "bent", alpha=0.2),
        node("Conv", ["bent", "last"], "mixed", pads=[3, 3]),
        node("Tanh", ["mixed"], "audio"),
    ]
    weights = [
        weight("matrix", 512, 16), weight("offset", 512), weight("first", 16, 8, 4), weight("first_bias", 8),
        weight("direction", 8, 8, 8), weight("gain", 8, 1, 1), weight("scale", 8), weight("shift", 8), weight("mean", 8),
        numpy_helper.from_array(np.full(8, 0.7, np.float32), "variance"), weight("last", 1, 8, 7),
        numpy_helper.from_array(np.array([-1, 16, 32]), "shape"), numpy_helper.from_array(np.array([1, 2]), "axes"),
    ]  # fmt: skip
    graph = helper.make_graph(
        nodes, "decoder",
        [helper.make_tensor_value_info("latent", TensorProto.FLOAT, ["batch", 16])],
        [helper.make_tensor_value_info("audio", TensorProto.FLOAT, ["batch", 1, 256])],
        weights,
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.checker.check_model(model, full_check=True)
    return model


def optimize(echoel: Path, model: Path, out: Path, *arguments: str) -> dict:
    command = [echoel, "optimize", model, "--out", out, "--json", "--seconds", "0.1", *arguments]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def decibels(one: Path, other: Path, batch: int) -> float:
    latent = np.random.default_rng(9).standard_normal((batch, 16)).astype(np.float32)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    [wanted], [heard] = (
        onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"]).run(None, {"latent": latent})
        for path in (one, other)
    )
    return 10 * np.log10(np.sum(wanted**2.0) / max(np.sum((heard - wanted) ** 2.0), 1e-30))


@pytest.mark.parametrize(
    ("arguments", "least"),
    [
        ([], 90),
        (["--only", "weight-normalisation"], 90),
        (["--only", "batch-norm"], 90),
        (["--only", "affine-composition"], 90),
        (["--only", "polyphase"], 90),
        (["--only", "convolution-layout"], 90),
        (["--only", "half-weights", "--weights", "f16"], 60),
        (["--only", "half-weights", "--weights", "bf16", "--snr", "40"], 40),
    ],
)
def test_the_result_is_onnx_and_computes_the_same(echoel, tmp_path, arguments, least):
    model, out, again = (tmp_path / name for name in ("model.onnx", "out.onnx", "again.onnx"))
    onnx.save(decoder(), model)
    report = optimize(echoel, model, out, *arguments)
    onnx.checker.check_model(str(out), full_check=True)
    assert report["snrDb"] >= least
    for batch in (1, 5):
        assert decibels(model, out, batch) >= least
    assert optimize(echoel, out, again, *arguments)["rewrites"] == []
    assert again.read_bytes() == out.read_bytes()


def test_weights_beside_a_model_are_read_and_written_beside_the_result(echoel, tmp_path):
    model, out = tmp_path / "model.onnx", tmp_path / "out.onnx"
    onnx.save(decoder(), model, save_as_external_data=True, location="model.weights")
    report = optimize(echoel, model, out)
    onnx.checker.check_model(str(out), full_check=True)
    assert report["snrDb"] >= 90 and decibels(model, out, 2) >= 90
    assert {path.name for path in tmp_path.iterdir()} == {"model.onnx", "model.weights", "out.onnx", "out.onnx.data"}
