"""Leases: one holder at most, whoever comes when; dead ones are taken over, live ones never; no clocks, no times of files."""

import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule
from msgspec.structs import replace

from convexp.files.host import display_host, host, process_started
from convexp.files.leases import watch
from convexp.files.leases.heartbeat import Heartbeat
from convexp.files.leases.held import HeldError, HeldLease
from convexp.files.leases.lease import SIZE, decoded, encoded, interval, new_lease
from convexp.files.leases.place import FoundLease, Judgement, LeasePlace, judge
from convexp.files.leases.take import acquire, take
from convexp.files.leases.watch import BEATS, stale


@pytest.fixture
def place(tmp_path):
    return LeasePlace(tmp_path)


def elsewhere(**changes):
    """A lease of a process of another machine."""
    return replace(new_lease(""), **{"host": "elsewhere", "every": 0.01, **changes})


def found(place):
    here = place.latest()
    assert here is not None
    return here


def test_a_lease_is_held_until_it_is_released_and_one_file_stays(place, tmp_path):
    first = acquire(place, new_lease("now"))
    assert (tmp_path / ".lease-1").stat().st_size == SIZE
    with pytest.raises(HeldError):
        acquire(place, new_lease("later"))
    assert first.beat()
    assert first.is_ours()
    first.release()
    second = acquire(place, new_lease("later"))
    assert [file.name for file in tmp_path.iterdir()] == [".lease-2"]
    assert found(place).lease == second.lease
    assert not first.is_ours()
    assert not first.beat()
    first.release()  # says nothing about the second one
    assert judge(found(place)) is Judgement.HELD


@pytest.mark.e2e
def test_a_process_of_this_machine_that_was_killed_holds_nothing(place, tmp_path):
    script = (
        "import sys; from pathlib import Path; from convexp.files.leases.take import acquire\n"
        "from convexp.files.leases.lease import new_lease; from convexp.files.leases.place import LeasePlace\n"
        "acquire(LeasePlace(Path(sys.argv[1])), new_lease('')); print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        assert judge(found(place)) is Judgement.HELD
        holder.kill()
        os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)  # dead, and its parent has not asked for it yet
        assert judge(found(place)) is Judgement.FREE
    acquire(place, new_lease(""))


def test_a_number_that_another_process_has_now_is_not_the_holder(place):
    lease = replace(new_lease(""), started="1")
    take(place, None, lease)
    assert judge(found(place)) is Judgement.FREE
    assert process_started(os.getpid()) not in (None, "1")
    assert process_started(2**31) is None


def test_a_lease_of_another_machine_is_taken_over_if_it_does_not_change(place):
    held = take(place, None, elsewhere())
    assert judge(found(place)) is Judgement.UNKNOWN
    ours = acquire(place, new_lease(""))
    assert ours.is_ours()
    assert not held.is_ours()


def test_a_lease_of_another_machine_that_beats_is_not_taken_over(place):
    held = take(place, None, elsewhere(every=0.2))
    lost = threading.Event()
    heartbeat = Heartbeat(held, lost.set)
    heartbeat.start()
    try:
        with pytest.raises(HeldError):
            acquire(place, new_lease(""))
        assert held.is_ours()
        assert not lost.is_set()
    finally:
        heartbeat.stop()


def test_the_heartbeat_tells_that_another_process_has_taken_over(place):
    held = take(place, None, elsewhere())
    lost = threading.Event()
    take(place, found(place), new_lease(""))
    heartbeat = Heartbeat(held, lost.set)
    heartbeat.start()
    assert lost.wait(300)
    heartbeat.stop()


@pytest.mark.parametrize("content", [b"", b"{", b"\xff" * SIZE, b"[" * SIZE, b'{"host": 1}', encoded(new_lease(""))[:50]])
def test_what_is_half_written_is_watched_and_then_taken_over(place, content, monkeypatch):
    monkeypatch.setattr(watch, "DEFAULT", 0.01)
    place.file(7).write_bytes(content)
    assert judge(found(place)) is Judgement.UNKNOWN
    assert acquire(place, new_lease("")).number == 8


def test_a_lease_from_anybody_cannot_make_anybody_wait_for_long(place):
    assert decoded(encoded(elsewhere(every=60.0))) is not None
    for wrong in ({"every": 1e9}, {"every": -1.0}, {"pid": 0}, {"pid": -1}, {"host": "x" * 1000}):
        assert decoded(encoded(elsewhere(**wrong))) is None
    for name in (".lease-", ".lease-x", ".lease-²", f".lease-{'9' * 40}"):
        (place.folder / name).touch()
    assert place.latest() is None


class Clock:
    """The clock of this process, which goes on only when it sleeps; ``sleeping`` is called before."""

    def __init__(self, sleeping=lambda: None):
        self.now = 0.0
        self.sleeping = sleeping

    def module(self):
        return SimpleNamespace(monotonic=lambda: self.now, sleep=self.sleep)

    def sleep(self, seconds):
        self.sleeping()
        self.now += seconds


