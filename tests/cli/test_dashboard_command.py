"""convexp-dashboard: what it says, before any server is started."""

import socket
import urllib.parse

import pytest
from fabricated_runs import kept, run

from convexp.board import studies
from convexp.board.folders import HOME
from convexp.board.links import links
from convexp.board.studies import studies_below
from convexp.cli.dashboard import update


def test_help_teaches(call):
    done = call("dashboard", "--help")
    assert done.code == 0
    for word in ("127.0.0.1", "mean over seeds", "--port", "Ctrl-C", "examples:"):
        assert word in done.out, word


def test_a_busy_port_is_one_line_and_nothing_is_written(call, tmp_path):
    kept(tmp_path / "study", run(0), run(1))
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        opened.listen()
        port = opened.getsockname()[1]
        done = call("dashboard", "study", "--port", str(port))
    assert done.code == 2
    assert done.out == ""
    assert done.err.startswith(f"convexp-dashboard: --port={port}: ")
    assert done.err.count("\n") == 1
    assert not (tmp_path / "study" / HOME).exists()


@pytest.mark.parametrize("arguments", [("missing",), ("empty",), ("study", "--port", "99999")])
def test_mistakes_are_one_line(call, tmp_path, arguments):
    (tmp_path / "empty").mkdir()
    kept(tmp_path / "study", run(0))
    done = call("dashboard", *arguments)
    assert (done.code, done.err.count("\n")) == (2, 1)


def test_each_study_below_a_folder_has_means_of_its_own(tmp_path):
    for name in ("a", "b"):
        kept(tmp_path / "studies" / name, run(0), run(1))
        (tmp_path / "studies" / name / "study.json").write_text("{}")
    kept(tmp_path / "single", run(3))
    update(tmp_path)
    assert studies_below(tmp_path) == [tmp_path / "studies" / "a", tmp_path / "studies" / "b"]
    assert sorted(folder.relative_to(tmp_path) for folder in tmp_path.rglob(HOME)) == [
        (tmp_path / "studies" / name / HOME).relative_to(tmp_path) for name in ("a", "b")
    ]


def test_studies_that_are_not_named_are_counted(tmp_path, monkeypatch, capsys):
    found = [(tmp_path / str(number), 1, None) for number in range(12)]
    monkeypatch.setattr(studies, "update_studies", lambda root: found)
    update(tmp_path)
    *named, last = capsys.readouterr().out.splitlines()
    assert len(named) == 10
    assert named[0].endswith("means over seeds of 1 configuration")
    assert last == "and 2 more"


def test_runs_of_no_study_are_one(tmp_path):
    kept(tmp_path, run(0), run(1))
    assert studies_below(tmp_path) == [tmp_path]
    assert studies_below(tmp_path / "conv-seed0") == []


def test_a_folder_that_cannot_be_written_to_gets_a_word(tmp_path, monkeypatch, capsys):
    def refuse(report, root):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(studies, "update_dashboard", refuse)
    kept(tmp_path, run(0), run(1))
    update(tmp_path)
    said = capsys.readouterr().err
    assert "Read-only file system" in said
    assert said.count("\n") == 1


def test_links_carry_filters_and_colours():
    found = links("http://127.0.0.1:1")
    for link in found.values():
        assert link.startswith("http://127.0.0.1:1/")
        assert not set(' "<>^|()') & set(link), "a terminal would end the address here"
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(found["curves of single runs"]).query)
    assert query == {
        "tagFilter": ["^(train|val)/"],
        "smoothing": ["0"],
        "runColorGroup": [r"regex:([^/]+?)(?:-seed\d+)?$"],
    }
