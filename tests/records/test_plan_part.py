"""A run finds its part of a plan, the same whether the plan is small or large, and whatever has happened to the file."""

import pytest

from convexp.errors import ConvexpError
from convexp.records import plan_part
from convexp.records.plan import FILE, Plan, PlannedRun, read_plan, write_plan
from convexp.records.plan_part import FEWEST, PARTS, find_sweep, part_of, read_part, write_parts

N = FEWEST + 20


def plan(n=N):
    axes = {"model": ["conv", "local"], "optimizer.lr": [0.1, None], "a, seed": [[1, 0], [2, 1]], "trainer.x": [1, 2]}
    runs = [
        PlannedRun(f"run{i}", f"{i}", {"model": "conv", "a, seed": [i, i]} | ({"trainer.x": i} if i else {})) for i in range(n)
    ]
    return Plan("study", "Why?", axes, {}, runs)


@pytest.fixture
def root(tmp_path):
    write_plan(tmp_path, plan())
    write_parts(tmp_path)
    return tmp_path


def test_it_is_that_of_the_whole_plan(root):
    for number in (0, 1, N - 1):
        assert read_part(root, f"run{number}", number) == part_of(plan(), f"run{number}")
    assert part_of(plan(), "run3").varied == {"model": False, "optimizer.lr": False, "a": True, "trainer.x": False}


def test_it_is_found_without_reading_the_plan(root, monkeypatch):
    monkeypatch.setattr(plan_part, "read_plan", lambda _: pytest.fail("the whole plan was read"))
    sweep = find_sweep(root / "run7", 7)
    assert (sweep.root, sweep.plan.number, sweep.plan.count) == (root, 7, N)


def damage(at):
    def cut(root):
        content = (root / PARTS).read_bytes()
        (root / PARTS).write_bytes(content[: int(at * len(content))])

    return cut


def replace_plan(root):
    write_plan(root, Plan("other", None, {"model": ["conv"]}, {}, [PlannedRun("run7", "7", {"model": "x"}), *plan().runs[:3]]))


@pytest.mark.parametrize(
    ("change", "number"),
    [
        (lambda root: None, None),
        (lambda root: None, 8),  # of another run
        (lambda root: None, N + 5),
        (lambda root: None, -1),
        (lambda root: (root / PARTS).unlink(), 7),
        (lambda root: (root / PARTS).write_bytes(b"\xff" * 100), 7),
        (lambda root: (root / PARTS).write_bytes(b""), 7),
        *((damage(at), 7) for at in (0.01, 0.2, 0.4)),
        (replace_plan, 7),
    ],
)
def test_otherwise_the_plan_is_read(root, change, number):
    change(root)
    assert read_part(root, "run7", number) == part_of(read_plan(root), "run7")


def test_a_small_plan_needs_no_parts(root):
    (root / FILE).unlink()
    write_plan(root, plan(FEWEST - 1))
    write_parts(root)
    assert not (root / PARTS).exists()
    assert read_part(root, "run3", 3) == part_of(plan(FEWEST - 1), "run3")


def test_damaged_and_newer_plans(root):
    (root / FILE).write_text("{")
    assert read_part(root, "run7", 7) is None
    (root / FILE).write_text('{"format": 99}')
    with pytest.raises(ConvexpError, match="format 99"):
        read_part(root, "run7", 7)
    assert find_sweep(root.parent / "elsewhere") is None
