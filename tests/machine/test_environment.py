from datetime import UTC, datetime

from convexp.machine import environment


def test_every_call_of_now_reads_the_clock(monkeypatch):
    times = iter([datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)])

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return next(times)

    monkeypatch.setattr(environment, "datetime", Clock)
    assert [environment.now(), environment.now()] == ["2026-01-01T00:00:00+00:00", "2026-01-02T00:00:00+00:00"]


def test_versions_are_looked_up_once():
    assert environment.versions() is environment.versions()
