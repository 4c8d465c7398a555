"""The life of an upload of numbers: begun, counted, done or failed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Update, insert, update

from todoke.model.clock import Micros
from todoke.model.dnc import DncChange
from todoke.store.catalogue.dnc import Group
from todoke.store.catalogue.units import Unit
from todoke.store.dnc.base import DncStore, Upload, Written
from todoke.store.dnc.postgres import PostgresDnc
from todoke.store.dnc.sqlite import SqliteDnc
from todoke.store.schema import dnc_change, dnc_upload
from todoke.store.store import Store

_U = dnc_upload.c


class Counts(NamedTuple):
    """Rows of the file so far: processed = valid + invalid. `reasons` of the invalid ones."""

    processed: int
    valid: int
    invalid: int
    repeated: int
    reasons: Mapping[str, int]


def dnc_store(store: Store) -> DncStore:
    """Bulk work on the store's database."""
    if store.dialect == "sqlite":
        return SqliteDnc(store.writer, store.reader)
    return PostgresDnc(store.pool, store.address)


async def begin(
    store: Store, unit: Unit, group: Group, *, file: str, importer: str, who: str, reason: str, now: Micros
) -> Upload:
    """A new upload that runs. What it writes stays, also if it does not come to its end: it can be done again."""
    async with store.writing() as connection:
        values = {"business_unit_id": unit.id, "dnc_group_id": group.id, "file": file, "state": "running"}
        counts = dict.fromkeys(("processed", "valid", "invalid", "added", "extended", "present", "repeated"), 0)
        id_ = await connection.scalar(
            insert(dnc_upload)
            .values(**values, importer=importer, who=who, reason=reason, reasons={}, started_at=now, **counts)
            .returning(_U.id)
        )
    assert id_ is not None
    return Upload(id_, unit.bucket, unit.id, group.id, who, reason, now)


async def counted(store: Store, upload: Upload, counts: Counts, written: Written) -> None:
    """How far it is."""
    async with store.writing() as connection:
        await connection.execute(_moved(upload, counts, written))


async def finish(
    store: Store, upload: Upload, counts: Counts, written: Written, now: Micros, *, failed: bool = False
) -> None:
    """It has come to its end; what it put on the group is told in one row."""
    async with store.writing() as connection:
        state = "failed" if failed else "done"
        await connection.execute(_moved(upload, counts, written).values(state=state, ended_at=now))
        if written.added:
            await connection.execute(
                insert(dnc_change).values(
                    bucket=upload.bucket,
                    business_unit_id=upload.business_unit_id,
                    dnc_group_id=upload.dnc_group_id,
                    phone=None,
                    change=DncChange.UPLOADED.value,
                    source="upload",
                    who=upload.who,
                    reason=upload.reason,
                    upload_id=upload.id,
                    count=written.added,
                    at=now,
                )
            )


def _moved(upload: Upload, counts: Counts, written: Written) -> Update:
    values = {**counts._asdict(), "reasons": dict(counts.reasons), **written._asdict()}
    return update(dnc_upload).where(_U.id == upload.id, _U.business_unit_id == upload.business_unit_id).values(values)
