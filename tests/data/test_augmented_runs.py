"""Runs with augmentation: resumed exactly, by any number of processes, recorded in the identity, evaluated without it."""

import pytest
from conftest import SMALL, read
from outcomes import curves, same, science, weights

from convexp.config.compose import compose_config
from convexp.config.trust import parse_trusted_config
from convexp.errors import ConfigError
from convexp.records import identity_hash

TINY = (
    *(text for text in SMALL if not text.startswith("probes.")),
    "probes=none",
    "logger=csv",
    "trainer.limit_train_batches=4",
)
ALL = ("augment=[flip,crop,cutout,mixup,rotate,rand_augment]", "+augment.own={_target_:own_augmentations.Darken,most:0.5}")


def identity(*overrides):
    return identity_hash(compose_config(*overrides).identity())


def test_augmentation_belongs_to_the_identity_in_its_order():
    assert identity("augment=none") == identity()
    assert (
        len({identity(), identity("augment=[flip,cutout]"), identity("augment=[cutout,flip]"), identity("augment=flip")}) == 4
    )


def test_a_folder_of_somebody_else_may_name_what_is_shipped_only():
    shipped, own = (compose_config(*overrides).model_dump(by_alias=True) for overrides in (ALL[:1], ALL))
    assert list(parse_trusted_config(shipped).augment) == ["flip", "crop", "cutout", "mixup", "rotate", "rand_augment"]
    with pytest.raises(ConfigError, match=r"augment\.own\._target_=own_augmentations\.Darken"):
        parse_trusted_config(own)


def test_resumed_is_uninterrupted_and_evaluated_without_augmentation(call, tmp_path, interrupted_at):
    for folder in ("whole", "part"):
        if folder == "part":
            with interrupted_at(2, 1):
                assert call("train", f"hydra.run.dir={folder}", *TINY, *ALL, "trainer.max_epochs=4").code == 130
            assert call("train", f"resume={folder}").code == 0
        else:
            assert call("train", f"hydra.run.dir={folder}", *TINY, *ALL, "trainer.max_epochs=4").code == 0
    whole, part = tmp_path / "whole", tmp_path / "part"
    assert science(read(part)) == science(read(whole))
    assert all(same(weights(part)[key], weights(whole)[key]) for key in ("state_dict", "optimizer_states"))
    assert curves(part) == curves(whole)
    assert list(read(whole)["config"]["augment"]) == ["flip", "crop", "cutout", "mixup", "rotate", "rand_augment", "own"]
    done = call("evaluate", f"run={part}")
    assert done.code == 0, done.err
    assert done.out.count("(as noted)") == 4
