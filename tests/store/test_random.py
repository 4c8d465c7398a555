"""Whatever happens in whatever order, the live counts equal a fresh fold over the events, and what is in doubt
is a row.
"""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.factories import NOW, phone_of, seed_run, update_skill
from tests.store.world import World

from todoke.model.clock import HOUR
from todoke.model.event import Kind
from todoke.model.ids import reference
from todoke.store.hot.base import Choice

MESSAGES = 4
HOURS = st.integers(0, 2)
RECEIPTS = [Kind.DELIVERED, Kind.UNDELIVERED]
REASONS = st.sampled_from(["", "a", "b"])


@st.composite
def steps(draw: st.DrawFn) -> tuple[str, int, int, int, int, Kind, int, str]:
    """(what, message, segment, segments, attempt, kind, hour, reason)."""
    message = draw(st.integers(0, MESSAGES - 1))
    segments = 1 if message < MESSAGES // 2 else 2  # a message has as many segments as it has
    what = draw(st.sampled_from(["fresh", "event", "doubt", "receipt", "stray", "resend", "person"]))
    kinds = {"receipt": RECEIPTS, "stray": RECEIPTS, "doubt": [Kind.IN_DOUBT]}.get(what, list(Kind))
    kind = draw(st.sampled_from(kinds))
    whole = kind in (Kind.SKIPPED, Kind.STOPPED, Kind.EXPIRED)
    segment = 0 if whole else draw(st.integers(1, segments))
    return what, message, segment, segments, draw(st.integers(0, 1)), kind, draw(HOURS), draw(REASONS)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    at_least_once=st.booleans(),
    flushes=st.lists(st.lists(steps(), min_size=1, max_size=6), min_size=1, max_size=5),
)
async def test_counts_equal_the_fold(
    world: World, at_least_once: bool, flushes: list[list[tuple[str, int, int, int, int, Kind, int, str]]]
) -> None:
    await update_skill(world.store, world.scene, in_doubt_policy="at_least_once" if at_least_once else "at_most_once")
    run = world.run = await seed_run(world.store, world.scene)
    accepted: set[int] = set()
    for flush in flushes:
        fresh, events, receipts = [], [], []
        for what, message, segment, segments, attempt, kind, hour, reason in flush:
            at = NOW + hour * HOUR
            name = f"{run}-{message}-{segment}-{attempt}"
            if what == "fresh" and segments == 1 and message not in accepted:
                accepted.add(message)
                group = world.fresh(message, at=at)
                fresh.append(group._replace(provider_message_ids=[f"{run}-{message}-1-0"]))
            elif what == "receipt":
                receipts.append(world.receipt(name, kind, at=at, reason=reason))
            elif what == "stray":  # of a submission that nobody knows, but for its reference
                echo = reference(world.message(message), segment, attempt)
                phone = str(phone_of(message))
                receipts.append(
                    world.receipt(f"x{name}", kind, at=at, reason=reason, phone=phone, reference=echo if hour else None)
                )
            elif what == "resend":
                await world.hot.resend_doubts(at + HOUR)
            elif what == "person":
                ids = [world.message(message)]
                await world.hot.resolve_doubts(world.scene.bucket, run, ids, list(Choice)[hour], "person", at)
            elif what in ("event", "doubt") and (
                segments > 1 or message in accepted or kind != Kind.ACCEPTED or attempt
            ):
                # An engine says that a message is fresh only where it has no event.
                accepted.add(message)
                identity = name if kind == Kind.ACCEPTED else None
                events.append(
                    world.event(
                        message,
                        kind,
                        segment=segment,
                        attempt=attempt,
                        at=at,
                        segments=segments,
                        id=identity,
                        reason=reason,
                    )
                )
        await world.flush(fresh=fresh, events=events, receipts=receipts)
        await world.check()
