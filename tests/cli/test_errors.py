"""Every mistake a user can make in the configuration: one line, exit code 2, nothing left behind."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, SMALL, read
from omegaconf import OmegaConf

from convexp.cli.application import errors_in_one_line

FEW = ("data.source.train=300", "data.source.test=200", "data.val_size=100", "probes=none")
LIGHTNING, SCHEDULER = "pytorch_lightning.callbacks", "GradientAccumulationScheduler"
MISTAKES = {
    "a section that others need": (["~data"], ["data.name: is missing, and name takes its value from it"]),
    "none beside others": (["augment=[flip,none]"], ["augment=[flip,none]: none leaves nothing", "choose none alone"]),
    "an option twice": (
        ["probes=[flip_rate,kernels,flip_rate]"],
        ["probes=[flip_rate,kernels,flip_rate]: names flip_rate twice"],
    ),
    "a range without a value": (["-m", "seed=range(3,1)"], ["seed: should have a value"]),
    "a configuration that is none": (["--config-name", "mine"], ["--config-name=mine: there is no mine.yaml", "--config-dir"]),
    "a folder of configurations that is none": (["--config-path", "mine"], ["--config-path", "--config-dir"]),
    "a switch with a wrong value": (["--cfg", "jobs"], ["--cfg", "'jobs'", "job"]),
    "a part of the configuration that is none": (
        ["--cfg", "job", "-p", "modle"],
        ["--package=modle: there is no such section or setting; did you mean model?\n"],
    ),
    "a part of the configuration that is null": (["--cfg", "job", "--package=study"], ["--package=study: is null"]),
    "a switch without its value": (["--config-dir"], ["--config-dir", "expected one argument"]),
    "two things at once": (["-m", "-sc", "install=bash"], ["--multirun --shell-completion: only one"]),
    "completion of no shell": (["-sc"], ["--shell-completion: should be followed by install=bash"]),
    "completion of an unknown shell": (["-sc", "install=sh"], ["--shell-completion install=sh: should be", "fish"]),
    "a folder in place of a file": (
        ["data=npz", "data.source.file=.", "data.classes=3", "data.image_shape=[1,8,8]"],
        ["data.source.file=.: is no file"],
    ),
    "a shape that a source does not have": (
        ["data=waldo", "data.image_shape=[1,32]"],
        ["data.image_shape=[1, 32]: should be one"],
    ),
    "unknown option": (["model=cnov"], ["model=cnov", "conv", "dense"]),
    "a misspelled option": (
        ["data=mnsit"],
        ["data=mnsit: there is no such option; did you mean data=mnist? There are cifar10, "],
    ),
    "a misspelled option in a folder": (
        ["study=paper/otta"],
        ["study=paper/otta: there is no such option; did you mean study=paper/ott? There are anti_aliasing, "],
    ),
    "no option at all like this": (["experiment=foo"], ["experiment=foo: there is no such option; there are none, "]),
    "unknown group": (["modle=conv"], ["modle", "model"]),
    "unknown setting": (["trainer.epochs=3"], ["trainer.epochs", "did you mean max_epochs or min_epochs?"]),
    "a misspelled section": (["optimzer.lr=0.1"], ["optimzer.lr: there is no such setting; did you mean optimizer.lr?\n"]),
    "a section and a setting misspelled": (["modle.kernl_size=3"], ["modle.kernl_size: ", "did you mean model.kernel_size?\n"]),
    "a section within a section": (["data.shfit.train=3"], ["data.shfit.train: ", "did you mean data.shift.train?\n"]),
    "a misspelled section without such a setting": (["optimzer.abc=1"], ["optimzer.abc: ", "did you mean optimizer?\n"]),
    "a setting of a section": (["kernel_size=5"], ["kernel_size: ", "did you mean model.kernel_size?"]),
    "several settings of sections": (["epochs=3"], ["did you mean trainer.max_epochs or trainer.min_epochs?"]),
    "several values": (["model.channels=2,4"], ["model.channels=2,4: several", "-m", "a list is written model.channels=[2,4]"]),
    "several options": (["model=conv,local"], ["model=conv,local: several values are several runs, which -m does\n"]),
    "a setting written as a switch": (
        ["-m", "study=border", "--dry-run"],
        ["--dry-run: there is no such switch; a setting is written dry_run=true\n"],
    ),
    "a setting written as a switch of a sweep": (
        ["-m", "model=conv,local", "--reuse"],
        ["--reuse: there is no such switch; a setting is written reuse=true\n"],
    ),
    "a setting written as a switch, with its value": (["--outputs=x"], ["--outputs=x: ", "a setting is written outputs=x\n"]),
    "a setting of a section written as a switch": (["--trainer.max-epochs", "3"], ["is written trainer.max_epochs=...\n"]),
    "unknown switch": (["--mulitrun"], ["--mulitrun: there is no such switch; did you mean --multirun?"]),
    "added typo": (["+model.widht=1"], ["model.widht", "width"]),
    "added typo in a target": (["+model.wiring.biass=channel"], ["model.wiring.biass"]),
    "added typo in a probe": (["+probes.shift_map.max_shfit=1"], ["probes.shift_map.max_shfit", "max_shift"]),
    "added typo in a section's name": (["+optimzer.lr=0.1"], ["optimzer.lr: ", "did you mean optimizer.lr?\n"]),
    "added typo in a section of a section": (
        ["+data.shfit.train=2"],
        ["data.shfit.train: ", "did you mean data.shift.train?\n"],
    ),
    "added section without such a setting": (["+optimzer.abc=1"], ["optimzer: ", "did you mean optimizer?\n"]),
    "added typo at the top": (["+sede=1"], ["sede", "seed"]),
    "deleted setting": (["~trainer.max_epochs"], ["trainer.max_epochs", "missing"]),
    "unreadable override": (["trainer.max_epochs="], ["trainer.max_epochs"]),
    "syntax": (["model.channels=[1,2"], ["model.channels=[1,2"]),
    "quoted for the shell only": (["name=my run [1]"], ["name=my run [1]: cannot", """'name="my run [1]"'"""]),
    "a blank too many": (["seed = 1"], ["seed = 1: cannot be read; write setting=value"]),
    "a function of other libraries": (
        ["optimizer.lr=loguniform(1e-4, 1e-1)"],
        ["there is no function loguniform", "hydra/sweeper=optuna", "'optimizer.lr=tag(log, interval(1e-4, 1e-1))'"],
    ),
    "another one": (["optimizer.lr=uniform(0,1)"], ["there is no function uniform; a search", "'optimizer.lr=interval(0,1)'"]),
    "a function of no library": (["optimizer.lr=among(1,2)"], ["there is no function among; there are choice, range, "]),
    "a folder that holds no run": (["."], [".: is a folder, where a setting is due; write setting=value\n"]),
    "channels last": (
        ["data.image_shape=[64,64,3]"],
        ["data.image_shape=[64, 64, 3]: should have its channels first: [3, 64, 64]"],
    ),
    "a value that Hydra's own setting does not take": (["hydra.run.dir=null"], ["hydra.run.dir=null: ", "not Optional"]),
    "not a number": (["trainer.max_epochs=abc"], ["trainer.max_epochs=abc", "integer"]),
    "not an integer": (["trainer.max_epochs=1.5"], ["trainer.max_epochs=1.5", "integer"]),
    "zero epochs": (["trainer.max_epochs=0"], ["trainer.max_epochs=0", "greater than 0"]),
    "negative seed": (["seed=-1"], ["seed=-1", "0"]),
    "seed beyond 32 bits": (["seed=4294967296"], ["seed=4294967296", "less than"]),
    "not a bool": (["compile=perhaps"], ["compile=perhaps", "bool"]),
    "negative rate": (["optimizer.lr=-1"], ["optimizer.lr=-1", "greater than 0"]),
    "infinite rate": (["optimizer.lr=inf"], ["optimizer.lr=inf", "finite"]),
    "half an image to overfit": (["trainer.overfit_batches=1.5"], ["trainer.overfit_batches=1.5", "a share of them"]),
    "rate is text": (["optimizer.lr=fast"], ["optimizer.lr=fast", "number"]),
    "null where a number is due": (["data.batch_size=null"], ["data.batch_size=null", "integer"]),
    "zero channels": (["model.channels=[0,3]"], ["model.channels", "greater than 0"]),
    "negative stride": (["model.stride=-2"], ["model.stride=-2", "greater than 0"]),
    "zero kernel": (["model.kernel_size=0"], ["model.kernel_size=0", "greater than 0"]),
    "kernel is text": (["model.kernel_size=big"], ["model.kernel_size=big", "integer"]),
    "padding by another name": (["model.padding=full"], ["model.padding=full: should be a number of pixels"]),
    "negative padding": (["model.padding=-1"], ["model.padding=-1", "same"]),
    "kernel larger than the image": (
        ["model.kernel_size=[99,3]", "model.padding=0"],
        ["model.kernel_size=99", "stage 0", "16"],
    ),
    "kernel larger than the second stage": (["model.kernel_size=[5,9]", "model.padding=valid"], ["stage 1", "9"]),
    "even kernel larger than the image with same": (
        ["model.kernel_size=40"],
        ["model.kernel_size=40: should be 33 at most for images of 16 pixels\n"],
    ),
    "even kernel with same": (["model.kernel_size=4"], ["model.padding=same", "odd", "4"]),
    "one kernel too few": (["model.kernel_size=[5,3,3]"], ["model.kernel_size=[5, 3, 3]", "2"]),
    "reflection wider than the image": (["model.padding=20", "model.padding_mode=reflect"], ["padding=20", "reflect", "15"]),
    "global conv cannot reflect": (
        ["model=global_conv", "model.padding_mode=reflect"],
        ["model (global_conv): padding_mode=reflect: a global convolution has zeros or circular\n"],
    ),
    "global conv cannot reflect, of a dry run": (
        ["model=global_conv", "model.padding_mode=reflect", "dry_run=true"],
        ["model (global_conv): padding_mode=reflect: a global convolution has zeros or circular\n"],
    ),
    "pool larger than its input": (["model.pool=max", "model.pool_size=9"], ["pool_size=9", "stage 0"]),
    "unknown border": (["model.padding_mode=mirror"], ["model.padding_mode=mirror", "reflect"]),
    "unknown readout": (["model.readout=mean"], ["model.readout=mean", "global_avg"]),
    "unknown norm": (["model.norm=layer"], ["model.norm=layer", "batch"]),
    "what rich takes for a picture": (["match=params:-1"], ["match=params:-1: should be"]),
    "unknown match": (["match=parameters"], ["match=parameters", "params:N"]),
    "canvas smaller than the image": (["data.canvas=7"], ["data.canvas=7", "8"]),
    "position off the canvas": (["data.position=[9,0]"], ["data.position=[9, 0]", "[8, 8]"]),
    "random without room": (["data.canvas=null", "data.position=random"], ["data.position=random", "data.canvas"]),
    "unknown position": (["data.position=middle"], ["data.position=middle", "centre"]),
    "half a pixel of position": (["data.position=[0.5,1]"], ["data.position=[0.5, 1]", "whole numbers"]),
    "shift of three dimensions": (["data.shift.test=[1,1,1]"], ["data.shift.test=[1, 1, 1]", "2 whole numbers"]),
    "shift of the whole image": (["data.shift.train=1.0"], ["data.shift.train=1.0", "below 1.0"]),
    "shift as large as the image": (["data.shift.val=16"], ["data.shift.val=16", "16x16"]),
    "window without cropping": (["data.shift.window=8"], ["data.shift.window=8", "crop"]),
    "window that cannot move": (
        ["data.shift.protocol=crop", "data.shift.window=15", "data.shift.train=2"],
        ["data.shift.window=15", "12"],
    ),
    "unknown protocol": (["data.shift.protocol=roll"], ["data.shift.protocol=roll", "circular"]),
    "share of more than all": (["data.train_size=1.5"], ["data.train_size=1.5", "share"]),
    "no samples": (["data.train_size=0"], ["data.train_size=0", "share"]),
    "what the user has to say": (["data=image_folder"], ["data.source.root", "data.classes", "missing"]),
    "no such folder": (
        ["data=image_folder", "data.classes=2", "data.source.root=nowhere"],
        ["data.source.root=nowhere", "no such folder"],
    ),
    "a path that is a number": (
        ["data=image_folder", "data.classes=2", "data.source.root=2024"],
        ["data.source.root=2024", "quote"],
    ),
    "a path that is none": (
        ["data=npz", "data.classes=2", "data.image_shape=[1,9,9]", "data.source.file=null"],
        ["data.source.file=null: should be text\n"],
    ),
    "crops of nothing": (
        ["data.shift.protocol=crop", "data.shift.train=12"],
        ["data.shift.protocol=crop", "leave 0"],
    ),
    "misspelled momentum": (["optimizer=sgd", "optimizer.moment=0.9"], ["optimizer.moment", "momentum"]),
    "no setting of SGD": (["optimizer=sgd", "optimizer.zzz=1"], ["optimizer.zzz", "momentum", "nesterov", "dampening"]),
    "what only torch names": (["optimizer.betas=[0.8,0.99]"], ["optimizer.betas", "write", "+optimizer.betas=[0.8,0.99]"]),
    "neither true nor false": (["optimizer=sgd", "optimizer.nesterov=maybe"], ["optimizer.nesterov=maybe", "true or false"]),
    "unknown optimizer setting": (["+optimizer.amsgrat=true"], ["optimizer.amsgrat", "amsgrad"]),
    "a list of Lightning's": (["callbacks=early_stopping", "callbacks.early_stopping.monitor=[1]"], ["monitor=[1]", "text"]),
    "no such file": (
        ["data=npz", "data.classes=2", "data.image_shape=[1,9,9]", "data.source.file=nowhere.npz"],
        ["data.source.file=nowhere.npz", "no such file"],
    ),
    "shift larger than the canvas": (["probes.shift_map.max_shift=16"], ["probes.shift_map.max_shift=16", "15"]),
    "unknown device": (["trainer.accelerator=cuad"], ["trainer.accelerator=cuad", "gpu"]),
    "unknown precision": (["trainer.precision=8"], ["trainer.precision=8", "bf16-mixed"]),
    "missing data folder": (["data=mnist", "data.source.root=nowhere"], ["data.source.root=nowhere", "CONVEXP_DATA"]),
    "unknown target": (["model.wiring._target_=convexp.layers.conv.Conv9d"], ["model.wiring._target_", "Conv9d"]),
    "arguments by place": (["+model.wiring._args_=[1]"], ["model.wiring._args_", "by name"]),
    "Hydra's conversion": (["+data.source._convert_=all"], ["data.source._convert_", "by name"]),
    "partial that is none": (["model.wiring._partial_=1"], ["model.wiring._partial_=1", "true or false"]),
    "wiring made at once": (["model.wiring._partial_=false"], ["model.wiring._partial_=false", "should be true"]),
    "probe made later": (["+probes.shift_map._partial_=true"], ["probes.shift_map._partial_=true", "should be false"]),
    "text that would be interpreted": (["+optimizer.eps='\\${seed}'"], ["optimizer.eps=${seed}", "interpreted"]),
    "no setting": (["=1"], ["=1: names no setting"]),
    "no model": (["model=null"], ["model=null", "conv", "dense"]),
    "two models at once": (["model=[conv,local]"], ["model=['conv', 'local']", "the name of one option", "dense"]),
    "a number for an option": (["callbacks=1.5"], ["callbacks=1.5", "early_stopping"]),
    "true for an option": (["probes=true"], ["probes=true", "shift_map"]),
    "a list in a list of options": (["probes=[shift_map,[consistency]]"], ["probes=", "list of names"]),
    "no name of an option in a sweep": (["-m", "scheduler=3,one_cycle"], ["scheduler=3", "cosine"]),
    "steps of nothing": (["-m", "seed=range(1,2,0)"], ["seed=range(1,2,0)", "zero"]),
    "a sweep without end": (["-m", "seed=range(0,1000000000)"], ["seed=range(0,1000000000)", "100,000"]),
    "a sweep of too many": (["-m", "seed=range(0,1000)", "model.width=range(1,1000)"], ["seed; model.width", "999,000 runs"]),
    "a sweep that resumes": (["-m", "resume=nowhere"], ["resume", "start it again"]),
    "a name of 300 characters": ([f"name={'a' * 300}"], ["name=aaa", "200 bytes"]),
    "umlauts count twice": ([f"name='{'ä' * 101}'"], ["name=ää", "200 bytes"]),
    "a name elsewhere": (["name=../../escape"], ["name=../../escape", "'/'"]),
    "no name": (["name=''"], ["name=", "folder"]),
    "a study's name elsewhere": (["study=three_layers", "study.name=../x"], ["study.name=../x", "'/'"]),
    "a folder with a name too long": ([f"hydra.run.dir=runs/{'a' * 256}"], ["hydra.run.dir", "256 bytes"]),
    "the working folder": (["hydra.run.dir=."], ["hydra.run.dir=.", "folder you are in"]),
    "no folder": (["hydra.run.dir=''"], ["hydra.run.dir=''", "is empty"]),
    "above the working folder": (["hydra.run.dir=.."], ["hydra.run.dir=..", "folder you are in"]),
    "a sweep of the working folder": (["-m", "hydra.sweep.dir=."], ["hydra.sweep.dir=.", "folder you are in"]),
    "a sweep's folder below a file": (["-m", "hydra.sweep.dir=/dev/null/x"], ["hydra.sweep.dir=/dev/null/x"]),
    "a run outside of its sweep": (["-m", "hydra.sweep.subdir=../x"], ["hydra.sweep.subdir=../x", "within"]),
    "a run of a sweep with a long name": (["-m", f"hydra.sweep.subdir={'a' * 256}"], ["hydra.sweep.subdir", "256 bytes"]),
    "how much Hydra is to say": (["hydra.verbose=3"], ["hydra.verbose=3", "true or false"]),
    "nothing to resolve": (["--resolve"], ["--resolve", "--cfg job"]),
    "Hydra's own notes": (["hydra.output_subdir=x"], ["hydra.output_subdir=x", "null"]),
    "more threads than any machine has": (["trainer.threads=10000000000"], ["trainer.threads=10000000000", "256"]),
    "more workers than any machine has": (["data.workers=1000000000000"], ["data.workers=1000000000000", "256"]),
    "a monitor that nobody logs": (
        ["callbacks=early_stopping", "callbacks.early_stopping.monitor=nope"],
        ["callbacks.early_stopping.monitor=nope", "val/loss"],
    ),
    "a monitor of Lightning's that nobody logs": (
        ["+callbacks.mine={_target_:pytorch_lightning.callbacks.EarlyStopping,monitor:nope}", "probes=none"],
        ["callbacks.mine.monitor=nope", "val/loss"],
    ),
    "an image larger than the memory": (["data.canvas=1000000"], ["data.canvas=1000000", "5,000 GB", "free"]),
    "a width that leaves nothing": (["model.width=1e-9"], ["model.width=1e-09", "model.channels=16"]),
    "a width beyond all numbers": (["model.width=1e300"], ["model.width=1e+300", "model.channels=16"]),
    "nothing to be wired": (["model.channels=[]"], ["model.channels=[]", "Conv2d", "model=mlp"]),
    "a stride larger than the image": (["model.stride=17"], ["model.stride=17", "16"]),
    "taps that never see the image": (["model.kernel_size=35"], ["model.kernel_size=35", "33"]),
    "shifts by nothing": (["probes.consistency.max_shift=0"], ["probes.consistency.max_shift=0", "between 1 and 15"]),
    "infinite shifts": (["probes.consistency.max_shift=inf"], ["probes.consistency.max_shift=inf", "finite"]),
    "no number of images": (["probes=accounting", "probes.accounting.batch=nan"], ["probes.accounting.batch=nan", "finite"]),
    "images, 1e30 of them": (["probes.consistency.max_images=1e30"], ["probes.consistency.max_images=1e+30", "whole"]),
    "an infinite seed": (["data=waldo", "data.source.seed=inf"], ["data.source.seed=inf", "finite"]),
    "half a seed": (["data.source.split_seed=1.5"], ["data.source.split_seed=1.5", "whole"]),
    "neither soft nor hard": (["model=low_rank_local", "model.wiring.softmax=null"], ["model.wiring.softmax=null", "true"]),
    "batch norm of one image": (["data.batch_size=1", "model.norm=batch_unit"], ["data.batch_size=1", "model.norm=batch_unit"]),
    "batch norm of one number": (
        ["data.batch_size=1", "model.norm=batch", "model.hidden=[4]"],
        ["data.batch_size=1", "model.norm=batch"],
    ),
    "steps that grow": (["optimizer=sgd", "optimizer.momentum=1.5"], ["optimizer.momentum=1.5", "below 1"]),
    "wrong elsewhere": (["outputs=../elsewhere", "seed=-1"], ["seed=-1"]),
    "nothing to resume": (["resume=nowhere"], ["resume=nowhere", "no run"]),
    "resume and change": (["resume=nowhere", "seed=1"], ["resume=nowhere", "seed=1"]),
    "an augmentation more than always": (
        ["augment=flip", "augment.flip.probability=1.5"],
        ["augment.flip.probability=1.5", "1"],
    ),
    "an unknown augmentation": (["augment=flop"], ["augment=flop", "cutout", "mixup"]),
    "a padding larger than the image": (["augment=crop", "augment.crop.padding=16"], ["augment.crop.padding=16", "15"]),
    "a square larger than the image": (["augment=cutout", "augment.cutout.size=17"], ["augment.cutout.size=17", "16"]),
    "no beta distribution": (["augment=mixup", "augment.mixup.alpha=0"], ["augment.mixup.alpha=0", "0.001"]),
    "an axis that is none": (["augment=flip", "augment.flip.axis=diagonal"], ["augment.flip.axis=diagonal", "vertical"]),
    "half an operation": (["augment=rand_augment", "augment.rand_augment.operations=1.5"], ["operations=1.5", "whole"]),
    "a rotated signal": (
        ["augment=rotate", "data.image_shape=[1,8]", "model.kernel_size=1", "model.stride=1"],
        ["augment.rotate", "two dimensions", "signals"],
    ),
    "a misspelled argument of the Trainer": (["trainer.acumulate_grad_batches=2"], ["did you mean accumulate_grad_batches?"]),
    "an added argument that the Trainer lacks": (["+trainer.limit_train_batchs=2"], ["did you mean limit_train_batches?"]),
    "an argument that convexp passes": (["trainer.plugins=null"], ["trainer.plugins: is no setting"]),
    "an added argument that convexp passes": (["+trainer.logger=true"], ["trainer.logger: is no setting", "group logger"]),
    "an end by the clock": (["+trainer.max_time=00:01:00:00"], ["trainer.max_time: is no setting", "trainer.max_steps"]),
    "no accumulation": (["trainer.accumulate_grad_batches=0"], ["trainer.accumulate_grad_batches=0", "greater than 0"]),
    "more than all batches": (["trainer.limit_train_batches=1.5"], ["trainer.limit_train_batches=1.5", "share", "1.0"]),
    "more epochs than there are": (["trainer.min_epochs=9"], ["trainer.min_epochs=9", "trainer.max_epochs=5"]),
    "never validated": (["trainer.check_val_every_n_epoch=6"], ["trainer.check_val_every_n_epoch=6", "trainer.max_epochs=5"]),
    "steps that may end without a validation": (
        ["trainer.max_steps=100", "trainer.check_val_every_n_epoch=2"],
        ["trainer.check_val_every_n_epoch=2", "trainer.max_steps"],
    ),
    "accumulated twice": (
        [
            "trainer.accumulate_grad_batches=2",
            f"+callbacks.a={{_target_:{LIGHTNING}.GradientAccumulationScheduler,scheduling:{{0:1}}}}",
        ],
        ["trainer.accumulate_grad_batches=2", "should be 1", "callbacks.a"],
    ),
    "clipping a fused step": (
        ["trainer.precision=bf16-mixed", "trainer.gradient_clip_val=1.0"],
        ["optimizer.fused=true", "trainer.precision=bf16-mixed"],
    ),
}

# These are found when the things are built, with torch.
LATER = {
    "an epoch that does not end with a validation": (
        ["trainer.val_check_interval=0.4"],
        ["trainer.val_check_interval=0.4", "39 batches", "1, 3, 13, 39"],
    ),
    "a share of the batches that is none": (
        ["trainer.limit_train_batches=0.01"],
        ["trainer.limit_train_batches=0.01", "0.026"],
    ),
    "an augmentation of one's own that forgets the labels": (
        ["+augment.own._target_=own_augmentations.NoLabels"],
        ["augment.own: returns a Tensor", "images and labels"],
    ),
    "an augmentation of one's own that fails": (
        ["+augment.own._target_=own_augmentations.Fails"],
        ["augment.own (own_augmentations.Fails)", "three channels"],
    ),
    "an augmentation that is none": (["+augment.own._target_=own_augmentations.number"], ["augment.own: makes a int"]),
    "augmented where objects are looked for": (
        ["task=localisation", "data=waldo", "data.source.task=location", "data.classes=9", "augment=flip", *FEW],
        ["augment=[flip]", "boxes of the objects", "Localisation"],
    ),
    "a callback with a state that is code": (
        ["+callbacks.mine={_target_:own_callbacks.Arrays}"],
        ["callbacks.mine (Arrays)", "numpy.ndarray at ['seen']"],
    ),
    "an average that is not tested": (
        [f"+callbacks.swa={{_target_:{LIGHTNING}.StochasticWeightAveraging,swa_lrs:0.01}}", "scheduler=none"],
        ["callbacks.swa (StochasticWeightAveraging): averages weights after the last validation", "ema=0.99"],
    ),
    "a callback without its argument": (
        ["+callbacks.mine={_target_:own_callbacks.Accuracies}"],
        ["callbacks.mine.every", "missing"],
    ),
    "negative test size": (["data.source.test_size=-0.2"], ["data.source.test_size=-0.2", "share"]),
    "a layer of another signature": (
        ["model.wiring._target_=torch.nn.Conv2d"],
        ["model.wiring", "torch.nn.Conv2d", "input_size"],
    ),
    "a layer that does nothing": (["model.wiring._target_=torch.nn.Identity"], ["Identity returns (1, 16, 16)", "(16, 8, 8)"]),
    "a wiring that is none": (["model.wiring._target_=builtins.dict"], ["model.wiring._target_=builtins.dict", "Module"]),
    "no such package": (["model.wiring._target_=nowhere.Layer"], ["model.wiring._target_=nowhere.Layer", "pythonpath"]),
    "no such name": (["model.wiring._target_=torch.nn.Conv9d"], ["model.wiring (torch.nn.Conv9d)", "Conv9d"]),
    "a name without a package": (["model.wiring._target_=Layer"], ["model.wiring._target_=Layer", "package.module.Name"]),
    "a source that is none": (["data.source._target_=builtins.dict"], ["data.source._target_=builtins.dict", "Source"]),
    "an optimizer that is none": (["optimizer._target_=builtins.dict"], ["optimizer._target_=builtins.dict", "Optimizer"]),
    "a schedule without the number of steps": (
        ["scheduler=cosine", "scheduler._target_=torch.optim.lr_scheduler.CosineAnnealingLR", "+scheduler.T_max=20"],
        ["scheduler._target_=torch.optim.lr_scheduler.CosineAnnealingLR", "total_steps"],
    ),
    "a schedule that is none": (["scheduler._target_=builtins.dict"], ["scheduler._target_=builtins.dict", "LRScheduler"]),
    "a probe that is none": (["+probes.mine={_target_:collections.OrderedDict}"], ["probes.mine._target_", "Probe"]),
    "a callback that is none": (
        ["+callbacks.mine={_target_:collections.OrderedDict}"],
        ["callbacks.mine._target_", "Callback"],
    ),
    "a callback that logs nowhere": (
        ["+callbacks.mine={_target_:pytorch_lightning.callbacks.LearningRateMonitor}", "logger=none"],
        ["callbacks.mine", "needs a logger"],
    ),
    "two callbacks in one place of a checkpoint": (
        [f"+callbacks.{name}={{_target_:pytorch_lightning.callbacks.Timer}}" for name in ("a", "b")],
        ["callbacks: ", "`Timer`"],
    ),
    "a second progress bar": (
        ["+callbacks.mine={_target_:pytorch_lightning.callbacks.TQDMProgressBar}"],
        ["callbacks: ", "`TQDMProgressBar`"],
    ),
    "a logger that is none": (
        ["+logger.mine={_target_:collections.OrderedDict,_partial_:true}"],
        ["logger.mine._target_", "Logger"],
    ),
    "an address that MLflow does not know": (
        ["logger=mlflow", "logger.mlflow.tracking_uri=foo:///x"],
        ["logger.mlflow.tracking_uri=foo:///x: should be a database, sqlite:///FILE, or a server, http://HOST:PORT\n"],
    ),
    "no GPU": (["trainer=gpu"], ["trainer.accelerator=gpu", "trainer=cpu"]),
    "no such optimizer": (["optimizer._target_=torch.optim.Adem"], ["optimizer", "Adem"]),
    "budget too small": (["match=params:3"], ["match=params:3", "even one channel"]),
    "split larger than the data": (["data.val_size=1797"], ["data.val_size=1797"]),
    "too many held out": (["data.source.test_size=1790"], ["data.source.test_size=1790"]),
    "wrong shape": (["data.image_shape=[1,9,9]"], ["data.image_shape=[1, 9, 9]", "8"]),
    "too few classes": (["data.classes=9"], ["data.classes=9", "10 classes"]),
    "too many classes": (["data.classes=11"], ["data.classes=11", "10 classes"]),
    "more to train on than there are": (["data.train_size=2000"], ["data.train_size=2000", "1257"]),
    "too few to train on": (["data.train_size=9"], ["data.train_size=9: no sample of class 8", "should be 10 or more"]),
    "unknown split": (["data=emnist", "data.source.root=.", "data.source.split=all"], ["data.source.split=all", "balanced"]),
    "warm-up beyond the end": (["scheduler.warmup=1.5"], ["scheduler", "warmup=1.5"]),
    "milestone beyond the end": (["scheduler=step", "scheduler.milestones=[2]"], ["scheduler", "milestones=[2]"]),
    "betas out of range": (["+optimizer.betas=[2,3]"], ["optimizer", "beta"]),
    "unknown probe": (["probes=shift_mpa"], ["probes=shift_mpa", "shift_map"]),
    "unknown protocol": (["probes.shift_map.protocol=roll"], ["probes.shift_map.protocol=roll", "circular"]),
    "crops without a larger canvas": (
        ["probes.consistency.protocol=crop"],
        ["probes.consistency.max_shift=4", "no room", "data.shift.window"],
    ),
    "step larger than the canvas": (
        ["probes=flip_rate", "probes.flip_rate.pixels=16"],
        ["probes.flip_rate.pixels=16", "15"],
    ),
    "probes every now and then": (["probe_every=-1"], ["probe_every=-1", "0"]),
    "no deformation": (
        ["probes=relative_stability", "probes.relative_stability.displacement=0"],
        ["probes.relative_stability", "displacement=0", "above 0"],
    ),
    "more than all units": (
        ["probes=invariance_by_layer", "probes.invariance_by_layer.top=2"],
        ["invariance_by_layer", "top=2"],
    ),
    "weights larger than the memory": (["model.channels=[1000000,1000000]"], ["model (conv)", "72,001 GB", "free"]),
    "activations larger than the memory": (  # 2 GB an image
        ["data.canvas=20000", "model.stride=40", "data.batch_size=1000"],
        ["data.batch_size=1000", "free"],
    ),
    "more images than fit into memory": (
        ["data=waldo", "data.source.train=1000000000000"],
        ["data.source.train=1000000000000", "free"],
    ),
    "no patience": (
        ["callbacks=early_stopping", "callbacks.early_stopping.patience=-1"],
        ["callbacks.early_stopping", "patience=-1"],
    ),
    "no pairs": (["probes.consistency.pairs=0"], ["probes.consistency", "pairs=0"]),
    "no images": (["probes.shift_map.max_images=0"], ["probes.shift_map", "max_images=0"]),
    "half a pixel": (["probes.shift_map.max_shift=1.5"], ["probes.shift_map", "max_shift=1.5"]),
    "unknown local bias": (["model=local", "model.wiring.bias=pixel"], ["bias=pixel", "location"]),
    "data not there": (["data=mnist", "data.source.root=.", "data.source.download=false"], ["data.source.root=", "MNIST"]),
}


@pytest.mark.parametrize(("overrides", "words"), (MISTAKES | LATER).values(), ids=(MISTAKES | LATER).keys())
def test_mistake_is_one_line(call, tmp_path, overrides, words):
    done = call("train", *overrides)
    assert done.code == 2, done.err
    assert done.err.count("\n") == 1, done.err
    assert "Traceback" not in done.err
    for word in words:
        assert word in done.err
    assert list(tmp_path.iterdir()) == []
    assert not Path("../elsewhere").exists()


def test_what_lightning_has_against_a_callback_is_one_line(call, tmp_path):
    callback = "+callbacks.size={_target_:pytorch_lightning.callbacks.BatchSizeFinder}"
    done = call("train", *SMALL, "logger=none", "hydra.run.dir=run", callback)
    assert done.code == 2
    assert done.err.count("\n") == 1, done.err
    assert "Batch size finder cannot be used" in done.err
    assert "Traceback" not in read(tmp_path / "run")["error"]


@pytest.mark.e2e
def test_mistakes_are_found_without_torch(tmp_path):
    script = """
