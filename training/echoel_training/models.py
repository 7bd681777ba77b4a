"""The networks of an ensemble of instruments, and how a checkpoint becomes them."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path

import torch

from . import TrainingError
from .catalogue import Catalogue
from .decoder import Decoder
from .encoder import Encoder
from .prior import Prior


@dataclass
class Models:
    """One decoder and one encoder for all instruments, a prior for each by name."""

    decoder: Decoder
    encoder: Encoder
    priors: dict[str, Prior]

    @staticmethod
    def untrained(catalogue: Catalogue) -> "Models":
        """Networks with repeatable random weights."""
        torch.manual_seed(0)
        priors = {one.name: Prior(one.articulation == "struck").eval() for one in catalogue.instruments}
        return Models(Decoder().eval(), Encoder().eval(), priors)


def load_models(checkpoint: Path) -> tuple[Models, dict]:
    """The averaged networks of a checkpoint, and a summary of their training for the manifests."""
    from .module import EnsembleModule

    try:
        stored = torch.load(checkpoint, map_location="cpu", weights_only=True)
        module = EnsembleModule(**stored["hyper_parameters"])
        module.load_state_dict(stored["state_dict"])
    except (KeyError, TypeError, RuntimeError, OSError, EOFError, pickle.UnpicklingError) as error:
        raise TrainingError(f"{checkpoint} is not a checkpoint of this version ({type(error).__name__}); train anew") from error
    networks = module.average.eval()
    minutes = round(stored["seconds_trained"] / 60)
    steps = module.hparams.steps
    budget = f"--minutes {minutes}" if steps is None else f"--steps {steps}"
    adversary = module.hparams.adversary_from
    training = {
        "summary": "Partials and multiband noise under one control, as a variational autoencoder, trained together "
        "with the priors on multi-scale spectral distance, levels of mel bands, attacks and how much notes move"
        + ("" if adversary is None else ", and by an adversary")
        + f" ({stored['processor']}).",
        "command": f"echoel_training train cache/ensemble.npz --out runs/ensemble {budget}"
        + ("" if adversary is None else f" --adversary-from {adversary}"),
        "minutes": minutes,
        "steps": stored["steps_trained"],
    }
    return Models(networks["decoder"], networks["encoder"], dict(networks["priors"].items())), training
