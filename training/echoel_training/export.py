"""Exports decoder, prior and encoder to ONNX with their manifests, and one instrument file per instrument.

    python -m echoel_training.export --checkpoint last.ckpt --out MODELS
    python -m echoel_training.export --untrained --out MODELS

The tensors are those of ``Documentation/Models.md``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import tomllib
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import onnx
import torch
from torch import nn
from torch.export import Dim

from .decoder import LATENT_SIZE, SLOT_FRAMES, Decoder
from .encoder import LATENT_SAMPLES, Encoder
from .excitation import SAMPLE_RATE, SLOT_SAMPLES
from .pqmf import BANDS
from .prior import Prior

FORMAT_VERSION = 1
OPSET = 18
MAXIMUM_SLOTS = 16
LATENT_SLOTS = LATENT_SAMPLES // SLOT_SAMPLES

DECODER_NAME = "rave_decoder_ensemble"
PRIOR_NAME = "rave_prior_ensemble"
ENCODER_NAME = "rave_encoder"

STATE_UNITS = {"phase": "cycles", "pitch": "Hz"}


@dataclass
class Models:
    """The three networks that make an ensemble of instruments."""

    decoder: Decoder
    prior: Prior
    encoder: Encoder

    @staticmethod
    def untrained(instruments: tuple[str, ...]) -> "Models":
        """Networks with repeatable random weights."""
        torch.manual_seed(0)
        return Models(Decoder().eval(), Prior(instruments).eval(), Encoder().eval())


@dataclass
class Provenance:
    """What a manifest says about where a model comes from."""

    authors: tuple[str, ...] = ("Echoelmusic",)
    licence: str = "MIT"
    attribution: tuple[str, ...] = ()
    training: dict = field(default_factory=dict)
    quality: dict = field(default_factory=dict)
    reproduce: str = "python -m echoel_training.evaluate --checkpoint CHECKPOINT --notes NOTES.npz"


def _save(model: nn.Module, arguments: tuple, path: Path, inputs: list[str], outputs: list[str], shapes) -> None:
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            model.eval(),
            arguments,
            input_names=inputs,
            output_names=outputs,
            dynamic_shapes=shapes,
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    proto = program.model_proto
    for node in proto.graph.node:
        node.ClearField("metadata_props")
        node.doc_string = ""
    for value in proto.graph.value_info:
        value.ClearField("metadata_props")
    proto.ClearField("metadata_props")
    proto.graph.ClearField("metadata_props")
    onnx.checker.check_model(proto, full_check=True)
    partial = path.with_suffix(".onnx.partial")
    partial.write_bytes(proto.SerializeToString())
    partial.replace(path)


def export_decoder(decoder: Decoder, path: Path) -> None:
    """Writes the decoder's graph, batch and slots dynamic."""
    batch, slots = Dim("batch", min=1, max=64), Dim("slots", min=1, max=MAXIMUM_SLOTS)
    states = decoder.fresh_states(2)
    arguments = (torch.zeros(2, LATENT_SIZE, 3), torch.full((2, 1, 3), 220.0), torch.zeros(2, BANDS, 3 * SLOT_FRAMES))
    shapes = (
        {0: batch, 2: slots},
        {0: batch, 2: slots},
        {0: batch, 2: SLOT_FRAMES * slots},
        tuple({0: batch} for _ in states),
    )
    names = ["latent", "pitch", "noise", *(f"state_{name}" for name in decoder.STATES)]
    outputs = ["audio", *(f"next_{name}" for name in decoder.STATES)]
    _save(decoder, (*arguments, *states), path, names, outputs, shapes)


def export_encoder(encoder: Encoder, path: Path) -> None:
    """Writes the encoder's graph; its latent is the distribution's mean."""
    batch, latents = Dim("batch", min=1, max=64), Dim("latents", min=1, max=64)
    states = encoder.fresh_states(2)
    arguments = (torch.zeros(2, 1, 3 * LATENT_SAMPLES), *states)
    shapes = ({0: batch, 2: LATENT_SAMPLES * latents}, tuple({0: batch} for _ in states))
    names = ["audio", *(f"state_{name}" for name in encoder.STATES)]
    outputs = ["latent", *(f"next_{name}" for name in encoder.STATES)]
    _save(encoder, arguments, path, names, outputs, shapes)


def export_prior(prior: Prior, path: Path) -> None:
    """Writes the prior's graph, batch dynamic."""
    batch = Dim("batch", min=1, max=4096)
    _save(prior, (torch.zeros(2, len(prior.columns)),), path, ["note"], ["latent"], ({0: batch},))


def _tensor(name: str, shape: list, unit: str, role: str | None = None) -> dict:
    return {"name": name, "role": role or name, "shape": shape, "type": "float32", "unit": unit}


def _states(model: Decoder | Encoder) -> list[dict]:
    return [
        {
            "input": f"state_{name}",
            "output": f"next_{name}",
            "shape": ["batch", *shape],
            "unit": STATE_UNITS.get(name, "1"),
        }
        for name, shape in model.state_shapes().items()
    ]


def _identity(kind: str, path: Path, provenance: Provenance) -> dict:
    data = path.read_bytes()
    return {
        "formatVersion": FORMAT_VERSION,
        "kind": kind,
        "name": path.stem,
        "file": path.name,
        "sha256": hashlib.sha256(data).hexdigest(),
        "sizeBytes": len(data),
        "licence": provenance.licence,
        "authors": list(provenance.authors),
        "attribution": list(provenance.attribution),
    }


