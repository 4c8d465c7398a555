"""The faithful SMSC: what becomes of a submit. Connections hand it in; phones, ledger and receipts follow from here."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Protocol

from todoke.providers.simulator.behaviour import Behaviour, Fate, Throttle, draw_fate, judge
from todoke.providers.simulator.entry import Entry, digest
from todoke.providers.simulator.inbound import Outbox, receipt, reply
from todoke.providers.simulator.ledger import Ledger, LedgerError
from todoke.providers.simulator.phones import Phones, segment_text
from todoke.providers.simulator.settings import Settings
from todoke.providers.simulator.stats import Stats
from todoke.providers.simulator.styles import FIRST_NUMBER, STATES, STYLES, Final, Style
from todoke.providers.simulator.submission import Submission
from todoke.providers.simulator.timeline import Timeline
from todoke.smpp import status

_REMEMBERED = 100_000
_BEGINNING = 20
_log = logging.getLogger(__name__)


class Peer(Protocol):
    """A connection as the SMSC sees it."""

    number: int
    submits: int

    def flush(self) -> None:
        """Write what is ready."""
        ...

    def drop(self) -> None:
        """Cut the connection."""
        ...

    def heed(self, behaviour: Behaviour) -> None:
        """The behaviour changed."""
        ...


@dataclass(slots=True)
class Account:
    """One system_id: its mail and its pace."""

    name: str
    outbox: Outbox
    throttle: Throttle = field(default_factory=Throttle)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to a submit: command_status, message id (empty for a refusal) and what happens to the response."""

    status: int
    given: str
    fate: Fate


@dataclass(frozen=True, slots=True)
class Submitted:
    """What query_sm may ask about later. `finished` is in seconds of the epoch."""

    source: str
    state: int
    error: str
    finished: float


class UnownedCode(Exception):
    """No account is known to own the code."""


