"""The page, as a real browser shows it."""

import re
from dataclasses import replace

import pytest
from browser import watch
from fabricated_report import NOTHING, comparison, group, run, three_layers, train_sizes, write_run_files
from msgspec import structs

from convexp.reporting.charts import draw_charts
from convexp.reporting.groups import Group
from convexp.reporting.provenance import Provenance
from convexp.reporting.render.html import write_page
from convexp.reporting.render.html.first_screen import first_verdicts
from convexp.reporting.run_pictures import MAX_BYTES, read_png
from convexp.reporting.unfinished import Unfinished
from convexp.reporting.verdicts import Verdict

NASTY = "<script>alert(1)</script></style><img src=x onerror=alert(2)> \"' & {{ 7*7 }}"


@pytest.fixture
def opened(browser_page, tmp_path):
    """Writes the page of a report and opens it: page, seen = opened(report)."""

    def show(report, scheme="light", width=1280, charts=None):
        file = tmp_path / "report.html"
        write_page(report, file, charts)
        seen = watch(browser_page)
        browser_page.set_viewport_size({"width": width, "height": 900})
        browser_page.emulate_media(color_scheme=scheme)
        browser_page.goto(file.as_uri())
        assert seen.requests == [file.as_uri()]
        return browser_page, seen

    return show


def text(page):
    return page.inner_text("body").replace("\N{NO-BREAK SPACE}", " ")


def test_a_whole_report(opened, tmp_path):
    report = train_sizes(tmp_path)
    write_run_files(report)
    page, seen = opened(report)
    assert page.title() == page.inner_text("h1") == report.title
    shown = text(page)
    assert "27 finished runs of 9 configurations, seeds 0, 1, 2." in shown
    assert "1 failed, 1 missing." in shown
    assert page.locator("#unfinished + .scroll tr").nth(1).inner_text().split("\t") == [
        "conv-30-seed2",
        "failed",
        "RuntimeError: CUDA out of memory",
    ]
    assert "git commit differs between runs." in shown
    assert "conv is higher than dense at train_size=100, 300, 1000 (+2.0 points)" in shown
    assert "no difference shown in 3 of 6 comparisons" in shown
    assert page.locator("#results tbody tr").count() == 9
    assert page.locator("figure.chart svg").count() == 10
    assert page.locator(".kernels img").count() == 9
    assert seen.errors == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_first_screen_answers(opened, scheme):
    """The question, the sentence, the picture and the whole table, in a window of 1400 x 900 and without any scrolling."""
    report = three_layers()
    picture = replace(next(c for c in draw_charts(report) if c.section == "shifts"), section="answer", name="answer")
    page, seen = opened(report, scheme, width=1400, charts=[picture])
    for place in ("h1", ".answer", "#answer figure svg", "#answer figcaption", ".verdicts", "#results"):
        box = page.locator(place).bounding_box()
        assert box["y"] + box["height"] <= 900, place
        assert box["x"] + box["width"] <= 1400, place
    assert "dense reaches 96.5 %, local 97.5 % and conv 92.5 %: conv is lower than dense" in text(page)
    assert page.locator(".verdicts li").count() == 1
    cut = page.locator("#numbers .scroll").first
    assert cut.evaluate("box => box.scrollWidth <= box.clientWidth")
    assert seen.errors == []


def test_pictures_show_and_have_words(opened, tmp_path):
    report = train_sizes(tmp_path)
    write_run_files(report)
    page, seen = opened(report)
    assert page.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 0 && i.alt.length > 20)")
    for box in page.locator("figure.chart svg").all():
        size = box.bounding_box()
        assert size["width"] > 300
        assert size["height"] > 100
    words = page.eval_on_selector_all(
        "figure.chart svg", "all => all.map(s => s.closest('[aria-label]').getAttribute('aria-label'))"
    )
    assert all(len(said) > 40 for said in words)
    assert any("On the Pareto front: conv train_size=1000 80.4 (79.2–81.7) % with 10,186; local" in said for said in words)
    maps = page.eval_on_selector_all("#shift_maps image", "all => all.map(i => i.href.baseVal.slice(0, 22))")
    assert len(maps) >= 9
    assert set(maps) == {"data:image/png;base64,"}
    assert seen.errors == []


