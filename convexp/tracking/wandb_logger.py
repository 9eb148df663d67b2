"""Lightning's logger for Weights & Biases, which ends the run."""

from pytorch_lightning.loggers import WandbLogger


class RunInWandb(WandbLogger):
    """Lightning's logger, which can end its run."""

    tracker = "wandb"

    def end_run(self, failed: bool) -> None:
        """End the run, so that the next run of this process has one of its own."""
        self.experiment.finish(exit_code=int(failed))
