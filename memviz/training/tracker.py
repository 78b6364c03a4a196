"""Metrics for TensorBoard, Weights & Biases or trackio, through accelerate's trackers."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from memviz.errors import InputError

if TYPE_CHECKING:
    from memviz.training.config import Config
    from memviz.training.events import Event

PACKAGES = {"tensorboard": "tensorboardX", "wandb": "wandb", "trackio": "trackio"}
RUN = "memviz"  # the project's name there
NUMBERS = {
    "step": ("loss", "kept", "lr", "norm", "samples_per_second"),
    "fixed_loss": ("held_out", "seen"),
    "gate": ("skipped",),
}


class Tracker:
    """One accelerate tracker of a training, or none; log files go to `out`/logs.

    Raises InputError where its package is not installed.
    """

    def __init__(self, config: Config, out: Path) -> None:
        self.logger = None
        if config.tracker == "none":
            return
        from accelerate.tracking import LOGGER_TYPE_TO_CLASS

        kind = LOGGER_TYPE_TO_CLASS[config.tracker]
        package = PACKAGES[config.tracker]
        try:
            import_module(package)
        except ImportError:
            raise InputError(
                f"--tracker {config.tracker} needs {package}. "
                f"Install it with `pip install {package}`."
            ) from None
        where = {"logging_dir": str(out / "logs")} if kind.requires_logging_directory else {}
        self.logger = kind(RUN, **where)
        self.logger.start()
        self.logger.store_init_configuration(config.to_json())

    def log(self, event: Event) -> None:
        """Send the numbers of an event; nothing without a tracker."""
        if self.logger and (numbers := list_numbers(event)):
            self.logger.log(numbers, step=event["step"])

    def finish(self) -> None:
        """Close it."""
        if self.logger:
            self.logger.finish()


def list_numbers(event: Event) -> dict[str, float]:
    """The numbers of an event by name, as a chart of one tracker each."""
    kind = event["event"]
    if kind == "probe":
        rows = event["groups"].items()
        found = {f"{group}/{name}": value for group, row in rows for name, value in row.items()}
    else:
        found = {f"{kind}/{name}": event[name] for name in NUMBERS.get(kind, ())}
    return {name: value for name, value in found.items() if value is not None}
