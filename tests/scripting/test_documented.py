"""The code of docs/python.md runs, in an empty folder, within a job of another Hydra application."""

import re

import hydra
import pytest
from conftest import ROOT
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf

from convexp import runs
from convexp.reporting import charts

BLOCKS = re.findall(
    r"^```python\n(.*?)^```", (ROOT / "docs" / "python.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
)
SMALL = '"trainer=cpu", "trainer.threads=1", "model.channels=[1]", "data.train_size=64", "probes=[shift_map]", '
SMALL += '"probes.shift_map.max_shift=1", "model.kernel_size=3", '
RESUMES = '"trainer.max_epochs=4"'  # keeps its settings


def quick(block):
    """The code with smaller networks, fewer images, and without worker processes, which another test starts."""
    block = re.sub(rf"convexp\.train\((?!{RESUMES})", f"convexp.train({SMALL}", block)
    return block.replace("convexp.sweep(", f'convexp.sweep({SMALL}"hydra.launcher.processes=1", ')


@pytest.mark.integration
@pytest.mark.filterwarnings("ignore::UserWarning")  # Hydra's, of the application's version base
def test_the_code_runs_within_another_application(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(charts, "draw_charts", lambda report: [])  # they take seconds
    (tmp_path / "app.yaml").write_text("wiring: conv\n")
    monkeypatch.setattr("sys.argv", ["app", "wiring=dense"])
    names = {}

    @hydra.main(config_path=str(tmp_path), config_name="app", version_base="1.1")
    def application(cfg):
        where, before = HydraConfig.get().runtime.output_dir, OmegaConf.to_yaml(HydraConfig.get())
        for block in BLOCKS:
            exec(compile(quick(block), "docs/python.md", "exec"), names)
        names["result"] = names["job"](cfg)
        assert HydraConfig.get().runtime.output_dir == where
        assert OmegaConf.to_yaml(HydraConfig.get()) == before

    application()
    assert names["message"].startswith("model=locl: there is no such option; did you mean model=local? There are conv, dense, ")
    assert names["table"].state.tolist() == ["finished"] * 4
    assert set(names["mean"]) == {"local", "conv"}
    (extended,) = names["run"].record.extended or runs.open("outputs/longer").record.extended
    assert (extended.from_epochs, extended.to_epochs) == (2, 4)
    assert 0 <= names["result"] <= 1
