"""The HParams table of a folder of runs as TensorBoard reads it: its columns, and a row for each run.

The columns are written once, into the folder that holds the runs, as TensorBoard takes the first description that it finds.
They are written when the first run is done, which is when its metrics are known. They are written again whenever a run has
measured something else or the study has a new axis, and then the rows of earlier runs get their new cells. TensorBoard reads a
table once and has to be restarted to show a changed one.
"""

from datetime import datetime
from pathlib import Path
from typing import Any

from tensorboard.compat.proto.summary_pb2 import Summary  # pyright: ignore[reportAttributeAccessIssue]
from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2, summary_v2

from convexp.files.locks import locked
from convexp.records import RunRecord, read_record
from convexp.records.plan import read_plan
from convexp.records.plan_part import PlanPart, part_of
from convexp.tracking.event_files import PREFIX, read_summary, write_summary
from convexp.tracking.final_metrics import TABLE_METRICS, TITLES
from convexp.tracking.hparams import Column, cells, columns, session_group, shown_columns

api: Any = api_pb2  # protobuf makes its classes when it is imported: there is nothing for a type checker to see
plugin_data: Any = plugin_data_pb2

FILE = f"{PREFIX}hparams"
LOCK = ".hparams.lock"
SECONDS = 1_000_000.0  # TensorBoard lists this folder behind the means over seeds (convexp/board/) and before the runs
PARTIAL = "not measured in every run"


def write_row(folder: Path, plan: PlanPart | None, record: RunRecord) -> None:
    """Write the session group and the cells of the run in ``folder``.

    Raises:
        OSError: if the folder cannot be written to.
        ValueError: if a convexp with other settings wrote the record, or it does not say when the run was started.
    """
    started = datetime.fromisoformat(record.started or "").timestamp()
    group = session_group(record, plan)
    session = summary_v2.hparams_pb(cells(columns(plan), record), trial_id=group, start_time_secs=started)
    write_summary(folder / FILE, Summary.FromString(session.SerializeToString()), started)


def write_columns(root: Path, plan: PlanPart | None, metrics: list[str]) -> None:
    """Describe the table of the runs in ``root``, unless it is described already and has not changed.

    Args:
        root: Folder that holds the folders of the runs.
        plan: What a run needs of the plan of the study; None if the runs belong to none.
        metrics: Names of the metrics that a run has measured. The table is not described before a run has measured any.

    Raises:
        OSError: if the folder cannot be written to.
    """
    with locked(root / LOCK):
        before = _read_columns(root)
        if before is None and not metrics:
            return
        wanted = api.Experiment(
            hparam_infos=[_column(column) for column in shown_columns(plan)],
            metric_infos=_merge_metrics(list(before.metric_infos) if before else [], metrics),
        )
        if wanted == before:
            return
        if before is not None and list(wanted.hparam_infos) != list(before.hparam_infos):
            _write_rows(root)
        content = plugin_data.HParamsPluginData(experiment=wanted)
        described = Summary.Value(
            tag=metadata.EXPERIMENT_TAG, metadata=metadata.create_summary_metadata(content), tensor=metadata.NULL_TENSOR
        )
        write_summary(root / FILE, Summary(value=[described]), SECONDS)


def _column(column: Column) -> Any:
    kind = api.DATA_TYPE_FLOAT64 if column.number else api.DATA_TYPE_STRING
    return api.HParamInfo(name=column.name, type=kind, differs=column.varies)


def _merge_metrics(before: list[Any], measured: list[str]) -> list[Any]:
    """Merge the metrics of the table with those of one more run.

    Metrics that some run does not have come last. TensorBoard shows the first five, and its parallel coordinates leave out a
    run that does not have all of them.
    """
    if not measured:
        return before
    known = {info.name.tag: info.description == PARTIAL for info in before}
    partial = {tag: known.get(tag, bool(known)) or tag not in measured for tag in [*known, *measured]}
    order = {tag: place for place, tag in enumerate(TABLE_METRICS)}
    return [
        api.MetricInfo(
            name=api.MetricName(tag=tag), display_name=TITLES.get(tag, ""), description=PARTIAL if partial[tag] else ""
        )
        for tag in sorted(partial, key=lambda tag: (partial[tag], order.get(tag, len(order))))
    ]


def _read_columns(root: Path) -> Any | None:
    summary = read_summary(root / FILE)
    return None if summary is None else metadata.parse_experiment_plugin_data(summary.value[0].metadata.plugin_data.content)


def _write_rows(root: Path) -> None:
    """Write the rows of all finished runs again."""
    plan = read_plan(root)
    for run in plan.runs if plan else ():
        record = read_record(root / run.folder)
        if plan is None or record is None or not record.is_finished:
            continue
        try:
            write_row(root / run.folder, part_of(plan, run.folder), record)
        except (OSError, ValueError):  # not writable, or of an older convexp: its row stays as it is
            continue
