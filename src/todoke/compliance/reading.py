"""How a reply is read: certainly stop, start or help; perhaps stop, which a person decides; or a reply.

Pure. In this order: a quoted message and what a phone adds are left out; then the whole text, a line of it, or a text
without its "please" and "thanks" is compared with the keywords; then with phrases that a reasonable person would
understand; then it is looked through for what may mean stop.
"""

from __future__ import annotations

from typing import NamedTuple

from todoke.compliance.keywords import OWN, Keywords, Words, builtin, squashed
from todoke.compliance.normalising import normalise, own_lines, spelled
from todoke.model.meaning import Meaning

_SHORT = 5  # words
_LONGEST_COURTESY = 4  # words


class Reading(NamedTuple):
    """What a reply means and why, in a sentence. `languages`: those of the words that decided; none where they are the
    registration's own. `lifting`: START only if the number has opted out, else a reply.
    """

    meaning: Meaning
    why: str
    keyword: str = ""
    languages: tuple[str, ...] = ()
    lifting: bool = False


def read(text: str, keywords: Keywords | None = None) -> Reading:
    """Reads a whole reply."""
    known = keywords or builtin()
    lines = own_lines(text)
    if not lines:  # nothing but emoji or marks: no keyword, not even one that is nothing else itself
        return Reading(Meaning.REPLY, "It has no words.")
    words = normalise(" ".join(lines))
    return (
        _certain(words, known)
        or _by_line(lines, known)
        or _leading(words, known)
        or _perhaps(words, known)
        or Reading(Meaning.REPLY, "Nothing in it means stop, start or help.")
    )


def _certain(words: str, known: Keywords) -> Reading | None:
    """The text as a whole, as it stands or without courtesies."""
    for form in _forms(words, known.courtesy):
        if not form:
            continue
        for kind, listed in known.exact.items():
            if (languages := listed.known.get(form)) is not None:
                return _said(kind, f"{form!r} is a keyword for {kind.value}.", form, languages)
        if (code := known.phrase(form)) is not None:
            return _said(Meaning.STOP, f"{form!r} says stop in other words.", form, (code,))
        joined = squashed(form)
        if (languages := known.exact[Meaning.STOP].known.get(joined)) is not None and not form.isascii():
            return _said(Meaning.STOP, f"{joined!r} is a keyword for stop.", joined, languages)
        if (languages := known.lifting.known.get(form)) is not None:
            why = f"{form!r} opts in again where the number has opted out; else it is a reply."
            return _said(Meaning.START, why, form, languages)._replace(lifting=True)
    return None


def _forms(words: str, courtesy: Words) -> dict[str, None]:
    """As what a text may be compared, the likeliest first."""
    drawn = spelled(words)
    return dict.fromkeys((drawn, *_bared(drawn, courtesy), words, *_bared(words, courtesy)))


def _by_line(lines: list[str], known: Keywords) -> Reading | None:
    """A keyword in a line of its own: with a name below it, or after a greeting."""
    if len(lines) < 2:
        return None
    first, *others = [_certain(normalise(line), known) for line in lines]
    if first is not None and first.meaning is Meaning.STOP and _strong(first, known):
        return first
    for found in others:
        if found is not None and found.meaning is Meaning.STOP and _strong(found, known):
            return found
    for found in (first, *others):
        if found is not None and found.meaning is Meaning.STOP:
            return _said(
                Meaning.REVIEW, f"{found.keyword!r} stands in a line of its own.", found.keyword, found.languages
            )
    return None


def _strong(found: Reading, known: Keywords) -> bool:
    """Means hardly anything else, wherever it stands: it would be looked for inside a text as well."""
    return (
        found.keyword in known.inside.known
        or known.phrase(found.keyword) is not None
        or not found.languages  # the registration's own
        or not found.keyword.isascii()
    )


def _leading(words: str, known: Keywords) -> Reading | None:
    split = words.split(" ")
    if len(split) <= _SHORT:
        for count in (1, 2):
            head = " ".join(split[:count])
            if (languages := known.leading.known.get(head)) is not None:
                return _said(Meaning.STOP, f"It is short and begins with {head!r}.", head, languages)
    return None


def _perhaps(words: str, known: Keywords) -> Reading | None:
    """It may mean stop: never ignored, and never decided by a machine."""
    forms = dict.fromkeys((words, *_bared(words, known.courtesy)))
    for form in forms:
        if (languages := known.likely.known.get(form)) is not None:
            return _said(Meaning.REVIEW, f"{form!r} may mean stop.", form, languages)
    for form in forms:
        split = form.split(" ")
        for count in (1, 2, 3):
            head = " ".join(split[:count])
            if (languages := known.first.known.get(head)) is not None:
                return _said(Meaning.REVIEW, f"It begins with {head!r}, which may mean stop.", head, languages)
    if not words.isascii():
        joined = squashed(words)
        head = next((word for word in known.first.known if not word.isascii() and joined.startswith(word)), None)
        if head is not None:
            return _said(
                Meaning.REVIEW, f"It begins with {head!r}, which may mean stop.", head, known.first.known[head]
            )
    for form in dict.fromkeys((words, spelled(words))):
        found = known.found_inside(form)
        if found is not None:
            languages = known.inside.known.get(found, ())
            return _said(Meaning.REVIEW, f"It has {found!r}, which may mean stop.", found, languages)
    return None


def _bared(words: str, courtesy: Words) -> list[str]:
    """With less and less courtesy: first none at its end, then step by step none at its beginning. Never nothing."""
    split = words.split(" ")
    while count := _courteous(split, courtesy, at_end=True):
        split = split[:-count]
    found = [split]
    while count := _courteous(split, courtesy, at_end=False):
        split = split[count:]
        found.append(split)
    return [" ".join(form) for form in found if form]


def _courteous(split: list[str], courtesy: Words, *, at_end: bool) -> int:
    """How many words of a courtesy stand there."""
    for count in range(min(_LONGEST_COURTESY, len(split)), 0, -1):
        if " ".join(split[-count:] if at_end else split[:count]) in courtesy.known:
            return count
    return 0


def _said(kind: Meaning, why: str, keyword: str, languages: tuple[str, ...]) -> Reading:
    return Reading(kind, why, keyword, tuple(code for code in languages if code != OWN))
