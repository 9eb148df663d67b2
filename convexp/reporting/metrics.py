"""Names of metrics in tables, charts and sentences, and which of them are shown in per cent."""

from collections.abc import Callable, Iterable

from convexp.reporting.statistics import Mean, mean, mean_proportion

TITLES = {
    "test/acc": "test accuracy",
    "val/acc": "validation accuracy",
    "train/loss": "training loss",
    "probe/shift_map/mean": "mean accuracy under shifts",
    "probe/shift_map/worst": "accuracy at the worst shift",
    "probe/shift_map/centre": "accuracy without shift",
    "probe/consistency/all": "consistency under shifts",
    "probe/flip_rate/all": "share of answers that a shift by one pixel changes",
    "probe/errors/worst_class": "accuracy of the worst class",
    "probe/errors/changed": "right answers that a shift changes",
    "probe/consistency/control": "consistency by chance, of two images of different classes",
    "in_range/accuracy": "accuracy under shifts as in training",
    "beyond/accuracy": "accuracy under larger shifts than in training",
    "in_range/equivariance_error": "equivariance error of the answer under shifts as in training",
    "beyond/equivariance_error": "equivariance error of the answer under larger shifts than in training",
    "probe/consistency/permuted": "consistency of images with permuted pixels",
    "cost/parameters": "parameters",
    "cost/flops": "FLOPs",
    "cost/activation_bytes": "bytes of the activations of one image",
    "cost/training_bytes": "bytes in use in training",
}
# The metrics in the tables, by column title.
COLUMNS = {
    "test": "test/acc",
    "shift mean": "probe/shift_map/mean",
    "shift worst": "probe/shift_map/worst",
    "consistency": "probe/consistency/all",
    "by chance": "probe/consistency/control",
    "FLOPs": "cost/flops",
    "bytes to train": "cost/training_bytes",
}
ACCURACY_SUFFIXES = ("/acc", "/accuracy", "/within")
PROPORTION_PROBES = ("shift_map", "consistency", "flip_rate", "localisation", "locality_index")  # all their numbers but n
SHARES = ("probe/errors/worst_class", "probe/errors/wrong_probability", "probe/errors/changed")  # of probes with other numbers
DIFFERENCES = ("probe/shift_map/drop",)  # differences of two proportions, which may be negative


def other_test_metrics(names: Iterable[str]) -> dict[str, str]:
    """Return the test metrics among ``names`` by column title, for tasks other than classification; empty if there is
    a test accuracy.
    """
    tested = {name.replace("/", " ", 1): name for name in names if name.startswith("test/")}
    return {} if "test/acc" in tested.values() else tested


def metric_title(metric: str) -> str:
    """Return the title of a metric in plain words, or the name of the metric itself if it has no title."""
    return TITLES.get(metric, metric)


def is_percentage(metric: str) -> bool:
    """Return whether a metric is shown in per cent: a proportion in [0, 1], or the difference of two proportions."""
    _, _, number = metric.partition("probe/")
    if number.startswith("absolute_position/accuracy_") or metric in SHARES:
        return True
    return metric.endswith(ACCURACY_SUFFIXES) or (number.partition("/")[0] in PROPORTION_PROBES and not number.endswith("/n"))


def is_proportion(metric: str) -> bool:
    """Return whether a metric is a proportion, with values in [0, 1]."""
    return is_percentage(metric) and metric not in DIFFERENCES


def average_of(metric: str) -> Callable[..., Mean]:
    """Return the function that averages a metric, over seeds: ``mean_proportion`` or ``mean``."""
    return mean_proportion if is_proportion(metric) else mean
