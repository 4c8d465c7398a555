"""Failpoints: what a test build does to itself when it passes a named point of the hand-over.

    TODOKE_TEST_FAILPOINTS="after_journal=kill:0.01; after_commit=stop@40; before_wire=delay/0.2"

A rule is POINT=ACTION, where the action may say `:RATIO` (the share of passes that strike) or `@N` (the N-th pass
alone strikes; without either it is the first). A process strikes at most once a rule. Nothing under `src` knows of
this: the seams are wrapped from outside, see `seams.py`.
"""

from __future__ import annotations

import os
import random
import re
import signal
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "TODOKE_TEST_FAILPOINTS"
SEED = "TODOKE_TEST_FAILPOINTS_SEED"
STRUCK = "TODOKE_TEST_STRUCK"  # a file: a line for each strike, written before it takes place
PASSED = "TODOKE_TEST_PASSED"  # a file: a line for each point, when it is passed for the first time

_RULE = re.compile(
    r"(?P<point>\w+)=(?P<action>kill|stop|raise|delay)(/(?P<seconds>[\d.]+))?(:(?P<ratio>[\d.]+)|@(?P<nth>\d+))?"
)


class Struck(RuntimeError):
    """A failpoint raised, as a mistake of ours would."""


@dataclass(slots=True)
class Rule:
    """When one point strikes, and how."""

    point: str
    action: str
    seconds: float = 0.1
    ratio: float | None = None
    nth: int = 1
    done: bool = False

    def strikes(self, passes: int, rng: random.Random) -> bool:
        """Whether the pass with this number (from 1) strikes."""
        if self.done:
            return False
        return passes == self.nth if self.ratio is None else rng.random() < self.ratio


def parse(text: str, known: Iterable[str]) -> list[Rule]:
    """The rules; ValueError for what is none, or names no point."""
    rules: list[Rule] = []
    points = set(known)
    for part in filter(None, (piece.strip() for piece in text.split(";"))):
        found = _RULE.fullmatch(part)
        if found is None or found["point"] not in points:
            raise ValueError(f"{part!r} is no failpoint; the points are {', '.join(sorted(points))}")
        rules.append(
            Rule(
                found["point"],
                found["action"],
                float(found["seconds"] or 0.1),
                float(found["ratio"]) if found["ratio"] else None,
                int(found["nth"] or 1),
            )
        )
    return rules


class Failpoints:
    """Of this process. `passing` is called at every point; it may not return, or return late."""

    def __init__(self, rules: list[Rule], seed: int, struck: Path | None, passed: Path | None) -> None:
        self._rules: dict[str, list[Rule]] = {}
        for rule in rules:
            self._rules.setdefault(rule.point, []).append(rule)
        self._rng = random.Random(seed)
        self._passes: Counter[str] = Counter()
        self._struck = struck
        self._passed = passed

    def strikes(self, point: str) -> Rule | None:
        """The rule that strikes at this pass, if one does: for a point whose action has a form of its own."""
        self._passes[point] += 1
        if self._passes[point] == 1 and self._passed is not None:
            _note(self._passed, point)
        for rule in self._rules.get(point, ()):
            if rule.strikes(self._passes[point], self._rng):
                rule.done = True
                return rule
        return None

    def passing(self, point: str) -> None:
        """Pass a point: kill, freeze, raise or wait where a rule says so."""
        rule = self.strikes(point)
        if rule is not None:
            self.strike(rule)

    def strike(self, rule: Rule) -> None:
        """Do it. A freeze returns when somebody sends SIGCONT."""
        if self._struck is not None:
            _note(self._struck, f"{rule.point} {rule.action} {os.getpid()} {time.monotonic():.6f}")
        match rule.action:
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
                time.sleep(60)  # the signal may reach another thread first
            case "stop":
                os.kill(os.getpid(), signal.SIGSTOP)
                time.sleep(0.05)  # so that it is this thread, too, that is frozen here
            case "raise":
                raise Struck(rule.point)
            case _:
                time.sleep(rule.seconds)


def of_environment(known: Iterable[str]) -> Failpoints:
    """As the environment says; without the variable, points that only note that they were passed."""
    struck, passed = os.environ.get(STRUCK), os.environ.get(PASSED)
    return Failpoints(
        parse(os.environ.get(VARIABLE, ""), known),
        int(os.environ.get(SEED, "0")),
        Path(struck) if struck else None,
        Path(passed) if passed else None,
    )


def _note(path: Path, line: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")
