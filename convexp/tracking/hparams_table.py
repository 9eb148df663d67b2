"""The HParams table of a folder of runs, as TensorBoard reads it: which columns there are, and the row of each run.

The columns stand in the folder of the runs, once: TensorBoard takes any record it finds. They are written when the first run is
done, which is when it is known what was measured, and once more whenever a run has measured something else or the study has
grown by an axis; the rows of the runs that were there before then get their new cells. A TensorBoard that is open has to be
started again to see that: it reads a table once.
"""

from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from tensorboard.compat.proto.summary_pb2 import Summary  # pyright: ignore[reportAttributeAccessIssue]
from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2, summary_v2

from convexp.files.locks import lock
from convexp.records import Result, read_result
from convexp.records.plan import Plan
from convexp.tracking.event_files import PREFIX, read_summary, write_summary
from convexp.tracking.final_metrics import METRICS
from convexp.tracking.hparams import Column, columns, hparams, row

api: Any = api_pb2  # protobuf makes its classes when it is imported: there is nothing for a type checker to see
plugin_data: Any = plugin_data_pb2

FILE = f"{PREFIX}hparams"
LOCK = ".hparams.lock"
PARTIAL = "not measured in every run"


def write_row(folder: Path, plan: Plan | None, result: Result) -> None:
    """The row that the run in ``folder``, one of the plan's, belongs to, and its cells.

    Raises:
        OSError: if the folder cannot be written to.
        ValidationError: if the result is of a convexp with other settings.
    """
    started = datetime.fromisoformat(result["started"]).timestamp()
    name = row(result, plan, folder.name)
    record = summary_v2.hparams_pb(hparams(columns(plan), result), trial_id=name, start_time_secs=started)
    write_summary(folder / FILE, Summary.FromString(record.SerializeToString()), started)


def write_columns(root: Path, plan: Plan | None, metrics: list[str]) -> None:
    """Describe the table of the runs in ``root``, if it is not described yet, or is no more as it was.

    Args:
        root: the folder that holds the folders of the runs.
        plan: of the study.
        metrics: that a run has measured; before any run has, nothing is described.

    Raises:
        OSError: if the folder cannot be written to.
    """
    with lock(root / LOCK):
        before = _read(root)
        if before is None and not metrics:
            return
        wanted = api.Experiment(
            hparam_infos=[_column(column) for column in columns(plan)],
            metric_infos=_metrics(list(before.metric_infos) if before else [], metrics),
        )
        if wanted == before:
            return
        if before is not None and list(wanted.hparam_infos) != list(before.hparam_infos):
            _write_rows(root, plan)
        content = plugin_data.HParamsPluginData(experiment=wanted)
        described = Summary.Value(
            tag=metadata.EXPERIMENT_TAG, metadata=metadata.create_summary_metadata(content), tensor=metadata.NULL_TENSOR
        )
        write_summary(root / FILE, Summary(value=[described]), 0.0)


def _column(column: Column) -> Any:
    kind = api.DATA_TYPE_FLOAT64 if column.number else api.DATA_TYPE_STRING
    return api.HParamInfo(name=column.name, type=kind, differs=column.varies)


def _metrics(before: list[Any], measured: list[str]) -> list[Any]:
    """What is known of the metrics and what one more run has measured.

    Those that a run lacks come last: the first five are ticked, and in parallel coordinates a run that lacks one is not drawn.
    """
    if not measured:
        return before
    known = {info.name.tag: info.description == PARTIAL for info in before}
    lacking = {tag: known.get(tag, bool(known)) or tag not in measured for tag in [*known, *measured]}
    order = {tag: place for place, tag in enumerate(METRICS)}
    return [
        api.MetricInfo(name=api.MetricName(tag=tag), description=PARTIAL if lacking[tag] else "")
        for tag in sorted(lacking, key=lambda tag: (lacking[tag], order.get(tag, len(order))))
    ]


def _read(root: Path) -> Any | None:
    summary = read_summary(root / FILE)
    return None if summary is None else metadata.parse_experiment_plugin_data(summary.value[0].metadata.plugin_data.content)


def _write_rows(root: Path, plan: Plan | None) -> None:
    """The rows of the runs that are finished, anew."""
    for run in plan.runs if plan else ():
        result = read_result(root / run.folder)
        if result is None or result.get("state") != "finished":
            continue
        try:
            write_row(root / run.folder, plan, result)
        except (OSError, ValidationError):  # not ours, or of an older convexp: its row stays as it is
            continue
