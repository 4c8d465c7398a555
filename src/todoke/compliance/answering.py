"""What is sent back on a keyword, by whom, and in which language. Pure.

The texts say what happened and how to undo it, and nothing else: no marketing is allowed in them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from todoke.compliance.keywords import language as language_data
from todoke.model.answer_text import EVERYWHERE, FIELDS
from todoke.model.language import ENGLISH
from todoke.model.meaning import Meaning
from todoke.model.transport_code import CODE_TYPES
from todoke.sms.templates import parse


class Who(StrEnum):
    """Who answers a keyword."""

    US = "us"
    NETWORK = "network"  # it blocks the number on STOP, lifts that on START, and says so itself
    NOBODY = "nobody"


def who(setting: str | None, code_type: str) -> Who:
    """As the registration says; else the usual of the type of code."""
    if not CODE_TYPES[code_type].two_way:
        return Who.NOBODY
    if setting is not None:
        return Who(setting)
    return Who.NETWORK if code_type == "toll_free" else Who.US


@dataclass(frozen=True, slots=True)
class Answering:
    """How a registration answers. `texts`: its own, by meaning and language."""

    who: Who
    business_unit: str
    code: str
    language: str
    texts: Mapping[str, Mapping[str, str]]

    def text(self, kind: Meaning, languages: Sequence[str] = ()) -> str | None:
        """What is sent back on such a keyword, which is of these languages; None where nothing is sent by us.

        A network that answers does so on STOP and START; it knows nothing of HELP.
        """
        if kind not in (Meaning.STOP, Meaning.START, Meaning.HELP) or self.who is Who.NOBODY:
            return None
        if self.who is Who.NETWORK and kind is not Meaning.HELP:
            return None
        chosen = self.chosen(languages)
        own = self.texts.get(kind.value, {})
        body = own.get(chosen) or own.get(EVERYWHERE) or language_data(chosen).answers[kind.value]
        return parse(body).compile(FIELDS).render((self.business_unit, self.code))

    def chosen(self, languages: Sequence[str]) -> str:
        """The language of the answer: that of the keyword. English ones are used everywhere: they do not tell."""
        if not languages or ENGLISH in languages or self.language in languages:
            return self.language
        return languages[0]
