"""What every logger is told once a run is done."""

from convexp.records import Result

# The best known first: TensorBoard ticks the first five.
METRICS = ("test/acc", "best/val/acc", "probe/shift_map/mean", "probe/shift_map/worst", "probe/consistency/all")
NO_HEADLINE = ("accounting", *(metric.split("/")[1] for metric in METRICS if metric.startswith("probe/")))


def final_metrics(result: Result) -> dict[str, float]:
    """Metrics of the best checkpoint (``best/val/acc``, ``test/acc``, ``probe/...``) and numbers of parameters.

    Validation has ``best/`` before it, as ``val/acc`` is the name of the curve. The numbers of parameters are
    ``parameters/total`` and ``parameters/<layer>``.
    """
    metrics = {k: float(v) for k, v in result["metrics"].items() if k.startswith(("val/", "test/", "probe/"))}
    network = result["network"]
    layers = {f"parameters/{layer['name']}": float(layer["parameters"]) for layer in network["layers"]}
    named = {f"best/{k}" if k.startswith("val/") else k: v for k, v in metrics.items()}
    return named | {"parameters/total": float(network["parameters"])} | layers


def headlines(metrics: dict[str, float]) -> list[str]:
    """The few of them that a table shows: ``METRICS``, and the first number of every other probe."""
    first: dict[str, str] = {}
    for name in metrics:
        kind, _, rest = name.partition("/")
        if kind == "probe" and rest.partition("/")[0] not in NO_HEADLINE:
            first.setdefault(rest.partition("/")[0], name)
    return [*(name for name in METRICS if name in metrics), *first.values()]


def charts(metrics: dict[str, float]) -> dict[str, dict[str, str]]:
    """Charts that compare runs, ``{category: {title: name of the scalar}}``, of what there is."""
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
    there = {*metrics, *(name.removeprefix("best/") for name in metrics)}
    found = {category: {k: v for k, v in titles.items() if v in there} for category, titles in wanted.items()}
    return {category: titles for category, titles in found.items() if titles}
