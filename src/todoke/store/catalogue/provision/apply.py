"""`todoke apply`: what a file declares, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from todoke.model.clock import Micros
from todoke.model.declaration import Declaration, DeclarationInvalid, Problem
from todoke.store.catalogue.provision import registering, sending, tenancy, texting
from todoke.store.catalogue.provision.work import Provisioned, Work
from todoke.store.schema import installation
from todoke.store.store import Store


class _Undo(Exception):
    """A dry run takes back what it did."""


async def apply(
    store: Store, declaration: Declaration, problems: Sequence[Problem], now: Micros, *, dry_run: bool = False
) -> Provisioned:
    """Make the catalogue say what the declaration says; what it does not mention stays. With `dry_run` it all happens
    too, and is taken back.

    `problems` are those of reading the file. DeclarationInvalid tells them with those that only the database shows;
    then nothing was changed.
    """
    work: Work | None = None
    try:
        async with store.writing() as connection:
            work = Work(connection, now, declaration, list(problems))
            # One at a time: the second of two that run at once sees what the first has made.
            await connection.execute(select(installation.c.id).with_for_update())
            for part in (tenancy, sending, registering, texting):
                await part.provision(work)
            if any(not problem.warning for problem in work.problems):
                raise DeclarationInvalid(sorted(work.problems, key=lambda problem: problem.line))
            if dry_run:
                raise _Undo
    except _Undo:
        pass
    assert work is not None
    work.done.warnings = list(work.problems)
    return work.done
