"""Labels of a chart that has little room."""

from collections.abc import Sequence


def without_common_words(labels: Sequence[str]) -> list[str]:
    """Return labels without the words that all of them have, unless nothing would be left of one of them.

    ``conv readout=flatten`` and ``conv readout=global_avg`` become ``readout=flatten`` and ``readout=global_avg``.
    """
    words = [label.split() for label in labels]
    common = set(words[0]).intersection(*words[1:]) if len(words) > 1 else set[str]()
    short = [" ".join(word for word in each if word not in common) for each in words]
    return short if all(short) else list(labels)
