"""A hand on a running simulator's control port: phones that answer."""

from __future__ import annotations

from urllib.parse import quote

import aiohttp

from todoke.model.errors import Unavailable


async def reply(control_port: int, phone: int, code: str, text: str) -> None:
    """The phone with this number (E.164 digits) sends `text` to `code`. Unavailable where the simulator refuses."""
    url = f"http://127.0.0.1:{control_port}/phones/{quote(str(phone))}/reply"
    try:
        async with aiohttp.ClientSession() as session, session.post(url, json={"to": code, "text": text}) as answer:
            if answer.status >= 400:
                raise Unavailable(f"The simulator refused a reply: {await answer.text()}")
    except aiohttp.ClientError as error:
        raise Unavailable(f"The simulator's control port {control_port} does not answer: {error}.") from None
