"""TensorBoard as people see it: a real study, a real server, a real browser."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections import defaultdict
from contextlib import contextmanager
from statistics import mean

import pytest
from browser import watch
from conftest import ROOT, SMALL, read

WAIT = 120_000  # ms; a busy machine is no failure
METRICS = ("test/acc", "best/val/acc", "probe/shift_map/mean", "probe/shift_map/worst", "probe/consistency/all")


def free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return opened.getsockname()[1]


def answer(address: str) -> str | None:
    try:
        with urllib.request.urlopen(address, timeout=10) as opened:
            return opened.read().decode()
    except OSError:
        return None


def wait_for(condition, what: str):
    """What ``condition`` gives, once it gives something."""
    end = time.monotonic() + WAIT / 1000
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.2)
    raise TimeoutError(what)


@contextmanager
def serving(*command: str, port: int, runs: int, cwd=None):
    """TensorBoard, from when it has read this many runs until the end of the block; its address."""
    address = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        wait_for(lambda: (answer(f"{address}/data/runs") or "").count(",") + 1 >= runs, f"{runs} runs at {address}")
        yield address
    finally:
        os.killpg(server.pid, 15)
        server.wait(300)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The folder of 2 wirings x 2 sizes of the training set x 2 seeds."""
    folder = tmp_path_factory.mktemp("study")
    sweep = ("-m", "model=conv,local", "data.train_size=100,200", "seed=0,1", "hydra.sweep.dir=outputs/sweep")
    command = [sys.executable, "-m", "convexp.cli.train", *sweep, *SMALL, "trainer.max_epochs=2", "optimizer.lr=0.02"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "outputs" / "sweep"


@pytest.fixture(scope="module")
def board(study):
    """The address of a TensorBoard that shows the study."""
    port = free_port()
    tensorboard = ("-m", "tensorboard.main", "--logdir", str(study), "--host", "127.0.0.1", "--port", str(port))
    with serving(sys.executable, *tensorboard, port=port, runs=9) as address:  # 8 and the folder above them
        yield address


@pytest.fixture
def page(browser_page):
    seen = watch(browser_page)
    browser_page.set_default_timeout(WAIT)
    yield browser_page
    assert seen.errors == []
    assert all(address.startswith(("http://127.0.0.1:", "blob:")) for address in seen.requests)


def as_rows(texts: list[str], first: str) -> list[dict[str, str]]:
    """The cells of TensorBoard's table, which lie in one row in the page, as one dictionary per row."""
    texts = [text.strip() for text in texts]
    names = texts[texts.index(first) : texts.index("", texts.index(first))]
    cells = texts[texts.index("", texts.index(first)) :]
    starts = [i for i, text in enumerate(cells) if re.fullmatch("[0-9a-f]{16}", text)]
    rows = [[cell for cell in cells[a:b] if cell] for a, b in zip(starts, [*starts[1:], len(cells)], strict=True)]
    return [dict(zip([first, *(n for n in names if n not in (first, "Show Metrics"))], row, strict=True)) for row in rows]


def means(study) -> dict[tuple[str, float], dict[str, float]]:
    """The mean over seeds of every metric by model and size of the training set, from the results alone."""
    found = defaultdict(lambda: defaultdict(list))
    for result in map(read, (file.parent for file in study.glob("*/result.json"))):
        key = result["config"]["model"]["name"], result["config"]["data"]["train_size"]
        for name in METRICS:
            found[key][name].append(result["metrics"][name.removeprefix("best/")])
        found[key]["parameters"].append(result["network"]["parameters"])
    assert all(len(values) == 2 for metrics in found.values() for values in metrics.values())
    return {key: {name: mean(values) for name, values in metrics.items()} for key, metrics in found.items()}


def test_table_has_a_row_per_configuration_with_the_means_over_its_seeds(board, page, study):
    page.goto(f"{board}/#hparams")
    grid = page.locator("tf-hparams-table-view vaadin-grid")
    grid.get_by_text("local").nth(1).wait_for()
    rows = as_rows(page.locator("tf-hparams-table-view vaadin-grid-cell-content").all_inner_texts(), "Trial ID")
    expected = means(study)
    assert len(rows) == len(expected) == 4
    assert list(rows[0])[1:3] == ["model", "train_size"], "what the study varies comes first"
    for row in rows:
        wanted = expected.pop((row["model"], float(row["train_size"])))
        for name in (*METRICS, "parameters"):
            assert float(row[name]) == pytest.approx(wanted[name], rel=1e-4), name  # it shows five digits
    assert expected == {}


def test_charts_compare_all_runs(board, page):
    page.goto(f"{board}/#custom_scalars")
    cards = page.locator("tf-custom-scalar-multi-line-chart-card")
    cards.nth(7).wait_for()
    assert cards.count() == 8
    for title in ("validation, by epoch", "test", "under shift, mean", "under shift, worst", "total", "stages.0.wiring"):
        card = cards.filter(has=page.get_by_text(title, exact=True))
        card.scroll_into_view_if_needed()
        card.get_by_text("Matches (8)").wait_for()  # every run has a series in it
        wait_for(lambda card=card: card.locator("svg path.line").count() >= 8, f"lines in {title}")


def test_pictures_of_every_run(board, page):
    page.goto(f"{board}/#images")
    for tag in ("kernels", "shift_map"):
        category = page.locator("tf-category-paginated-view").filter(has=page.get_by_text(tag, exact=True)).first
        category.scroll_into_view_if_needed()
        pictures = category.locator("tf-image-loader img")
        if not pictures.count():
            category.locator("button.heading").first.click()
        pictures.first.wait_for()
        wait_for(lambda p=pictures: p.first.evaluate("image => image.complete && image.naturalWidth > 10"), f"{tag} drawn")


@pytest.mark.e2e
def test_make_dashboard_is_for_this_machine_only(study):
    """The command of the Makefile, with a port of its own."""
    said = subprocess.run(
        ["make", "--dry-run", "dashboard"], cwd=ROOT, capture_output=True, text=True, timeout=300, check=True
    ).stdout
    command = next(line for line in said.splitlines() if "tensorboard" in line and "--logdir" in line).split()
    assert command[command.index("--host") + 1] == "127.0.0.1"
    assert command[0].endswith("bin/tensorboard")
    port, root = free_port(), study.parent.parent
    command[:1] = [sys.executable, "-m", "tensorboard.main"]
    with serving(*command, "--port", str(port), port=port, runs=9, cwd=root) as address:
        assert "TensorBoard" in (answer(address) or "")
        runs = answer(f"{address}/data/runs")
        assert runs is not None
        assert runs.count("sweep/") == 8
        assert refused(port)


def refused(port: int) -> bool:
    """Whether the port is closed on this machine's other addresses."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        try:
            opened.connect(("192.0.2.1", 9))  # sends nothing; says which address would be used
        except OSError:
            return True
        own = opened.getsockname()[0]
    with socket.socket() as opened:
        opened.settimeout(5)
        return own.startswith("127.") or opened.connect_ex((own, port)) != 0