def _history(provenance: Provenance) -> dict:
    return {"training": provenance.training, "quality": provenance.quality, "reproduce": provenance.reproduce}


def decoder_manifest(decoder: Decoder, path: Path, provenance: Provenance) -> dict:
    """The manifest of an exported decoder."""
    return {
        **_identity("streaming-decoder", path, provenance),
        "sampleRate": SAMPLE_RATE,
        "slotSamples": SLOT_SAMPLES,
        "maximumSlots": MAXIMUM_SLOTS,
        "delaySamples": decoder.DELAY_SAMPLES,
        "inputs": [
            _tensor("latent", ["batch", LATENT_SIZE, "slots"], "1"),
            _tensor("pitch", ["batch", 1, "slots"], "Hz"),
            _tensor("noise", ["batch", BANDS, f"{SLOT_FRAMES}*slots"], "1"),
        ],
        "outputs": [_tensor("audio", ["batch", 1, f"{SLOT_SAMPLES}*slots"], "1")],
        "states": _states(decoder),
        **_history(provenance),
    }


def encoder_manifest(encoder: Encoder, path: Path, provenance: Provenance) -> dict:
    """The manifest of an exported encoder."""
    return {
        **_identity("streaming-encoder", path, provenance),
        "sampleRate": SAMPLE_RATE,
        "slotSamples": SLOT_SAMPLES,
        "latentSamples": LATENT_SAMPLES,
        "delaySamples": 0,
        "inputs": [_tensor("audio", ["batch", 1, f"{LATENT_SAMPLES}*latents"], "1")],
        "outputs": [_tensor("latent", ["batch", LATENT_SIZE, "latents"], "1")],
        "states": _states(encoder),
        **_history(provenance),
    }


def prior_manifest(prior: Prior, path: Path, provenance: Provenance) -> dict:
    """The manifest of an exported prior."""
    return {
        **_identity("prior", path, provenance),
        "columns": list(prior.columns),
        "instruments": list(prior.instruments),
        "inputs": [_tensor("note", ["batch", len(prior.columns)], "see columns")],
        "outputs": [_tensor("latent", ["batch", LATENT_SIZE], "1")],
        "states": [],
        **_history(provenance),
    }


def write_json(value: dict, path: Path) -> None:
    """Writes JSON, complete or not at all."""
    partial = path.with_suffix(".json.partial")
    partial.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.replace(path)


def write_models(
    models: Models, instruments: list[dict], folder: Path, provenance: Provenance, levels: dict[str, dict]
) -> None:
    """Writes three models with manifests and one ``<name>.instrument.json`` per instrument into ``folder``.

    ``instruments`` are the entries of ``instruments.toml``; ``levels`` gives measured ``gain`` and
    ``releaseSeconds`` by instrument.
    """
    folder.mkdir(parents=True, exist_ok=True)
    parts = {
        "decoder": (DECODER_NAME, export_decoder, decoder_manifest, models.decoder),
        "prior": (PRIOR_NAME, export_prior, prior_manifest, models.prior),
        "encoder": (ENCODER_NAME, export_encoder, encoder_manifest, models.encoder),
    }
    references = {}
    for part, (name, export, describe, model) in parts.items():
        path = folder / f"{name}.onnx"
        export(model, path)
        manifest = describe(model, path, provenance)
        write_json(manifest, folder / f"{name}.json")
        references[part] = {"file": path.name, "sha256": manifest["sha256"]}
    for instrument in instruments:
        name = instrument["name"]
        write_json(
            {
                "formatVersion": FORMAT_VERSION,
                **instrument,
                "licence": provenance.licence,
                "authors": list(provenance.authors),
                "attribution": list(provenance.attribution),
                **references,
                "instrument": name,
                "velocityExponent": 2.0,
                **levels.get(name, {"gain": 0.2, "releaseSeconds": 1.0}),
                "card": f"{name}.md",
            },
            folder / f"{name}.instrument.json",
        )


def read_instruments() -> list[dict]:
    """The instruments that this package knows, from ``instruments.toml`` beside this file."""
    text = (Path(__file__).parent / "instruments.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)["instruments"]


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Export decoder, prior and encoder with manifests.")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--checkpoint", type=Path, help="a checkpoint of echoel_training.train")
    source.add_argument("--untrained", action="store_true", help="random weights, for tests of the engine")
    parser.add_argument("--out", type=Path, required=True, help="folder for the models")
    options = parser.parse_args(arguments)

    known = {entry["name"]: entry for entry in read_instruments()}
    if options.untrained:
        models = Models.untrained(tuple(known))
        provenance = Provenance(training={"summary": "Untrained: repeatable random weights."})
        levels: dict[str, dict] = {}
    else:
        from .module import load_models
        from .evaluate import measure_levels

        models, training = load_models(options.checkpoint)
        provenance = Provenance(
            attribution=("Trained on notes of FluidR3 GM by Frank Wen (MIT)",), training=training
        )
        levels = measure_levels(models, known)
    names = models.prior.instruments
    write_models(models, [known[name] for name in names], options.out, provenance, levels)


if __name__ == "__main__":
    main()
