"""The kinds of provider that a declaration may name, and the settings that each takes."""

from __future__ import annotations

from todoke.providers.smpp.settings import SmppSettings


class SimulatorSettings(SmppSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The built-in SMSC simulator is an SMPP account like any other; what it is started with by default stands here."""

    host: str = "127.0.0.1"
    system_id: str = "todoke"
    password: str = "secret"  # noqa: S105  # of a simulator
    window: int = 100
    trace: bool = True


KINDS: dict[str, type[SmppSettings]] = {"smpp": SmppSettings, "simulator": SimulatorSettings}
