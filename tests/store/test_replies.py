"""What replies mean takes effect: opt-outs, holds and answers, in one transaction, once."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select, update
from tests.factories import NOW, Scene, seed, seed_dnc, seed_dnc_group, seed_skill, seed_unit

from todoke.model.clock import HOUR, SECOND, SystemClock
from todoke.model.errors import Conflict
from todoke.model.ids import address
from todoke.model.meaning import Meaning
from todoke.model.run import RunEvent, RunState
from todoke.model.stream import Stream
from todoke.store import schema
from todoke.store.dnc.reviewed import AHEAD, keep_held
from todoke.store.hot.base import NewRun, RunEnded, Said, Single
from todoke.store.hot.replies import ANSWER_WITHIN, MOST_A_DAY, SAME_AGAIN, Answers, Target, single
from todoke.store.hot.singles import BODY
from todoke.store.store import Store

PHONE = 15_550_000_007
LATER = NOW + 50 * 365 * 24 * HOUR
TEXTS = ("you are out", "you are in", "call us")


class Desk:
    """A scene with its two standing runs, and what the store says of a number."""

    def __init__(self, store: Store, scene: Scene, scrubbed: int, exempt: int) -> None:
        self.store = store
        self.scene = scene
        self.answers = Answers(scrubbed, exempt, *TEXTS)
        self.target = Target(scene.bucket, scene.unit, scene.group)

    def said(self, meaning: Meaning, inbound_id: int, **more: Any) -> Said:
        scene = self.scene
        reason = "why" if meaning is Meaning.REVIEW else ""
        said = Said(scene.bucket, scene.unit, scene.code, PHONE, inbound_id, meaning, "words", NOW, NOW, (self.target,))
        return said._replace(**{"reason": reason, "answers": self.answers, **more})

    async def rows(self, *columns: Any) -> list[tuple[Any, ...]]:
        async with self.store.reading() as connection:
            return [tuple(row) for row in await connection.execute(select(*columns))]

    async def listed(self) -> list[str]:
        entry = schema.dnc_entry.c
        return [row[0] for row in await self.rows(entry.source, entry.phone) if row[1] == PHONE]

    async def sent(self) -> list[tuple[int, str]]:
        """(run, text) of what waits to be sent back, in order."""
        due, contact, run = schema.due.c, schema.contact.c, schema.skill_run.c
        found = []
        for message, run_id in await self.rows(due.message_id, due.run_id):
            lists = dict(await self.rows(run.id, run.list_id))
            fields = {
                (row[0], row[1]): row[2] for row in await self.rows(contact.list_id, contact.position, contact.fields)
            }
            found.append((run_id, fields[lists[run_id], address(message).ordinal].split("\x1f")[0]))
        return sorted(found)

    async def reviews(self) -> list[tuple[Any, ...]]:
        r = schema.review.c
        return sorted(await self.rows(r.id, r.state, r.meaning))


async def standing(store: Store, scene: Scene, groups: tuple[int, ...], stream: Stream = Stream.ANSWER) -> int:
    ids = (scene.bucket, scene.unit, scene.skill, 0, scene.code)
    return await store.hot.start_run(NewRun(*ids, BODY, None, groups, NOW, LATER, stream, standing=True))


@pytest.fixture
async def desk(store: Store) -> Desk:
    scene = await seed(store)
    other = await seed_skill(store, scene.unit, scene.code, name="other")
    exempt = await standing(store, scene._replace(skill=other), ())
    return Desk(store, scene, await standing(store, scene, (scene.group,)), exempt)


# ------------------------------------------------------------------ opt-outs and what is sent back


async def test_stop_lists_the_number_and_confirms_it_once(desk: Desk) -> None:
    (done,) = await desk.store.hot.apply_replies([desk.said(Meaning.STOP, 1)])
    assert done.numbers == ((desk.scene.group, PHONE, "out"),)
    assert await desk.listed() == ["opt_out"]
    assert await desk.sent() == [(desk.answers.exempt_run_id, TEXTS[0])]
    o = schema.opt_out.c
    assert await desk.rows(o.kind, o.source, o.evidence, o.inbound_id) == [("out", "reply", "words", 1)]
    for inbound_id in (1, 2):  # the same reply again, and another one that says the same
        (done,) = await desk.store.hot.apply_replies([desk.said(Meaning.STOP, inbound_id, now=NOW + SECOND)])
        assert done.message_id is None
    assert len(await desk.sent()) == 1


async def test_replies_of_one_batch_take_effect_in_their_order(desk: Desk) -> None:
    kinds = (Meaning.STOP, Meaning.START, Meaning.HELP, Meaning.STOP)
    replies = [desk.said(kind, n, at=NOW + n) for n, kind in enumerate(kinds)]
    done = await desk.store.hot.apply_replies(replies)
    assert all(one.message_id is not None for one in done)
    runs = (desk.answers.run_id, desk.answers.exempt_run_id)
    assert await desk.sent() == sorted(
        [(runs[1], TEXTS[0]), (runs[0], TEXTS[1]), (runs[0], TEXTS[2]), (runs[1], TEXTS[0])]
    )
    assert await desk.listed() == ["opt_out"]


async def test_help_from_who_has_opted_out_is_not_scrubbed(desk: Desk) -> None:
    await seed_dnc(desk.store, desk.scene.group, [PHONE], bucket=desk.scene.bucket)
    await desk.store.hot.apply_replies([desk.said(Meaning.HELP, 1)])
    assert await desk.sent() == [(desk.answers.exempt_run_id, TEXTS[2])]


async def test_yes_lifts_an_opt_out_and_is_a_reply_otherwise(desk: Desk) -> None:
    yes = desk.said(Meaning.START, 1, lifting=True)
    (done,) = await desk.store.hot.apply_replies([yes])
    assert (done.meaning, done.numbers, done.message_id) == (Meaning.REPLY, (), None)
    assert await desk.rows(schema.opt_out.c.id) == []
    await seed_dnc(desk.store, desk.scene.group, [PHONE], bucket=desk.scene.bucket)
    (done,) = await desk.store.hot.apply_replies([yes._replace(inbound_id=2)])
    assert done.meaning is Meaning.START
    assert await desk.listed() == []
    assert await desk.sent() == [(desk.answers.run_id, TEXTS[1])]


async def test_an_answer_that_comes_too_late_is_none(desk: Desk) -> None:
    (done,) = await desk.store.hot.apply_replies([desk.said(Meaning.STOP, 1, now=NOW + ANSWER_WITHIN)])
    assert done.message_id is None
    assert await desk.listed() == ["opt_out"]


async def test_an_opt_out_of_the_installation_reaches_other_buckets(desk: Desk) -> None:
    unit = await seed_unit(desk.store, name="far", bucket=9)
    group = await seed_dnc_group(desk.store, unit, bucket=9)
    targets = (desk.target, Target(9, unit, group))
    await desk.store.hot.apply_replies([desk.said(Meaning.STOP, 1, targets=targets)])
    e = schema.dnc_entry.c
    assert sorted(await desk.rows(e.bucket, e.dnc_group_id)) == sorted((t.bucket, t.dnc_group_id) for t in targets)
    assert len(await desk.sent()) == 1
    await desk.store.hot.apply_replies([desk.said(Meaning.START, 2, targets=targets, at=NOW + 1)])
    assert await desk.listed() == []


@pytest.mark.parametrize(("narrow", "own"), [(True, False), (False, True)])
async def test_an_opt_out_of_a_skill_goes_to_the_groups_that_it_contributes_to(
    desk: Desk, narrow: bool, own: bool
) -> None:
    scene = desk.scene
    stop = desk.said(Meaning.STOP, 1, narrow=narrow)
    group = await seed_dnc_group(desk.store, scene.unit, name="shifts", bucket=scene.bucket)
    async with desk.store.writing() as connection:
        values = {"skill_id": scene.skill, "dnc_group_id": group, "contributes": True, "scrubs": True}
        await connection.execute(insert(schema.skill_dnc).values(**values))
        sk = schema.skill
        answers = {"kind": "standing", "stream": "answer"}
        await connection.execute(update(sk).where(sk.c.name == "other").values(**answers))
    (done,) = await desk.store.hot.apply_replies([stop])
    e = schema.dnc_entry.c
    listed = {row[0] for row in await desk.rows(e.dnc_group_id)}
    assert listed == {group, *([scene.group] if own else [])}
    assert {number[0] for number in done.numbers} == listed
    assert done.message_id is not None
    (again,) = await desk.store.hot.apply_replies([stop._replace(inbound_id=2, now=NOW + SECOND)])
    assert again.message_id is None


@pytest.mark.parametrize("lacking", ["scrubs", "another skill"])
async def test_an_opt_out_of_a_skill_reaches_further_where_a_skill_of_the_code_would_go_on(
    desk: Desk, lacking: str
) -> None:
    """One that is not scrubbed against what it contributes to; or one that contributes to nothing, and may have texted
    last.
    """
    scene = desk.scene
    group = await seed_dnc_group(desk.store, scene.unit, name="shifts", bucket=scene.bucket)
    async with desk.store.writing() as connection:
        values = {"skill_id": scene.skill, "dnc_group_id": group, "contributes": True, "scrubs": lacking != "scrubs"}
        await connection.execute(insert(schema.skill_dnc).values(**values))
        if lacking == "scrubs":
            answers = {"kind": "standing", "stream": "answer"}
            sk = schema.skill
            await connection.execute(update(sk).where(sk.c.name == "other").values(**answers))
    await desk.store.hot.apply_replies([desk.said(Meaning.STOP, 1, narrow=True)])
    assert {row[0] for row in await desk.rows(schema.dnc_entry.c.dnc_group_id)} == {group, scene.group}


async def test_an_opt_out_of_a_skill_without_groups_goes_to_those_of_the_code(desk: Desk) -> None:
    await desk.store.hot.apply_replies([desk.said(Meaning.STOP, 1, narrow=True)])
    assert await desk.listed() == ["opt_out"]


async def test_where_the_run_of_the_answers_was_stopped_nothing_is_done(desk: Desk) -> None:
    await desk.store.hot.control_run(desk.scene.bucket, desk.answers.exempt_run_id, RunEvent.STOP, "", NOW)
    with pytest.raises(RunEnded):
        await desk.store.hot.apply_replies([desk.said(Meaning.STOP, 1)])
    assert await desk.listed() == []
    assert await desk.rows(schema.opt_out.c.id) == []


# ------------------------------------------------------------------ reviews


async def test_a_review_holds_the_number_until_it_is_decided(desk: Desk) -> None:
    doubtful = desk.said(Meaning.REVIEW, 1)
    (done,) = await desk.store.hot.apply_replies([doubtful])
    assert done.numbers == ((desk.scene.group, PHONE, "out"),)
    assert await desk.listed() == ["review"]
    ((review, state, _),) = await desk.reviews()
    assert state == "open"
    decision = desk.said(Meaning.REPLY, 1, review_id=review, note="a question", targets=())
    (done,) = await desk.store.hot.apply_replies([decision])
    assert done.numbers == ((desk.scene.group, PHONE, "in"),)
    assert await desk.listed() == []
    await desk.store.hot.apply_replies([doubtful])  # its commit was not answered: it is applied again
    assert await desk.listed() == []
    assert await desk.reviews() == [(review, "decided", "reply")]
    with pytest.raises(Conflict, match="decided before"):
        await desk.store.hot.apply_replies([decision])


async def test_a_review_that_means_stop_makes_a_lasting_entry(desk: Desk) -> None:
    await desk.store.hot.apply_replies([desk.said(Meaning.REVIEW, 1)])
    ((review, *_),) = await desk.reviews()
    await desk.store.hot.apply_replies([desk.said(Meaning.STOP, 1, review_id=review)])
    assert await desk.listed() == ["opt_out"]
    o = schema.opt_out.c
    assert await desk.rows(o.kind, o.source, o.evidence) == [("out", "review", "words")]
    assert await desk.sent() == [(desk.answers.exempt_run_id, TEXTS[0])]


async def test_one_of_two_reviews_does_not_release_the_number(desk: Desk) -> None:
    await desk.store.hot.apply_replies([desk.said(Meaning.REVIEW, n) for n in (1, 2)])
    (first, *_), (second, *_) = await desk.reviews()
    await desk.store.hot.apply_replies([desk.said(Meaning.REPLY, 1, review_id=first, targets=())])
    assert await desk.listed() == ["review"]
    await desk.store.hot.apply_replies([desk.said(Meaning.HELP, 2, review_id=second)])
    assert await desk.listed() == []


async def test_a_review_never_lifts_what_was_there_before(desk: Desk) -> None:
    await seed_dnc(desk.store, desk.scene.group, [PHONE], bucket=desk.scene.bucket)
    await desk.store.hot.apply_replies([desk.said(Meaning.REVIEW, 1)])
    ((review, *_),) = await desk.reviews()
    await desk.store.hot.apply_replies([desk.said(Meaning.REPLY, 1, review_id=review, targets=())])
    assert await desk.listed() == ["upload"]


async def test_an_entry_that_ends_leaves_the_number_held_while_its_review_is_open(desk: Desk) -> None:
    def entry(source: str, expires_at: int | None) -> dict[str, object]:
        place = {"bucket": desk.scene.bucket, "dnc_group_id": desk.scene.group, "phone": PHONE}
        return {**place, "source": source, "created_at": 1, "expires_at": expires_at}

    now = SystemClock().now()
    soon = now + HOUR
    async with desk.store.writing() as connection:
        await connection.execute(schema.dnc_entry.insert(), entry("person", soon))
    await desk.store.hot.apply_replies([desk.said(Meaning.REVIEW, 1)])
    assert await desk.listed() == ["person"]
    assert await keep_held(desk.store, soon - AHEAD - 1) == 0  # it lists the number for longer than a minute
    assert await keep_held(desk.store, soon - AHEAD) == 1
    assert await desk.listed() == ["review"]
    change = schema.dnc_change.c
    assert await desk.rows(change.change, change.source, change.old_expires_at) == [("expired", "person", soon)]
    assert await keep_held(desk.store, soon - AHEAD) == 0
    ((review, *_),) = await desk.reviews()
    await desk.store.hot.apply_replies([desk.said(Meaning.REPLY, 1, review_id=review, targets=())])
    assert await desk.listed() == []
    assert await keep_held(desk.store, now) == 0  # nobody has to read it any more


async def test_a_number_that_is_listed_for_good_is_not_held(desk: Desk) -> None:
    await seed_dnc(desk.store, desk.scene.group, [PHONE], bucket=desk.scene.bucket)
    await desk.store.hot.apply_replies([desk.said(Meaning.REVIEW, 1)])
    assert await keep_held(desk.store, NOW) == 0
    async with desk.store.writing() as connection:
        await connection.execute(schema.dnc_entry.delete())
    assert await keep_held(desk.store, NOW) == 1  # a person removed the entry, not the review
    assert await desk.listed() == ["review"]


@pytest.mark.parametrize(("kind", "listed"), [(Meaning.STOP, ["opt_out"]), (Meaning.START, [])])
async def test_what_the_number_says_later_decides(desk: Desk, kind: Meaning, listed: list[str]) -> None:
    await desk.store.hot.apply_replies([desk.said(Meaning.REVIEW, 1), desk.said(kind, 2, at=NOW + 1)])
    assert await desk.listed() == listed
    assert [row[1:] for row in await desk.reviews()] == [("decided", kind.value)]


async def test_what_belongs_to_nobody_is_for_a_person_too(desk: Desk) -> None:
    nobody = desk.said(Meaning.STOP, 1, business_unit_id=None, transport_code_id=None, targets=(), answers=None)
    for phone in (PHONE, None):
        said = nobody._replace(phone=phone, reason="no code", inbound_id=phone or 0)
        await desk.store.hot.apply_replies([said, said])
    assert [row[1] for row in await desk.reviews()] == ["open", "open"]
    assert await desk.listed() == []


# ------------------------------------------------------------------ single messages and their runs


async def run_row(desk: Desk, run: int) -> dict[str, Any]:
    r = schema.skill_run
    async with desk.store.reading() as connection:
        return dict((await connection.execute(select(r).where(r.c.id == run))).mappings().one())


async def test_a_single_message_is_a_contact_and_a_row_of_due(desk: Desk) -> None:
    run, scene = desk.answers.run_id, desk.scene
    zones = [("Asia/Tokyo",), (), ("Asia/Tokyo",)]
    singles = [Single(scene.bucket, run, PHONE + n, f"text\x1f{n}", z, NOW + n, NOW + 9) for n, z in enumerate(zones)]
    ids = await desk.store.hot.post(singles)
    assert [address(id) for id in ids] == [(scene.bucket, run, n) for n in range(3)]
    row = await run_row(desk, run)
    assert (row["contacts"], row["zone_sets"]) == (3, [[], ["Asia/Tokyo"]])
    contacts = await desk.store.hot.read_contacts(scene.bucket, row["list_id"], 0, 9, ())
    assert [(c.destination, c.zone_set, c.fields) for c in contacts] == [
        (PHONE + n, zone, f"text {n}\x1f{NOW + 9}") for n, zone in enumerate((1, 0, 1))
    ]
    d = schema.due.c
    assert sorted(await desk.rows(d.message_id, d.state, d.not_before, d.stream)) == [
        (id, "ready", NOW + n, "answer") for n, id in enumerate(ids)
    ]
    (_, seen) = await desk.store.hot.open_runs([scene.code])
    assert (seen.standing, seen.due_at, seen.zone_sets) == (True, NOW, [[], ["Asia/Tokyo"]])


async def test_a_standing_run_that_waits_says_so_and_does_not_end(desk: Desk) -> None:
    (seen, _) = await desk.store.hot.open_runs([desk.scene.code])
    assert (seen.standing, seen.due_at, seen.cursors) == (True, None, [])
    assert await desk.store.hot.settle_runs(LATER - 1) == []
    assert await desk.store.hot.expire_runs(LATER - 1) == 0


async def test_a_paused_standing_run_parks_and_a_stopped_one_ends(desk: Desk) -> None:
    run, bucket = desk.answers.run_id, desk.scene.bucket
    text = Single(bucket, run, PHONE, "text", (), NOW, NOW + HOUR)
    await desk.store.hot.control_run(bucket, run, RunEvent.PAUSE, "", NOW)
    await desk.store.hot.post([text])
    assert await desk.rows(schema.due.c.state) == [("parked",)]
    await desk.store.hot.control_run(bucket, run, RunEvent.RESUME, "", NOW)
    assert await desk.rows(schema.due.c.state) == [("ready",)]
    await desk.store.hot.control_run(bucket, run, RunEvent.STOP, "", NOW)
    with pytest.raises(RunEnded):
        await desk.store.hot.post([text])
    assert await desk.store.hot.settle_runs(NOW) == [(bucket, run, RunState.STOPPED)]
    t = schema.tally.c
    assert await desk.rows(t.outcome, t.messages) == [("stopped", 1)]


async def test_what_waits_in_a_standing_run_that_another_replaced_stays_a_single_message(desk: Desk) -> None:
    """Its expiry and its zones still count, and the run ends when nothing of it is open."""
    scene, first = desk.scene, desk.answers.run_id
    await desk.store.hot.post([Single(scene.bucket, first, PHONE, "text", ("Asia/Tokyo",), NOW, NOW + HOUR)])
    other = await standing(desk.store, scene, ())
    runs = {run.id: run for run in await desk.store.hot.open_runs([scene.code])}
    assert [(runs[id].standing, runs[id].zone_sets) for id in (first, other)] == [
        (True, [[], ["Asia/Tokyo"]]),
        (True, [[]]),
    ]
    assert runs[first].due_at == NOW
    with pytest.raises(RunEnded):
        await desk.store.hot.post([Single(scene.bucket, first, PHONE, "text", (), NOW, NOW + HOUR)])
    assert await desk.store.hot.settle_runs(NOW) == []


async def test_one_standing_run_for_one_purpose(desk: Desk) -> None:
    scene, first = desk.scene, desk.answers.run_id
    assert await standing(desk.store, scene, (scene.group,)) == first
    other = await standing(desk.store, scene, ())  # scrubbed against other groups: the old one comes to its end
    assert other != first
    assert await desk.store.hot.settle_runs(NOW) == [(scene.bucket, first, RunState.FINISHED)]
    await desk.store.hot.control_run(scene.bucket, other, RunEvent.STOP, "", NOW)
    assert await standing(desk.store, scene, ()) not in (first, other)


# ------------------------------------------------------------------ whether an answer is one too many

ANSWERS = Answers(1, 2, *TEXTS)
KINDS = st.sampled_from([Meaning.STOP, Meaning.START, Meaning.HELP])
RECENT = st.lists(st.tuples(KINDS.map(str), st.integers(NOW - 24 * HOUR + 1, NOW)), max_size=12)


def _said(late: int = 0) -> Said:
    return Said(3, 1, 1, PHONE, 1, Meaning.STOP, "", NOW, NOW + late, answers=ANSWERS)


@given(KINDS, RECENT, st.booleans(), st.booleans(), st.integers(0, 2 * ANSWER_WITHIN))
def test_an_answer_is_never_one_too_many(kind, recent, changed, listed, late) -> None:
    found = single(_said(late), kind, recent, changed=changed, listed=listed)
    same = [at for k, at in recent if k == kind and at > NOW - SAME_AGAIN[kind]]
    due = late < ANSWER_WITHIN and len(recent) < MOST_A_DAY and (not same or (changed and kind is not Meaning.HELP))
    assert (found is not None) is due
    if found is not None:
        assert found.expires_at == NOW + ANSWER_WITHIN
        assert (found.run_id == ANSWERS.exempt_run_id) is (kind is Meaning.STOP or (kind is Meaning.HELP and listed))


@given(st.lists(st.tuples(KINDS, st.booleans()), max_size=60))
def test_two_machines_do_not_talk_for_ever(said: list[tuple[Meaning, bool]]) -> None:
    recent: list[tuple[str, int]] = []
    for kind, changed in said:
        if single(_said(), kind, recent, changed=changed, listed=False) is not None:
            recent.append((kind, NOW))
    assert len(recent) <= MOST_A_DAY


# ------------------------------------------------------------------ people who were erased, and no key


async def erase_somebody(desk: Desk) -> None:
    scene = desk.scene
    row = {"bucket": scene.bucket, "business_unit_id": scene.unit, "dnc_group_id": scene.group, "digest": PHONE * 7}
    async with desk.store.writing() as connection:
        await connection.execute(insert(schema.erased_number).values(until=None, created_at=NOW, **row))


async def test_start_where_the_key_is_missing_takes_effect_and_goes_to_a_person_too(desk: Desk) -> None:
    await desk.store.hot.apply_replies([desk.said(Meaning.STOP, 1)])
    await erase_somebody(desk)
    said = [desk.said(Meaning.START, 2, at=NOW + 1), desk.said(Meaning.STOP, 3, at=NOW + 2)]
    (start, stop) = await desk.store.hot.apply_replies(said)
    assert (start.meaning, stop.meaning) == (Meaning.START, Meaning.STOP)
    assert await desk.listed() == ["opt_out"], "the STOP that came behind it counts"
    (reason,) = [row[0] for row in await desk.rows(schema.review.c.reason)]
    assert "erasure.key is missing" in reason
    e = schema.erased_number.c
    assert await desk.rows(e.digest) == [(PHONE * 7,)], "whoever it is stays blocked"


async def test_start_lifts_what_an_erasure_kept_where_the_key_is_there(desk: Desk) -> None:
    await erase_somebody(desk)
    desk.store.hot.use_key(lambda phone: phone * 7)
    await desk.store.hot.apply_replies([desk.said(Meaning.START, 2, at=NOW + 1)])
    assert await desk.rows(schema.erased_number.c.digest) == []
    assert await desk.reviews() == []
