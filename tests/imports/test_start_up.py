"""What a run imports before its first step, on the versions that are installed, in a fresh process."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

SEEN = """
import sys
from pathlib import Path
from pytorch_lightning.callbacks import Callback

class Seen(Callback):
    def on_train_batch_end(self, trainer, *_):
        if trainer.global_step == 1:
            Path("modules").write_text("\\n".join(sys.modules))
"""
METERED = """
import pytorch_lightning as pl
from torch.nn import functional as F
from torchmetrics.classification import MulticlassAccuracy

class Metered(pl.LightningModule):
    def __init__(self, network, make_optimizer, make_scheduler):
        super().__init__()
        self.network, self.make_optimizer = network, make_optimizer
        self.accuracy = MulticlassAccuracy(10, average="micro")

    def configure_optimizers(self):
        return self.make_optimizer(self.parameters())

    def training_step(self, batch, batch_idx):
        return F.cross_entropy(self.network(batch[0]), batch[1])

    def validation_step(self, batch, batch_idx):
        answers = self.network(batch[0])
        self.accuracy(answers, batch[1])
        self.log("val/acc", self.accuracy)
        self.log("val/mean", (answers.argmax(1) == batch[1]).float().mean(), batch_size=len(batch[1]))

    def test_step(self, batch, batch_idx):
        self.log("test/loss", F.cross_entropy(self.network(batch[0]), batch[1]))
"""


def test_first_step_needs_little_and_others_get_everything(tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    (own / "seen.py").write_text(SEEN)
    (own / "metered.py").write_text(METERED)
    program = Path(__file__).with_name("first_step.py")
    done = subprocess.run([sys.executable, program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    found = json.loads((tmp_path / "found.json").read_text())
    assert found == {
        "imported before the first step": [],
        "the compiler": False,
        "an own metric is logged": True,
        "the same with the compiler": True,
    }
