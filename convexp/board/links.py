"""Addresses that open TensorBoard at one view, with its filters and colours set."""

from urllib.parse import quote

from convexp.board.folders import HOME
from convexp.board.front import CHARTS
from convexp.board.series import SHIFTS

# One colour for each configuration: a group of runs is what its name has before the seed. The folder of its mean has that name.
CONFIGURATION = r"regex:([^/]+?)(?:-seed\d+)?$"


def links(address: str) -> dict[str, str]:
    """Return the address of each view by its title, the one that answers the study's question first.

    Up to the ``#`` stands what the views TIME SERIES reads, behind it what the older tabs read.

    Args:
        address: The address of TensorBoard, without a slash at the end.
    """
    return {
        "question, table and verdicts": f"{address}/#text&regexInput={quote('^')}",
        "means over seeds with 95 % bands": f"{address}/#custom_scalars&regexInput={quote(HOME)}",
        "accuracy by distance of the shift": _time_series(address, f"^{SHIFTS}/mean$", runs=HOME),
        "table of configurations": f"{address}/#hparams",
        "charts of the report": f"{address}/#images&tagFilter={quote(f'^{CHARTS}/')}",
        "curves of single runs": _time_series(address, "^(train|val)/"),
    }


def _time_series(address: str, tags: str, runs: str = "") -> str:
    """A view of TIME SERIES without smoothing, with a colour for each configuration.

    Args:
        address: The address of TensorBoard.
        tags: A regular expression for the charts.
        runs: One for the runs that are listed; empty for all.
    """
    query = {"tagFilter": tags, "runFilter": runs, "smoothing": "0", "runColorGroup": CONFIGURATION}
    return f"{address}/?{'&'.join(f'{key}={quote(value)}' for key, value in query.items() if value)}#timeseries"
