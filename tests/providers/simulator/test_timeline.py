"""Delayed actions run in their order, together, and never before their time."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from todoke.providers.simulator.timeline import Timeline


class Clock:
    """Time and timers under the test's control."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[tuple[float, Callable[[], None], list[bool]]] = []

    def set_timer(self, delay: float, callback: Callable[[], None]) -> "Cancel":
        live = [True]
        self.timers.append((self.now + delay, callback, live))
        return Cancel(live)

    def run(self) -> None:
        while due := [timer for timer in self.timers if timer[2][0]]:
            at, callback, live = min(due, key=lambda timer: timer[0])
            live[0] = False
            self.now = max(self.now, at)
            callback()


class Cancel:
    def __init__(self, live: list[bool]) -> None:
        self._live = live

    def cancel(self) -> None:
        self._live[0] = False


@given(st.lists(st.floats(0, 10), max_size=40))
def test_actions_run_by_time_then_by_age(delays: list[float]) -> None:
    clock, ran = Clock(), list[tuple[float, int]]()
    timeline = Timeline(lambda: clock.now, clock.set_timer, lambda: None)
    for number, delay in enumerate(delays):
        timeline.after(delay, lambda number=number, delay=delay: ran.append((delay, number)))
    clock.run()
    assert ran == sorted((delay, number) for number, delay in enumerate(delays))
    assert len(timeline) == 0


def test_what_is_due_together_settles_once() -> None:
    clock, settled = Clock(), list[float]()
    timeline = Timeline(lambda: clock.now, clock.set_timer, lambda: settled.append(clock.now))
    for _ in range(10):
        timeline.after(1.0, lambda: None)
    timeline.after(2.0, lambda: None)
    clock.run()
    assert settled == [1.0, 2.0]


def test_an_action_may_add_another() -> None:
    clock, ran = Clock(), list[float]()
    timeline = Timeline(lambda: clock.now, clock.set_timer, lambda: None)

    def again() -> None:
        ran.append(clock.now)
        if len(ran) < 3:
            timeline.after(0.0 if len(ran) == 1 else 1.0, again)

    timeline.after(1.0, again)
    clock.run()
    assert ran == [1.0, 1.0, 2.0]


def test_stop_forgets() -> None:
    clock, ran = Clock(), list[int]()
    timeline = Timeline(lambda: clock.now, clock.set_timer, lambda: None)
    timeline.after(1.0, lambda: ran.append(1))
    timeline.stop()
    clock.run()
    assert ran == []
