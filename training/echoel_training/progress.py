"""A training's time: stops it when its budget is used up, and says how far it is and how long it still takes."""

from __future__ import annotations

import lightning
from tqdm import tqdm


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
