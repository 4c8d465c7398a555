"""Providers whose declaration cannot be used, such as a password in a variable that is not set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from todoke.model.errors import TodokeError
from todoke.model.provider_kind import resolve
from todoke.providers.kinds import KINDS
from todoke.service.doctor.finding import Finding, count, ok, warning
from todoke.store.catalogue.providers import ProviderRow


def judge(rows: Sequence[ProviderRow], environ: Mapping[str, str]) -> list[Finding]:
    """As seen from this process: the engine may have other variables."""
    found: list[Finding] = []
    for row in rows:
        try:
            resolve(row.name, row.settings, KINDS[row.kind], environ)
        except TodokeError as error:
            fix = f"{error.fix} This command sees its own environment, which may be another one."
            found.append(warning("providers", f"{error.where}: {error.sentence}", fix))
    return found or [ok("providers", f"{count(len(rows), 'provider')}, each with what it needs.")]
