"""Exports decoder, prior and encoder to ONNX with their manifests, and one instrument file per instrument.

The tensors are those of ``Documentation/Models.md``.
"""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import onnx
import torch
from torch import nn
from torch.export import Dim

from . import TrainingError
from .catalogue import Catalogue
from .decoder import DETUNE_CHANNEL, INHARMONICITY_CHANNEL, LATENT_SIZE, MAXIMUM_SLOTS, SLOT_FRAMES, Decoder
from .encoder import LATENT_SAMPLES, Encoder
from .files import atomic_path
from .manifest import instrument_manifest, model_manifest, state, tensor, write_json
from .models import Models
from .operators import Operator, add_operator
from .partials import SAMPLE_RATE, SLOT_SAMPLES
from .pqmf import BANDS
from .prior import COLUMNS, Prior
from .shapes import settle_shapes
from .weights import halve_weights

OPSET = 18

DECODER_NAME = "rave_decoder_ensemble"
ENCODER_NAME = "rave_encoder"

STATE_UNITS = {"phase": "cycles", "pitch": "Hz"}
UNMEASURED_LEVEL = {"gain": 0.2, "releaseSeconds": 1.0}


@dataclass
class Provenance:
    """What a manifest says about where a model comes from."""

    authors: tuple[str, ...] = ("Echoelmusic",)
    licence: str = "MIT"
    attribution: tuple[str, ...] = ()
    training: dict = field(default_factory=dict)
    quality: dict = field(default_factory=dict)
    reproduce: str = "echoel_training score cache/ensemble.npz"


def _graph(model: nn.Module, arguments: tuple, inputs: list[str], outputs: list[str], shapes) -> onnx.ModelProto:
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
    settle_shapes(proto)
    for node in proto.graph.node:
        node.ClearField("metadata_props")
        node.doc_string = ""
    for value in proto.graph.value_info:
        value.ClearField("metadata_props")
    proto.ClearField("metadata_props")
    proto.graph.ClearField("metadata_props")
    return proto


def _save(proto: onnx.ModelProto, path: Path) -> None:
    halve_weights(proto)
    onnx.checker.check_model(proto, full_check=True)
    with atomic_path(path) as partial:
        partial.write_bytes(proto.SerializeToString())


METADATA_KEYS = ("sampleRate", "slotSamples", "latentSamples", "maximumSlots", "delaySamples")


def embed_metadata(path: Path, fields: dict) -> None:
    """Writes into the model what its tensors' shapes cannot say, so that a manifest can be held against it."""
    entries = {key: str(fields[key]) for key in METADATA_KEYS if key in fields}
    if "columns" in fields:
        entries["columns"] = ",".join(fields["columns"])
    proto = onnx.load(path)
    onnx.helper.set_model_props(proto, entries)
    with atomic_path(path) as partial:
        partial.write_bytes(proto.SerializeToString())


def export_decoder(decoder: Decoder, path: Path) -> None:
    """Writes the decoder's graph, batch and slots dynamic, with its operators and what they mean."""
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
    proto = _graph(decoder, (*arguments, *states), names, outputs, shapes)
    axes = {"batch": batch, "slots": slots, "8*slots": SLOT_FRAMES * slots, "slots+1": slots + 1}
    for operator in (decoder.shimmer, decoder.partials, decoder.noise):
        given = _given(operator, decoder, (*arguments, *states))
        shapes = tuple({axis: axes[name] for axis, name in told.items()} for told in operator.INPUTS.values())
        meaning = _graph(_Meaning(operator), given, list(operator.INPUTS), list(operator.OUTPUTS), (shapes,))
        add_operator(proto, type(operator).__name__, meaning)
    _save(proto, path)


