"""Settings of a provider account as they are kept: plain values under the keys that its kind's class declares.

A secret is kept as the name of a variable, `env:CARRIER_PASSWORD`, and read when the engine starts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias, TypeVar

import msgspec
from msgspec import Struct

from todoke.model.errors import Invalid

SECRETS = frozenset({"password"})  # settings that are never shown
REFERENCE = "env:"

Kinds: TypeAlias = Mapping[str, type[Struct]]
"""The kinds of provider there are, each with the class of its settings."""

T = TypeVar("T", bound=Struct)


def resolve(provider: str, settings: Mapping[str, object], kind: type[T], environ: Mapping[str, str]) -> T:
    """A provider's kept settings as its kind's class, each secret that names a variable read from `environ`.

    Invalid where the variable is not set or the settings do not fit.
    """
    values = dict(settings)
    for key in SECRETS & values.keys():
        value = values[key]
        if isinstance(value, str) and value.startswith(REFERENCE):
            name = value.removeprefix(REFERENCE)
            if not environ.get(name):
                raise Invalid(
                    f"The {key} is in the variable {name}, which is not set.",
                    where=f"provider {provider}",
                    fix=f"Set {name} in the environment of the engine and start it again.",
                )
            values[key] = environ[name]
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        raise Invalid(f"{error}.", where=f"provider {provider}", fix="Correct it and run todoke apply.") from None


def shown(settings: Mapping[str, object]) -> dict[str, object]:
    """The settings with their secrets hidden; the name of a variable is no secret."""
    return {
        key: "***" if value and key in SECRETS and not str(value).startswith(REFERENCE) else value
        for key, value in settings.items()
    }
