"""From a filter's text to the filter: `State = "FL" and Score >= 10 and not (Tag contains "x")`.

    expression   either { "or" either }
    either       part { "and" part }
    part         "not" part | "(" expression ")" | test
    test         field sign value | field [not] in (value, ...) | field [not] between value and value
                 | field [not] contains "text" | field [not] starts with "text" | field is [not] value
                 | field is [not] empty | field before day | field after day | field within [last] 7 days

A field is a word, `{any name in braces}`, or `@number`, `@external_id`, `@zone`. A value is a text in quotes, a number,
a day such as 2026-11-27 or 2026-11-27T09:30, or `today`, `today + 3`, `today - 3`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from decimal import Decimal

from todoke.model.closest import suggestion
from todoke.model.errors import Invalid
from todoke.model.filter.expression import (
    LONGEST_VALUE,
    MOST_DEEP,
    MOST_VALUES,
    All,
    Any,
    Condition,
    Day,
    Expression,
    Not,
    Op,
    System,
    Today,
    Value,
    check_size,
    conditions,
    is_day,
)
from todoke.model.filter.tokens import Kind, Token, split
from todoke.model.filter.values import scaled_value

WHERE = "filter"
MOST_DAYS = 36_500

_SIGNS = {"=": Op.IS, "==": Op.IS, "<": Op.LESS, "<=": Op.AT_MOST, ">": Op.MORE, ">=": Op.AT_LEAST}
_OPERATORS = ("is", "in", "not", "between", "contains", "starts", "before", "after", "within")


def read(text: str) -> Expression:
    """The filter that the text says; Invalid, with the place and what to write."""
    reader = _Reader(split(text, WHERE))
    found = reader.whole()
    check_size(found)
    return found


def check_fields(expression: Expression, known: Collection[str]) -> None:
    """Invalid where it names a field that the list does not have."""
    for test in conditions(expression):
        if not isinstance(test.name, System) and test.name not in known:
            place = f"{WHERE}, column {test.at}" if test.at else WHERE
            fix = suggestion(test.name, known, "See its fields with todoke list show.")
            raise Invalid(f"The list has no field {test.name!r}.", where=place, fix=fix)


def field_name(token: Token) -> str | System:
    """The field that a token names; Invalid."""
    if token.kind is Kind.WORD and token.text.startswith("@"):
        try:
            return System(token.text[1:])
        except ValueError:
            known = [f"@{system.value}" for system in System]
            raise refused(token, f"There is no {token.text}.", suggestion(token.text, known)) from None
    return token.text


def refused(token: Token, sentence: str, fix: str) -> Invalid:
    return Invalid(sentence, where=f"{WHERE}, column {token.at}", fix=fix)


class _Reader:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._next = 0
        self._depth = 0

    def whole(self) -> Expression:
        head = self._peek
        if head.kind is Kind.END:
            raise refused(head, "The filter is empty.", 'Write one such as State = "FL".')
        found = self._either()
        if self._peek.kind is not Kind.END:
            raise refused(self._peek, f"{self._peek.shown} is not expected here.", 'Join tests with "and" or "or".')
        return found

    # ------------------------------------------------------------------ and, or, not

    def _either(self) -> Expression:
        parts = self._several("or", lambda: self._several_of(self._several("and", self._part), All))
        return self._several_of(parts, Any)

    def _several(self, word: str, read: Callable[[], Expression]) -> list[Expression]:
        parts = [read()]
        while self._take(word):
            parts.append(read())
        return parts

    @staticmethod
    def _several_of(parts: list[Expression], kind: type[All] | type[Any]) -> Expression:
        return parts[0] if len(parts) == 1 else kind(tuple(parts))

    def _part(self) -> Expression:
        self._depth += 1
        if self._depth > 2 * MOST_DEEP:
            raise refused(self._peek, "The filter is nested too deep.", "Write it flatter.")
        try:
            if self._take("not"):
                return Not(self._part())
            if self._peek.text == "(" and self._peek.kind is Kind.SIGN:
                opened = self._pop()
                found = self._either()
                if not self._sign(")"):
                    raise refused(self._peek, f"A bracket that opens in column {opened.at} is not closed.", "Add a ).")
                return found
            return self._test()
        finally:
            self._depth -= 1

    # ------------------------------------------------------------------ one test

    def _test(self) -> Expression:
        token = self._pop()
        if token.kind is Kind.TEXT:
            raise refused(token, f"A test begins with a field, not with {token.shown}.", f"Write {{{token.text}}}.")
        if token.kind not in (Kind.WORD, Kind.FIELD):
            raise refused(token, f"A field is expected here, not {token.shown}.", 'Such as State = "FL".')
        name = field_name(token)

        def test(op: Op, *values: Value) -> Condition:
            return Condition(name, op, values, token.at)

        sign = self._peek
        if sign.kind is Kind.SIGN and (sign.text in _SIGNS or sign.text in ("!=", "<>")):
            self._pop()
            value = self._value()
            op = _SIGNS.get(sign.text)
            return Not(test(Op.IS, value)) if op is None else test(op, value)
        if self._take("is"):
            negative = self._take("not")
            found = test(Op.EMPTY) if self._take("empty") else test(Op.IS, self._value())
            return Not(found) if negative else found
        if self._take("before"):
            return test(Op.LESS, self._day())
        if self._take("after"):
            return test(Op.MORE, self._day())
        if self._take("within"):
            return test(Op.BETWEEN, *self._within())
        negative = self._take("not")
        found = self._positive(test)
        return Not(found) if negative else found

    def _positive(self, test: Callable[..., Condition]) -> Condition:
        if self._take("in"):
            return test(Op.IN, *self._list())
        if self._take("contains"):
            return test(Op.CONTAINS, self._text())
        if self._take("starts"):
            self._take("with")
            return test(Op.STARTS_WITH, self._text())
        if self._take("between"):
            least = self._value()
            if not self._take("and"):
                raise refused(self._peek, "`between` needs two values.", "Such as Score between 1 and 10.")
            return test(Op.BETWEEN, least, self._value(least))
        token = self._peek
        fix = suggestion(token.text, _OPERATORS) if token.kind is Kind.WORD else 'Such as State = "FL".'
        raise refused(token, f"What the field must be is expected here, not {token.shown}.", fix)

    def _within(self) -> tuple[Today, Today]:
        last = self._take("last")
        token = self._pop()
        if token.kind is not Kind.NUMBER or not token.text.isdigit() or int(token.text) > MOST_DAYS:
            raise refused(token, f"A number of days is expected here, not {token.shown}.", "Such as within 7 days.")
        if not (self._take("days") or self._take("day")):
            raise refused(self._peek, "`days` is missing.", f"Write within {token.text} days.")
        days = int(token.text)
        return (Today(-days), Today()) if last else (Today(), Today(days))

    def _list(self) -> list[Value]:
        opened = self._peek
        if not self._sign("("):
            raise refused(opened, "`in` needs values in brackets.", 'Such as State in ("FL", "GA").')
        values = [self._value()]
        while self._sign(","):
            values.append(self._value(values[0]))
        if not self._sign(")"):
            raise refused(self._peek, f"A bracket that opens in column {opened.at} is not closed.", "Add a ).")
        if len(values) > MOST_VALUES:
            raise refused(opened, f"There are {len(values):,} values; {MOST_VALUES:,} are possible.", "Use fewer.")
        return values

    # ------------------------------------------------------------------ values

    def _value(self, like: Value | None = None) -> Value:
        token = self._pop()
        value = self._read(token)
        if like is not None and _kind(value) is not _kind(like):
            raise refused(token, "The values are not of one type.", "Use only texts, only numbers or only days.")
        return value

    def _read(self, token: Token) -> Value:
        match token.kind:
            case Kind.TEXT:
                if len(token.text) > LONGEST_VALUE:
                    raise refused(token, f"The text is longer than {LONGEST_VALUE} characters.", "Shorten it.")
                return token.text
            case Kind.NUMBER:
                number = Decimal(token.text)
                if scaled_value(number) is None:
                    sentence = "The number has more than 12 digits, or more than 6 decimals."
                    raise refused(token, sentence, f'As a text it would be "{token.text}".')
                return number
            case Kind.DAY:
                if not is_day(token.text):
                    raise refused(token, f"There is no day {token.text}.", "Such as 2026-11-27 or 2026-11-27T09:30.")
                return Day(token.text)
            case Kind.WORD if token.text.casefold() == "today":
                return Today(self._offset())
            case Kind.WORD:
                raise refused(token, f"{token.shown} is no value.", f'A text stands in quotes: "{token.text}".')
            case _:
                raise refused(token, f"A value is expected here, not {token.shown}.", 'Such as "FL", 10 or 2026-11-27.')

    def _offset(self) -> int:
        """What follows `today`: + 3, - 3 days."""
        token = self._peek
        sign = 0
        if token.kind is Kind.SIGN and token.text in "+-":
            self._pop()
            sign = 1 if token.text == "+" else -1
        elif not (token.kind is Kind.NUMBER and token.text[0] in "+-"):
            return 0
        number = self._pop()
        digits = number.text if sign else number.text[1:]
        if number.kind is not Kind.NUMBER or not digits.isdigit() or int(digits) > MOST_DAYS:
            raise refused(number, f"A number of days is expected here, not {number.shown}.", "Such as today + 3.")
        if not self._take("days"):
            self._take("day")
        return sign * int(digits) if sign else int(number.text)

    def _day(self) -> Value:
        token = self._peek
        value = self._value()
        if not isinstance(value, Day | Today):
            raise refused(token, f"A day is expected here, not {token.shown}.", "Such as 2026-11-27 or today.")
        return value

    def _text(self) -> str:
        token = self._peek
        value = self._value()
        if not isinstance(value, str):
            raise refused(token, f"A text is expected here, not {token.shown}.", f'Write "{token.text}".')
        if not value:
            raise refused(token, "An empty text is part of every text.", "Use `is empty` or `is not empty`.")
        return value

    # ------------------------------------------------------------------ tokens

    @property
    def _peek(self) -> Token:
        return self._tokens[self._next]

    def _pop(self) -> Token:
        token = self._peek
        if token.kind is not Kind.END:
            self._next += 1
        return token

    def _take(self, word: str) -> bool:
        """Whether the next token is this word of the language; then it is passed."""
        token = self._peek
        if token.kind is Kind.WORD and token.text.casefold() == word:
            self._next += 1
            return True
        return False

    def _sign(self, sign: str) -> bool:
        token = self._peek
        if token.kind is Kind.SIGN and token.text == sign:
            self._next += 1
            return True
        return False


def _kind(value: Value) -> type:
    return Day if isinstance(value, Today) else type(value)
