"""TensorBoard: curves, the HParams table, pictures."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import TensorBoardLogger
from tensorboard.compat.proto.summary_pb2 import Summary  # pyright: ignore[reportAttributeAccessIssue]
from tensorboard.plugins.hparams import summary_v2 as hparams
from torch import Tensor
from torch.utils.tensorboard.summary import hparams as session_summaries

Value = str | int | float | bool

# What the HParams table shows. Few and always there: a missing number hides runs. TensorBoard ticks the first five of the
# alphabet, hence "with/" before what is seldom compared.
HPARAMS = (
    *("data", "match", "model", "parameters", "readout"),
    *("with/batch_size", "with/epochs", "with/lr", "with/norm", "with/optimizer"),
)
METRICS = ("test/acc", "best/val/acc", "probe/shift_map/mean", "probe/shift_map/worst", "probe/consistency/all")


class TensorBoard(TensorBoardLogger):
    """Events in the run folder itself.

    The HParams session carries the curated parameters without the seed and without a trial id: TensorBoard groups equal
    ones and averages their metrics over the seeds (design.md, section 4).
    """

    def __init__(self, folder: Path, purge_step: int | None = None) -> None:
        super().__init__(save_dir=folder, name="", version="", default_hp_metric=False, purge_step=purge_step)
        self.folder = folder

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Nothing: ``start`` writes the curated ones."""

    def save(self) -> None:
        """Nothing: Lightning's would write the hyperparameters to a file of its own."""

    def finalize(self, status: str) -> None:
        """Flush only: the test, the probes and the pictures are still to come."""
        self.experiment.flush()

    def start(self, params: dict[str, Value]) -> None:
        """Open the HParams session, and describe the table in the folder that holds the runs, if nobody has yet."""
        if set(params) != set(HPARAMS):
            raise ValueError(f"HParams are {sorted(HPARAMS)}, got {sorted(params)}")
        if self.folder.parent.resolve() != Path.cwd():
            with suppress(OSError):  # not ours to write to: the table is less tidy then
                self._describe(self.folder.parent)
        self._end = session_summaries(params, {})[2]
        self._write(Summary.FromString(hparams.hparams_pb(params).SerializeToString()))

    def _describe(self, root: Path) -> None:
        if any(root.glob("events.out.tfevents.*")):
            return
        record = hparams.hparams_config_pb(
            hparams=[hparams.HParam(name) for name in HPARAMS], metrics=[hparams.Metric(tag) for tag in METRICS]
        )
        from torch.utils.tensorboard import SummaryWriter

        writer = SummaryWriter(root)
        assert writer.file_writer is not None
        writer.file_writer.add_summary(Summary.FromString(record.SerializeToString()))
        writer.close()

    def _write(self, summary: Any) -> None:
        writer: Any = self.experiment.file_writer
        writer.add_summary(summary)
        writer.flush()

    def finish(self, metrics: dict[str, float], step: int) -> None:
        """Write the final metrics, once, and close the session as a success."""
        for tag, value in metrics.items():
            self.experiment.add_scalar(tag, value, step)
        self._write(self._end)
        self.experiment.close()

    def picture(self, tag: str, image: Tensor, step: int) -> None:
        """Show an image ``(3, H, W)``, uint8."""
        self.experiment.add_image(tag, image, step)
        self.experiment.flush()
