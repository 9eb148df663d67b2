"""The benchmark of the playground runs."""

import importlib.util
import sys

import pytest
import torch
from browser import absent, find_chromium
from conftest import ROOT


@pytest.mark.e2e
def test_every_network_of_a_set_is_measured(monkeypatch, capsys):
    if find_chromium() is None:
        absent("no Chromium found")
    pytest.importorskip("playwright")
    monkeypatch.syspath_prepend(ROOT / "scripts")
    spec = importlib.util.spec_from_file_location("bench_playground", ROOT / "scripts" / "bench_playground.py")
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    arguments = ("--frames", "2", "--pages", "2", "--exports", "2", "--sets", "three_layers")
    monkeypatch.setattr(sys, "argv", ["bench_playground", *arguments])
    threads = torch.get_num_threads()
    bench.main()
    torch.set_num_threads(threads)
    out = capsys.readouterr().out
    assert out.count("bytes, written in") == out.count("ms a frame") == 3
    assert "all of three_layers: " in out
