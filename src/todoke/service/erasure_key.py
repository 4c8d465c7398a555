"""The key by which an engine recognises people who were erased: used once it is known to be that of the installation.

The first erasure may be done on another machine while the engine runs, and makes the key there.
"""

from __future__ import annotations

import logging

from todoke.model.clock import Clock
from todoke.model.errors import Conflict, Invalid
from todoke.pipeline.privacy.erase import require_key
from todoke.store.hot.checking import no_key
from todoke.store.privacy.key import Key, KeyFile
from todoke.store.store import Store

_log = logging.getLogger(__name__)

_SAY_EVERY = 60.0


class ErasureKey:
    """`require` at the start; `there` whenever it may be needed."""

    def __init__(self, store: Store, file: KeyFile, clock: Clock) -> None:
        self._store = store
        self._file = file
        self._clock = clock
        self._key: Key | None = None
        self._said = float("-inf")

    def hashed(self, phone: int) -> int:
        """KeyMissing as long as it was not found."""
        return no_key(phone) if self._key is None else self._key.hashed(phone)

    async def require(self) -> None:
        """Conflict or Invalid where people were erased and their key is not here."""
        self._key = await require_key(self._store, self._file)

    async def there(self) -> bool:
        """Whether it is here, now that people were erased. What lacks is said loudly, and again; the engine goes on."""
        if self._key is not None:
            return True
        try:
            await self.require()
        except (Conflict, Invalid, OSError) as error:
            if self._clock.monotonic() >= self._said + _SAY_EVERY:
                self._said = self._clock.monotonic()
                _log.error(
                    "texts of business units of which people were erased wait: %s",
                    error,
                    extra={"action": "erasure_key", "path": str(self._file.path)},
                )
        return self._key is not None
