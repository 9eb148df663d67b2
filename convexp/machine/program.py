"""What a process changes in itself that does nothing but convexp's own work."""

from convexp.machine.garbage import in_program
from convexp.machine.heap import keep_freed


def begin_program() -> None:
    """Begin a program of convexp: its imports are left alone by the garbage collector, and freed memory is kept."""
    in_program.set(True)
    keep_freed()
