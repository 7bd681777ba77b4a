"""Trains an ensemble of instruments on rendered notes.

Checkpoints, TensorBoard and CSV logs go to one folder; a resumed run continues from its ``last.ckpt``.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import LearningRateMonitor, ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from torch.utils.data import DataLoader

from . import TrainingError
from .module import HIGHEST_RATE, EnsembleModule
from .segments import HeldOutSegments, RandomSegments, SegmentSource

BATCH = 12
CHECKPOINT_MINUTES = 3


def train(
    notes: dict[str, np.ndarray],
    out: Path,
    minutes: float,
    resume: bool = False,
    rate: float = HIGHEST_RATE,
    threads: int = 2,
    steps: int = -1,
    validate_every: int = 250,
    batch: int = BATCH,
) -> Path:
    """Trains for ``minutes`` (or ``steps``, if given and reached first); the path of the last checkpoint."""
    torch.set_num_threads(threads)
    source = SegmentSource(notes)
    checkpoint = out / "last.ckpt"
    if resume and not checkpoint.exists():
        raise TrainingError(f"there is no {checkpoint} to resume; train without --resume first")
    seed = int(torch.load(checkpoint, weights_only=True)["global_step"]) if resume else 0
    lightning.seed_everything(seed, verbose=False)
    module = EnsembleModule(tuple(str(name) for name in notes["instruments"]), seconds=minutes * 60, highest_rate=rate)
    trainer = lightning.Trainer(
        default_root_dir=out,
        accelerator="auto",
        devices=1,
        max_epochs=-1,
        max_steps=_steps_in_all(checkpoint, resume, steps),
        # The budget counts from here, also when resumed; Lightning's own timer would count earlier runs too.
        callbacks=[
            _TimeBudget(minutes * 60),
            ModelCheckpoint(
                out, filename="last", train_time_interval=timedelta(minutes=CHECKPOINT_MINUTES),
                enable_version_counter=False,
            ),
            LearningRateMonitor("step"),
        ],
        logger=[TensorBoardLogger(out, "log", version=""), CSVLogger(out, "log", version=f"from-step-{seed}")],
        gradient_clip_val=3.0,
        val_check_interval=validate_every,
        check_val_every_n_epoch=None,
        num_sanity_val_steps=0,
        log_every_n_steps=10,
        enable_model_summary=False,
    )
    trainer.fit(
        module,
        DataLoader(RandomSegments(source, batch, seed), batch_size=None),
        DataLoader(HeldOutSegments(source, batch), batch_size=None),
        ckpt_path=checkpoint if resume else None,
    )
    trainer.save_checkpoint(checkpoint)
    return checkpoint


def _steps_in_all(checkpoint: Path, resume: bool, steps: int) -> int:
    if steps < 0:
        return -1
    return steps + (int(torch.load(checkpoint, weights_only=True)["global_step"]) if resume else 0)


class _TimeBudget(lightning.Callback):
    """Stops a run after its own number of seconds."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def on_train_batch_end(self, trainer, module, outputs, batch, index) -> None:
        if module.seconds_trained - module.seconds_before >= self.seconds:
            trainer.should_stop = True
