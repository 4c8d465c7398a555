"""From contacts to messages, or to the reason why there is none."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.pipeline.lanes.doubles import BUCKET, CODE, LONG, RUN, START, block, contact, lane_run, open_run, phone

from todoke.model.clock import HOUR, from_datetime
from todoke.model.contact import ERASED_DESTINATION
from todoke.model.event import Event, Kind
from todoke.model.ids import message_id
from todoke.model.transport_code import CODE_TYPES
from todoke.pipeline.lanes.composing import Batch, compose_block, compose_due
from todoke.pipeline.lanes.message import Work
from todoke.pipeline.lanes.runs import LaneRun
from todoke.providers.smpp.sender import SmppSender
from todoke.providers.smpp.settings import SmppSettings
from todoke.smpp.pdu import SubmitSm, decode
from todoke.sms.segments import header
from todoke.store.hot.base import Contact, DueRow, DueTaken, Held

NIGHT = from_datetime(datetime(2025, 6, 16, 7, 0, tzinfo=UTC))  # 3 in the morning in New York
MORNING = from_datetime(datetime(2025, 6, 16, 12, 0, tzinfo=UTC))  # 8 o'clock
DAYTIME = {"window": (480, 1260), "expires_at": NIGHT + 24 * HOUR}


def compose(run: LaneRun, *contacts: Contact, now: int = START) -> Batch:
    return compose_block(run, Work(block(0, 99), run), list(contacts), now)


def taken(position: int, attempt: int = 1, segments: str = "", text_crc: int | None = None) -> DueTaken:
    return DueTaken(BUCKET, message_id(BUCKET, RUN, position), attempt, RUN, CODE, segments, text_crc)


def test_a_contact_becomes_a_message_of_its_text() -> None:
    run = lane_run()
    work = Work(block(0, 99), run)
    (message,) = compose_block(run, work, [contact(4, "Ann")], START).messages
    assert message.id == message_id(BUCKET, RUN, 4)
    assert message.destination == phone(4)
    assert (message.attempt, message.segments, message.numbers, message.left) == (0, 1, [1], 1)
    assert message.bodies == [b"%d|1|0||Hello Ann" % phone(4)]
    assert message.crc == 0  # one segment cannot be interrupted
    assert message.work is work
    assert message.taken is None


def test_a_long_text_becomes_segments_that_share_a_reference() -> None:
    run = lane_run(body=LONG)
    batch = compose(run, contact(300), contact(301))
    for message in batch.messages:
        assert (message.segments, message.numbers, message.left) == (3, [1, 2, 3], 3)
        for number, body in zip(message.numbers, message.bodies, strict=True):
            fields = body.split(b"|", 3)
            assert fields[:3] == [b"%d" % message.destination, b"%d" % number, b"0"]
            assert fields[3].startswith(header((message.id ^ RUN) & 0xFF, 3, number) + b"|")
        text = b"".join(body.split(b"|", 4)[4] for body in message.bodies)
        assert text.decode("ascii") == LONG
    one, two = batch.messages
    assert one.id & 0xFF != two.id & 0xFF  # neighbours differ, and so does the same contact in the next run


@pytest.mark.parametrize(
    ("body", "given", "reason"),
    [
        ("Hello {FirstName}", contact(1, on_dnc=True), "dnc"),
        ("Hello {FirstName}", contact(1)._replace(destination=0), "no_mobile"),
        ("Hello {FirstName}", contact(1)._replace(expires_at=START), "contact_expired"),
        ("Hello {FirstName}", contact(1, " "), "missing_field"),
        ("{FirstName| }", contact(1, ""), "empty_text"),
        ("{FirstName}", contact(1, "x" * 39_016), "too_long"),
    ],
)
def test_what_goes_no_further_is_an_event_with_its_reason(body: str, given: Contact, reason: str) -> None:
    batch = compose(lane_run(body=body), given)
    assert batch.events == [Event(message_id(BUCKET, RUN, 1), 0, 0, Kind.SKIPPED, START, reason=reason)]
    assert not batch.messages
    assert not batch.due


def test_a_contact_is_texted_until_its_expiry() -> None:
    given = [contact(n)._replace(expires_at=START + n) for n in range(3)]
    batch = compose(lane_run(), *given)
    assert [event.reason for event in batch.events] == ["contact_expired"]
    assert [message.destination for message in batch.messages] == [phone(1), phone(2)]
    due = compose_due(lane_run(), [(taken(n), given[n]) for n in range(3)], START + 1)
    assert [event.reason for event in due.events] == ["contact_expired"] * 2


@pytest.mark.parametrize("smart", [False, True])
def test_what_is_composed_knows_when_its_contact_expires(smart: bool) -> None:
    given = [contact(0), contact(1)._replace(expires_at=START + HOUR)]
    batch = compose(lane_run(smart_encoding=smart), *given)
    assert [message.expires_at for message in batch.messages] == [None, START + HOUR]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (contact(1)._replace(destination=0), "no_mobile"),
        (contact(1)._replace(destination=ERASED_DESTINATION), "erased"),
        (contact(1)._replace(expires_at=START), "contact_expired"),
    ],
)
def test_who_is_out_anyway_is_not_held(given: Contact, reason: str) -> None:
    run = lane_run(expires_at=START + 24 * HOUR)
    kept = {run.base_id + 1: Held(START + HOUR, "suppressed")}
    for batch in (
        compose_block(run, Work(block(0, 99), run), [given], START, kept),
        compose_due(run, [(taken(1), given)], START, kept),
    ):
        assert [event.reason for event in batch.events] == [reason]
        assert not batch.due


def test_who_expires_before_a_hold_ends_is_not_held() -> None:
    run = lane_run(expires_at=START + 24 * HOUR)
    kept = {run.base_id + 1: Held(START + HOUR, "suppressed")}
    given = contact(1)._replace(expires_at=START + HOUR)
    batch = compose_block(run, Work(block(0, 99), run), [given], START, kept)
    assert [event.reason for event in batch.events] == ["suppressed"]
    assert not batch.due


def test_the_longest_text_still_goes() -> None:
    (message,) = compose(lane_run(body="{FirstName}"), contact(1, "x" * 39_015)).messages
    assert message.segments == 255


def test_before_its_window_a_contact_waits_in_due_until_it_opens() -> None:
    batch = compose(lane_run(**DAYTIME), contact(1), now=NIGHT)
    assert batch.due == [DueRow(BUCKET, message_id(BUCKET, RUN, 1), 0, RUN, CODE, MORNING)]
    assert not batch.messages
    assert not batch.events
    assert compose(lane_run(**DAYTIME), contact(1), now=MORNING).messages


@pytest.mark.parametrize("zones", [[], ["Nowhere/Atlantis"], ["Asia/Tokyo", "America/New_York"]])
def test_a_contact_whose_window_never_opens_waits_for_the_end_of_the_run(zones: list[str]) -> None:
    run = lane_run(window=(540, 1020), expires_at=NIGHT + 24 * HOUR, zone_sets=[zones])
    batch = compose(run, contact(1), now=MORNING)
    assert [row.not_before for row in batch.due] == [NIGHT + 24 * HOUR]
    assert not batch.messages


def test_each_contact_has_the_window_of_its_own_zones() -> None:
    run = lane_run(**DAYTIME, zone_sets=[["America/New_York"], ["Europe/Berlin"]])
    batch = compose(run, contact(0), contact(1, zone_set=1), now=NIGHT)
    assert [message.destination for message in batch.messages] == [phone(1)]
    assert [row.message_id for row in batch.due] == [message_id(BUCKET, RUN, 0)]


def test_the_whole_day_needs_no_zone() -> None:
    assert compose(lane_run(zone_sets=[[]]), contact(1)).messages


def test_a_number_on_a_list_is_out_whatever_the_hour() -> None:
    batch = compose(lane_run(**DAYTIME), contact(1, on_dnc=True), now=NIGHT)
    assert [event.reason for event in batch.events] == ["dnc"]
    assert not batch.due


def test_a_retry_keeps_its_id_and_carries_its_attempt() -> None:
    row = taken(5, attempt=2)
    (message,) = compose_due(lane_run(), [(row, contact(5))], START).messages
    assert (message.id, message.attempt, message.taken, message.work) == (row.message_id, 2, row, None)
    assert message.bodies[0].split(b"|")[2] == b"2"


def test_of_a_retry_in_part_only_those_segments_are_made() -> None:
    whole = lane_run(body=LONG)
    crc = compose(whole, contact(5)).messages[0].crc
    (message,) = compose_due(whole, [(taken(5, 1, "1,3", crc), contact(5))], START).messages
    assert (message.segments, message.numbers, message.left) == (3, [1, 3], 2)
    first = compose(whole, contact(5)).messages[0]
    assert [body.split(b"|", 3)[3] for body in message.bodies] == [
        first.bodies[0].split(b"|", 3)[3],
        first.bodies[2].split(b"|", 3)[3],
    ]


@pytest.mark.parametrize("name", ["Ann", "Ann " * 50, "Ann " * 100])
@pytest.mark.parametrize("crc", [None, 1])
def test_the_rest_of_a_text_that_was_edited_is_not_sent(name: str, crc: int | None) -> None:
    run = lane_run(body="{FirstName}")
    batch = compose_due(run, [(taken(5, 1, "2,3", crc), contact(5, name))], START)
    assert [(event.kind, event.reason, event.attempt) for event in batch.events] == [(Kind.SKIPPED, "edited", 1)]
    assert not batch.messages


def test_a_retry_of_the_whole_text_may_be_edited() -> None:
    (message,) = compose_due(lane_run(), [(taken(5), contact(5, "Bob"))], START).messages
    assert message.bodies[0].endswith(b"Hello Bob")


def test_a_due_row_whose_window_is_closed_goes_back_as_it_was() -> None:
    row = taken(5, 2, "2,3", 99)
    batch = compose_due(lane_run(**DAYTIME), [(row, contact(5))], NIGHT)
    assert batch.due == [DueRow(BUCKET, row.message_id, 2, RUN, CODE, MORNING, "2,3", 99)]


def test_what_is_smart_goes_as_gsm() -> None:
    text = "It’s “here” – now"
    (plain,) = compose(lane_run(body=text), contact(1)).messages
    (smart,) = compose(lane_run(body=text, smart_encoding=True), contact(1)).messages
    assert plain.bodies[0].endswith(text.encode("utf-16-be"))
    assert smart.bodies[0].endswith(b'It\'s "here" - now')
    assert smart.bodies != plain.bodies


names = st.text(st.sampled_from("aé漢🙂 \x1b^"), max_size=400)


@given(st.lists(st.tuples(names, st.booleans(), st.integers(0, 2)), min_size=1, max_size=8), st.booleans())
def test_every_contact_has_exactly_one_outcome(rows: list[tuple[str, bool, int]], night: bool) -> None:
    run = lane_run(body="Hi {FirstName}", **DAYTIME, zone_sets=[["America/New_York"], ["Europe/Berlin"], []])
    contacts = [
        contact(position, name, zone_set=zone_set, on_dnc=dnc) for position, (name, dnc, zone_set) in enumerate(rows)
    ]
    batch = compose(run, *contacts, now=NIGHT if night else MORNING)
    ids = [m.id for m in batch.messages] + [e.message_id for e in batch.events] + [d.message_id for d in batch.due]
    assert sorted(ids) == [message_id(BUCKET, RUN, position) for position in range(len(rows))]


@given(
    st.lists(st.tuples(names, st.booleans(), st.integers(0, 2)), min_size=1, max_size=8),
    st.booleans(),
    st.sampled_from(["Hi {FirstName}", "{FirstName}", "{FirstName| }", "漢{FirstName}"]),
)
def test_the_short_way_makes_what_the_long_way_makes(rows: list[tuple[str, bool, int]], night: bool, body: str) -> None:
    run = lane_run(body=body, **DAYTIME, zone_sets=[["America/New_York"], ["Europe/Berlin"], []])
    contacts = [
        contact(position, name, zone_set=zone_set, on_dnc=dnc) for position, (name, dnc, zone_set) in enumerate(rows)
    ]
    now = NIGHT if night else MORNING
    short = compose(run, *contacts, now=now)
    long = compose_due(run, [(taken(one.position, 0), one) for one in contacts], now)
    assert (short.events, short.due) == (long.events, long.due)
    assert len(short.messages) == len(long.messages)
    for one, other in zip(short.messages, long.messages, strict=True):
        assert one.work is not None
        other.taken, other.work = None, one.work
        assert msgspec.structs.astuple(one) == msgspec.structs.astuple(other)


def test_who_is_kept_back_is_out_for_the_reason_that_was_found_and_the_lists_come_first() -> None:
    run = lane_run(body="Hello {FirstName}")
    contacts = [contact(n, "Ann")._replace(on_dnc=n == 2) for n in range(4)]
    kept = {run.base_id + 1: "no_consent", run.base_id + 2: "no_consent"}
    batch = compose_block(run, Work(block(0, 3), run), contacts, START, kept)
    assert [message.id for message in batch.messages] == [run.base_id, run.base_id + 3]
    assert {(event.message_id - run.base_id, event.reason) for event in batch.events} == {(1, "no_consent"), (2, "dnc")}
    rows = [(taken(n), contacts[n]) for n in (0, 1)]
    again = compose_due(run, rows, START, kept)
    assert [(event.attempt, event.reason) for event in again.events] == [(1, "no_consent")]
    assert len(again.messages) == 1


@pytest.mark.parametrize("smart", [False, True])
def test_who_was_erased_is_out(smart: bool) -> None:
    run = lane_run(body="Hello", smart_encoding=smart)
    erased = contact(0, "")._replace(destination=ERASED_DESTINATION)
    batch = compose_block(run, Work(block(0, 0), run), [erased], START)
    assert batch.messages == []
    assert [event.reason for event in batch.events] == ["erased"]


# ------------------------------------------------------------------ until when the carrier may try


def validities(run: LaneRun, now: int, *contacts: Contact) -> list[str]:
    """What the octets of the messages say."""
    said: list[str] = []
    for message in compose(run, *contacts, now=now).messages:
        for body in message.bodies:
            pdu = decode((16 + len(body)).to_bytes(4, "big") + b"\0\0\0\x04" + b"\0\0\0\0" + b"\0\0\0\x01" + body)
            assert isinstance(pdu, SubmitSm)
            said.append(pdu.validity_period)
    return said


@pytest.mark.parametrize("body", ["Hello {FirstName}", LONG])
@pytest.mark.parametrize("smart", [False, True])
def test_each_segment_says_when_the_window_of_its_contact_closes(body: str, smart: bool) -> None:
    sender = SmppSender(SmppSettings(host="smsc.example"), "72345", CODE_TYPES["short"])
    run = LaneRun(
        open_run(
            body=body,
            smart_encoding=smart,
            window=(480, 1260),
            zone_sets=[
                ["US-NY America/New_York"],
                ["US-CA America/Los_Angeles"],
                ["US-NY America/New_York 09:00-11:30"],
            ],
            expires_at=START + 48 * HOUR,
        ),
        sender,
    )
    said = validities(run, START, *(contact(number, zone_set=number) for number in range(3)))
    assert list(dict.fromkeys(said)) == ["250616010000000+", "250616040000000+", "250615153000000+"]
    assert len(said) == (3 if body != LONG else 9)
    run.refresh(open_run(body=body, window=(480, 1260), expires_at=START + HOUR + 1))
    assert set(validities(run, START, contact(0))) == {"250615160640000+"}


def test_what_may_be_tried_for_days_says_nothing() -> None:
    sender = SmppSender(SmppSettings(host="smsc.example"), "72345", CODE_TYPES["short"])
    run = LaneRun(open_run(expires_at=START + 100 * HOUR), sender)
    assert validities(run, START, contact(0)) == [""]
    assert validities(run, START, contact(0)._replace(expires_at=START + 80 * HOUR)) == [""]


def test_the_carrier_is_told_when_a_contact_expires() -> None:
    sender = SmppSender(SmppSettings(host="smsc.example"), "72345", CODE_TYPES["short"])
    for smart in (False, True):
        run = LaneRun(open_run(expires_at=START + 48 * HOUR, smart_encoding=smart), sender)
        assert validities(run, START, contact(0)._replace(expires_at=START + HOUR + 1)) == ["250615160640000+"]
