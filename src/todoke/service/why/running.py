"""Whether a run of the skill is open, and sends."""

from __future__ import annotations

from todoke.model.run import OPEN, RunState
from todoke.service.why.question import Question
from todoke.service.why.verdict import Verdict
from todoke.store.catalogue import runs


async def state(question: Question) -> list[Verdict]:
    """A verdict for each open run of the skill (over the list, where one was named). A skill without one may text all
    the same, as soon as it is started.
    """
    of = question.calling_list
    async with question.store.reading() as connection:
        rows = await runs.every(connection, question.unit, states=frozenset(OPEN), limit=1000)
    mine = [row for row in rows if row.skill == question.skill.name and (of is None or row.calling_list == of.name)]
    if not mine:
        return [Verdict("run", True, "No run is open: nothing is sent before the skill is started.", "the runs")]
    found: list[Verdict] = []
    for row in mine:
        source = f"run {row.id} over {row.calling_list}"
        if row.expires_at <= question.at:
            found.append(Verdict("run", False, f"Run {row.id} has expired by then.", source))
        else:
            sends = row.state is RunState.RUNNING
            sentence = f"Run {row.id} is {row.state.value}."
            found.append(Verdict("run", sends, sentence, source, row.expires_at if sends else None))
    if any(verdict.allowed for verdict in found):  # one that sends is enough; the others are no reason against
        return [verdict for verdict in found if verdict.allowed]
    return found