def test_structure_for_those_who_cannot_see_it(opened, tmp_path):
    report = train_sizes(tmp_path)
    write_run_files(report)
    page, _ = opened(report)
    for landmark in ("header", "nav[aria-label]", "main", "footer"):
        assert page.locator(f"body > {landmark}, header > {landmark}").count() == 1
    levels = [int(tag[1]) for tag in page.eval_on_selector_all("h1,h2,h3,h4", "all => all.map(h => h.tagName)")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b <= a + 1 for a, b in zip(levels, levels[1:], strict=False))
    assert page.eval_on_selector_all("table", "all => all.every(t => t.caption && t.caption.textContent.trim())")
    assert page.eval_on_selector_all("th", "all => all.every(h => h.scope)")
    ids = page.eval_on_selector_all("[id]", "all => all.map(e => e.id)")
    assert len(ids) == len(set(ids))
    targets = page.eval_on_selector_all("a[href^='#']", "all => all.map(a => a.getAttribute('href').slice(1))")
    assert set(targets) <= set(ids)
    assert page.eval_on_selector_all(
        "[aria-labelledby]",
        "all => all.every(e => document.getElementById(e.getAttribute('aria-labelledby')))",
    )


def column(page, heading):
    titles = page.locator("#results thead th").all_inner_texts()
    index = next(i for i, t in enumerate(titles) if t.startswith(heading))
    cells = [row.locator("th, td").nth(index).inner_text() for row in page.locator("#results tbody tr").all()]
    return page.locator("#results thead th").nth(index), cells


def mixed_report():
    groups = [
        group("conv", label="nine", accuracy=0.095),
        group("dense", label="ninety", accuracy=0.9),
        Group("none", {"model": "x"}, [structs.replace(run("conv", 0), metrics={})]),
        group("local", label="ten", accuracy=0.1),
    ]
    return replace(three_layers(), groups=groups, comparisons=[])


def test_sorting_by_mouse_is_numeric_both_ways_and_leaves_gaps_last(opened):
    page, seen = opened(mixed_report(), charts=[])
    heading, before = column(page, "test")
    assert before[2] == "—"
    for direction, order in (("ascending", ["10.0", "10.5", "90.5", "—"]), ("descending", ["90.5", "10.5", "10.0", "—"])):
        heading.get_by_role("button").click()
        assert [cell.split()[0] for cell in column(page, "test")[1]] == order
        assert heading.get_attribute("aria-sort") == direction
    column(page, "parameters")[0].get_by_role("button").click()
    assert column(page, "parameters")[1] == ["10,186", "10,186", "105,994", "793,098"]
    assert heading.get_attribute("aria-sort") == "none"
    assert seen.errors == []


def test_sorting_by_keyboard_and_by_words(opened):
    page, seen = opened(mixed_report(), charts=[])
    heading, _ = column(page, "configuration")
    page.keyboard.press("Tab")
    for _ in range(40):
        if page.evaluate("document.activeElement.closest('#results th')?.cellIndex") == 0:
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert column(page, "configuration")[1] == ["nine", "ninety", "none", "ten"]
    page.keyboard.press("Space")
    assert column(page, "configuration")[1] == ["ten", "none", "ninety", "nine"]
    assert heading.get_attribute("aria-sort") == "descending"
    assert seen.errors == []


def test_all_metrics_open_and_are_sorted_too(opened):
    page, seen = opened(three_layers(), charts=[])
    assert not page.locator("#metrics").is_visible()
    page.get_by_text("Show all metrics").click()
    assert page.locator("#metrics").is_visible()
    page.locator("#metrics thead").get_by_role("button", name="probe/accounting/forward_ms").click()
    assert seen.errors == []
    assert "probe/accounting/forward_ms" in text(page)


