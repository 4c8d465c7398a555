"""Kinds of provider, and the settings that each takes: what a declaration may say and what the engine reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from todoke.model.errors import Invalid

SECRETS = frozenset({"password"})  # settings that are never shown
REFERENCE = "env:"  # a secret that begins so names an environment variable of the engine


class Smpp(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An SMPP account. `receipt_id_style` says how the id in a receipt is written compared with the one in the answer
    to the submit: the same, or one hexadecimal and the other decimal.
    """

    host: Annotated[str, Meta(min_length=1, max_length=253, description="the name or address of the server")]
    port: Annotated[int, Meta(ge=1, le=65535, description="a port from 1 to 65535")] = 2775
    system_id: Annotated[str, Meta(min_length=1, max_length=15, description="1 to 15 characters")]
    password: Annotated[
        str,
        Meta(min_length=1, max_length=128, description='"env:NAME", or the password (8 characters at most in SMPP)'),
    ]
    system_type: Annotated[str, Meta(max_length=12, description="at most 12 characters")] = ""
    bind: Literal["transceiver", "pair"] = "transceiver"
    links: Annotated[int, Meta(ge=1, le=64, description="a number of connections from 1 to 64")] = 1
    window: Annotated[int, Meta(ge=1, le=10_000, description="requests on the way at once, from 1 to 10000")] = 10
    tls: bool = False
    tls_ca: Annotated[str, Meta(description="the file of a certificate authority")] = ""
    receipt_id_style: Literal["same", "hex_in_receipt", "decimal_in_receipt"] = "same"
    alphabet: Literal["gsm7", "latin1", "ascii"] = "gsm7"
    reference_bits: Literal[8, 16] = 8
    response_timeout_s: Annotated[float, Meta(ge=1, le=600, description="seconds from 1 to 600")] = 30.0
    enquire_link_s: Annotated[float, Meta(ge=1, le=600, description="seconds from 1 to 600")] = 30.0


class Simulator(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The built-in SMSC simulator; without a port the engine starts one of its own."""

    host: Annotated[str, Meta(min_length=1, max_length=253, description="the name or address of the server")] = (
        "127.0.0.1"
    )
    port: Annotated[int, Meta(ge=0, le=65535, description="a port from 0 to 65535; 0 starts one")] = 0
    links: Annotated[int, Meta(ge=1, le=64, description="a number of connections from 1 to 64")] = 1
    window: Annotated[int, Meta(ge=1, le=10_000, description="requests on the way at once, from 1 to 10000")] = 100


ProviderSettings: TypeAlias = Smpp | Simulator
KINDS: dict[str, type[ProviderSettings]] = {"smpp": Smpp, "simulator": Simulator}


def resolve(provider: str, kind: str, settings: Mapping[str, object], environ: Mapping[str, str]) -> ProviderSettings:
    """A provider's stored settings, with each secret that names a variable read from `environ`.

    Invalid where the variable is not set or the settings do not fit the kind.
    """
    values = dict(settings)
    for key in SECRETS & values.keys():
        value = values[key]
        if isinstance(value, str) and value.startswith(REFERENCE):
            name = value.removeprefix(REFERENCE)
            if not environ.get(name):
                raise Invalid(
                    f"The provider's {key} is in the variable {name}, which is not set.",
                    where=f"provider {provider}",
                    fix=f"Set {name} in the environment of the engine and start it again.",
                )
            values[key] = environ[name]
    if kind not in KINDS:
        raise Invalid(
            f"There is no kind {kind!r}.", where=f"provider {provider}", fix=f"Use one of: {', '.join(KINDS)}."
        )
    try:
        return msgspec.convert(values, KINDS[kind])
    except msgspec.ValidationError as error:
        raise Invalid(f"{error}.", where=f"provider {provider}", fix="Declare it again with todoke apply.") from None


def shown(settings: Mapping[str, object]) -> dict[str, object]:
    """The settings with their secrets hidden; the name of a variable is no secret."""
    return {
        key: "***" if key in SECRETS and not str(value).startswith(REFERENCE) else value
        for key, value in settings.items()
    }
