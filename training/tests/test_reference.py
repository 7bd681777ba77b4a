"""The reference network has the guide's sizes, and its ONNX equals PyTorch."""

import hashlib

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from echoel_training.manifest import check_against_model, read_json
from echoel_training.reference import DECODER_FILE, ENCODER_FILE, export_reference, reference_models


@pytest.fixture(scope="module")
def models():
    return reference_models()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("reference")
    assert [file.name for file in export_reference(path)] == [ENCODER_FILE, DECODER_FILE]
    return path


@pytest.fixture(scope="module")
def sessions(folder):
    return [onnxruntime.InferenceSession(folder / file) for file in (ENCODER_FILE, DECODER_FILE)]


def test_the_layers_are_as_large_as_the_guide_says(models):
    encoder, decoder = models
    with torch.no_grad():
        assert encoder.conv_layers(torch.zeros(1, 1, 2048)).shape == (1, 256, 256)
        assert encoder(torch.zeros(3, 1, 2048)).shape == (3, 128)
        assert decoder(torch.zeros(3, 128)).shape == (3, 1, 2048)
    assert encoder.fc.weight.shape == (128, 65_536)
    assert decoder.fc.weight.shape == (65_536, 128)


@pytest.mark.parametrize("batch", [1, 3, 16])
def test_onnx_equals_pytorch(models, sessions, batch):
    generator = torch.Generator().manual_seed(batch)
    audio = 0.1 * torch.randn(batch, 1, 2048, generator=generator)
    latent = torch.randn(batch, 128, generator=generator)
    for model, session, value, source, target in zip(
        models, sessions, (audio, latent), ("audio", "latent"), ("latent", "audio")
    ):
        with torch.no_grad():
            expected = model(value).numpy()
        (actual,) = session.run([target], {source: value.numpy()})
        assert actual.shape == expected.shape
        np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5)
        assert np.abs(expected).max() > 1e-2


def test_audio_has_a_useful_level(models):
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        audio = models[1](torch.randn(8, 128, generator=generator))
    assert 0.05 < audio.square().mean().sqrt() < 0.2
    assert audio.abs().max() < 1


def test_weights_are_repeatable_and_leave_the_generator_alone(models):
    torch.manual_seed(11)
    before = torch.get_rng_state()
    again = reference_models()
    assert torch.equal(before, torch.get_rng_state())
    for model, other in zip(models, again):
        for weight, repeated in zip(model.parameters(), other.parameters()):
            assert torch.equal(weight, repeated)


def test_the_manifests_describe_the_files(folder):
    for file in (ENCODER_FILE, DECODER_FILE):
        manifest = read_json((folder / file).with_suffix(".json"))
        assert manifest["kind"] == "model"
        assert manifest["sha256"] == hashlib.sha256((folder / file).read_bytes()).hexdigest()
        check_against_model(manifest, folder)


def test_the_files_tell_nothing_of_the_machine_that_wrote_them(folder):
    for file in (ENCODER_FILE, DECODER_FILE):
        model = onnx.load(folder / file)
        model.graph.ClearField("initializer")
        text = model.SerializeToString()
        assert b".py" not in text and b"/home" not in text and len(text) < 4_000
