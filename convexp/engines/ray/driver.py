"""The driver of Ray, as the launcher sees it: a process that it sends runs to."""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from typing import Any

from convexp.engines.ray.messages import CANCEL, Failed, Ready
from convexp.engines.ray.settings import SECTION, RaySettings
from convexp.errors import ConfigError, ConvexpError
from convexp.terminal import console

NOTICE = 10  # seconds after which a start that takes long is mentioned
STOP = 60  # seconds that Ray may take to stop
PROGRAM = "import sys; sys.path[:] = {path!r}; from convexp.engines.ray.driver_main import main; main({descriptor})"


class Driver:
    """A process that is connected to Ray, in a session of its own: Ctrl-C reaches the launcher, which decides.

    Args:
        settings: The settings of the launcher.
    """

    def __init__(self, settings: RaySettings) -> None:
        self.settings = settings
        self._connection, theirs = multiprocessing.Pipe()
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  read if the process ends by itself
        descriptor = theirs.fileno()
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM.format(path=sys.path, descriptor=descriptor)],
            pass_fds=[descriptor],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._said,
            start_new_session=True,
        )
        theirs.close()  # else the end of the process would not be noticed here
        self._connection.send(settings)

    def connect(self) -> Ready:
        """Wait until Ray is there.

        Raises:
            ConvexpError: if it is not in time, or cannot be; a ``ConfigError`` if the address is wrong.
        """
        own, timeout = self.settings.address is None, self.settings.timeout
        try:
            with console.status("starting Ray" if own else "connecting to Ray"):
                answer = self._first_answer(timeout)
        except BaseException:
            self.close(0)
            raise
        if isinstance(answer, Ready):
            return answer
        self.close(0)
        reason = answer.reason if answer else f"not within {timeout:g} s"
        if own:
            hint = "" if answer else f"; a slow machine needs a larger {SECTION}.start_timeout"
            raise ConvexpError(f"Ray could not be started ({reason}){hint}")
        hint = "" if "RAY_AUTH_MODE" in os.environ else "; one that asks for a token needs RAY_AUTH_MODE=token"
        raise ConfigError(f"{SECTION}.address={self.settings.address}: no Ray answers there ({reason}){hint}")

    def _first_answer(self, timeout: float) -> Ready | Failed | None:
        """What the process says about Ray; None if it says nothing in time."""
        if not self._connection.poll(min(NOTICE, timeout)):
            console.out.print(f"waiting for Ray, {timeout:g} s at most")
            if not self._connection.poll(max(0, timeout - NOTICE)):
                return None
        try:
            return self._connection.recv()
        except (EOFError, OSError):
            return Failed(self._last_words())

    def send(self, message: Any) -> None:
        """Send a message; if the process has ended, ``receive`` reports it."""
        with suppress(OSError):
            self._connection.send(message)

    def receive(self) -> Any:
        """Wait for a message.

        Raises:
            ConvexpError: if the process has ended.
        """
        try:
            self._connection.poll(None)  # Ctrl-C interrupts this, and no message is lost
            return self._connection.recv()
        except (EOFError, OSError):
            raise ConvexpError(f"the connection to Ray was lost ({self._last_words()})") from None

    def cancel(self) -> None:
        """Interrupt all runs; what becomes of each is still received."""
        self.send(CANCEL)

    def close(self, patience: float = STOP) -> None:
        """End the process, which stops a Ray of its own.

        Args:
            patience: Seconds until it is killed.
        """
        self._connection.close()
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        finally:
            self._said.close()

    def _last_words(self) -> str:
        """The last line that the process wrote, or how it ended."""
        code = self._process.wait()
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").split("\n")
        return next((line.strip()[:300] for line in reversed(lines) if line.strip()), f"code {code}")
