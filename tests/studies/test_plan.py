"""study.json: kept, joined with what was there, and no trap when it is damaged or comes from somebody else."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from filelock import FileLock

from convexp.errors import ConvexpError
from convexp.records.plan import FILE, Plan, PlannedRun, read_plan, write_plan


def plan(*seeds, **axes):
    runs = [PlannedRun(f"conv-seed{seed}", f"id{seed}", {"seed": seed}) for seed in seeds]
    return Plan("name", "Why?", {"seed": list(seeds), **axes}, {"model": "conv"}, runs)


def test_what_is_written_is_read(tmp_path):
    write_plan(tmp_path, plan(0, 1))
    assert read_plan(tmp_path) == plan(0, 1)
    assert read_plan(tmp_path / "elsewhere") is None


def test_runs_that_were_begun_stay_in_the_plan_and_others_go(tmp_path):
    write_plan(tmp_path, plan(0, 1, 2, lr=[0.1]))
    (tmp_path / "conv-seed1").mkdir()
    write_plan(tmp_path, plan(3, 0))
    found = read_plan(tmp_path)
    assert [run.folder for run in found.runs] == ["conv-seed3", "conv-seed0", "conv-seed1"]
    assert found.axes == {"seed": [3, 0, 1, 2], "lr": [0.1]}
    write_plan(tmp_path, plan(1))
    assert read_plan(tmp_path) == plan(1)


def test_while_a_sweep_is_at_work_all_its_runs_stay(tmp_path):
    write_plan(tmp_path, plan(0, 1, 2))
    (tmp_path / "conv-seed1").mkdir()
    with FileLock(tmp_path / "conv-seed1" / ".lock"):
        write_plan(tmp_path, plan(3))
        assert [run.folder for run in read_plan(tmp_path).runs] == ["conv-seed3", "conv-seed0", "conv-seed1", "conv-seed2"]
    write_plan(tmp_path, plan(3))
    assert [run.folder for run in read_plan(tmp_path).runs] == ["conv-seed3", "conv-seed1"]


def test_plans_written_at_the_same_time_are_all_kept(tmp_path):
    seeds = range(8)
    for seed in seeds:
        (tmp_path / f"conv-seed{seed}").mkdir()
    with ThreadPoolExecutor(len(seeds)) as pool:
        list(pool.map(lambda seed: write_plan(tmp_path, plan(seed)), seeds))
    assert {run.folder for run in read_plan(tmp_path).runs} == {f"conv-seed{seed}" for seed in seeds}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"format": 1}',
        '{"format": "1"}',
        '{"format": 1, "name": 3, "question": [], "axes": "x", "runs": 7}',
    ],
)
def test_a_damaged_plan_is_none(tmp_path, text):
    (tmp_path / FILE).write_text(text)
    assert read_plan(tmp_path) is None
    write_plan(tmp_path, plan(0))
    assert read_plan(tmp_path) == plan(0)


def test_a_newer_plan_says_so(tmp_path):
    (tmp_path / FILE).write_text(json.dumps({"format": 99}))
    with pytest.raises(ConvexpError, match="is of format 99"):
        read_plan(tmp_path)
