"""A training's time: its checkpoints, its end when the budget is used up, and how long it still takes."""

from __future__ import annotations

import os
import time
from pathlib import Path

import lightning
from tqdm import tqdm

CHECKPOINT_SECONDS = 120.0


class Checkpoints(lightning.Callback):
    """Keeps the training in one file, written anew every two minutes and at the end. A run that is killed while it
    writes leaves the file before."""

    # Lightning's own ModelCheckpoint keeps none by time where a module takes its optimizers' steps itself.

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_train_start(self, trainer, module) -> None:
        self._saved = time.monotonic()

    def on_train_batch_end(self, trainer, module, outputs, batch, index) -> None:
        # Every process saves together, so all follow the clock of the first.
        due = time.monotonic() - self._saved >= CHECKPOINT_SECONDS
        if trainer.strategy.broadcast(due):
            self.save(trainer)

    def on_train_end(self, trainer, module) -> None:
        self.save(trainer)

    def save(self, trainer) -> None:
        partial = self.path.with_name(f".{self.path.name}.partial")
        trainer.save_checkpoint(partial, weights_only=False)
        if trainer.is_global_zero:
            os.replace(partial, self.path)
        self._saved = time.monotonic()


class TimeBudget(lightning.Callback):
    """Ends a run when the module's ``progress`` is 1; on a terminal a bar with the time left, else a line a minute."""

    def on_train_start(self, trainer, module) -> None:
        self._bar = tqdm(
            total=round(module.hparams.seconds),
            desc="train",
            unit="s",
            bar_format="{l_bar}{bar}| {postfix}, {remaining} left",
            initial=round(module.seconds_before),
            disable=None if trainer.is_global_zero else True,
        )
        self._told = module.seconds_before

    def on_train_batch_end(self, trainer, module, outputs, batch, index) -> None:
        trained = module.seconds_trained
        logged = trainer.callback_metrics
        said = f"step {module.global_step}" + "".join(
            f", {name} {logged[key].item():.3f}"
            for name, key in (("encoder", "train/encoder"), ("prior", "train/prior"), ("held out", "held_out/prior"))
            if key in logged
        )
        if not self._bar.disable:
            self._bar.set_postfix_str(said, refresh=False)
            self._bar.update(min(self._bar.total, round(trained)) - self._bar.n)
        elif trainer.is_global_zero and trained - self._told >= 60:
            self._told = trained
            left = max(0.0, module.hparams.seconds - trained) / 60
            tqdm.write(f"{100 * module.progress:.0f} %, {said}, {left:.0f} minutes left")
        if module.progress >= 1:
            trainer.should_stop = True

    def on_train_end(self, trainer, module) -> None:
        self._bar.close()

    def on_exception(self, trainer, module, exception) -> None:
        if hasattr(self, "_bar"):
            self._bar.close()
