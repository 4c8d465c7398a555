"""The control port: HTTP on loopback by which a test reads the ledger and the phones, and changes what happens.

GET  /stats                     running counts
GET  /ledger/summary            the audit of the ledger: submits, duplicates, fastest seconds
GET  /ledger?offset=0&limit=100 entries
GET  /phones/{number}           state and inbox
PATCH /phones/{number}          {"state": "on" | "off" | "unknown"}
POST /phones/{number}/reply     {"to": code, "text": ...}
GET, POST, DELETE /faults       the behaviour; change some of it; back to the one of the start
POST /connections/drop          cut every connection
POST /pause, /resume            stop and start reading and writing (half-open connections)
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import msgspec
from aiohttp import web
from msgspec import Meta

from todoke.model.errors import TodokeError
from todoke.providers.simulator.audit import audit
from todoke.providers.simulator.behaviour import Behaviour, PhoneState
from todoke.providers.simulator.entry import Entry
from todoke.providers.simulator.ledger import read
from todoke.providers.simulator.settings import Settings
from todoke.providers.simulator.smsc import Smsc, UnownedCode
from todoke.providers.simulator.stats import Stats
from todoke.sms import segments

_T = TypeVar("_T")
_Number = Annotated[str, Meta(pattern=r"^\+?[0-9]{1,20}$")]
_MAX_BODY = 256 * 1024
_LIMIT = 10_000


class Reply(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a phone texts."""

    to: Annotated[str, Meta(min_length=1, max_length=20)]
    text: Annotated[str, Meta(min_length=1)]


class PhoneChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What changes about a phone."""

    state: PhoneState


class Page(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which entries of the ledger."""

    offset: Annotated[int, Meta(ge=0)] = 0
    limit: Annotated[int, Meta(ge=1, le=_LIMIT)] = 100


