"""Regular expressions over digits as automata, to ask what no regular expression answers: is it settled by the first
digits whether a number matches, whatever follows?

Only what a numbering plan's patterns are made of is read: digits, `\\d`, classes, groups, `|`, `?`, `*`, `+`, `{m,n}`
and `$`.
"""

from __future__ import annotations

from typing import NamedTuple

_ALL = frozenset("0123456789")
_MANY = 20  # repetitions that stand for any number: no phone number has more digits

State = frozenset[int]
NONE, ALL, SOME = 0, 1, 2  # of the numbers that begin so, how many match


class _Edge(NamedTuple):
    digits: frozenset[str] | None  # None: without reading a digit
    to: int


class Pattern:
    """One regular expression; `start` is its state before the first digit, and an empty state matches nothing more.

    Raises ValueError for a pattern that it cannot read.
    """

    def __init__(self, pattern: str) -> None:
        builder = _Builder(pattern)
        self._edges = builder.edges
        self._final = builder.final
        self._at_end = builder.at_end
        self._steps: dict[tuple[State, str], State] = {}
        self._shares: dict[tuple[State, int], int] = {}
        self._further: dict[tuple[State, int], bool] = {}
        self.start = self._closed({builder.start})

    def step(self, state: State, digit: str) -> State:
        """The state after one more digit."""
        key = state, digit
        found = self._steps.get(key)
        if found is None:
            there = {
                edge.to
                for node in state
                for edge in self._edges[node]
                if edge.digits is not None and digit in edge.digits
            }
            found = self._steps[key] = self._closed(there)
        return found

    def after(self, digits: str) -> State:
        """The state after these digits."""
        state = self.start
        for digit in digits:
            if not state:
                break
            state = self.step(state, digit)
        return state

    def matches(self, state: State) -> bool:
        """Whether what was read up to here is a match, whatever follows it."""
        return self._final in state

    def share(self, state: State, more: int) -> int:
        """How many of the numbers with exactly `more` further digits match as a whole: NONE, ALL or SOME."""
        if not state:
            return NONE
        if more == 0:
            return ALL if self._final in state or self._at_end in state else NONE
        key = state, more
        found = self._shares.get(key)
        if found is None:
            shares = {self.share(self.step(state, digit), more - 1) for digit in "0123456789"}
            found = self._shares[key] = shares.pop() if len(shares) == 1 else SOME
        return found

    def may_match_later(self, state: State, more: int) -> bool:
        """Whether a match may end behind this place, in a number with exactly `more` further digits."""
        if not state or more == 0:
            return False
        key = state, more
        found = self._further.get(key)
        if found is None:
            following = [self.step(state, digit) for digit in "0123456789"]
            found = self._further[key] = any(
                self._final in after or (more == 1 and self._at_end in after) or self.may_match_later(after, more - 1)
                for after in following
            )
        return found

    def _closed(self, nodes: set[int]) -> State:
        todo = list(nodes)
        while todo:
            for edge in self._edges[todo.pop()]:
                if edge.digits is None and edge.to not in nodes:
                    nodes.add(edge.to)
                    todo.append(edge.to)
        return frozenset(nodes)


class _Builder:
    """Thompson's construction, by recursive descent."""

    def __init__(self, pattern: str) -> None:
        self._text = pattern
        self._at = 0
        self.edges: list[list[_Edge]] = []
        self.at_end = self._node()
        self.start, self.final = self._alternatives()
        if self._at < len(pattern):
            raise ValueError(f"cannot read {pattern!r} at {self._at}")

    def _node(self) -> int:
        self.edges.append([])
        return len(self.edges) - 1

    def _link(self, start: int, end: int, digits: frozenset[str] | None = None) -> None:
        self.edges[start].append(_Edge(digits, end))

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _alternatives(self) -> tuple[int, int]:
        start, end = self._node(), self._node()
        while True:
            first, last = self._sequence()
            self._link(start, first)
            self._link(last, end)
            if self._peek() != "|":
                return start, end
            self._at += 1

    def _sequence(self) -> tuple[int, int]:
        start = end = self._node()
        while (sign := self._peek()) and sign not in "|)":
            if sign == "$":
                self._at += 1
                self._link(end, self.at_end)
                end = self._node()  # nothing follows the end
                continue
            begin = self._at
            atom = self._atom()
            least, most = self._repetitions()
            behind = self._at
            for number in range(most):
                if number:
                    self._at = begin
                    atom = self._atom()
                last = self._node()
                self._link(end, atom[0])
                self._link(atom[1], last)
                if number >= least:
                    self._link(end, last)
                end = last
            self._at = behind
        return start, end

    def _repetitions(self) -> tuple[int, int]:
        sign = self._peek()
        if sign and sign in "?*+":
            self._at += 1
            return {"?": (0, 1), "*": (0, _MANY), "+": (1, _MANY)}[sign]
        if sign != "{":
            return 1, 1
        end = self._text.index("}", self._at)
        least, comma, most = self._text[self._at + 1 : end].partition(",")
        self._at = end + 1
        return int(least), (int(most) if most else _MANY if comma else int(least))

    def _atom(self) -> tuple[int, int]:
        sign = self._peek()
        if sign == "(":
            self._at += 3 if self._text.startswith("(?:", self._at) else 1
            inner = self._alternatives()
            if self._peek() != ")":
                raise ValueError(f"cannot read {self._text!r} at {self._at}")
            self._at += 1
            return inner
        start, end = self._node(), self._node()
        self._link(start, end, self._digits(sign))
        return start, end

    def _digits(self, sign: str) -> frozenset[str]:
        if sign == "[":
            end = self._text.index("]", self._at)
            inside = self._text[self._at + 1 : end].replace("\\d", "0-9")
            self._at = end + 1
            return self._listed(inside)
        if self._text.startswith("\\d", self._at):
            self._at += 2
            return _ALL
        if sign not in _ALL:
            raise ValueError(f"cannot read {self._text!r} at {self._at}")
        self._at += 1
        return frozenset(sign)

    def _listed(self, inside: str) -> frozenset[str]:
        digits: set[str] = set()
        at = 0
        while at < len(inside):
            last = inside[at + 2] if inside[at + 1 : at + 2] == "-" else inside[at]
            if inside[at] not in _ALL or last not in _ALL:
                raise ValueError(f"cannot read {self._text!r}: [{inside}]")
            digits.update(map(str, range(int(inside[at]), int(last) + 1)))
            at += 3 if last is not inside[at] or inside[at + 1 : at + 2] == "-" else 1
        return frozenset(digits)
