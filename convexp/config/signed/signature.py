"""Signatures of configurations: HMAC-SHA256 over the bytes of ``.hydra/config.yaml``, with a key that only this user has."""

import hashlib
import hmac
import os
import re
from pathlib import Path

from convexp.config.signed.key import READ, KeyProblem, key_file, obtain_key, read_key

FILE = "signature"  # beside config.yaml
FORMAT = b"convexp-signature-1"
MOST = 2  # lines: there are two while one configuration is being replaced by another
TEXT = re.compile(rb"convexp-signature-1 ([0-9a-f]{16}) ([0-9a-f]{64})\n?")


def sign(content: bytes) -> bytes:
    """The signature of ``content``, as its file holds it: format, name of the key, and code.

    Raises:
        KeyProblem: if there is no key, and none can be made.
    """
    key = obtain_key()
    return b"%s %s %s\n" % (FORMAT, _name(key), _code(key, content))


def doubt(folder: Path, content: bytes) -> str | None:
    """Why it is not certain that a command of this user's wrote ``content``; None if its signature proves it.

    Args:
        folder: folder of the run, whose ``.hydra/signature`` is read.
        content: the bytes of ``.hydra/config.yaml`` that are going to be used, read once.
    """
    found = _read(folder / ".hydra" / FILE)
    if not found:
        return "it is not signed" if found is None else "its signature cannot be read"
    lines = [line for line in map(TEXT.fullmatch, {*found.splitlines(keepends=True)}) if line]
    if len(lines) != len(found.splitlines()) or len(lines) > MOST:
        return "its signature is damaged"
    try:
        file, key = key_file(), read_key()
    except KeyProblem as problem:
        return str(problem)
    if key is None or any(line[1] != _name(key) for line in lines):
        return f"it is signed by another key than yours ({file})"
    if file.resolve().is_relative_to(folder.resolve()):
        return f"the key {file} lies in the folder of the run"
    code = _code(key, content)
    if any(hmac.compare_digest(line[2], code) for line in lines):
        return None
    return "its configuration has changed since it was signed"


def _read(file: Path) -> bytes | None:
    """The content of a signature; None if there is none, and empty if it is something else than a file, or too long."""
    try:
        with os.fdopen(os.open(file, READ), "rb") as opened:
            content = opened.read(1000)
    except FileNotFoundError:
        return None
    except OSError:
        return b""
    return content if len(content) < 1000 else b""


def _name(key: bytes) -> bytes:
    """What tells a key from another without telling the key."""
    return hmac.new(key, b"name of a key of convexp", hashlib.sha256).hexdigest()[:16].encode()


def _code(key: bytes, content: bytes) -> bytes:
    return hmac.new(key, FORMAT + b"\n" + content, hashlib.sha256).hexdigest().encode()
