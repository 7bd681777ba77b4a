"""Trains an ensemble of instruments on rendered notes.

Checkpoints, TensorBoard and CSV logs go to one folder; a resumed run continues from its ``last.ckpt``, as if it had
never stopped.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import lightning
import numpy as np
import torch
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from torch.utils.data import DataLoader

from . import TrainingError
from .listening import Listening
from .module import HIGHEST_RATE, EnsembleModule
from .movement import Movements
from .progress import Budget, Checkpoints
from .segments import HeldOutSegments, RandomSegments, SegmentSource

BATCH = 48
DEFAULT_MINUTES = 60.0


@dataclass(frozen=True)
class TrainingOptions:
    """How to train. ``accelerator``, ``devices``, ``nodes`` and ``precision`` are Lightning's own."""

    minutes: float | None = None
    steps: int | None = None
    """The whole budget, that before a resumption included: minutes, steps, or whichever is used up first. Without either
    it is DEFAULT_MINUTES."""
    resume: bool = False
    rate: float = HIGHEST_RATE
    batch: int = BATCH
    threads: int = 2
    validate_every: int = 250
    accelerator: str = "auto"
    devices: str = "auto"
    nodes: int = 1
    precision: str = "32-true"
    adversary_from: float | None = None


def train(notes: dict[str, np.ndarray], out: Path, options: TrainingOptions = TrainingOptions()) -> Path:
    """Trains on a dataset's ``notes``; the path of the last checkpoint."""
    torch.set_num_threads(options.threads)
    checkpoint = out / "last.ckpt"
    seed = 0
    if options.resume:
        if not checkpoint.exists():
            raise TrainingError(f"there is no {checkpoint} to resume; train without --resume first")
        seed = int(torch.load(checkpoint, map_location="cpu", weights_only=True)["steps_trained"])
    lightning.seed_everything(seed, verbose=False)
    minutes = DEFAULT_MINUTES if options.minutes is None and options.steps is None else options.minutes
    source = SegmentSource(notes)
    module = EnsembleModule(
        tuple(str(name) for name in notes["instruments"]),
        tuple(bool(struck) for struck in notes["struck"]),
        seconds=None if minutes is None else minutes * 60,
        steps=options.steps,
        highest_rate=options.rate,
        adversary_from=options.adversary_from,
    )
    module.tell_tuning(notes)
    warnings.filterwarnings("ignore", ".*does not have many workers.*")  # cutting segments takes no time
    trainer = lightning.Trainer(
        default_root_dir=out,
        accelerator=options.accelerator,
        devices=options.devices,
        num_nodes=options.nodes,
        precision=options.precision,
        max_epochs=-1,
        callbacks=[
            Budget(),
            Movements(notes),
            Listening(),
            Checkpoints(checkpoint),
        ],
        logger=[TensorBoardLogger(out, "log", version=""), CSVLogger(out, "log", version=f"from-step-{seed}")],
        val_check_interval=options.validate_every,
        check_val_every_n_epoch=None,
        num_sanity_val_steps=0,
        log_every_n_steps=10,
        enable_model_summary=False,
        enable_progress_bar=False,
        enable_checkpointing=False,
    )
    trainer.fit(
        module,
        DataLoader(RandomSegments(source, options.batch, seed), batch_size=None),
        DataLoader(HeldOutSegments(source, options.batch), batch_size=None),
        ckpt_path=checkpoint if options.resume else None,
        weights_only=True,
    )
    return checkpoint
