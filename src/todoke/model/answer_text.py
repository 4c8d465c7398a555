"""Texts that are sent back on a keyword, as a person writes them in a declaration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from todoke.model.closest import suggestion
from todoke.model.language import LANGUAGES
from todoke.sms.compose import compose
from todoke.sms.templates import TemplateError, UnknownField, parse

FIELDS = ("BusinessUnit", "Code")
"""The merge fields that such a text may have."""
EVERYWHERE = "*"
"""The language of a text that was given for all of them."""
MOST_SEGMENTS = 3


def by_language(text: str | Mapping[str, str] | None) -> dict[str, str]:
    """The text for each language; one for all of them stands under `*`."""
    if text is None:
        return {}
    return {EVERYWHERE: text} if isinstance(text, str) else dict(text)


def mistakes(texts: Mapping[str, str], business_unit: str, code: str) -> Iterator[tuple[str, str, bool]]:
    """(sentence, what to do, whether it is only a warning) for what is wrong with the texts of one kind."""
    for language, body in texts.items():
        if language != EVERYWHERE and language not in LANGUAGES:
            yield f"There is no language {language!r}.", suggestion(language, LANGUAGES), False
        if not body.strip():
            yield "The text is empty.", "Write what is to be sent back, or leave it out for the built-in one.", False
            continue
        try:
            composed = compose(parse(body).compile(FIELDS), (business_unit, code))
        except TemplateError as error:
            yield f"In line {error.line}, column {error.column} of the text: {error.problem}.", error.fix, False
            continue
        except UnknownField:
            yield "The text has a field that is not known here.", "Use {BusinessUnit} and {Code} only.", False
            continue
        count = len(composed.split.parts)
        if count > MOST_SEGMENTS:
            yield f"The text takes {count} segments.", f"Shorten it to {MOST_SEGMENTS} at the most.", False
        elif count > 1:
            yield f"The text takes {count} segments.", "One is enough for what it has to say.", True
        if "http" in body.casefold() or "www." in body.casefold():
            yield "The text has a link.", "Make sure that it is no marketing: none is allowed here.", True
