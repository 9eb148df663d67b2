"""Which networks a page gets, and what it says of the others."""

from dataclasses import replace
from pathlib import Path

import pytest
from fabricated_playground import played
from fabricated_report import group, three_layers, write_run_files
from msgspec import structs

from convexp.records.playground import FILE, write_playground
from convexp.records.playground_format import LeftOut
from convexp.reporting import playground
from convexp.reporting.playable import script_json
from convexp.reporting.playground import MAX_NETWORKS, MAX_READ, choose_networks
from convexp.reporting.render.html import page, write_page
from convexp.reporting.render.html.playground import playground_html

ROOM = 6_000_000


@pytest.fixture(scope="module")
def content():
    return played("conv").entry.content


def keep(root: Path, report, content) -> None:
    """Writes a network into the folder of the first seed of each group."""
    for made in report.groups:
        folder = root / made.runs[0].path
        folder.mkdir(parents=True, exist_ok=True)
        write_playground(folder, content)


def test_the_first_of_each_model_is_shown_and_the_others_can_be_chosen(tmp_path, content):
    groups = [group(model, 1, size) for model in ("dense", "conv") for size in (100, 200, 300)]
    keep(tmp_path, replace(three_layers(tmp_path), groups=groups), content)
    found = choose_networks(groups, tmp_path, ROOM)
    assert [network.label for network in found.networks] == [g.label for g in groups]
    shown = [network.label for network in found.networks if network.shown]
    assert shown == ["dense train_size=100", "dense train_size=200", "dense train_size=300", "conv train_size=100"]
    assert found.left_out == {}
    assert {network.wiring for network in found.networks} == {"dense", "conv"}
    assert "test 90.0 %" in found.networks[0].note


def test_a_page_has_a_limit_in_bytes_and_in_networks(tmp_path, content):
    groups = [group("conv", 1, size) for size in range(MAX_NETWORKS + 2)]
    keep(tmp_path, replace(three_layers(tmp_path), groups=groups), content)
    found = choose_networks(groups, tmp_path, ROOM)
    assert len(found.networks) == MAX_NETWORKS
    assert list(found.left_out.values()) == [["conv train_size=12", "conv train_size=13"]]
    assert str(MAX_NETWORKS) in next(iter(found.left_out))
    (reason,) = choose_networks(groups[:1], tmp_path, 1000).left_out
    assert "the page would become larger than 6 MB" in reason
    classes = [f"{k} {'<' * 190}" for k in range(1000)]  # which a page writes out, each bracket as six characters
    keep(tmp_path, replace(three_layers(tmp_path), groups=groups), structs.replace(content, classes=classes))
    assert len(choose_networks(groups, tmp_path, ROOM).networks) == 4


def test_a_file_that_has_no_room_is_not_read_nor_are_more_than_a_few(tmp_path, content, monkeypatch):
    groups = [group("conv", 1, size) for size in range(MAX_READ + 9)]
    keep(tmp_path, replace(three_layers(tmp_path), groups=groups), LeftOut(left_out="It is too large."))
    found = choose_networks(groups, tmp_path, ROOM)
    assert [len(labels) for labels in found.left_out.values()] == [MAX_READ, 9]
    (tmp_path / groups[0].runs[0].path / FILE).write_bytes(b" " * 10**6)
    monkeypatch.setattr(playground, "read_network", pytest.fail)
    (reason,) = choose_networks(groups[:1], tmp_path, 10**5).left_out
    assert reason == playground.NO_ROOM


def test_of_many_that_are_left_out_a_few_are_named():
    text = playground_html([], {"too large": [f"conv {k}" for k in range(8)]}).markup
    assert "conv 3, conv 4 and 3 more: too large." in text


def test_networks_that_see_other_images_are_left_out(tmp_path, content):
    report = three_layers(tmp_path)
    keep(tmp_path, report, content)
    local, conv = (tmp_path / made.runs[0].path for made in report.groups[1:])
    write_playground(local, structs.replace(content, classes=["x", "y", "z"]))
    write_playground(conv, structs.replace(content, protocol="circular"))
    found = choose_networks(report.groups, tmp_path, ROOM)
    assert [network.label for network in found.networks] == ["dense"]
    assert list(found.left_out.values()) == [["local", "conv"]]


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[1]", b'{"version": 1}', b'{"version": 2}', b"\xff\xfe", b'{"version": 1, "left_out": 3}']
)
def test_a_damaged_file_is_said_to_be(tmp_path, content, damage):
    report = three_layers(tmp_path)
    keep(tmp_path, report, content)
    (tmp_path / report.groups[0].runs[0].path / FILE).write_bytes(damage)
    found = choose_networks(report.groups, tmp_path, ROOM)
    assert [network.label for network in found.networks] == ["local", "conv"]
    assert list(found.left_out.values()) == [["dense"]]


def test_a_network_that_says_why_it_is_left_out_is_quoted(tmp_path):
    report = three_layers(tmp_path)
    keep(tmp_path, report, LeftOut(left_out="It is too large: 3 MiB, at most 2 MiB."))
    found = choose_networks(report.groups, tmp_path, ROOM)
    assert found.networks == []
    assert found.left_out == {"It is too large: 3 MiB, at most 2 MiB": ["dense", "local", "conv"]}
    write_page(report, tmp_path / "a.html", [])
    text = (tmp_path / "a.html").read_text()
    assert "dense, local, conv: It is too large: 3 MiB, at most 2 MiB." in text
    assert 'class="pg-data"' not in text


def test_old_runs_with_a_checkpoint_are_told_how_to_get_one(tmp_path):
    report = three_layers(tmp_path)
    write_run_files(report)
    assert choose_networks(report.groups, tmp_path, ROOM) is None
    write_page(report, tmp_path / "a.html", [])
    assert "playground" not in (tmp_path / "a.html").read_text()
    checkpoints = tmp_path / report.groups[0].runs[0].path / "checkpoints"
    checkpoints.mkdir()
    (checkpoints / "best.ckpt").touch()
    write_page(report, tmp_path / "b.html", [])
    assert "convexp-eval run=DIR" in (tmp_path / "b.html").read_text()


def test_the_page_of_a_report_has_the_section_runs_it_and_stays_below_the_limit(tmp_path, content, browser_page, monkeypatch):
    report = three_layers(tmp_path)
    write_page(report, tmp_path / "bare.html", [])
    keep(tmp_path, report, content)
    errors = []
    browser_page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
    browser_page.on("pageerror", lambda error: errors.append(str(error)))
    write_page(report, tmp_path / "a.html", [])
    write_page(report, tmp_path / "b.html", [])
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
    browser_page.goto((tmp_path / "a.html").as_uri())
    browser_page.get_by_role("link", name="Try it").click()
    browser_page.locator(".pg-verdict").nth(2).filter(has_text="right").or_(
        browser_page.get_by_text("✗ wrong").nth(2)
    ).wait_for()
    assert browser_page.locator(".pg-label-of").all_inner_texts() == ["dense", "local", "conv"]
    assert errors == []
    bare = (tmp_path / "bare.html").stat().st_size
    monkeypatch.setattr(page, "MAX_BYTES", bare + page.OVERHEAD + len(script_json(content.spec())) + 1_000)
    write_page(report, tmp_path / "c.html", [])
    assert bare < (tmp_path / "c.html").stat().st_size <= page.MAX_BYTES
    assert "Not here: local, conv (with it the page would become larger" in (tmp_path / "c.html").read_text()
