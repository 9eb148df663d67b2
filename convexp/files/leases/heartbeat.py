"""A thread that keeps a lease alive, and stops the work of the thread that holds it if another process has taken it over."""

import ctypes
import threading
from collections.abc import Callable
from contextlib import suppress

from convexp.files.leases.held import HeldLease


class Heartbeat:
    """Rewrites a lease until it is stopped.

    Args:
        held: The lease.
        on_loss: Called in the heartbeat's own thread if another process has taken the lease over, as this one had stopped
            answering: it was suspended, or could not reach the file system.
    """

    def __init__(self, held: HeldLease, on_loss: Callable[[], object]) -> None:
        self.held = held
        self.on_loss = on_loss
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True, name="convexp heartbeat")

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; on return it writes nothing more."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def _beat(self) -> None:
        while not self._ended.wait(self.held.lease.every):
            with suppress(
                OSError
            ):  # a server that does not answer for a while; the next beat tells what has become of the lease
                if not self.held.beat():
                    self.on_loss()
                    return


def interrupt_thread(number: int) -> None:
    """Raise KeyboardInterrupt in the thread with this identifier, as Ctrl-C does in the main thread."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(number), ctypes.py_object(KeyboardInterrupt))


def withdraw_interrupt(number: int) -> None:
    """Take back a KeyboardInterrupt of ``interrupt_thread`` that was not raised yet."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(number), None)
