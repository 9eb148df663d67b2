"""Three kinds of tests, by how much has to run: pytest -m unit, -m integration, -m e2e.

A *unit* test calls functions. An *integration* test runs a whole command in the test's own process, trains, or goes
through all settings, a real data set or torch's tools. An *end-to-end* test (``e2e``) starts processes or a browser. The
fixtures that a test uses say which it is; a test that starts something by itself is marked by hand. A test without such a
fixture or mark is a unit test, and fails if it trains, starts a process or opens a browser.

Side by side, in processes of pytest-xdist with ``--dist loadgroup``, end-to-end tests begin: what is left for the end is short.
Tests that share a fixture of their module, or the Slurm of the tests, form a group, which one process does.
"""

import multiprocessing.process
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import wraps
from typing import Any

import pytest

KINDS = ("unit", "integration", "e2e")
FIXTURES = {
    "integration": {"call", "small_run", "finished_run", "interrupted_at"},
    "e2e": {"program", "browser", "browser_page", "slurm"},
}

running: list[pytest.Item] = []  # the unit test that runs, if one does


def kind(item: pytest.Item) -> str:
    """The largest kind that the test's marks and fixtures stand for."""
    fixtures = set(getattr(item, "fixturenames", ()))
    return next((k for k in reversed(KINDS) if item.get_closest_marker(k) or fixtures & FIXTURES.get(k, set())), "unit")


def group(item: pytest.Item) -> str | None:
    """The group of tests that have a fixture in common which each process would make for itself; None if it is in none."""
    info = getattr(item, "_fixtureinfo", None)
    found = {name: definitions[-1].scope for name, definitions in info.name2fixturedefs.items()} if info else {}
    if "slurm" in found:
        return "slurm"
    return item.nodeid.partition("::")[0] if "module" in found.values() else None


@pytest.hookimpl(tryfirst=True)  # before tests are selected by -m
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    kinds = {item: kind(item) for item in items}
    for item, name in kinds.items():
        item.add_marker(name)
        if not item.get_closest_marker("xdist_group") and (shared := group(item)):
            item.add_marker(pytest.mark.xdist_group(shared))
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: KINDS.index(kinds[item]), reverse=True)


def pytest_xdist_auto_num_workers() -> int:
    """A process for each core and one more: end-to-end tests wait for much of their time."""
    return 1 + (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def refused(function: Callable[..., Any], what: str) -> Callable[..., Any]:
    """The function, which fails while a unit test runs."""

    @wraps(function)
    def guarded(*arguments: Any, **settings: Any) -> Any:
        if running:
            pytest.fail(f"a unit test {what}: mark it pytest.mark.integration or pytest.mark.e2e")
        return function(*arguments, **settings)

    return guarded


def pytest_sessionstart(session: pytest.Session) -> None:
    distributes = session.config.getoption("numprocesses", None) and not hasattr(session.config, "workerinput")
    if not distributes:
        with suppress(ImportError):  # an extra of its own
            import jupytext  # noqa: F401
        import torch  # noqa: F401  both look for programs by a process when they are imported, which is no test's doing
    for owner, name in (
        (subprocess.Popen, "__init__"),
        (multiprocessing.process.BaseProcess, "start"),
        (os, "fork"),
        (os, "system"),
        (os, "posix_spawn"),
    ):
        setattr(owner, name, refused(getattr(owner, name), "starts a process"))


def guard_training() -> None:
    """Guard Lightning's ``Trainer.fit``, once something has imported it."""
    lightning = sys.modules.get("pytorch_lightning")
    if lightning is not None and not hasattr(lightning.Trainer.fit, "__wrapped__"):
        lightning.Trainer.fit = refused(lightning.Trainer.fit, "trains")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """What a unit test and its fixtures call is guarded, until what they leave is taken down."""
    guard_training()
    running[:] = [item] if item.get_closest_marker("unit") else []
    try:
        return (yield)
    finally:
        running.clear()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown() -> None:
    """The last test takes down what the whole session shares, such as the Slurm that other tests have started."""
    running.clear()
