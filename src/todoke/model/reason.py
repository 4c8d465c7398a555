"""Why a message or a row went no further: short codes for tallies and files, sentences for people.

A provider's own codes are reasons too, written `smpp:0x0000000b` or `receipt:UNDELIV:001`; and what a person decided
about a doubt, with the words that were given: `person`, or `person:seen in the carrier's log`.
"""

from __future__ import annotations

SENTENCES: dict[str, str] = {
    "": "",
    # skipped before hand-over
    "dnc": "the number is on a do-not-call list",
    "suppressed": "the contact is suppressed until after the run's expiry",
    "cap": "a frequency cap is used up until after the run's expiry",
    "no_consent": "the skill requires a consent that the number has not given, or has revoked",
    "erased": "the person was erased",
    "no_key": "the key to recognise erased people by was missing until the run's expiry",
    "no_mobile": "the contact has no number that can be texted",
    "missing_field": "a merge field is empty and has no default",
    "empty_text": "the text is empty",
    "too_long": "the text needs more than 255 segments",
    "contact_expired": "the contact's own expiry was before its turn",
    "filtered": "a new filter of the skill does not want the contact",
    "edited": "the contact was edited after a part of its text had left",
    # stopped, expired
    "stopped": "the run was stopped before its turn",
    "expired": "the run expired before its calling window opened",
    # in doubt
    "link_dropped": "the link dropped before the provider answered",
    "response_timeout": "the provider did not answer in time",
    "engine_crashed": "the engine stopped between writing and the answer",
    "journal_lost": "the engine stopped and its journal does not count any more",
    # sent again
    "at_least_once": "it was in doubt and is sent again by its skill's policy",
    # decided by a person
    "person": "a person decided so",
}


WORDS = 60
"""So many characters of a person's words are kept."""


def of_person(words: str) -> str:
    """The code for what a person decided: the words in one line, cut where they are too long for a tally's key."""
    kept = " ".join(words.split())[:WORDS].rstrip()
    return f"person:{kept}" if kept else "person"


def sentence(reason: str) -> str:
    """What the code means, for people; a provider's code is said as it is."""
    known = SENTENCES.get(reason)
    if known is not None:
        return known
    kind, _, rest = reason.partition(":")
    if kind == "smpp":
        return f"the provider refused it with SMPP status {rest}"
    if kind == "receipt":
        state, _, code = rest.partition(":")
        return f"the provider reports {state}" + (f" (error {code})" if code else "")
    if kind == "person":
        return f"a person decided so: {rest}"
    return reason.replace("_", " ")