def test_many_leases_of_dead_processes_are_watched_at_once(tmp_path, monkeypatch):
    every, alive = 5.0, {}
    places = [LeasePlace(tmp_path / f"{i}") for i in range(200)]
    for i, place in enumerate(places):
        place.folder.mkdir()
        held = take(place, None, elsewhere(every=every))
        if i % 20 == 0:
            alive[place] = held
    clock = Clock(sleeping=lambda: [held.beat() for held in alive.values()])
    monkeypatch.setattr(watch, "time", clock.module())
    dead = stale({place: found(place) for place in places})
    assert dead == set(places) - set(alive)
    assert BEATS * every <= clock.now <= (BEATS + 1) * every


def test_a_watcher_that_was_asleep_itself_takes_nobody_for_dead(place, monkeypatch):
    held = take(place, None, elsewhere(every=5.0))
    clock = Clock(sleeping=held.beat)
    monkeypatch.setattr(watch, "time", SimpleNamespace(monotonic=lambda: clock.now, sleep=lambda _: clock.sleep(10_000)))
    assert stale({place: found(place)}) == set()


def test_clocks_and_times_of_files_change_nothing(place, monkeypatch):
    held = take(place, None, elsewhere(since="2999-01-01T00:00:00+00:00"))
    os.utime(held.file, (0, 0))
    assert stale({place: found(place)}) == {place}
    held.beat()
    os.utime(held.file, (time.time() + 1e6, time.time() + 1e6))
    assert stale({place: found(place)}) == {place}


@pytest.mark.parametrize("rounds", [60])
def test_of_many_that_take_over_at_the_same_moment_one_wins(tmp_path, rounds):
    """Each round: a dead holder, eight takers that have all watched it."""
    winners = []

    def compete(place, before, barrier):
        barrier.wait()
        with suppress(HeldError):
            winners.append(take(place, before, new_lease("")))

    for number in range(rounds):
        place = LeasePlace(tmp_path, f"{number}-")
        take(place, None, elsewhere())
        before, barrier = found(place), threading.Barrier(8)
        takers = [threading.Thread(target=compete, args=(place, before, barrier)) for _ in range(8)]
        for each in takers:
            each.start()
        for each in takers:
            each.join()
        assert len(winners) == number + 1
        assert winners[-1].is_ours()


@pytest.mark.e2e
def test_of_processes_of_many_machines_that_increment_a_file_none_overtakes_another(tmp_path):
    """A lock that is no lock: the lease alone keeps eight processes of eight machines apart, two of which die within it."""
    script = (
        "import os, sys; from pathlib import Path; from contextlib import nullcontext\n"
        "from convexp.files import locks\n"
        "locks.lock_if_supported = lambda lock, timeout: None\n"
        "file = Path(sys.argv[1])\n"
        "for i in range(10):\n"
        "    with locks.locked(file.with_name('.lock')):\n"
        "        before = int(file.read_text()); \n"
        "        os.sched_yield()\n"
        "        if sys.argv[2] == 'dies' and i == 3: os._exit(9)\n"
        "        file.write_text(str(before + 1))\n"
    )
    counter = tmp_path / "counter"
    counter.write_text("0")
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(counter), "dies" if i < 2 else "lives"],
            env={**os.environ, "CONVEXP_HOST": f"host{i}", "CONVEXP_HEARTBEAT": "0.3"},
        )
        for i in range(8)
    ]
    assert [process.wait(300) for process in processes] == [9, 9, *(6 * [0])]
    assert int(counter.read_text()) == 2 * 3 + 6 * 10


class Takers(RuleBasedStateMachine):
    """Processes that look at a lease, and come back to take it at any later time, however late: never do two hold it."""

    looks = Bundle("looks")

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.place = LeasePlace(Path(self.folder.name))
        self.held: list[HeldLease] = []

    @rule(target=looks)
    def look(self):
        return self.place.latest()

    @rule(target=looks)
    def look_once_more(self):
        return self.place.latest()

    @rule(before=looks)
    def take(self, before: FoundLease | None):
        """Also one that was judged stale and is not."""
        with suppress(HeldError):
            self.held.append(take(self.place, before, new_lease("")))

    @rule(data=st.data())
    def beat(self, data):
        if self.held:
            data.draw(st.sampled_from(self.held)).beat()

    @rule(data=st.data())
    def release(self, data):
        if self.held:
            data.draw(st.sampled_from(self.held)).release()

    @rule()
    def look_into_an_emptied_folder(self):
        """The folder was removed and made anew."""
        for number in self.place.numbers():
            self.place.file(number).unlink()
        self.held.clear()

    @rule(target=looks)
    def nothing(self):
        return multiple()

    @invariant()
    def at_most_one_holds_it(self):
        assert sum(held.is_ours() for held in self.held) <= 1

    def teardown(self):
        self.folder.cleanup()


TestTakers = Takers.TestCase
TestTakers.settings = settings(max_examples=60, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize(
    ("given", "expected"), [("0.5", 0.5), ("", 5.0), ("soon", 5.0), ("0", 5.0), ("1e9", 5.0), ("nan", 5.0)]
)
def test_the_interval_is_a_sensible_number_of_seconds(given, expected, monkeypatch):
    monkeypatch.setenv("CONVEXP_HEARTBEAT", given)
    assert interval() == expected


def test_a_host_is_named_as_people_know_it_and_a_variable_replaces_it(monkeypatch):
    monkeypatch.delenv("CONVEXP_HOST", raising=False)
    assert host().startswith(display_host(host()))
    monkeypatch.setenv("CONVEXP_HOST", "container-7")
    assert host() == "container-7"
