import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from convexp.data.cache import cached_folder, load_mapped
from convexp.files.host import host_tag
from convexp.files.locks import lock


def numbers(folder: Path) -> None:
    np.save(folder / "a.npy", np.arange(6))


def test_it_is_written_once(tmp_path):
    calls = []

    def write(folder):
        calls.append(folder)
        numbers(folder)

    for _ in range(2):
        assert load_mapped(cached_folder(tmp_path, "k", write) / "a.npy").tolist() == [0, 1, 2, 3, 4, 5]
    assert len(calls) == 1
    assert cached_folder(tmp_path, "other", write) != cached_folder(tmp_path, "k", write)
    assert len(calls) == 2


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failure_leaves_nothing(tmp_path, error):
    def write(folder):
        numbers(folder)
        raise error

    with pytest.raises(error):
        cached_folder(tmp_path, "k", write)
    assert [p.name for p in tmp_path.iterdir() if not p.name.endswith(".lock")] == []
    assert load_mapped(cached_folder(tmp_path, "k", numbers) / "a.npy").sum() == 15


@pytest.mark.e2e
def test_a_killed_process_leaves_no_wrong_cache(tmp_path):
    script = (
        "import sys, time; from pathlib import Path; import numpy as np; from convexp.data.cache import cached_folder\n"
        "def write(folder):\n"
        "    np.save(folder / 'a.npy', np.zeros(3)); print('half', flush=True); time.sleep(60)\n"
        "cached_folder(Path(sys.argv[1]), 'k', write)"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "half\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert not (tmp_path / "k").exists()
    assert len(list(tmp_path.glob("k.partial-*"))) == 1
    assert load_mapped(cached_folder(tmp_path, "k", numbers) / "a.npy").sum() == 15
    assert list(tmp_path.glob("k.partial-*")) == []


def _one_of_many(folder: Path) -> int:
    def write(partial: Path) -> None:
        with (folder / "written").open("a") as file:
            file.write(f"{os.getpid()}\n")
        time.sleep(0.3)
        numbers(partial)

    return int(load_mapped(cached_folder(folder, "k", write) / "a.npy").sum())


@pytest.mark.e2e
def test_of_several_processes_one_writes(tmp_path):
    with multiprocessing.get_context("forkserver").Pool(3) as pool:
        assert pool.map(_one_of_many, [tmp_path] * 3) == [15, 15, 15]
        pool.close()  # and not terminated: the server may be one of convexp's sweeps, whose processes SIGTERM does not reach
        pool.join()
    assert len((tmp_path / "written").read_text().splitlines()) == 1


def test_changes_of_a_mapped_array_stay_in_memory(tmp_path):
    numbers(tmp_path)
    load_mapped(tmp_path / "a.npy")[0] = 9
    assert load_mapped(tmp_path / "a.npy")[0] == 0


def test_what_killed_processes_left_of_any_key_is_removed_and_what_is_being_written_stays(tmp_path):
    for name in ("old.partial-1", "busy.partial-2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.npy").write_bytes(b"half")
    for name in ("note.json.partial-3", f".partial-{host_tag()}{10 * '0'}"):
        (tmp_path / name).touch()
    with lock(tmp_path / "busy.lock"):
        cached_folder(tmp_path, "k", numbers)
    assert sorted(path.name for path in tmp_path.iterdir() if not path.name.endswith(".lock")) == ["busy.partial-2", "k"]
