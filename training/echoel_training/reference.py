"""The reference network: the plain RAVE encoder and decoder of the ML infrastructure guide.

2048 samples of audio at 48 kHz ↔ a latent of 128 numbers, without states. The convolutions are padded by 7
(the transposed ones with `output_padding=1`), which makes the sizes what the guide says they are: 256 channels
of 256 frames inside, 2048 samples outside. Its weights are seeded and untrained: it serves parity checks and
benchmarks, not music.
"""

import logging
import warnings
from pathlib import Path

import onnx
import torch
from torch import nn
from torch.export import Dim

from .files import atomic_path
from .manifest import model_manifest, tensor, write_json

WINDOW_SAMPLES = 2048
LATENT_SIZE = 128
OPSET = 18
ENCODER_FILE = "rave_encoder_reference.onnx"
DECODER_FILE = "rave_decoder_reference.onnx"

_KERNEL = dict(kernel_size=15, stride=2, padding=7)
_AUDIO_RMS = 0.1  # of the decoder's output for unit-variance latents
_UNCENTRED_LATENT_RMS = 0.4


class RAVEEncoder(nn.Module):
    """Audio [batch, 1, 2048] → latent [batch, 128]."""

    def __init__(self):
        super().__init__()
        self.conv_layers = nn.Sequential(
            nn.Conv1d(1, 64, **_KERNEL),
            nn.ReLU(),
            nn.Conv1d(64, 128, **_KERNEL),
            nn.ReLU(),
            nn.Conv1d(128, 256, **_KERNEL),
            nn.ReLU(),
        )
        self.fc = nn.Linear(256 * 256, LATENT_SIZE)

    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        x = self.conv_layers(audio)
        return self.fc(x.view(x.size(0), -1))


class RAVEDecoder(nn.Module):
    """Latent [batch, 128] → audio [batch, 1, 2048] within ±1."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(LATENT_SIZE, 256 * 256)
        self.deconv_layers = nn.Sequential(
            nn.ConvTranspose1d(256, 128, output_padding=1, **_KERNEL),
            nn.ReLU(),
            nn.ConvTranspose1d(128, 64, output_padding=1, **_KERNEL),
            nn.ReLU(),
            nn.ConvTranspose1d(64, 1, output_padding=1, **_KERNEL),
            nn.Tanh(),
        )

    def forward(self, latent: torch.Tensor) -> torch.Tensor:
        x = self.fc(latent)
        return self.deconv_layers(x.view(x.size(0), 256, 256))


def reference_models(seed: int = 0) -> tuple[RAVEEncoder, RAVEDecoder]:
    """The two networks with repeatable weights, scaled so that latents and audio have useful levels.

    White noise at a tenth of full scale gives latents centred on zero, and latents of unit variance give audio of
    a tenth of full scale. The latents stay small, because a sum over 65,536 products in float32 is only as exact
    as its terms are small.
    """
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(seed)
        encoder, decoder = RAVEEncoder().eval(), RAVEDecoder().eval()
        latents = encoder(_AUDIO_RMS * torch.randn(16, 1, WINDOW_SAMPLES)) - encoder.fc.bias
        scale = _UNCENTRED_LATENT_RMS / latents.square().mean().sqrt()
        encoder.fc.weight *= scale
        encoder.fc.bias.copy_(-latents.mean(0) * scale)
        last = decoder.deconv_layers[-2]
        audio = torch.atanh(decoder(torch.randn(16, LATENT_SIZE)))
        last.weight *= _AUDIO_RMS / audio.std()
        last.bias.copy_(-(audio.mean() - last.bias) * _AUDIO_RMS / audio.std())
    return encoder, decoder


def export_reference(folder: Path, seed: int = 0) -> list[Path]:
    """Write both models with their manifests into `folder`; the paths of the models."""
    encoder, decoder = reference_models(seed)
    audio = tensor("audio", ["batch", 1, WINDOW_SAMPLES])
    latent = tensor("latent", ["batch", LATENT_SIZE])
    paths = []
    for model, example, file, source, target in (
        (encoder, torch.zeros(2, 1, WINDOW_SAMPLES), ENCODER_FILE, audio, latent),
        (decoder, torch.zeros(2, LATENT_SIZE), DECODER_FILE, latent, audio),
    ):
        path = Path(folder) / file
        _export(model, example, path, source["name"], target["name"])
        manifest = model_manifest(
            path,
            kind="model",
            inputs=[source],
            outputs=[target],
            licence="Apache-2.0",
            authors=["Echoelmusic"],
            sampleRate=48_000,
            training={"summary": f"Untrained: weights drawn with seed {seed}."},
            reproduce="echoel_training reference",
        )
        write_json(manifest, path.with_suffix(".json"))
        paths.append(path)
    return paths


def _export(model: nn.Module, example: torch.Tensor, path: Path, source: str, target: str) -> None:
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            model,
            (example,),
            input_names=[source],
            output_names=[target],
            dynamic_shapes=({0: Dim("batch", min=1, max=1024)},),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    proto = without_source_lines(program.model_proto)
    onnx.checker.check_model(proto, full_check=True)
    with atomic_path(path) as partial:
        partial.write_bytes(proto.SerializeToString())


def without_source_lines(proto: onnx.ModelProto) -> onnx.ModelProto:
    """The model without the exporter's notes on where in the Python source a node comes from."""
    proto.ClearField("metadata_props")
    proto.graph.ClearField("metadata_props")
    for node in proto.graph.node:
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    for value in proto.graph.value_info:
        value.ClearField("metadata_props")
    return proto
