"""The key that signs the configurations of a user's runs: 32 random bytes in a file that only this user can read."""

import os
import re
import secrets
import stat
from contextlib import suppress
from pathlib import Path

VARIABLE = "CONVEXP_KEY"
CONTENT = re.compile(rb"([0-9a-f]{64})\n?")
READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a link is an error, and a pipe is not waited for
CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class KeyProblem(Exception):  # noqa: N818  not an error of the program: a run without a key is a run that is not signed
    """Says why there is no key to sign or to verify with."""


def key_file() -> Path:
    """Where the key lies: ``CONVEXP_KEY``, or ``convexp/key`` in the user's folder of configurations (``XDG_CONFIG_HOME``).

    Raises:
        KeyProblem: if ``CONVEXP_KEY`` is not absolute, or the home folder is not known. A relative path would mean another
            file in every working directory, perhaps one that somebody else has put there.
    """
    try:
        if given := os.environ.get(VARIABLE, "").strip():
            file = Path(given).expanduser()
            if not file.is_absolute():
                raise KeyProblem(f"{VARIABLE}={given} is not absolute")
            return file
        folder = Path(os.environ.get("XDG_CONFIG_HOME", ""))
        return (folder if folder.is_absolute() else Path("~/.config").expanduser()) / "convexp" / "key"
    except RuntimeError:
        raise KeyProblem(f"the home folder is not known; set {VARIABLE}") from None


def read_key() -> bytes | None:
    """The key; None if there is none yet.

    Raises:
        KeyProblem: if the file is no regular file of this user's, if others can read it, or if it holds no key.
    """
    file = key_file()
    try:
        handle = os.open(file, READ)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise KeyProblem(f"the key {file} is a link or cannot be read ({error.strerror})") from None
    try:
        if problem := _problem(os.fstat(handle)):
            raise KeyProblem(f"the key {file} {problem}")
        found = CONTENT.fullmatch(os.read(handle, 100))
    finally:
        os.close(handle)
    if found is None:
        raise KeyProblem(f"the key {file} is damaged; remove it, and a new one is made")
    return bytes.fromhex(found[1].decode())


def _problem(status: os.stat_result) -> str | None:
    """What is wrong with the file of a key; None if nothing is."""
    if not stat.S_ISREG(status.st_mode):
        return "is no file"
    if status.st_uid != os.geteuid():
        return "belongs to another user"
    return "is open to others; allow it to be read by you only (chmod 600)" if status.st_mode & 0o077 else None


def obtain_key() -> bytes:
    """The key, which is made if there is none; of several processes that make one at the same time, one wins.

    Raises:
        KeyProblem: as ``read_key`` does, and if the file cannot be made.
    """
    if (key := read_key()) is not None:
        return key
    file = key_file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _make(file)
    except OSError as error:
        raise KeyProblem(f"the key {file} cannot be written ({error.strerror})") from None
    if (key := read_key()) is None:
        raise KeyProblem(f"the key {file} has vanished")
    return key


def _make(file: Path) -> None:
    """Write a new key to ``file``, whole or not at all, unless there is one."""
    key, partial = f"{secrets.token_hex(32)}\n".encode(), file.with_name(f".{file.name}-{secrets.token_hex(8)}")
    _write(partial, key)
    try:
        os.link(partial, file)
    except FileExistsError:  # another process was faster
        pass
    except OSError:  # the file system has no such links
        with suppress(FileExistsError):
            _write(file, key)
    finally:
        partial.unlink()


def _write(file: Path, content: bytes) -> None:
    handle = os.open(file, CREATE, 0o600)
    with os.fdopen(handle, "wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(handle)
