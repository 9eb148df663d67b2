"""Aim's own logger, which ends a run when it is done; to be imported where Aim is installed."""

from aim.pytorch_lightning import AimLogger  # pyright: ignore


class RunInAim(AimLogger):  # pyright: ignore[reportUntypedBaseClass]
    """Aim's logger, whose run stays open after the training: the final metrics follow.

    Lightning ends every logger with the training. To write more, Aim would open its run again by force, and warn of that.
    """

    def finalize(self, status: str = "") -> None:
        """Do nothing."""

    def end_run(self, failed: bool) -> None:
        """End the run, and note how: Aim itself knows only that a run has ended."""
        self.experiment["state"] = "failed" if failed else "finished"  # pyright: ignore
        super().finalize()  # pyright: ignore
