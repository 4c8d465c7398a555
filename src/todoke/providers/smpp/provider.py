"""One SMPP account with its links, as the pipeline sees a provider."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Callable, Sequence
from typing import cast

from todoke.model.clock import Clock
from todoke.model.transport_code import CodeType
from todoke.providers.base import Decision, Failure, Heard, Sink, Word
from todoke.providers.smpp.inbound import heard, receipted, word
from todoke.providers.smpp.sender import SmppSender
from todoke.providers.smpp.settings import Bind, SmppSettings
from todoke.smpp.link import Link, LinkDown, LinkEvent, LinkSettings, LinkUp, Retrying, Writable
from todoke.smpp.pdu import BindReceiver, BindTransceiver, BindTransmitter
from todoke.smpp.receipt import IdStyle, normalise_id
from todoke.smpp.session import (
    Accepted,
    BindRefused,
    Deliver,
    Receipted,
    Settings,
    StrayResponse,
    SubmitResult,
    Timeout,
)
from todoke.smpp.status import Verdict, sentence, verdict

_log = logging.getLogger(__name__)

_DECISIONS = {
    Verdict.THROTTLED: Decision.THROTTLED,
    Verdict.TEMPORARY: Decision.RETRYABLE,
    Verdict.RETRY_ONCE: Decision.RETRY_ONCE,
    Verdict.CREDENTIALS: Decision.RETRYABLE,
    Verdict.ALREADY_BOUND: Decision.RETRYABLE,
    Verdict.PERMANENT: Decision.PERMANENT,
}
_RECEIVED = 5_000  # inbound messages a link may leave unacknowledged before it stops reading


class SmppProvider:
    """`start` keeps the links up until `stop`; what they hear goes to the sink.

    `generation` is another, greater number for each provider of the same account in one process: what an earlier one
    heard is not acknowledged over the links of a later one.
    """

    def __init__(
        self, provider_id: int, name: str, settings: SmppSettings, clock: Clock, *, generation: int = 0
    ) -> None:
        self.id = provider_id
        self.name = name
        self._settings = settings
        self._clock = clock
        self._sink: Sink | None = None
        self._links: list[Link] = []
        self._senders: list[Link] = []
        self._turn = itertools.count()
        self._answered = asyncio.Event()
        self._stopping = False
        self._states: dict[int, str] = {}
        self._exact = settings.response_ids is IdStyle.EXACT
        self._first_epoch = generation << 32

    # -------------------------------------------------------------- sending

    @property
    def up(self) -> bool:
        return any(link.up for link in self._senders)

    @property
    def free(self) -> int:
        return sum(link.free for link in self._senders)

    @property
    def patience(self) -> float:
        return self._settings.response_timeout

    def sender(self, code: str, code_type: CodeType) -> SmppSender:
        return SmppSender(self._settings, code, code_type)

    def submit(self, batch: Sequence[tuple[bytes, object]]) -> None:
        links = self._senders
        if len(links) == 1:
            links[0].submit(batch)
            return
        # Start with another link each time, so that small batches spread.
        start = next(self._turn)
        done = 0
        for i in range(len(links)):
            link = links[(start + i) % len(links)]
            room = min(link.free, len(batch) - done)
            if room:
                link.submit(batch[done : done + room])
                done += room
            if done == len(batch):
                return

    def acknowledge(self, handles: Sequence[object]) -> None:
        by_link: dict[int, list[tuple[Deliver | Receipted, int]]] = {}
        last, answers = -1, list[tuple[Deliver | Receipted, int]]()
        for index, deliver in cast("Sequence[tuple[int, Deliver | Receipted]]", handles):
            if index != last:  # neighbours mostly share their link
                last, answers = index, by_link.setdefault(index, [])
            answers.append((deliver, 0))
        for index, answers in by_link.items():
            if index < len(self._links):  # an earlier provider of the account may have had more
                self._links[index].respond(answers)

    # -------------------------------------------------------------- life

    async def start(self, sink: Sink) -> None:
        """Open the links; they come up in their own time."""
        self._sink = sink
        settings = self._settings
        session = Settings(
            window=settings.window,
            response_timeout=settings.response_timeout,
            enquire_link=settings.enquire_link,
            max_unanswered=_RECEIVED,
            brief=True,
        )
        context = settings.ssl_context()
        kinds: list[type[BindTransceiver | BindTransmitter | BindReceiver]] = []
        for _ in range(settings.links):
            if settings.bind is Bind.TRANSCEIVER:
                kinds.append(BindTransceiver)
            else:
                kinds.extend((BindTransmitter, BindReceiver))
        for index, kind in enumerate(kinds):
            bind = kind(system_id=settings.system_id, password=settings.password, system_type=settings.system_type)
            link = Link(
                LinkSettings(settings.host, settings.port, bind, session=session, ssl_context=context),
                self._listener(index),
                epoch=self._first_epoch,
            )
            self._links.append(link)
            if kind is not BindReceiver:
                self._senders.append(link)
        for link in self._links:
            await link.start()

    async def drain(self, seconds: float) -> None:
        """Wait until all that was submitted is answered, at most so long."""
        deadline = self._clock.monotonic() + seconds
        while any(link.outstanding for link in self._senders):
            rest = deadline - self._clock.monotonic()
            if rest <= 0:
                return
            self._answered.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._answered.wait(), rest)

    def reset(self, reason: str) -> None:
        """Drop every link; they come up again. What was submitted and not answered is in doubt."""
        for link in self._links:
            link.drop(reason)

    async def stop(self) -> None:
        self._stopping = True
        await asyncio.gather(*(link.close(2.0) for link in self._links))

    def health(self) -> str:
        up = sum(link.up for link in self._links)
        said = "; ".join(self._states.values())
        return f"{up} of {len(self._links)} links up" + (f": {said}" if said else "")

    # -------------------------------------------------------------- what the links say

    def _listener(self, index: int) -> Callable[[Sequence[LinkEvent]], None]:
        return lambda events: self._on_events(index, events)

    def _on_events(self, index: int, events: Sequence[LinkEvent]) -> None:
        sink = self._sink
        if sink is None:
            return
        tokens: list[object] = []
        ids: list[str] = []
        failures: list[Failure] = []
        words: list[Word] = []
        messages: list[Heard] = []
        ignored: list[object] = []
        style, now = self._settings.receipt_ids, self._clock.now()
        for event in events:
            if type(event) is Accepted:
                tokens, ids = event
            elif type(event) is SubmitResult:
                failures.append(_failure(event.token, event.status))
            elif type(event) is Receipted:
                words.append(receipted(event, style, now, (index, event)))
            elif type(event) is Deliver:
                self._inbound(index, event, words, messages, ignored)
            else:
                self._other(index, event, failures)
        if tokens:
            if not self._exact:
                ids = [normalise_id(i, self._settings.response_ids) for i in ids]
            sink.accepted(tokens, ids)
        if failures:
            sink.failed(failures)
        if words:
            sink.words(words)
        if messages:
            sink.heard(messages)
        if ignored:
            self.acknowledge(ignored)
        sink.writable()
        self._answered.set()

    def _inbound(
        self, index: int, event: Deliver, words: list[Word], messages: list[Heard], ignored: list[object]
    ) -> None:
        handle = (index, event)
        said = word(event, self._settings.receipt_ids, self._clock.now(), handle)
        if said is not None:
            words.append(said)
        elif (message := heard(event, self._session(index), handle, self._settings.alphabet)) is not None:
            messages.append(message)
        else:
            ignored.append(handle)

    def _session(self, index: int) -> str:
        return f"{self.id}/{index}/{self._links[index].epoch}/{id(self)}"

    def _other(self, index: int, event: LinkEvent, failures: list[Failure]) -> None:
        """Everything that is not on the hot path."""
        match event:
            case LinkUp():
                self._states.pop(index, None)
                _log.info("link up", extra={"action": "link_up", "provider": self.name, "link": index})
            case LinkDown(reason=reason, tokens=lost):
                self._states[index] = reason
                _log.log(
                    logging.INFO if self._stopping else logging.WARNING,
                    "link down: %s",
                    reason,
                    extra={"action": "link_down", "provider": self.name, "link": index},
                )
                failures.extend(Failure(token, Decision.MAYBE_SENT, "link_dropped") for token in lost)
            case Retrying(reason=reason):
                if self._states.get(index) != reason:
                    _log.warning(
                        "no link: %s", reason, extra={"action": "link_retry", "provider": self.name, "link": index}
                    )
                self._states[index] = reason
            case BindRefused(status=status):
                self._states[index] = f"the bind was refused. {sentence(status)}"
                _log.error(
                    "provider %s refused the bind: %s Correct system_id or password and apply.",
                    self.name,
                    sentence(status),
                    extra={"action": "bind_refused", "provider": self.name, "link": index},
                )
            case Timeout(token=token) if token is not None:
                failures.append(Failure(token, Decision.MAYBE_SENT, "response_timeout"))
            case StrayResponse(late=True, token=token, status=status, message_id=message_id) if self._sink:
                failure = None if status == 0 else _failure(token, status)
                self._sink.resolved(token, normalise_id(message_id, self._settings.response_ids), failure)
            case Writable():
                pass
            case _:
                what = type(event).__name__  # not what is in it: a number, a text
                _log.debug("%s", what, extra={"action": "link_event", "provider": self.name, "link": index})


def _failure(token: object, status: int) -> Failure:
    return Failure(token, _DECISIONS[verdict(status)], f"smpp:0x{status:08x}")
