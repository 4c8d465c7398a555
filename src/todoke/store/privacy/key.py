"""The installation's key, by which a number of somebody who was erased is recognised without being known.

It is a file beside the database, not in it: there are few enough numbers in the world to try them all, so whoever has a
copy of the database and the key can read the hashes.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path

from todoke.model.errors import Invalid, NotFound
from todoke.store.hot.checking import no_key

NAME = "erasure.key"
_BYTES = 32


class Key:
    """Keyed hashes (BLAKE2b) of 62 bits."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def hashed(self, phone: int) -> int:
        """The hash of a number: from 1 to 2**62."""
        digest = hashlib.blake2b(phone.to_bytes(8, "big"), digest_size=8, key=self._secret).digest()
        return (int.from_bytes(digest, "big") >> 2) + 1

    @property
    def check(self) -> int:
        """Tells this key from any other; says nothing of a number."""
        return self.hashed(0)


class KeyFile:
    """The key in the data folder, read when it is first needed. Its owner alone can read the file."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self._key: Key | None = None

    def hashed(self, phone: int) -> int:
        """Conflict where there is no key."""
        if self._key is None:
            try:
                self._key = self.load()
            except NotFound:
                return no_key(phone)
        return self._key.hashed(phone)

    def load(self) -> Key:
        """NotFound, Invalid."""
        try:
            secret = bytes.fromhex(self.path.read_text(encoding="ascii").strip())
        except FileNotFoundError:
            raise NotFound("There is no key.", where=str(self.path)) from None
        except ValueError:
            secret = b""
        if len(secret) != _BYTES:
            raise Invalid("This is no key.", where=str(self.path), fix="Restore the file from a copy.")
        return Key(secret)

    def make(self) -> Key:
        """A new one, on the disk before it returns; the one that is there, if another process was faster."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_name(f"{NAME}.{secrets.token_hex(8)}")
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_hex(_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(part, self.path)  # unlike a rename it leaves one that is there
        except FileExistsError:
            pass
        finally:
            part.unlink()
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return self.load()
