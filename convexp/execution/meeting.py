"""Where the processes of a data-parallel run meet: a store of torch, through which rank 0 says what is to be trained."""

import json
import os
import socket
import sys
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from torch.distributed import PrefixStore, Store, TCPStore  # pyright: ignore[reportPrivateImportUsage]

from convexp.config import Config

PART, JOB, ENDED = "convexp", "job", "ended"
WAIT = timedelta(minutes=5)  # until a process is told that the other end does not answer


@dataclass(frozen=True)
class Job:
    """What all processes of a run train.

    Attributes:
        config: Configuration of the run.
        folder: Folder of the run.
        resumed: Whether the training goes on from ``last.ckpt``.
        path: Where rank 0 looks for modules, such as those of the user.
    """

    config: Config
    folder: Path
    resumed: bool
    path: list[str]

    def to_json(self) -> str:
        """Return the job as text."""
        config = self.config.model_dump_json(by_alias=True)
        return json.dumps({"config": config, "folder": str(self.folder), "resumed": self.resumed, "path": self.path})


def read_job(text: str | bytes) -> Job:
    """Return the job that ``Job.to_json`` wrote."""
    found = json.loads(text)
    config = Config.model_validate_json(found["config"])
    return Job(config, Path(found["folder"]), found["resumed"], [str(entry) for entry in found["path"]])


def job_of(config: Config, folder: Path, resumed: bool) -> Job:
    """Return the job of a run of this process."""
    return Job(config, folder.absolute(), resumed, [entry or str(Path.cwd()) for entry in sys.path])


def open_store() -> tuple[Store, int]:
    """Open a store that only processes of this machine can reach, at a free port.

    Returns:
        The store and its port.
    """
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(128)
        port = int(listening.getsockname()[1])
        store = TCPStore(
            "127.0.0.1", port, is_master=True, wait_for_workers=False, timeout=WAIT, master_listen_fd=listening.detach()
        )
    return PrefixStore(PART, store), port


def join_store() -> Store:
    """Join the store that the variables of torchrun name, or those that rank 0 gives the processes that it starts.

    torchrun has opened it, unless it leaves that to rank 0. If it starts the processes again after a failure, they have a part
    of the store for themselves.
    """
    opens = os.environ["RANK"] == "0" and os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True"
    address, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    store = TCPStore(address, port, is_master=opens, wait_for_workers=False, timeout=WAIT)
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return PrefixStore(PART, store)
    return PrefixStore(f"{PART}/{os.environ.get('TORCHELASTIC_RESTART_COUNT', '')}", store)


def wait_for_job(store: Store) -> Job | None:
    """Wait until rank 0 says what is to be trained; None if it ends without a training."""
    while not store.check([JOB]):
        if store.check([ENDED]):
            return None
        time.sleep(0.1)
    return read_job(store.get(JOB))


def dismiss() -> None:
    """Let the other processes of torchrun end if there was nothing to train, as in a run that is finished already."""
    join_store().set(ENDED, "")


def tell_ready(store: Store, rank: int) -> None:
    """Tell rank 0 that the process ``rank`` is set up."""
    store.set(f"ready/{rank}", "")


def is_ready(store: Store, rank: int) -> bool:
    """Whether the process ``rank`` is set up."""
    return store.check([f"ready/{rank}"])


def tell_error(store: Store, rank: int, error: str) -> None:
    """Tell rank 0 why the process ``rank`` ends."""
    store.set(f"error/{rank}", error)


def errors(store: Store, world_size: int) -> dict[int, str]:
    """Return why processes have ended, by their rank."""
    return {rank: store.get(f"error/{rank}").decode() for rank in range(1, world_size) if store.check([f"error/{rank}"])}
