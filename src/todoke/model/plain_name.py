"""Names as people mean them: `SMS Phone-Number` and `smsPhoneNumber` are one."""

from __future__ import annotations

import re
import unicodedata

_SEPARATORS = re.compile(r"[\s_\-./:()#'*]+")


def plain(name: str) -> str:
    """Letter case, width and separators aside: `SMS Phone-Number` is `smsphonenumber`."""
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", name).casefold())
