"""Which GPUs are found, from what the drivers' programs and the environment say."""

import os
import stat

import pytest

from convexp.errors import ConfigError
from convexp.machine import gpus as finding
from convexp.machine.gpus import CUDA, HIP, ROCR, Gpus, find_gpus, listed, visible

TWO = """GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-b1f6a2c0-1111-2222-3333-444444444444)
GPU 1: NVIDIA H100 80GB HBM3 (UUID: GPU-c2a7b3d1-1111-2222-3333-444444444444)
"""
DIVIDED = """GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77)
  MIG 3g.20gb     Device  0: (UUID: MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f)
  MIG 3g.20gb     Device  1: (UUID: MIG-cba663e8-9bed-5b25-b243-5985ef7c9beb)
GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-aaaaaaaa-d33d-2b2c-524d-9e3d8d2b8a77)
"""


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine without GPUs, for which the test makes up what nvidia-smi says and the drivers have made."""
    monkeypatch.setattr(finding, "DEVICES", tmp_path / "dev")
    monkeypatch.setattr(finding, "KFD", tmp_path / "nodes")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    for name in ("bin", "dev", "nodes"):
        (tmp_path / name).mkdir()

    def made(nvidia_smi=None, code=0, devices=(), nodes=()):
        if nvidia_smi is not None:
            program = tmp_path / "bin" / "nvidia-smi"
            program.write_text(f"#!/bin/sh\n[ \"$1\" = -L ] || exit 5\nprintf '%s' '{nvidia_smi}'\nexit {code}\n")
            program.chmod(program.stat().st_mode | stat.S_IXUSR)
        for name in devices:
            (tmp_path / "dev" / name).touch()
        for number, processors in enumerate(nodes):
            (tmp_path / "nodes" / str(number)).mkdir()
            (tmp_path / "nodes" / str(number) / "properties").write_text(f"cpu_cores_count 8\nsimd_count {processors}\n")

    return made


def test_a_machine_without_gpus(machine):
    machine()
    assert find_gpus({}, "linux") == Gpus(CUDA, ())


@pytest.mark.integration
def test_what_nvidia_smi_lists(machine):
    machine(TWO)
    found = find_gpus({}, "linux")
    assert found == Gpus(CUDA, ("GPU-b1f6a2c0-1111-2222-3333-444444444444", "GPU-c2a7b3d1-1111-2222-3333-444444444444"))
    assert found.shown(found.names[1]) == {CUDA: found.names[1]}
    assert found.shown("0", "1") == {CUDA: "0,1"}


def test_a_divided_gpu_is_its_parts():
    assert listed(DIVIDED) == (
        "MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f",
        "MIG-cba663e8-9bed-5b25-b243-5985ef7c9beb",
        "GPU-aaaaaaaa-d33d-2b2c-524d-9e3d8d2b8a77",
    )


@pytest.mark.integration
@pytest.mark.parametrize(("text", "code"), [("NVIDIA-SMI has failed", 9), ("No devices were found\n", 0), (TWO, 1)])
def test_a_driver_that_does_not_work_has_no_gpus(text, code, machine):
    machine(text, code, devices=["nvidia0"])
    assert find_gpus({}, "linux").names == ()


def test_a_container_without_nvidia_smi_has_device_files(machine):
    """CUDA numbers what it finds from 0, whatever the files are called."""
    machine(devices=["nvidia3", "nvidia5", "nvidiactl", "nvidia-uvm"])
    assert find_gpus({}, "linux") == Gpus(CUDA, ("0", "1"))


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("", ()),
        ("-1", ()),
        ("NoDevFiles", ()),
        ("2", ("2",)),
        ("0,2", ("0", "2")),
        (" 3 , 1", ("3", "1")),
        ("1,-1,2", ("1",)),  # as CUDA reads it
        ("GPU-b1f6a2c0,GPU-c2", ("GPU-b1f6a2c0", "GPU-c2")),
        ("MIG-c6d4f1ef-42e4", ("MIG-c6d4f1ef-42e4",)),
        ("MIG-GPU-5d5ba0d6/1/0", ("MIG-GPU-5d5ba0d6/1/0",)),
    ],
)
def test_what_the_user_shows_is_all_there_is(value, names, machine):
    machine()
    assert find_gpus({CUDA: value}, "linux") == Gpus(CUDA, names)


def test_a_gpu_named_twice():
    with pytest.raises(ConfigError, match="CUDA_VISIBLE_DEVICES=1,1: names a GPU twice"):
        visible(CUDA, "1,1")


def test_gpus_of_amd(machine):
    machine(nodes=[0, 304, 304])  # the first is the processor
    assert find_gpus({}, "linux") == Gpus(HIP, ("0", "1"))
    assert find_gpus({HIP: "1"}, "linux") == Gpus(HIP, ("1",))
    assert find_gpus({CUDA: "1"}, "linux") == Gpus(CUDA, ("1",))  # HIP reads it, too
    assert find_gpus({ROCR: "1"}, "linux") == Gpus(HIP, ("0",))  # HIP numbers what is left from 0
    assert find_gpus({HIP: ""}, "linux").names == ()


@pytest.mark.parametrize(("processor", "names"), [("arm64", ("mps",)), ("x86_64", ())])
def test_a_mac_has_one_or_none(processor, names, monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: processor)
    found = find_gpus(dict(os.environ), "darwin")
    assert found == Gpus(None, names)
    assert found.shown(*names) == {}