class _Problem(Exception):
    def __init__(self, status: int, detail: str, field: str | None = None, fix: str | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.field, self.fix = status, detail, field, fix


def control(settings: Settings, stats: Stats, smsc: Smsc | None, drop_all: Callable[[], int]) -> web.Application:
    """The application; `smsc` is None in fast mode, where phones and faults are not there."""
    handlers = _Handlers(settings, stats, smsc, drop_all)
    application = web.Application(middlewares=[_problems], client_max_size=_MAX_BODY)
    application.add_routes(
        [
            web.get("/stats", handlers.stats),
            web.get("/ledger/summary", handlers.summary),
            web.get("/ledger", handlers.ledger),
            web.get("/phones/{number}", handlers.phone),
            web.patch("/phones/{number}", handlers.change_phone),
            web.post("/phones/{number}/reply", handlers.reply),
            web.get("/faults", handlers.faults),
            web.post("/faults", handlers.change_faults),
            web.delete("/faults", handlers.reset_faults),
            web.post("/connections/drop", handlers.drop),
            web.post("/pause", handlers.pause),
            web.post("/resume", handlers.resume),
        ]
    )
    return application


class _Handlers:
    def __init__(self, settings: Settings, stats: Stats, smsc: Smsc | None, drop_all: Callable[[], int]) -> None:
        self._settings, self._stats, self._smsc, self._drop_all = settings, stats, smsc, drop_all

    async def stats(self, _: web.Request) -> web.Response:
        return _json({**asdict(self._stats), "fast": self._smsc is None})

    async def summary(self, _: web.Request) -> web.Response:
        found = asdict(await asyncio.to_thread(audit, self._ledger_path()))
        return _json(found | {"refused": {f"0x{status:02X}": count for status, count in found["refused"].items()}})

    async def ledger(self, request: web.Request) -> web.Response:
        page = _query(request, Page)
        entries = await asyncio.to_thread(_entries, self._ledger_path(), page)
        return _json({"entries": entries, "next_offset": page.offset + len(entries)})

    async def phone(self, request: web.Request) -> web.Response:
        phone = self._faithful().phones.phone(_number(request))
        return _json(
            {
                "number": _number(request),
                "state": phone.state,
                "inbox": [
                    {"at": one.at, "from": one.source, "text": one.text, "segments": one.segments}
                    for one in phone.inbox
                ],
                "unfinished": len(phone.unfinished),
            }
        )

    async def change_phone(self, request: web.Request) -> web.Response:
        phones, change = self._faithful().phones, await _body(request, PhoneChange)
        phones.set_state(_number(request), change.state)
        return await self.phone(request)

    async def reply(self, request: web.Request) -> web.Response:
        smsc, given = self._faithful(), await _body(request, Reply)
        try:
            account, count = smsc.reply(_number(request), given.to, given.text)
        except UnownedCode:
            raise _Problem(
                404,
                f"No account is known to own {given.to}.",
                "to",
                "Submit from this code first, or name it in codes.",
            ) from None
        except segments.TooLong as error:
            raise _Problem(422, f"{error}.", "text", "Shorten the text.") from error
        return _json({"account": account, "segments": count}, 202)

    async def faults(self, _: web.Request) -> web.Response:
        return _json(msgspec.to_builtins(self._faithful().behaviour))

    async def change_faults(self, request: web.Request) -> web.Response:
        smsc, change = self._faithful(), await _body(request, dict[str, Any])
        smsc.behave(_convert(msgspec.to_builtins(smsc.behaviour) | change, Behaviour))
        return await self.faults(request)

    async def reset_faults(self, request: web.Request) -> web.Response:
        self._faithful().behave(self._settings.behaviour)
        return await self.faults(request)

    async def drop(self, _: web.Request) -> web.Response:
        return _json({"dropped": self._drop_all()})

    async def pause(self, request: web.Request) -> web.Response:
        return await self._half_open(request, True)

    async def resume(self, request: web.Request) -> web.Response:
        return await self._half_open(request, False)

    async def _half_open(self, request: web.Request, value: bool) -> web.Response:
        smsc = self._faithful()
        smsc.behave(msgspec.structs.replace(smsc.behaviour, half_open=value))
        return await self.faults(request)

    def _faithful(self) -> Smsc:
        if self._smsc is None:
            raise _Problem(409, "Fast mode has no phones and no faults.", fix="Start the simulator without fast mode.")
        return self._smsc

    def _ledger_path(self) -> Path:
        if self._settings.ledger is None:
            raise _Problem(409, "This simulator keeps no ledger.", fix="Start it with a ledger file.")
        return self._settings.ledger


@web.middleware
async def _problems(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except _Problem as problem:
        return _problem(problem.status, problem.detail, problem.field, problem.fix)
    except TodokeError as error:
        return _problem(500, str(error), fix=error.fix)
    except web.HTTPException as error:
        detail = f"{request.method} {request.path}: {error.reason}."
        return _problem(error.status, detail, fix="The module todoke.providers.simulator.control lists what there is.")


def _problem(status: int, detail: str, field: str | None = None, fix: str | None = None) -> web.Response:
    body = {"type": "about:blank", "status": status, "detail": detail, "field": field, "fix": fix}
    body = {key: value for key, value in body.items() if value is not None}
    return web.json_response(body, status=status, content_type="application/problem+json")


def _json(body: Any, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), status=status, content_type="application/json")


def _entries(path: Path, page: Page) -> list[dict[str, Any]]:
    return [_as_json(entry) for entry in _page(read(path, page.offset), page.limit)]


def _page(entries: Iterable[Entry], limit: int) -> Iterable[Entry]:
    return islice(entries, limit)


def _as_json(entry: Entry) -> dict[str, Any]:
    return asdict(entry) | {"digest": entry.digest.hex()}


def _number(request: web.Request) -> str:
    return _convert(request.match_info["number"], _Number, field="number").removeprefix("+")


def _query(request: web.Request, kind: type[_T]) -> _T:
    return _convert(dict(request.query), kind, strict=False)


async def _body(request: web.Request, kind: type[_T]) -> _T:
    try:
        given = json.loads(await request.read())
    except ValueError as error:
        raise _Problem(400, f"The body is not JSON: {error}.", fix="Send a JSON object.") from error
    return _convert(given, kind)


def _convert(given: Any, kind: Any, *, strict: bool = True, field: str | None = None) -> Any:
    try:
        return msgspec.convert(given, kind, strict=strict)
    except msgspec.ValidationError as error:
        _refuse(str(error), field)


def _refuse(message: str, field: str | None) -> NoReturn:
    """Say which field: msgspec writes ``Expected `float` <= 1.0 - at `$.queue_full_ratio` ``."""
    sentence, _, place = message.partition(" - at `$")
    place = place.strip("`").lstrip(".")
    if not place and " field `" in sentence:
        place = sentence.split("`")[1]
    raise _Problem(
        422, f"{sentence}.", field or place or None, f"Correct {field or place or 'the body'} and send it again."
    )