def test_the_page_never_scrolls_sideways(opened, tmp_path):
    report = train_sizes(tmp_path)
    write_run_files(report)
    long = "x" * 150
    groups = [*report.groups, group("conv", label=long)]
    report = replace(report, title=f"What {long}?", groups=groups, unfinished=[Unfinished(long, "failed", long * 3)])
    page, seen = opened(report)
    for details in page.locator("summary").all():
        details.click()
    for width in (360, 390, 768, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate("document.body.scrollWidth") <= width
        assert page.locator("#results").bounding_box()["width"] > 600  # it scrolls in a box of its own
    assert seen.errors == []


CONTRAST = """
() => {
  const rgb = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = rgb(getComputedStyle(e).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    throw new Error("nothing is opaque");
  };
  const found = [];
  for (const e of document.querySelectorAll("h1,h2,h3,p,li,a,code,th,td,button,caption,figcaption,summary,strong,b,svg text")) {
    if (!e.textContent.trim() || e.classList.contains("skip")) continue;
    const style = getComputedStyle(e);
    const [a, b] = [light(rgb(e.closest("svg") ? style.fill : style.color)), light(behind(e))].sort((x, y) => y - x);
    found.push([(a + 0.05) / (b + 0.05), e.tagName, e.textContent.slice(0, 30)]);
  }
  return found;
}
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_readable(opened, tmp_path, scheme):
    report = train_sizes(tmp_path)
    write_run_files(report)
    page, _ = opened(report, scheme)
    found = page.evaluate(CONTRAST)
    assert len(found) > 200
    assert {tag for _, tag, _ in found} >= {"H1", "P", "TD", "A", "text", "FIGCAPTION", "STRONG"}
    assert [entry for entry in found if entry[0] < 4.5] == []
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", background))) > 380) == (scheme == "light")


def nasty_report(root):
    made = group(NASTY, label=NASTY)
    made.runs[0].config["study"]["name"] = NASTY
    groups = [replace(made, point={"model": NASTY, f"data.{NASTY}": 1}), replace(group("dense"), point={f"data.{NASTY}": 2})]
    for g in groups:
        for r in g.runs:
            r.metrics[f"probe/{NASTY}"] = 0.5
    found = Provenance(
        [(NASTY, [(NASTY, [NASTY]), ("b", [NASTY] * 5)])], {NASTY: NASTY}, [(NASTY, [(NASTY, [NASTY])])], [NASTY]
    )
    compared = [replace(comparison(NASTY, NASTY, 0.1), metric=f"probe/{NASTY}", method=NASTY)]
    return replace(
        three_layers(root),
        title=NASTY,
        groups=groups,
        comparisons=compared,
        unfinished=[Unfinished(NASTY, NASTY, NASTY)],
        provenance=found,
    )


def test_texts_of_results_are_texts(opened, tmp_path):
    page, seen = opened(nasty_report(tmp_path))
    assert page.inner_text("h1") == NASTY
    for place in (
        "#results tbody th",
        ".verdicts li",
        ".warning li",
        "#comparisons-table tbody th",
        "#unfinished + .scroll td",
        ".facts",
    ):
        assert NASTY in page.inner_text(place), place
    assert NASTY[:40] in page.inner_text(".answer")
    assert any("<script>alert(1)</script>" in t for t in page.locator("svg text").all_text_contents())
    assert page.locator("script").count() == 1
    assert page.locator("style").count() == 1
    assert page.locator("img[src=x]").count() == 0
    assert page.evaluate(
        "[...document.querySelectorAll('*')].every(e => [...e.attributes].every(a => !a.name.startsWith('on')))"
    )
    assert seen.errors == []


def test_a_script_that_is_not_the_pages_own_does_not_run(opened):
    page, seen = opened(three_layers(), charts=[])
    blocked = []
    page.on("requestfailed", lambda request: blocked.append((request.url, request.failure)))
    page.evaluate(
        "document.body.insertAdjacentHTML('beforeend', '<img src=\"https://example.org/a.png\" onerror=\"alert(1)\">')"
    )
    page.evaluate("const s = document.createElement('script'); s.text = 'alert(1)'; document.body.append(s)")
    page.wait_for_timeout(200)
    assert blocked == [("https://example.org/a.png", "csp")]
    assert len(seen.errors) == 3  # the picture, its handler and the script
    assert all("Content Security Policy" in error for error in seen.errors)


def test_people_count_epochs_from_one(opened):
    report = three_layers()
    for g in report.groups:
        for r in g.runs:
            r.metrics["best_epoch"] = 4 + r.seed
    page, _ = opened(report, charts=[])
    page.get_by_text("Show all metrics").click()
    heading = page.locator("#metrics thead").get_by_role("button", name="best epoch (counted from 1)")
    cells = page.locator("#metrics tbody tr").first.locator("th, td").all_inner_texts()
    assert cells[heading.evaluate("b => b.closest('th').cellIndex")] == "6 ± 2.5"


def test_the_words_below_kernels_hold_for_blocks_too(opened, tmp_path):
    report = three_layers(tmp_path)
    write_run_files(report)
    page, _ = opened(report, charts=[])
    assert "with weight sharing, a block with a tile for each output channel" in text(page)


def test_kernels_that_are_missing_or_no_pictures_are_said_to_be(opened, tmp_path):
    report = three_layers(tmp_path)
    write_run_files(report)
    paths = [tmp_path / g.runs[0].path / "kernels_stage0.png" for g in report.groups]
    paths[0].unlink()
    paths[1].write_text("<svg onload=alert(1)>")
    page, seen = opened(report, charts=[])
    assert page.locator(".kernels img").count() == 1
    assert page.locator(".kernels .missing").count() == 2
    assert "no picture in the run folder" in text(page)
    assert seen.errors == []


def test_only_small_and_whole_pictures_are_taken(tmp_path):
    report = three_layers(tmp_path)
    write_run_files(report)
    whole = (tmp_path / report.groups[0].runs[0].path / "kernels_stage0.png").read_bytes()
    file = tmp_path / "a.png"
    assert read_png(file) is None
    file.write_bytes(whole)
    assert read_png(file) == (whole, 8, 6)
    for damaged in (whole[:-3], whole[1:], b"", whole[:16] + b"\xff" * 4 + whole[20:], whole + b"0" * MAX_BYTES):
        file.write_bytes(damaged)
        assert read_png(file) is None


def test_paper_shows_what_is_folded(opened):
    page, _ = opened(three_layers(), charts=[])
    closed = page.locator("details:not([open])").count()
    assert closed == 2
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details:not([open])").count() == closed


def test_nothing_finished_is_a_page_too(opened):
    report = replace(three_layers(), groups=[], comparisons=[], provenance=NOTHING, unfinished=[Unfinished("a", "running", "")])
    page, seen = opened(report)
    assert "No run has finished: 1 running." in text(page)
    assert "1 running." in text(page)
    assert page.locator("nav a").all_inner_texts() == ["Runs and settings"]
    assert seen.errors == []


def test_many_configurations_keep_the_table_whole_and_say_what_is_left_out(opened, tmp_path):
    groups = [group("conv", 1, size=s, accuracy=0.5 + s / 1e4) for s in range(100, 500)]
    lost = [Unfinished(f"run{i}", "missing", "planned but not started") for i in range(50)]
    page, seen = opened(replace(three_layers(tmp_path), groups=groups, unfinished=lost))
    assert page.locator("#results tbody tr").count() == 400
    assert page.locator("#metrics").count() == 0
    assert "there are too many configurations for a page; summary.csv has it" in text(page)
    assert "Drawn: 12 of 400 configurations" in text(page)
    assert "50 missing." in text(page)
    assert page.locator("#unfinished + .scroll tbody tr").count() == 50
    box = page.locator(".tall").first
    assert box.evaluate("b => b.scrollHeight > b.clientHeight && b.clientHeight < innerHeight")
    assert seen.errors == []


def test_the_first_screen_has_verdicts_whatever_their_metrics():
    found = [("a", Verdict(f"test/{name}", "higher", "it is higher", None)) for name in "abcdef"]
    assert first_verdicts(found) == found[:4]
    accurate = ("b", Verdict("test/acc", "lower", "it is lower", None))
    assert first_verdicts([*found, accurate]) == [accurate]


def test_the_same_report_gives_the_same_page(tmp_path):
    report = three_layers(tmp_path / "runs")
    write_run_files(report)
    write_page(report, tmp_path / "a.html")
    write_page(report, tmp_path / "b.html", draw_charts(report))
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
