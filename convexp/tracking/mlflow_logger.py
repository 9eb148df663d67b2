"""Lightning's logger for MLflow, which goes on in a run that was interrupted."""

from argparse import Namespace
from typing import Any

from pytorch_lightning.loggers import MLFlowLogger

from convexp.records.log import log

LONGEST = 250  # characters of a setting that Lightning sends


class RunInMLflow(MLFlowLogger):
    """Lightning's logger, with settings that can be sent again.

    Args:
        run_id: Number of the run to go on in; a new one is begun for None, and if MLflow does not have it any more.
        arguments: Those of Lightning's logger.
    """

    tracker = "mlflow"

    def __init__(self, run_id: str | None, **arguments: Any) -> None:
        super().__init__(**arguments, run_id=run_id if run_id and _goes_on(arguments["tracking_uri"], run_id) else None)

    def log_hyperparams(self, params: dict[str, Any] | Namespace) -> None:
        """Send settings. MLflow never changes one: of a setting that the run has with another value, the new one is a tag."""
        given = vars(params) if isinstance(params, Namespace) else params
        known = self.experiment.get_run(self.run_id).data.params
        super().log_hyperparams({name: value for name, value in given.items() if name not in known})
        for name, value in given.items():
            if known.get(name, str(value)[:LONGEST]) != str(value)[:LONGEST]:
                self.experiment.set_tag(self.run_id, name, value)


def _goes_on(tracking_uri: str, run_id: str) -> bool:
    """Note that a run is running again; False if there is no such run any more."""
    from mlflow import MlflowClient  # pyright: ignore
    from mlflow.exceptions import MlflowException  # pyright: ignore

    client: Any = MlflowClient(tracking_uri)
    try:
        client.update_run(run_id, status="RUNNING")
    except MlflowException as error:
        log.info("MLflow begins a new run: %s", error)
        return False
    return True
