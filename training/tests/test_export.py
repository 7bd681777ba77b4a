"""The exported graphs equal PyTorch, keep the streaming contract, and their manifests tell the truth."""

import hashlib
import json

import onnx
import onnxruntime
import pytest
import torch
from streaming import random_inputs, run_in_parts

from echoel_training.encoder import LATENT_SAMPLES
from echoel_training.catalogue import DEFAULT_CATALOGUE, read_catalogue
from echoel_training.export import Provenance, write_models
from echoel_training.manifest import check_against_model, read_json
from echoel_training.models import Models
from echoel_training.weights import EXACT, SMALLEST_VALUES

TOLERANCE = 1e-5

NAMES = ("piano", "strings", "synth", "trumpet")
EXPORTED = ("rave_decoder_ensemble", "rave_encoder", *(f"rave_prior_{name}" for name in NAMES))


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    catalogue = read_catalogue(DEFAULT_CATALOGUE)
    models = Models.untrained(catalogue)
    with torch.no_grad():
        for network in (models.decoder, models.encoder, *models.priors.values()):
            for weight in network.parameters():
                weight.copy_(weight.half().float())  # what the files hold
    write_models(models, catalogue, folder, Provenance(), {})
    return models, folder


def session(folder, name):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(folder / f"{name}.onnx", options, providers=["CPUExecutionProvider"])


def runner(loaded):
    names = [value.name for value in loaded.get_inputs()]

    def run(*tensors):
        feeds = {name: tensor.numpy() for name, tensor in zip(names, tensors, strict=True)}
        return [torch.from_numpy(value) for value in loaded.run(None, feeds)]

    return run


@torch.no_grad()
@pytest.mark.parametrize("batch,slots", [(1, 1), (1, 16), (3, 2), (16, 5)])
def test_decoder_equals_pytorch(exported, batch, slots):
    models, folder = exported
    inputs = (*random_inputs(batch, slots, seed=batch), *models.decoder.fresh_states(batch))
    run = runner(session(folder, "rave_decoder_ensemble"))
    for name, ours, theirs in zip(("audio", *models.decoder.STATES), models.decoder(*inputs), run(*inputs)):
        assert ours.shape == theirs.shape
        if name == "phase":  # in cycles; a frequency of 100 kHz is known to 0.01 Hz in float32
            difference = ours - theirs
            assert (difference - torch.round(difference)).abs().max() < 2e-3
        else:
            torch.testing.assert_close(theirs, ours, rtol=0, atol=TOLERANCE, msg=lambda text: f"{name}: {text}")


@torch.no_grad()
def test_exported_slices_equal_the_whole_and_batches_equal_voices_alone(exported, record_property):
    models, folder = exported
    run = runner(session(folder, "rave_decoder_ensemble"))
    inputs = random_inputs(8, 32, seed=11)
    whole, states = run_in_parts(run, inputs, models.decoder.fresh_states(8), [16, 16])
    single, single_states = run_in_parts(run, inputs, models.decoder.fresh_states(8), [1] * 32)
    uneven, _ = run_in_parts(run, inputs, models.decoder.fresh_states(8), [3, 16, 1, 7, 5])
    alone = torch.cat(
        [
            run_in_parts(run, tuple(x[v : v + 1] for x in inputs), models.decoder.fresh_states(1), [2] * 16)[0]
            for v in range(8)
        ]
    )
    for name, other in (("single", single), ("uneven", uneven), ("alone", alone)):
        record_property(f"bit_equal_{name}", torch.equal(whole, other))
        print(f"bit equal, whole and {name}: {torch.equal(whole, other)}")
        torch.testing.assert_close(other, whole, rtol=0, atol=TOLERANCE)
    phase = models.decoder.STATES.index("phase")
    assert torch.equal(states[phase], single_states[phase])


@torch.no_grad()
def test_encoder_and_prior_equal_pytorch(exported):
    models, folder = exported
    audio = torch.randn(2, 1, 3 * LATENT_SAMPLES)
    inputs = (audio, *models.encoder.fresh_states(2))
    for ours, theirs in zip(models.encoder(*inputs), runner(session(folder, "rave_encoder"))(*inputs)):
        torch.testing.assert_close(theirs, ours, rtol=0, atol=TOLERANCE)
    notes = torch.rand(7, 6) * torch.tensor([127.0, 127.0, 3.0, 1.0, 1.0, 1.0])
    for name, prior in models.priors.items():
        (latent,) = runner(session(folder, f"rave_prior_{name}"))(notes)
        torch.testing.assert_close(latent, prior(notes), rtol=0, atol=TOLERANCE)


def test_manifests_describe_their_models(exported):
    _, folder = exported
    paths = sorted(folder.glob("rave_*.onnx"))
    assert [path.stem for path in paths] == sorted(EXPORTED)
    for path in paths:
        check_against_model(read_json(path.with_suffix(".json")), folder)


def test_models_carry_what_their_shapes_cannot_say(exported):
    _, folder = exported
    for name in EXPORTED:
        manifest = read_json(folder / f"{name}.json")
        metadata = {entry.key: entry.value for entry in onnx.load(folder / f"{name}.onnx").metadata_props}
        assert metadata
        for key, value in metadata.items():
            expected = ",".join(manifest[key]) if key == "columns" else str(manifest[key])
            assert value == expected, key


def test_instruments_name_their_models_by_digest(exported):
    models, folder = exported
    files = sorted(folder.glob("*.instrument.json"))
    assert [path.name.removesuffix(".instrument.json") for path in files] == sorted(models.priors)
    for path in files:
        instrument = json.loads(path.read_text())
        for part in ("decoder", "prior", "encoder"):
            digest = hashlib.sha256((folder / instrument[part]["file"]).read_bytes()).hexdigest()
            assert instrument[part]["sha256"] == digest
    assert len(list(folder.iterdir())) == 2 * len(EXPORTED) + len(files)


def test_graphs_hold_no_random_operators(exported):
    _, folder = exported
    for path in folder.glob("*.onnx"):
        assert not [node.op_type for node in onnx.load(path).graph.node if "Random" in node.op_type]


def test_weights_are_stored_in_half_precision(exported):
    """What is large is float16 but for filter banks, the movement's lines and the tuning, which have to be exact."""
    _, folder = exported
    for name in EXPORTED:
        weights = onnx.load(folder / f"{name}.onnx").graph.initializer
        whole = [weight.name for weight in weights if weight.data_type == onnx.TensorProto.FLOAT]
        large = [weight for weight in whole if _values(weights, weight) >= SMALLEST_VALUES]
        assert all(any(part in weight for part in EXACT) for weight in large), large
        assert any(weight.data_type == onnx.TensorProto.FLOAT16 for weight in weights)


def _values(weights, name):
    (dims,) = [weight.dims for weight in weights if weight.name == name]
    return int(torch.tensor(dims).prod())
