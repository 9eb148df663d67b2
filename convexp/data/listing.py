"""The image files of a data set, with their classes and parts, and hashes by which changes are detected."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from convexp.errors import ConfigError


@dataclass(frozen=True)
class Listing:
    """The image files below a folder.

    Attributes:
        root: The folder.
        classes: Sorted names of the classes.
        files: Paths of the images relative to ``root``, by part, class and name.
        labels: Index into ``classes`` for each file.
        test: Whether each file is in a test folder. All are False if the folder has no parts.
        ignored: Number of files and linked folders that are not used, by the reason.
    """

    root: Path
    classes: list[str]
    files: list[str]
    labels: list[int]
    test: list[bool]
    ignored: dict[str, int]

    def fingerprint(self) -> str:
        """Return a hash of the files' names, sizes and times of change, which takes little time and differs after any change.

        Raises:
            ConfigError: If a file has disappeared.
        """
        return self._hash(lambda path: "{0.st_size} {0.st_mtime_ns} {0.st_ctime_ns}".format(path.stat()).encode())

    def content(self) -> str:
        """Return a hash of the files' names and contents, which does not depend on the folder's path or the files' age.

        Raises:
            ConfigError: If a file cannot be read.
        """
        return self._hash(lambda path: hashlib.sha256(path.read_bytes()).digest())

    def _hash(self, describe: Callable[[Path], bytes]) -> str:
        digest = hashlib.sha256()
        for file in self.files:
            try:
                digest.update(os.fsencode(file) + b"\0" + describe(self.root / file) + b"\n")
            except OSError as error:
                raise ConfigError(f"{self.root / file}: cannot be read ({error.strerror})") from None
        return digest.hexdigest()[:32]