class _Meaning(nn.Module):
    """What an operator means, as a module by itself."""

    def __init__(self, operator: Operator) -> None:
        super().__init__()
        self.operator = operator

    def forward(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return self.operator.meaning(*inputs)


def _given(operator: Operator, model: nn.Module, arguments: tuple) -> tuple[torch.Tensor, ...]:
    """The operator's inputs in a run of ``model``."""
    given = []
    hook = operator.register_forward_pre_hook(lambda _, inputs: given.extend(inputs))
    try:
        with torch.no_grad():
            model(*arguments)
            return tuple(tensor.detach().clone() for tensor in (*given, *operator.weights()))
    finally:
        hook.remove()


def export_encoder(encoder: Encoder, path: Path) -> None:
    """Writes the encoder's graph; its latent is the distribution's mean."""
    batch, latents = Dim("batch", min=1, max=64), Dim("latents", min=1, max=64)
    states = encoder.fresh_states(2)
    arguments = (torch.zeros(2, 1, 3 * LATENT_SAMPLES), *states)
    shapes = ({0: batch, 2: LATENT_SAMPLES * latents}, tuple({0: batch} for _ in states))
    names = ["audio", *(f"state_{name}" for name in encoder.STATES)]
    outputs = ["latent", *(f"next_{name}" for name in encoder.STATES)]
    _save(_graph(encoder, arguments, names, outputs, shapes), path)


def export_prior(prior: Prior, path: Path) -> None:
    """Writes the prior's graph, batch dynamic."""
    batch = Dim("batch", min=1, max=4096)
    _save(_graph(prior, (torch.zeros(2, len(COLUMNS)),), ["note"], ["latent"], ({0: batch},)), path)


def _states(model: Decoder | Encoder) -> list[dict]:
    return [
        state(name, ["batch", *shape], unit=STATE_UNITS.get(name, "1")) for name, shape in model.state_shapes().items()
    ]


def decoder_fields(decoder: Decoder) -> dict:
    """What the manifest of an exported decoder says about its tensors and times."""
    return {
        "kind": "streaming-decoder",
        "sampleRate": SAMPLE_RATE,
        "slotSamples": SLOT_SAMPLES,
        "maximumSlots": MAXIMUM_SLOTS,
        "delaySamples": decoder.DELAY_SAMPLES,
        "inputs": [
            tensor("latent", ["batch", LATENT_SIZE, "slots"]),
            tensor("pitch", ["batch", 1, "slots"], unit="Hz"),
            tensor("noise", ["batch", BANDS, f"{SLOT_FRAMES}*slots"]),
        ],
        "outputs": [tensor("audio", ["batch", 1, f"{SLOT_SAMPLES}*slots"])],
        "states": _states(decoder),
    }


def encoder_fields(encoder: Encoder) -> dict:
    """The same for an encoder."""
    return {
        "kind": "streaming-encoder",
        "sampleRate": SAMPLE_RATE,
        "slotSamples": SLOT_SAMPLES,
        "latentSamples": LATENT_SAMPLES,
        "delaySamples": 0,
        "noteChannels": [DETUNE_CHANNEL, INHARMONICITY_CHANNEL],
        "inputs": [tensor("audio", ["batch", 1, f"{LATENT_SAMPLES}*latents"])],
        "outputs": [tensor("latent", ["batch", LATENT_SIZE, "latents"])],
        "states": _states(encoder),
    }


def prior_fields() -> dict:
    """The same for the prior of one instrument."""
    return {
        "kind": "prior",
        "columns": list(COLUMNS),
        "instruments": [],
        "inputs": [tensor("note", ["batch", len(COLUMNS)])],
        "outputs": [tensor("latent", ["batch", LATENT_SIZE])],
    }


def prior_name(instrument: str) -> str:
    """The file's name without its suffix."""
    return f"rave_prior_{instrument}"


def write_models(
    models: Models, catalogue: Catalogue, folder: Path, provenance: Provenance, levels: dict[str, dict]
) -> None:
    """Writes a decoder, an encoder and a prior per instrument with manifests, and one ``<name>.instrument.json`` per
    instrument, into ``folder``.

    ``catalogue`` describes the instruments; ``levels`` gives measured ``gain`` and ``releaseSeconds`` by name.
    """
    known = {described.name: described for described in catalogue.instruments}
    if unknown := [name for name in models.priors if name not in known]:
        raise TrainingError(f"the catalogue {catalogue.name} has no instrument {unknown[0]}; give the one it was trained by")
    origin = {"licence": provenance.licence, "authors": provenance.authors, "attribution": provenance.attribution}
    history = {"training": provenance.training, "reproduce": provenance.reproduce}

    def write(name: str, export, model: nn.Module, fields: dict) -> Path:
        path = folder / f"{name}.onnx"
        export(model, path)
        embed_metadata(path, fields)
        write_json(model_manifest(path, **fields, **origin, **history), folder / f"{name}.json")
        return path

    decoder = write(DECODER_NAME, export_decoder, models.decoder, decoder_fields(models.decoder))
    encoder = write(ENCODER_NAME, export_encoder, models.encoder, encoder_fields(models.encoder))
    for name, prior in models.priors.items():
        described, level = known[name], levels.get(name, UNMEASURED_LEVEL)
        instrument = instrument_manifest(
            name=name,
            title=described.title,
            family=described.family,
            low_key=described.low_key,
            high_key=described.high_key,
            programs=described.programs,
            articulation=described.articulation,
            **origin,
            decoder=decoder,
            prior=write(prior_name(name), export_prior, prior, prior_fields()),
            encoder=encoder,
            gain=level["gain"],
            release_seconds=level["releaseSeconds"],
        )
        write_json(instrument, folder / f"{name}.instrument.json")
