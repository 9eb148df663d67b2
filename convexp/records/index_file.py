"""The file that keeps what is known of the finished runs below a folder, so that 100,000 records need not be read one by one.

It is a cache and never the truth. It is only ever replaced as a whole, by a process that has read records which it lacked, so
that no two processes write to one file and no lock is needed, which many shared file systems do not have. A file that is cut
off, damaged or of another version of convexp is taken for none, and the next reader replaces it.

Layout: a line that names format and version, the lengths and checksums of two blocks, and the blocks as MessagePack: the rows,
and apart from these the maps, which a table of runs does not need.
"""

import hashlib
import struct
from pathlib import Path

from convexp import __version__

FILE = ".runs.index"
FORMAT = 3  # also to be raised when records are decoded in another way
MAGIC = f"convexp runs {FORMAT} {__version__}\n".encode()
BLOCK = struct.Struct("<Q16s")  # its length in bytes and its checksum


def read_blocks(root: Path) -> tuple[bytes, bytes] | None:
    """Return the rows and the maps in the index of the folder ``root``; None if there is no index, or it is not whole."""
    file = root / FILE
    try:
        if not file.is_file():  # reading a pipe would never end
            return None
        content = file.read_bytes()
        if not content.startswith(MAGIC):
            return None
        heads = [BLOCK.unpack_from(content, len(MAGIC) + number * BLOCK.size) for number in range(2)]
    except (OSError, MemoryError, struct.error):
        return None
    start = len(MAGIC) + 2 * BLOCK.size
    middle, end = start + heads[0][0], start + heads[0][0] + heads[1][0]
    blocks = content[start:middle], content[middle:end]
    whole = len(content) == end and all(_checksum(block) == head[1] for block, head in zip(blocks, heads, strict=True))
    return blocks if whole else None


def write_blocks(partial: Path, rows: bytes, maps: bytes) -> None:
    """Write an index into ``partial``."""
    heads = [BLOCK.pack(len(block), _checksum(block)) for block in (rows, maps)]
    with partial.open("wb") as opened:
        opened.writelines((MAGIC, *heads, rows, maps))


def _checksum(block: bytes) -> bytes:
    return hashlib.blake2b(block, digest_size=16).digest()
