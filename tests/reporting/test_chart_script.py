"""What a browser adds to the charts: points show their numbers, and a label isolates its series in all charts."""

import re
from dataclasses import replace

import pytest
from browser import watch
from fabricated_report import comparison, group, three_layers, train_sizes, write_run_files

from convexp.pictures.palette import WIRINGS
from convexp.reporting.charts import draw_charts
from convexp.reporting.render.html import write_page

COLOURS = """
() => {
  const two = (number) => Number(number).toString(16).padStart(2, "0");
  const hex = (text) => "#" + text.match(/\\d+/g).slice(0, 3).map(two).join("");
  const found = new Set();
  for (const part of document.querySelectorAll(".chart svg :is(path, use, text)")) {
    const style = getComputedStyle(part);
    for (const value of [style.fill, style.stroke]) if (value.startsWith("rgb(")) found.add(hex(value));
  }
  return [...found];
}
"""
SHOWN = """
(key) => {
  const parts = [...document.querySelectorAll(".chart [data-keys]")];
  const charts = (wanted) => new Set(parts.filter(wanted).map((part) => part.closest(".chart").id));
  const visible = (part) => getComputedStyle(part).visibility === "visible";
  const belongs = (part) => part.dataset.keys.split(" ").includes(key);
  return {
    wrong: parts.filter((part) => visible(part) !== belongs(part)).length,
    shown: charts((part) => visible(part) && belongs(part)).size,
    hidden: charts((part) => !visible(part)).size,
  };
}
"""

OVERLAPS = """
() => {
  const found = [];
  for (const svg of document.querySelectorAll(".chart svg")) {
    const frame = svg.getBoundingClientRect();
    const texts = [...svg.querySelectorAll("text")].filter((text) => text.textContent.trim());
    const boxes = texts.map((text) => [text.textContent, text.getBoundingClientRect()]);
    boxes.forEach(([words, a], i) => {
      if (a.left < frame.left - 3 || a.right > frame.right + 3) found.push([words, "sticks out"]);
      for (const [others, b] of boxes.slice(i + 1)) {
        const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (wide > 2 && high > 0.35 * Math.min(a.height, b.height)) found.push([words, others]);
      }
    });
  }
  return [document.querySelectorAll(".chart svg text").length, found];
}
"""


@pytest.fixture
def opened(browser_page, tmp_path):
    """Writes the page of a report and opens it: page, seen = opened(report)."""

    def show(report, scheme="light", width=1280):
        write_run_files(report)
        write_page(report, tmp_path / "report.html")
        seen = watch(browser_page)
        browser_page.set_viewport_size({"width": width, "height": 900})
        browser_page.emulate_media(color_scheme=scheme)
        browser_page.goto((tmp_path / "report.html").as_uri())
        return browser_page, seen

    return show


def test_a_point_shows_its_numbers(opened, tmp_path):
    """To the mouse and to the keyboard, those of this run and no other."""
    report = three_layers(tmp_path)
    page, seen = opened(report)
    tip = page.locator("[role=tooltip]")
    assert not tip.is_visible()
    for made in report.groups:
        for run in made.runs:
            words = f"{made.label}, seed {run.seed}: {100 * run.metrics['test/acc']:.2f}\N{NO-BREAK SPACE}%"
            mark = page.locator(f'#every_seed .marks [aria-label="{words}"]')
            assert mark.count() == 1
            mark.hover(force=True)  # a mean may lie above it
            page.wait_for_function("words => document.getElementById('tip').innerText.includes(words)", arg=words)
            box = tip.bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 1280
    page.mouse.move(0, 0)
    page.wait_for_function("document.getElementById('tip').hidden")
    stop = page.locator("#radius .marks [tabindex='0']")
    assert stop.count() == 1
    stop.focus()
    first = tip.inner_text()
    assert first.startswith("dense, shifted by 0 pixels: mean 96.5\N{NO-BREAK SPACE}%")
    page.keyboard.press("ArrowRight")
    assert tip.inner_text().startswith("dense, shifted by 1 pixel: mean 67.5\N{NO-BREAK SPACE}%")
    assert page.locator("#radius .marks [tabindex='0']").count() == 1
    page.keyboard.press("Escape")
    assert not tip.is_visible()
    assert seen.errors == []


