"""TensorBoard as people see it: a real study, a real server, a real browser."""

import io
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections import defaultdict
from contextlib import contextmanager
from statistics import mean

import numpy as np
import pytest
from browser import watch
from conftest import ROOT, SMALL, read
from PIL import Image
from sweeps import started

from convexp.board.series import SHIFTS
from convexp.tracking.event_files import write_edition
from convexp.tracking.final_metrics import TITLES
from convexp.tracking.summaries import scalars

WAIT = 120_000  # ms; a busy machine is no failure


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
def serving(*arguments: str, port: int, runs: int, cwd=None):
    """convexp-dashboard, from when it has read this many runs until the end of the block; the process, and its address."""
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-u", "-m", "convexp.dashboard", *arguments, "--port", str(port)]
    server = subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        wait_for(lambda: (answer(f"{address}/data/runs") or "").count(",") + 1 >= runs, f"{runs} runs at {address}")
        yield server, address
    finally:
        if server.poll() is None:
            server.terminate()
            server.wait(300)
        server.stdout.close()


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The folder of 2 wirings x 2 sizes of the training set x 2 seeds."""
    folder = tmp_path_factory.mktemp("study")
    sweep = ("-m", "model=conv,local", "data.train_size=100,200", "seed=0,1", "hydra.sweep.dir=outputs/sweep")
    with started(*sweep, *SMALL, "optimizer.lr=0.02", cwd=folder) as process:
        assert process.wait(600) == 0, (folder / "out.txt").read_text()
    return folder / "outputs" / "sweep"


@pytest.fixture(scope="module")
def board(study):
    """The addresses of the views of a dashboard that shows the study, as it prints them, by title; its own is ``""``."""
    port = free_port()
    with serving(str(study), port=port, runs=15) as (server, address):  # 8, the folder above them, means of 4, 2 lines
        links, title = {"": address}, ""
        while "curves of single runs" not in links:
            line = server.stdout.readline().strip()
            if line.startswith("http"):
                links[title] = line
            title = line.removesuffix(":")
        yield links


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
    starts = [i for i, text in enumerate(cells) if re.fullmatch(".* #[0-9a-f]{6}", text)]
    rows = [[cell for cell in cells[a:b] if cell] for a, b in zip(starts, [*starts[1:], len(cells)], strict=True)]
    return [dict(zip([first, *(n for n in names if n not in (first, "Show Metrics"))], row, strict=True)) for row in rows]


def means(study) -> dict[tuple[str, float], dict[str, float]]:
    """The mean over seeds of every metric, by its title, by model and size of the training set, from the results alone."""
    found = defaultdict(lambda: defaultdict(list))
    for result in map(read, (file.parent for file in study.glob("*/result.json"))):
        key = result["config"]["model"]["name"], result["config"]["data"]["train_size"]
        for name, title in TITLES.items():
            found[key][title].append(result["metrics"][name.removeprefix("best/")])
        found[key]["parameters"].append(result["network"]["parameters"])
    assert all(len(values) == 2 for metrics in found.values() for values in metrics.values())
    return {key: {name: mean(values) for name, values in metrics.items()} for key, metrics in found.items()}


def test_table_has_a_row_per_configuration_with_the_means_over_its_seeds(board, page, study):
    page.set_viewport_size({"width": 1400, "height": 900})
    page.goto(board["table of configurations"])
    grid = page.locator("tf-hparams-table-view vaadin-grid")
    grid.get_by_text("local").nth(1).wait_for()
    cells = page.locator("tf-hparams-table-view vaadin-grid-cell-content")
    rows = as_rows(cells.all_inner_texts(), "Trial ID")
    expected = means(study)
    assert len(rows) == len(expected) == 4
    assert list(rows[0])[1:6] == ["model", "train_size", "parameters", "test accuracy", "shift mean"]
    for row in rows:
        assert row["Trial ID"].startswith(f"{row['model']} train_size={float(row['train_size']):g} #")
        wanted = expected.pop((row["model"], float(row["train_size"])))
        for name in (*TITLES.values(), "parameters"):
            assert float(row[name]) == pytest.approx(wanted[name], rel=1e-4), name  # it shows five digits
    assert expected == {}
    for title in list(rows[0])[1:6]:
        place = cells.filter(has_text=re.compile(rf"^\s*{title}\s*$")).first.bounding_box()
        assert place["x"] + place["width"] <= 1400, f"{title} is cut off"


def blended(picture: Image.Image, colour: tuple[int, ...]) -> int:
    """How many pixels have this colour drawn over white with an opacity between a tenth and a half, as a band is."""
    pixels = np.asarray(picture.convert("RGB"), dtype=float)
    away = 255 - np.array(colour)
    shares = (255 - pixels) @ away / (away @ away)
    distance = np.abs(255 - shares[..., None] * away - pixels).max(-1)
    return int(((shares > 0.1) & (shares < 0.5) & (distance < 6)).sum())


def test_a_band_of_its_colour_is_drawn_for_a_configuration(board, page):
    """Accuracy by distance of the shift: the chart has a line and a band for each configuration, and each has pixels."""
    page.goto(board["means over seeds with 95 % bands"])
    card = page.locator("tf-custom-scalar-margin-chart-card").filter(has=page.get_by_text(SHIFTS, exact=True))
    card.get_by_text("Matches (4)").wait_for()
    wait_for(
        lambda: page.locator("tf-multi-checkbox .name-row, tf-multi-checkbox .run-row").count() == 6,
        "no other runs in the list",
    )
    by_setting = page.locator("tf-custom-scalar-margin-chart-card").filter(
        has=page.get_by_text("accuracy by train_size", exact=True)
    )
    by_setting.get_by_text("Matches (2)").wait_for()
    page.goto("about:blank")
    page.goto(f"{board['']}/#custom_scalars&regexInput=mean%20over%20seeds/conv-train_size100%24")
    card.get_by_text("Matches (1)").wait_for()
    area = card.locator("svg path.area").first
    area.wait_for(state="attached")
    colour = tuple(map(int, re.findall(r"\d+", area.evaluate("path => getComputedStyle(path).fill"))[:3]))
    chart = card.locator("tf-line-chart-data-loader")

    def drawn(colour: tuple[int, ...]) -> int:
        return blended(Image.open(io.BytesIO(chart.screenshot())), colour)

    wait_for(lambda: drawn(colour) > 1000, "a band")
    assert drawn(tuple(255 - part for part in colour)) < 100


def test_front_page_has_question_table_and_verdicts(board, page):
    page.goto(board["question, table and verdicts"])
    text = page.locator("tf-text-loader")
    text.locator("table").wait_for()
    assert text.locator("tbody tr").count() == 4
    assert {"parameters", "FLOPs", "n", "test"} <= set(text.locator("th").all_inner_texts())
    assert text.get_by_role("heading", name="Verdicts").count() == 1


def test_charts_of_the_report_and_pictures_of_the_runs(board, page):
    page.goto(board["charts of the report"])
    pictures = page.locator("tf-image-loader img")
    pictures.nth(3).wait_for()
    wait_for(lambda: pictures.first.evaluate("image => image.complete && image.naturalWidth > 100"), "a chart drawn")
    assert len(Image.open(io.BytesIO(pictures.first.screenshot())).convert("RGB").getcolors(1_000_000) or []) > 20
    page.goto("about:blank")
    page.goto(f"{board['']}/#images&tagFilter=%5Epictures/kernels")
    pictures.first.wait_for()
    wait_for(lambda: pictures.first.evaluate("image => image.complete && image.naturalWidth > 10"), "kernels drawn")


def test_landing_page_opens_on_accuracy_and_curves_have_a_colour_for_each_configuration(board, page):
    page.goto(board[""])
    page.locator("metrics-card-group-toolbar .group-title, metrics-card-groups .group-title").first.wait_for()
    assert page.locator("metrics-card-groups .group-title").first.inner_text().strip() == SHIFTS
    page.goto("about:blank")
    page.goto(board["curves of single runs"])
    page.locator("card-view").nth(3).wait_for()
    titles = "".join(page.locator("card-view").all_inner_texts()).replace("\n", "")
    assert "train/loss" in titles
    assert "epoch" not in titles
    assert "pictures/" not in titles
    scalars = json.loads(answer(f"{board['']}/data/plugin/scalars/tags"))
    assert not any(tag == "epoch" or tag.startswith("parameters/") for tags in scalars.values() for tag in tags)
    rows = page.locator("tb-data-table-content-row[data-id^='defaultExperimentId/']")
    wait_for(lambda: rows.count() >= 15, "rows of runs")
    colours = rows.evaluate_all(
        """rows => rows.map(row => [row.dataset.id, row.querySelector(".run-color-swatch")?.style.background])"""
    )
    by_group = defaultdict(set)
    for name, colour in colours:
        by_group[re.sub(r"-seed\d+$", "", name.rpartition("/")[2])].add(colour)
    own = {group: found for group, found in by_group.items() if "train_size" in group}
    assert len(own) == 4
    assert all(len(found) == 1 for found in own.values()), own
    assert len(set.union(*own.values())) == 4


@pytest.mark.e2e
def test_running_tensorboard_shows_a_new_edition_in_place_of_the_old(board, study):
    """Fewer points than before, with other values, at the steps of the old ones."""
    folder, tag = study / "edition" / "mine", "x/mean"

    def shown():
        return [point[1:] for point in json.loads(answer(asked) or "[]")]

    asked = f"{board['']}/data/plugin/scalars/scalars?run=edition%2Fmine&tag=x%2Fmean"
    try:
        write_edition(folder, "test", [(step, scalars({tag: 1.0})) for step in range(4)], 1.0)
        wait_for(lambda: shown() == [[0, 1.0], [1, 1.0], [2, 1.0], [3, 1.0]], "the first edition")
        write_edition(folder, "test", [(step, scalars({tag: 2.0})) for step in (0, 2)], 1.0)
        wait_for(lambda: shown() == [[0, 2.0], [2, 2.0]], "the second edition")
        assert sorted(file.stat().st_size > 0 for file in folder.iterdir()) == [False, True]
    finally:
        shutil.rmtree(folder.parent)


@pytest.mark.e2e
def test_make_dashboard_is_for_this_machine_only_and_ends_by_ctrl_c(study):
    """The command of the Makefile, with a port of its own, on the folder that all studies lie in."""
    said = subprocess.run(
        ["make", "--dry-run", "dashboard"], cwd=ROOT, capture_output=True, text=True, timeout=300, check=True
    ).stdout
    command = next(line for line in said.splitlines() if "convexp-dashboard" in line).split()
    assert command[0].endswith("bin/convexp-dashboard")
    port, root = free_port(), study.parent.parent
    with serving(*command[1:], port=port, runs=9, cwd=root) as (server, address):
        assert "TensorBoard" in (answer(address) or "")
        runs = answer(f"{address}/data/runs")
        assert runs is not None
        assert runs.count("sweep/") >= 8
        assert refused(port)
        server.send_signal(signal.SIGINT)
        assert server.wait(60) == 0
        assert server.stdout.read().endswith("dashboard closed\n")
        assert answer(address) is None


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
