"""The reference decoder for LiteRT (TensorFlow Lite), checked against the ONNX one.

litert-torch converts it, in an environment of its own (`training/litert/.venv`, from the pinned
`requirements.txt` beside it): its dependencies are many, and not those of the training. It takes no padded transposed
convolution in one dimension, so those are converted as polyphase convolutions, with the channels last, as XNNPACK has them.
"""

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import nn

from . import TrainingError
from .files import atomic_path, file_sha256
from .polyphase import PolyphaseConvTranspose1d
from .reference import DECODER_FILE, LATENT_SIZE, export_reference, reference_models

MAXIMUM_DIFFERENCE = 1e-4
_FOLDER = Path(__file__).resolve().parent.parent / "litert"
_VECTORS = 8
_CHANNELS = 256


class _LiteDecoder(nn.Module):
    """The decoder with polyphase convolutions, channels last; its result has a name, which the file then has."""

    def __init__(self, decoder: nn.Module):
        super().__init__()
        # The rows of the dense layer in the order of frames, then channels, so that nothing has to be transposed.
        weight, bias = decoder.fc.weight.detach(), decoder.fc.bias.detach()
        self.fc = nn.Linear(LATENT_SIZE, len(bias))
        self.fc.weight.data = weight.view(_CHANNELS, -1, LATENT_SIZE).transpose(0, 1).reshape(-1, LATENT_SIZE)
        self.fc.bias.data = bias.view(_CHANNELS, -1).T.reshape(-1)
        self.layers = nn.Sequential(
            *(
                PolyphaseConvTranspose1d(layer) if isinstance(layer, nn.ConvTranspose1d) else layer
                for layer in decoder.deconv_layers
            )
        )

    def forward(self, latent: torch.Tensor) -> dict[str, torch.Tensor]:
        frames = self.layers(self.fc(latent).view(latent.size(0), -1, _CHANNELS))
        return {"audio": frames.view(latent.size(0), 1, -1)}


def export_litert(out: Path, seed: int = 0) -> float:
    """Write the reference decoder of `seed` as a `.tflite` of batch 1; its largest difference from the ONNX one."""
    _, decoder = reference_models(seed)
    lite = _LiteDecoder(decoder).eval()
    python = _environment()
    generator = torch.Generator().manual_seed(1)
    latents = torch.randn(_VECTORS, LATENT_SIZE, generator=generator)
    with tempfile.TemporaryDirectory() as scratch, atomic_path(out) as partial:
        scratch = Path(scratch)
        export_reference(scratch, seed)
        session = onnxruntime.InferenceSession(scratch / DECODER_FILE)
        wanted = np.concatenate([session.run(None, {"latent": row[None].numpy()})[0] for row in latents])
        with torch.no_grad():
            program = torch.export.export(lite, (), {"latent": latents[:1]})
        torch.export.save(program, scratch / "decoder.pt2")
        np.savez(scratch / "vectors.npz", latent=latents.numpy(), audio=wanted)
        report = _convert(python, scratch / "decoder.pt2", scratch / "vectors.npz", partial)
        difference = float(report["maximumDifference"])
        if not difference <= MAXIMUM_DIFFERENCE:
            raise TrainingError(
                f"The converted decoder differs from the ONNX one by {difference:.2e}, more than {MAXIMUM_DIFFERENCE}."
            )
    return difference


def _convert(python: Path, program: Path, vectors: Path, out: Path) -> dict:
    command = [str(python), str(_FOLDER / "convert.py"), str(program), str(vectors), str(out)]
    outcome = subprocess.run(command, capture_output=True, text=True)
    if outcome.returncode != 0:
        last = (outcome.stderr.strip() or "it said nothing").splitlines()[-1]
        raise TrainingError(f"litert-torch did not convert the decoder: {last}")
    return json.loads(outcome.stdout.strip().splitlines()[-1])


def _environment() -> Path:
    """The converter's Python; made, or made anew, where it is not what the requirements say."""
    requirements, folder = _FOLDER / "requirements.txt", _FOLDER / ".venv"
    if not requirements.is_file():
        raise TrainingError(f"{requirements} is missing: run this from a checkout of the repository.")
    python, stamp, wanted = folder / "bin/python", folder / ".requirements", file_sha256(requirements)
    if python.exists() and stamp.exists() and stamp.read_text().strip() == wanted:
        return python
    print(f"Installing litert-torch into {folder} (2 GB; this takes minutes)", file=sys.stderr)
    venv.create(folder, clear=True, with_pip=True)
    command = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check", "install", "-r", str(requirements)]
    outcome = subprocess.run(command, capture_output=True, text=True)
    if outcome.returncode != 0:
        last = (outcome.stderr.strip() or "it said nothing").splitlines()[-1]
        raise TrainingError(f"litert-torch could not be installed: {last}")
    stamp.write_text(wanted)
    return python
