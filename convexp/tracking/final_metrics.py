"""The final metrics of a run, which every logger receives when the run is done."""

from convexp.records import RunRecord

# Columns of the HParams table, in this order, with their titles. TensorBoard shows five, unless the user chooses others,
# and three of them without scrolling.
TITLES = {
    "test/acc": "test accuracy",
    "probe/shift_map/mean": "shift mean",
    "probe/consistency/all": "consistency",
    "probe/shift_map/worst": "shift worst",
    "best/val/acc": "best validation",
}
TABLE_METRICS = tuple(TITLES)
# Probes whose first number is no column: the cost is shown as a setting, and the others have the columns above.
WITHOUT_FIRST_NUMBER = (
    "accounting",
    "errors",
    *(metric.split("/")[1] for metric in TABLE_METRICS if metric.startswith("probe/")),
)


def final_metrics(record: RunRecord) -> dict[str, float]:
    """Return the metrics of the best checkpoint and the numbers of parameters.

    Validation metrics are named ``best/val/...``, as ``val/...`` are the curves over the epochs. The others are ``test/...``,
    ``probe/...``, ``parameters/total`` and ``parameters/<layer>``.
    """
    metrics = {k: float(v) for k, v in record.metrics.items() if k.startswith(("val/", "test/", "probe/"))}
    network = record.network
    assert network is not None
    layers = {f"parameters/{layer.name}": float(layer.parameters) for layer in network.layers}
    named = {f"best/{k}" if k.startswith("val/") else k: v for k, v in metrics.items()}
    return named | {"parameters/total": float(network.tested_parameters)} | layers


def table_metrics(metrics: dict[str, float]) -> list[str]:
    """Select the metrics that the HParams table shows: ``TABLE_METRICS``, and the first number of every other probe."""
    first: dict[str, str] = {}
    for name in metrics:
        kind, _, rest = name.partition("/")
        if kind == "probe" and rest.partition("/")[0] not in WITHOUT_FIRST_NUMBER:
            first.setdefault(rest.partition("/")[0], name)
    return [*(name for name in TABLE_METRICS if name in metrics), *first.values()]


# Charts of all single runs, by category and title. Bands over seeds are those of a study (convexp/board/).
RUN_CHARTS = {"Single runs": {"accuracy of each run, validation": "val/acc", "loss of each run, training": "train/loss"}}
