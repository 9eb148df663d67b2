"""The benchmark of augmentation runs."""

import importlib.util
import sys

import pytest
import torch
from conftest import ROOT


@pytest.mark.integration
def test_every_augmentation_is_measured(monkeypatch, capsys):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    spec = importlib.util.spec_from_file_location("bench_augment", ROOT / "scripts" / "bench_augment.py")
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    monkeypatch.setattr(sys, "argv", ["bench_augment", "--rounds", "1", "--steps", "1", "data=digits"])
    threads = torch.get_num_threads()
    bench.main()
    torch.set_num_threads(threads)
    out = capsys.readouterr().out
    assert out.count("of a step without") == len(bench.WAYS)
    for way in bench.WAYS:
        assert f"\n{way} " in f"\n{out}"
