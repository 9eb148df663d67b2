"""The final metrics of a run, which every logger receives when the run is done."""

from convexp.records import RunRecord

# Columns of the HParams table, in this order. TensorBoard shows the first five unless the user chooses others.
TABLE_METRICS = ("test/acc", "best/val/acc", "probe/shift_map/mean", "probe/shift_map/worst", "probe/consistency/all")
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
    return named | {"parameters/total": float(network.parameters)} | layers


def table_metrics(metrics: dict[str, float]) -> list[str]:
    """Select the metrics that the HParams table shows: ``TABLE_METRICS``, and the first number of every other probe."""
    first: dict[str, str] = {}
    for name in metrics:
        kind, _, rest = name.partition("/")
        if kind == "probe" and rest.partition("/")[0] not in WITHOUT_FIRST_NUMBER:
            first.setdefault(rest.partition("/")[0], name)
    return [*(name for name in TABLE_METRICS if name in metrics), *first.values()]


def comparison_charts(metrics: dict[str, float]) -> dict[str, dict[str, str]]:
    """Lay out the charts that compare runs.

    Returns:
        Names of scalars by category and title of the chart, ``{category: {title: name}}``. Scalars that the run does not have
        and categories without any are left out.
    """
    wanted = {
        "Accuracy": {
            "validation, by epoch": "val/acc",
            "test": "test/acc",
            "under shift, mean": "probe/shift_map/mean",
            "under shift, worst": "probe/shift_map/worst",
        },
        "Parameters": {"total": "parameters/total"}
        | {k.removeprefix("parameters/"): k for k in metrics if k.startswith("parameters/")},
    }
    scalars = {*metrics, *(name.removeprefix("best/") for name in metrics)}
    found = {category: {k: v for k, v in titles.items() if v in scalars} for category, titles in wanted.items()}
    return {category: titles for category, titles in found.items() if titles}
