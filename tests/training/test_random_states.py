"""Every generator that a run may draw from goes on as it would alone while other runs draw from theirs."""

import os
import random
from functools import partial

import numpy as np
import pytorch_lightning as pl
import torch

from convexp.machine.group import meet, run_group
from convexp.training import random_states


def draw(seed, rest):
    pl.seed_everything(seed, workers=True, verbose=False)
    drawn = []
    for _ in range(3):
        rest()
        drawn += [float(torch.rand(())), np.random.rand(), np.random.randint(9), random.random(), os.environ["PL_GLOBAL_SEED"]]
    return drawn


def test_each_run_draws_what_it_would_draw_alone(monkeypatch):
    for name in random_states.SEEDS:  # restored afterwards
        monkeypatch.setenv(name, "5")
    alone = [draw(seed, lambda: None) for seed in range(3)]
    pl.seed_everything(7, verbose=False)
    following = [float(torch.rand(())), np.random.rand(), random.random()]
    pl.seed_everything(7, verbose=False)
    assert dict(run_group([partial(draw, seed, lambda: meet(None, list)) for seed in range(3)])) == dict(enumerate(alone))
    assert [float(torch.rand(())), np.random.rand(), random.random()] == following
    assert os.environ["PL_GLOBAL_SEED"] == "7"