import contextlib, io, sys
from convexp.cli import train
for arguments in %r:
    sys.argv, said = ["convexp-train", *arguments], io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.suppress(SystemExit):
        train.main()
        raise AssertionError(arguments)
    assert said.getvalue().count("\\n") == 1, said.getvalue()
    assert "torch" not in sys.modules, arguments
"""
    names = ("unknown option", "added typo", "kernel larger than the image", "what only torch names", "neither true nor false")
    mistakes = [MISTAKES[name][0] for name in names]
    done = subprocess.run(
        [sys.executable, "-c", script % mistakes], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["--cfg", "job"], ["--hydra-help"]])
def test_help_needs_no_torch(program, tmp_path, arguments):
    (tmp_path / "torch.py").write_text("raise SystemExit('torch was imported')")
    done = program("train", *arguments, cwd=tmp_path, fresh=True, PYTHONPATH=str(tmp_path))
    assert done.code == 0, done.err
    assert "model" in done.out or "hydra" in done.out


def test_unreadable_option_lists_what_there_is(call):
    done = call("train", "data=imagenet")
    for name in ("cifar10", "cifar100", "digits", "dsd", "emnist", "fashion_mnist", "image_folder", "kmnist", "mnist", "npz"):
        assert name in done.err


@pytest.mark.parametrize("kind", ["image", "labels"])
@pytest.mark.data
def test_truncated_file(call, tmp_path, data_dir, kind):
    root = tmp_path.parent / f"{tmp_path.name}-data"
    shutil.copytree(data_dir / "MNIST", root / "MNIST")
    file = root / "MNIST" / "raw" / ("train-images-idx3-ubyte" if kind == "image" else "t10k-labels-idx1-ubyte")
    file.write_bytes(file.read_bytes()[:5000])
    done = call("train", "data=mnist", f"data.source.root={root}", "data.source.download=false")
    assert done.code == 2
    assert done.err.count("\n") == 1, done.err
    message = done.err.replace(str(root), "")
    assert "MNIST" in message
    assert "truncated" in message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.data
def test_corrupted_pickle_is_not_loaded(call, tmp_path, data_dir):
    root = tmp_path.parent / f"{tmp_path.name}-data"
    shutil.copytree(data_dir / "cifar-10-batches-py", root / "cifar-10-batches-py")
    (root / "cifar-10-batches-py" / "data_batch_1").write_bytes(b"cos\nsystem\n(S'touch pwned'\ntR.")
    done = call("train", "data=cifar10", f"data.source.root={root}", "data.source.download=false")
    assert done.code == 2
    assert done.err.count("\n") == 1, done.err
    assert list(tmp_path.iterdir()) == []


def test_folder_with_other_files(call, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    done = call("train", "hydra.run.dir=mine")
    assert done.code == 2
    assert "mine" in done.err
    assert [entry.name for entry in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_report_of_nothing(call, tmp_path):
    for arguments, words in ((["nowhere"], "no such folder"), (["p[/b]"], "p[/b]"), ([str(tmp_path)], "no runs")):
        done = call("report", *arguments)
        assert done.code == 2
        assert words in done.err
        assert done.err.count("\n") == 1


def test_folder_where_a_setting_is_due(call, tmp_path):
    for name, files in (("my run", ["result.json"]), ("other", [])):
        (tmp_path / name).mkdir()
        for file in files:
            (tmp_path / name / file).touch()
    for arguments, said in (
        (
            ["train", "my run"],
            "my run: is a folder, where a setting is due; to resume its run, or to extend it: 'resume=my run'",
        ),
        (["train", "other"], "other: is a folder, where a setting is due; write setting=value"),
        (["evaluate", "my run"], "my run: is a folder, where a setting is due; write 'run=my run'"),
        (["evaluate", "other"], "other: is a folder, where a setting is due; write run=other"),
    ):
        done = call(*arguments)
        assert done.code == 2
        assert done.err.partition(": ")[2] == f"{said}\n"


def test_eval_of_nothing(call, tmp_path):
    for arguments, words in (
        ([], "run"),
        (["run=nowhere"], "run=nowhere"),
        (
            ["run=nowhere", "+seed=1"],
            "seed: there is no such setting; there are run, runs, ensemble, members, mean_of, folder, accelerator",
        ),
        (
            ["run=nowhere", "model=local"],
            "model: is a setting of a training, and convexp-eval takes those of the run as they are",
        ),
        (["run=nowhere", "data.batch_size=1"], "data.batch_size: is a setting of a training"),
        (["run=nowhere", "shift=1"], "shift: there is no such setting; there are probes, run, runs, ensemble"),
        (["run=nowhere", "probes=[]"], "run=nowhere"),
        (["-m", "run=a,b"], "-m"),
        (["run=nowhere", "hydra.run.dir=x"], "hydra.run.dir=x"),
    ):
        done = call("evaluate", *arguments)
        assert done.code == 2, done.err
        assert words in done.err
        assert done.err.count("\n") == 1
        assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_yaml(call, tmp_path):
    (tmp_path / "conf/experiment").mkdir(parents=True)
    (tmp_path / "conf/experiment/mine.yaml").write_text("# @package _global_\ntrainer: {max_epochs: 1\n")
    done = call("train", "experiment=mine", "--config-dir", "conf")
    assert done.code == 2, done.err
    assert done.err.count("\n") == 1, done.err
    assert "mine.yaml" in done.err
    assert "line 3" in done.err


def test_a_file_that_is_not_in_utf8(call, tmp_path):
    (tmp_path / "conf/experiment").mkdir(parents=True)
    (tmp_path / "conf/experiment/mine.yaml").write_bytes("# @package _global_\n# größer\nseed: 1\n".encode("latin-1"))
    for arguments in (["experiment=mine"], ["--help", "experiment"], ["experiment=mine", "--cfg", "job"]):
        done = call("train", *arguments, "--config-dir", "conf")
        assert done.code == 2, done.err
        assert done.err.count("\n") == 1, done.err
        assert "conf/experiment/mine.yaml: is not in UTF-8 (byte 24" in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["conf"]


@pytest.mark.parametrize("group", ["local", "experiment", "debug", "study"])
def test_a_file_that_does_not_say_where_its_settings_belong(call, tmp_path, group):
    file = tmp_path / "conf" / group / "default.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("study:\n  name: mine\ntrainer:\n  max_epochs: 1\n")
    done = call("train", *([] if group == "local" else [f"{group}=default"]), "--config-dir", "conf")
    assert done.code == 2, done.err
    assert done.err.count("\n") == 1, done.err
    assert f"{group}: " in done.err
    assert "# @package _global_" in done.err


def test_every_yaml_opens_with_what_it_is():
    for file in Path(ROOT, "conf").rglob("*.yaml"):
        head = [line for line in file.read_text().splitlines()[:2] if not line.startswith("# @package")]
        assert head[0].startswith("# "), file


@pytest.mark.parametrize(("first", "code"), [(KeyboardInterrupt, 130), (ValueError, 2)])
def test_ctrl_c_in_the_midst_of_omegaconf_is_not_told_as_a_mistake(first, code):
    @errors_in_one_line("convexp-train", "train")
    def stumbles():
        try:
            raise first
        finally:
            OmegaConf.to_container(OmegaConf.create({"a": "${nowhere}"}), resolve=True)

    with pytest.raises(SystemExit) as stopped:
        stumbles()
    assert stopped.value.code == code