def test_a_label_isolates_its_series_in_all_charts(opened, tmp_path):
    page, seen = opened(three_layers(tmp_path))
    charts = page.locator("figure.chart").count()
    pick = page.locator("#radius .picks [role=button]", has=page.locator("xpath=self::*[@data-name='conv']"))
    key = pick.get_attribute("data-key")
    pick.click()
    assert page.evaluate(SHOWN, key) == {"wrong": 0, "shown": charts, "hidden": charts}
    pressed = page.locator("[aria-pressed=true]")
    assert pressed.count() == page.locator("[data-name=conv]").count() > 3
    assert "Only conv is shown" in page.locator("[role=status]").inner_text()
    other = page.locator("#every_seed .picks [data-name=dense]")
    other.focus()
    page.keyboard.press("Enter")
    found = page.evaluate(SHOWN, other.get_attribute("data-key"))
    assert found == {"wrong": 0, "shown": charts - 1, "hidden": charts}  # a baseline has no difference to itself
    page.keyboard.press(" ")
    assert page.locator(".chart .away").count() == 0
    assert pressed.count() == 0
    assert seen.errors == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_series_have_the_colours_of_the_scheme(opened, tmp_path, scheme):
    page, seen = opened(train_sizes(tmp_path), scheme)
    found = set(page.evaluate(COLOURS))
    other = "dark" if scheme == "light" else "light"
    for name in ("dense", "local", "conv"):
        assert getattr(WIRINGS[name], scheme) in found
        assert getattr(WIRINGS[name], other) not in found
    assert seen.errors == []


@pytest.mark.parametrize("readouts", [2, 9])
def test_labels_do_not_overlap(opened, tmp_path, readouts):
    """Of 10 and of 45 configurations, at the width of a desktop and of a phone."""
    points = [{"model": name, "model.readout": f"kind_number_{i}"} for name in WIRINGS for i in range(readouts)]
    groups = [replace(group(p["model"], 2, label=f"{p['model']} readout={p['model.readout']}"), point=p) for p in points]
    metrics = ("test/acc", "probe/shift_map/mean", "probe/consistency/all")
    compared = [comparison(g.label, groups[-1].label, 0.01, metric) for g in groups[:-1] for metric in metrics]
    page, _ = opened(replace(three_layers(tmp_path), groups=groups, comparisons=compared))
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        count, found = page.evaluate(OVERLAPS)
        assert count > 100
        assert found == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_charts_are_whole_without_the_script(browser, tmp_path):
    report = three_layers(tmp_path)
    write_page(report, tmp_path / "report.html")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((tmp_path / "report.html").as_uri())
    source = page.content()
    context.close()
    assert "<title>conv, seed 1: 92.50&nbsp;%</title>" in source
    assert not re.search(r"<(rect|circle)[^>]*(tabindex|role)=", source)


def test_hostile_labels_stay_text(opened, tmp_path):
    nasty = "<img src=x onerror=alert(1)> \"' & ]]>"
    groups = [group("conv", label=nasty), group("dense")]
    page, seen = opened(replace(three_layers(tmp_path), groups=groups, comparisons=[comparison(nasty, "dense", 0.1)]))
    mark = page.locator("#every_seed .marks > *").first
    mark.focus()
    assert page.locator("[role=tooltip]").inner_text().startswith(nasty)
    page.locator("#differences .picks [role=button]").first.click()
    assert "Only <img" in page.locator("[role=status]").inner_text()
    assert page.locator("img[src=x]").count() == 0
    assert seen.errors == []


def test_a_chart_is_the_same_every_time_and_marks_are_its_points():
    one, two = draw_charts(three_layers()), draw_charts(three_layers())
    assert [chart.inline() for chart in one] == [chart.inline() for chart in two]
    first = next(chart for chart in one if chart.name == "every_seed")
    assert first.extra.count("<circle") == 3 * 2 * (3 + 1)  # wirings, metrics, seeds and their mean
    assert "<circle" not in first.svg