class Smsc:
    """One faithful SMSC. `clock` is monotonic, `wall` of the epoch, both in seconds; `later` runs what is delayed."""

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger | None,
        rng: Random,
        clock: Callable[[], float],
        wall: Callable[[], float],
        stats: Stats,
    ) -> None:
        self.settings = settings
        self.behaviour = settings.behaviour
        self.ledger = ledger
        self.rng = rng
        self.clock = clock
        self.wall = wall
        self.stats = stats
        self.phones = Phones(settings.phones, settings.phone_limit, settings.inbox_limit)
        self.accounts = {name: Account(name, Outbox(stats)) for name in settings.accounts}
        self.peers: dict[int, Peer] = {}
        self.opened = 0
        self._dirty: dict[int, Peer] = {}
        self._number = FIRST_NUMBER + (ledger.count if ledger else 0)
        self._owners = dict(settings.codes)
        self._submitted: OrderedDict[str, Submitted] = OrderedDict()
        self._references = 0
        self._timeline: Timeline | None = None

    @property
    def later(self) -> Timeline:
        """What runs delayed actions; set once by the server, which has the loop."""
        assert self._timeline is not None
        return self._timeline

    @later.setter
    def later(self, timeline: Timeline) -> None:
        self._timeline = timeline

    def take(self, peer: Peer, account: Account, submission: Submission) -> Outcome:
        """Judge one submit: ledger, phone, receipt. The caller answers as the outcome says."""
        behaviour, destination = self.behaviour, submission.destination.digits
        self.stats.submits += 1
        self._owners.setdefault(submission.source.digits, account.name)
        if submission.source.digits not in self.settings.codes:
            self._owners[submission.source.digits] = account.name
        phone = self.phones.phone(destination)
        verdict = judge(behaviour, phone.state, destination, self.rng, self.settings.seed)
        refusal = self._refusal(account, submission) or verdict.status
        fate = draw_fate(behaviour, peer.submits, self.rng)
        style = STYLES[self.rng.choice(behaviour.receipt_styles)]
        given = ""
        if not refusal:
            number, given = self._next(style)
            self.stats.accepted += 1
            final = Final(
                number,
                verdict.state,
                verdict.error,
                self.wall(),
                self.wall() + behaviour.receipt_delay,
                _beginning(submission),
            )
            self._remember(given, submission, final)
            if verdict.state == "DELIVRD":
                phone.receive(submission, final.submitted)
            self._schedule_receipt(account, submission, style, final, early=fate is Fate.AFTER_RECEIPT)
        self._enter(peer, account, submission, Outcome(refusal, given, fate))
        return Outcome(refusal, given, fate)

    def query(self, given: str, source: str) -> Submitted | None:
        """What became of a submission, by the id that the response gave and the code that sent it."""
        found = self._submitted.get(given)
        if found is None or found.source != source:
            return None
        if self.wall() < found.finished:
            return Submitted(found.source, STATES["ENROUTE"], "000", 0.0)
        return found

    def reply(self, number: str, code: str, text: str) -> tuple[str, int]:
        """A phone texts a code; the account that gets it and the number of segments.

        Raises UnownedCode, and segments.TooLong.
        """
        owner = self._owners.get(code)
        if owner is None:
            if len(self.accounts) > 1:
                raise UnownedCode(code)
            owner = next(iter(self.accounts))
        self._references += 1
        mail = reply(number, code, text, self._references)
        for one in mail:
            self.accounts[owner].outbox.offer(one)
        self.settle()
        return owner, len(mail)

    def behave(self, behaviour: Behaviour) -> None:
        """Change the behaviour, at once and for every connection."""
        self.behaviour = behaviour
        for peer in list(self.peers.values()):
            peer.heed(behaviour)
        for account in self.accounts.values():
            account.outbox.send()
        self.settle()

    def drop_all(self) -> int:
        """Cut every connection; how many there were."""
        peers = list(self.peers.values())
        for peer in peers:
            self.stats.dropped += 1
            peer.drop()
        return len(peers)

    def ready(self, peer: Peer) -> None:
        """`peer` has something to write at the next settlement."""
        self._dirty[peer.number] = peer

    def settle(self) -> None:
        """Write the ledger, and only then the answers: what was answered is always in the ledger."""
        dirty, self._dirty = self._dirty, {}
        try:
            if self.ledger is not None:
                self.ledger.flush()
        except LedgerError as error:
            _log.error("the simulator drops its connections: %s", error, extra={"action": "simulator.ledger"})
            for peer in list(self.peers.values()):
                peer.drop()
            return
        for peer in dirty.values():
            peer.flush()

    def _refusal(self, account: Account, submission: Submission) -> int:
        if account.outbox.unacknowledged >= self.settings.inbound_limit:
            return status.RMSGQFUL
        if fault := submission.fault():
            return fault
        if submission.expired(self.wall()):
            return status.RINVEXPIRY
        if not account.throttle.admit(self.behaviour.throttle, self.clock()):
            return status.RTHROTTLED
        return 0

    def _next(self, style: Style) -> tuple[int, str]:
        number = self._number
        self._number += 1
        return number, style.given(number)

    def _remember(self, given: str, submission: Submission, final: Final) -> None:
        self._submitted[given] = Submitted(submission.source.digits, STATES[final.state], final.error, final.finished)
        if len(self._submitted) > _REMEMBERED:
            self._submitted.popitem(last=False)

    def _schedule_receipt(
        self, account: Account, submission: Submission, style: Style, final: Final, *, early: bool
    ) -> None:
        wanted = submission.wants_success if final.state == "DELIVRD" else submission.wants_failure
        if not (self.behaviour.receipts and wanted):
            return
        mail = receipt(style, submission, final, echo=self.behaviour.echo_reference)
        delay = self.behaviour.receipt_delay + self.behaviour.receipt_jitter * self.rng.random()
        if early:
            account.outbox.offer(mail)
        else:
            self.later.after(delay, partial(account.outbox.offer, mail))
        if self.behaviour.receipt_repeat_ratio and self.rng.random() < self.behaviour.receipt_repeat_ratio:
            self.later.after(2 * delay, partial(account.outbox.offer, mail))

    def _enter(self, peer: Peer, account: Account, submission: Submission, outcome: Outcome) -> None:
        if self.ledger is None:
            return
        self.ledger.add(
            Entry(
                at=int(self.wall() * 1_000_000),
                monotonic=int(self.clock() * 1_000_000),
                account=account.name,
                connection=peer.number,
                sequence=submission.sequence,
                source=submission.source.digits,
                destination=submission.destination.digits,
                given=outcome.given,
                status=outcome.status,
                fate=outcome.fate,
                concatenation=submission.concatenation,
                user_message_reference=submission.user_message_reference,
                data_coding=submission.data_coding,
                size=len(submission.payload),
                digest=digest(submission.payload),
                mark=submission.mark,
            )
        )


def _beginning(submission: Submission) -> str:
    text = segment_text(submission.esm_class, submission.data_coding, submission.payload)[:_BEGINNING]
    return "".join(character if " " <= character <= "~" else "?" for character in text)
