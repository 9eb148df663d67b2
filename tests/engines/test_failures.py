"""The progress bar of a sweep says how many runs have failed."""

import pytest
from fabricated_runs import kept, run, with_path
from hydra.core.utils import JobReturn
from omegaconf import OmegaConf

from convexp.engines.failures import FailureCount
from convexp.engines.results import JobResult
from convexp.terminal import console


@pytest.fixture
def result(tmp_path):
    """The result of a run in a state: result("failed")."""

    def make(state):
        folder = tmp_path / state
        if not folder.exists():
            kept(tmp_path, with_path(state, run(), state=state))
        return JobResult(0, JobReturn(hydra_cfg=OmegaConf.create({"hydra": {"runtime": {"output_dir": str(folder)}}})))

    return make


def test_failed_killed_and_refused_runs_are_counted_and_no_others(result):
    count = FailureCount()
    noted = [count.note(each) for each in (result("finished"), result("running"), result("failed"), result("interrupted"))]
    assert noted == ["", "", "failed=1", "failed=1"]
    assert count.note(JobResult(0, exit_code=-9)) == "failed=2"
    assert count.note(JobResult(0, None)) == "failed=3"


def test_it_stands_beside_the_bar_on_a_terminal_and_nothing_is_read_elsewhere(result, monkeypatch, capsys):
    results = [result("failed"), result("finished")]
    assert list(console.track(results, "runs", delay=0, note=lambda _: pytest.fail("no terminal"))) == results
    monkeypatch.setattr(console, "is_terminal", lambda: True)
    assert list(console.track(results, "runs", delay=0, note=FailureCount().note)) == results
    assert "failed=1" in capsys.readouterr().err
