"""A training's checkpoints, its end when the budget is used up, and how long it still takes."""

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


class Budget(lightning.Callback):
    """Ends a run when the module's ``progress`` is 1; on a terminal a bar with the time left, else a line a minute."""

    def on_train_start(self, trainer, module) -> None:
        self._bar = tqdm(
            total=1.0,
            desc="train",
            bar_format="{l_bar}{bar}| {postfix}",
            initial=module.progress,
            disable=None if trainer.is_global_zero else True,
        )
        self._started = self._told = time.monotonic()
        self._before = module.progress

    def on_train_batch_end(self, trainer, module, outputs, batch, index) -> None:
        now, progress = time.monotonic(), module.progress
        if progress >= 1:
            trainer.should_stop = True
        if self._bar.disable and (not trainer.is_global_zero or now - self._told < 60):
            return
        logged = trainer.callback_metrics
        said = f"step {module.steps_trained}" + "".join(
            f", {name} {logged[key].item():.3f}"
            for name, key in (("encoder", "train/encoder"), ("prior", "train/prior"), ("held out", "held_out/prior"))
            if key in logged
        )
        left = (now - self._started) * (1 - progress) / max(progress - self._before, 1e-9)
        said += f", {left / 60:.0f} minutes left"
        if self._bar.disable:
            self._told = now
            tqdm.write(f"{100 * progress:.0f} %, {said}")
        else:
            self._bar.set_postfix_str(said, refresh=False)
            self._bar.update(progress - self._bar.n)

    def on_train_end(self, trainer, module) -> None:
        self._bar.close()

    def on_exception(self, trainer, module, exception) -> None:
        if hasattr(self, "_bar"):
            self._bar.close()
