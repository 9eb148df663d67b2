"""All that lies below a folder, for tests that nothing was written."""

from pathlib import Path


def tree(root: Path) -> dict[str, tuple[int, bytes]]:
    """The time of the last change and the content of every file and folder."""
    return {
        str(path.relative_to(root)): (path.lstat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in sorted(root.rglob("*"))
    }
