"""One process of a cluster and whatever it starts: begun, ended, killed, held still, and begun again.

Linux alone: children are read from `/proc`, and `setpriv` has the kernel end a process whose starter is gone.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

__all__ = ["ClusterError", "Part", "Program", "until"]

READY = 60.0
"""Seconds that a process has until it answers."""

END = 15.0
"""Seconds that a process has to end in good order before it is killed."""

_ENDED = "XZ"
"""States of a process that is gone, or of which nobody has asked yet how it ended."""

_STILL = "Tt" + _ENDED
"""States of a process that does nothing."""

_PAUSE = 0.02
"""Seconds between two looks at something that will be so in a moment."""


class ClusterError(Exception):
    """A part is missing, does not start or does not answer. For whoever started the cluster."""


class Program(NamedTuple):
    """What a process is started with."""

    command: Sequence[str]
    environment: Mapping[str, str] = {}
    ending: signal.Signals = signal.SIGTERM
    """Asks it to end in good order."""

    account: str = ""
    """Whose process it is; empty: the caller's."""

    folder: Path = Path("/")
    """Where it runs."""


def until(true: Callable[[], bool], what: str, seconds: float = READY) -> None:
    """Look again and again until something is so.

    Raises:
        ClusterError: It is not so in time.
    """
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            msg = f"{what}: not within {seconds:g} s"
            raise ClusterError(msg)
        time.sleep(_PAUSE)


class Part:
    """A program at its address. Start it from a thread that lives as long as it: the kernel ends it with that one."""

    def __init__(self, name: str, port: int, program: Program, log: Path, answers: Callable[[], bool]) -> None:
        """Describe it; nothing runs yet.

        Args:
            name: What people call it.
            port: Where it listens on loopback.
            program: What is started.
            log: Keeps what it prints, of all its starts.
            answers: Tells whether it can be used.
        """
        self.name = name
        self.port = port
        self.log = log
        self._program = program
        self._answers = answers
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Number of its process, 0 when none runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else 0

    @property
    def family(self) -> tuple[int, ...]:
        """Numbers of its process and of all below it."""
        return _family(self.pid) if self.pid else ()

    def begin(self) -> None:
        """Start it and do not wait for it."""
        if self.pid:
            msg = f"{self.name} runs already"
            raise ClusterError(msg)
        as_whom = [f"--reuid={self._program.account}", f"--regid={self._program.account}", "--init-groups"]
        own = ["setpriv", f"--pdeathsig={self._program.ending.name[3:]}", *(as_whom if self._program.account else ())]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*own, *self._program.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._program.folder,
                env={**os.environ, **self._program.environment},
                start_new_session=True,  # Ctrl-C is for whoever runs the cluster, who ends it in order
            )

    def wait(self) -> None:
        """Wait until it answers.

        Raises:
            ClusterError: It ended, or says nothing; with the last line of its log.
        """
        until(lambda: not self.pid or self._answers(), f"{self.name} does not answer, see {self.log}")
        if not self.pid:
            last = self.log.read_text("utf-8", "replace").strip().rpartition("\n")[2]
            msg = f"{self.name} ended at once, see {self.log}: {last}"
            raise ClusterError(msg)

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.begin()
        self.wait()

    def stop(self) -> None:
        """End it in good order; one that does not is killed."""
        if self._process is None or not self.pid:
            return
        family = self.family
        self._send(signal.SIGCONT)
        self._process.send_signal(self._program.ending)
        try:
            self._process.wait(END)
        except subprocess.TimeoutExpired:
            self.kill()
        _gone(self.name, family)

    def kill(self) -> None:
        """SIGKILL it and all below it: what a machine does that runs out of memory."""
        family = self.pause()
        for each in family:
            _signal(each, signal.SIGKILL)
        if self._process is not None:
            self._process.wait()
        _gone(self.name, family)

    def pause(self) -> tuple[int, ...]:
        """Hold it still: connections to it stay, nothing answers. The first one first, so that it starts no other."""
        if self.pid:
            _signal(self.pid, signal.SIGSTOP)
            until(lambda: _state(self.pid) in _STILL, f"{self.name} goes on")
        self._send(signal.SIGSTOP)
        family = self.family
        until(lambda: all(_state(each) in _STILL for each in family), f"{self.name} goes on")
        return family

    def resume(self) -> None:
        """Let it go on."""
        self._send(signal.SIGCONT)

    def restart(self) -> None:
        """End it if it runs, and start it again."""
        self.stop()
        self.start()

    def _send(self, number: signal.Signals) -> None:
        for each in self.family:
            _signal(each, number)


def _family(process: int) -> tuple[int, ...]:
    """Give a process and all below it, the older ones first."""
    try:
        listed = [path.read_text("ascii") for path in Path(f"/proc/{process}/task").glob("*/children")]
    except OSError:  # it ended while it was looked at
        return (process,)
    children = [int(number) for text in listed for number in text.split()]
    return (process, *(each for child in children for each in _family(child)))


def _signal(process: int, number: signal.Signals) -> None:
    try:
        os.kill(process, number)
    except ProcessLookupError:
        return  # gone is what it may be


def _gone(name: str, family: Sequence[int]) -> None:
    """Wait until none of them lives: PostgreSQL does not start while one of a killed server's children does."""
    until(lambda: not any(map(_lives, family)), f"{name} has left processes behind")


def _lives(process: int) -> bool:
    return _state(process) not in _ENDED


def _state(process: int) -> str:
    """Give the kernel's letter for what a process does; "X" when it is gone."""
    try:
        return Path(f"/proc/{process}/stat").read_text("ascii", "replace").rpartition(")")[2].split()[0]
    except OSError:
        return "X"
