"""How an SMPP account is declared."""

from __future__ import annotations

import ssl
from enum import StrEnum

import msgspec

from todoke.model.provider_kind import REFERENCE
from todoke.smpp.receipt import IdStyle


class Bind(StrEnum):
    """One connection for both directions, or one each."""

    TRANSCEIVER = "transceiver"
    PAIR = "pair"


class SmppSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What `[[provider]] kind = "smpp"` may say. `password` is the secret itself here: whoever makes this resolved
    `env:NAME`.

    `response_ids` and `receipt_ids` say in what form the carrier writes message ids in its responses and in its
    receipts.
    """

    host: str
    port: int = 2775
    system_id: str = ""
    password: str = ""
    system_type: str = ""
    bind: Bind = Bind.TRANSCEIVER
    links: int = 1
    window: int = 20  # submissions that may wait for their answer, per link
    rate: float | None = None  # submissions a second over all links, where the carrier limits them
    tls: bool = False
    tls_verify: bool = True
    tls_ca: str = ""  # a file of a certificate authority, where it is not one that the machine trusts
    response_timeout: float = 30.0
    enquire_link: float = 25.0
    response_ids: IdStyle = IdStyle.EXACT
    receipt_ids: IdStyle = IdStyle.EXACT
    alphabet: str = "gsm7"  # what data_coding 0 means on this account: gsm7 | latin1
    receipts: bool = True  # ask for delivery receipts
    reference: bool = True  # put a reference on each submission that its receipt may echo: resolves what is in doubt
    validity: bool = True  # tell the carrier when the calling window ends; off where it refuses that
    source_ton: int | None = None  # else by the type of the code
    source_npi: int | None = None
    service_type: str = ""
    trace: bool = False  # put our message id in a vendor TLV on each submission: for the simulator's ledger

    def __post_init__(self) -> None:
        if not 1 <= self.links <= 64:
            raise ValueError("`links` must be between 1 and 64")
        if not 1 <= self.window <= 10_000:
            raise ValueError("`window` must be between 1 and 10000")
        if self.rate is not None and not 0.1 <= self.rate <= 1_000_000:
            raise ValueError("`rate` must be between 0.1 and 1000000 submissions a second")
        if not 0 < self.port < 65536:
            raise ValueError("`port` must be between 1 and 65535")
        for key, most in (("system_id", 15), ("password", 8), ("system_type", 12), ("service_type", 5)):
            value: str = getattr(self, key)
            if key == "password" and value.startswith(REFERENCE):
                continue
            if len(value) > most:
                raise ValueError(f"`{key}` has at most {most} characters in SMPP")
            if not value.isascii() or "\0" in value:
                raise ValueError(f"`{key}` must be ASCII")
        for key in ("response_timeout", "enquire_link"):
            if not 0 < getattr(self, key) <= 3600:
                raise ValueError(f"`{key}` must be more than 0 and at most 3600 seconds")
        if not self.host:
            raise ValueError("`host` is empty")
        if self.alphabet not in ("gsm7", "latin1"):
            raise ValueError("`alphabet` is gsm7 or latin1")

    def ssl_context(self) -> ssl.SSLContext | None:
        """The TLS context, None without TLS."""
        if not self.tls:
            return None
        context = ssl.create_default_context(cafile=self.tls_ca or None)
        if not self.tls_verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context
