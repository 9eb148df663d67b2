"""Aim's own logger, which ends a run when it is done; to be imported where Aim is installed."""

from typing import Any

from aim.pytorch_lightning import AimLogger  # pyright: ignore
from aim.sdk.errors import MissingRunError  # pyright: ignore

from convexp.records.log import log


class RunInAim(AimLogger):  # pyright: ignore[reportUntypedBaseClass]
    """Aim's logger, whose run stays open after the training: the final metrics follow.

    Lightning ends every logger with the training. To write more, Aim would open its run again by force, and warn of that.

    Args:
        run_hash: Name of the run to go on in; a new one is begun for None, and if Aim does not have it any more.
        arguments: Those of Aim's logger.
    """

    tracker = "aim"

    def __init__(self, run_hash: str | None, **arguments: Any) -> None:
        super().__init__(**arguments, run_hash=run_hash)  # pyright: ignore
        try:
            _ = self.experiment  # pyright: ignore
        except MissingRunError as error:
            log.info("Aim begins a new run: %s", error)
            self._run_hash = None

    def finalize(self, status: str = "") -> None:
        """Do nothing."""

    def end_run(self, failed: bool) -> None:
        """End the run, and note how: Aim itself knows only that a run has ended."""
        self.experiment["state"] = "failed" if failed else "finished"  # pyright: ignore
        super().finalize()  # pyright: ignore
