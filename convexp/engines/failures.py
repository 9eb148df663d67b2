"""How many runs of a sweep have failed so far, for its progress bar."""

from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn

from convexp.errors import ConvexpError
from convexp.records import RunStatus, read_record


class FailureCount:
    """Counts results of runs that have failed, or whose process has ended."""

    def __init__(self) -> None:
        self.failed = 0

    def note(self, result: Any) -> str:
        """Count the result of a job, and return what the progress bar says: nothing as long as nothing has failed.

        Args:
            result: The result, with ``exit_code``, ``lost`` and ``value`` (``convexp.engines.results.JobResult``).
        """
        self.failed += result.exit_code is not None or result.lost is not None or _has_failed(result.value)
        return f"failed={self.failed}" if self.failed else ""


def _has_failed(returned: JobReturn | None) -> bool:
    """Whether the record of a run says that it has failed; a run that could not be started has returned nothing."""
    if returned is None or returned.hydra_cfg is None:
        return True
    try:
        record = read_record(Path(returned.hydra_cfg.hydra.runtime.output_dir))
    except (ConvexpError, OSError):
        return False
    return record is not None and record.state is RunStatus.FAILED
