"""The key of an engine that runs when the first person is erased, perhaps on another machine; and what doctor says."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from sqlalchemy import insert
from tests.factories import NOW, phone_of, seed_unit
from tests.pipeline.lanes.doubles import ManualClock
from tests.service.test_rules import PACK

from todoke.model.errors import Conflict, Invalid
from todoke.service.doctor import erasure, packs
from todoke.service.doctor.finding import Level
from todoke.service.erasure_key import ErasureKey
from todoke.store import schema
from todoke.store.hot.checking import KeyMissing
from todoke.store.privacy.key import Key, KeyFile
from todoke.store.store import Store


async def erase(store: Store, key: Key) -> None:
    unit = await seed_unit(store)
    row = {"bucket": 3, "business_unit_id": unit, "digest": 7, "key_check": key.check, "requested_by": "Bo"}
    async with store.writing() as connection:
        await connection.execute(insert(schema.erasure).values(counts={}, begun_at=NOW, **row))


async def test_an_engine_takes_the_key_when_it_comes_and_no_other(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = ManualClock()
    file = KeyFile(tmp_path / "here")
    key = ErasureKey(store, file, clock)
    await key.require()  # nobody was erased
    elsewhere = KeyFile(tmp_path / "elsewhere").make()
    await erase(store, elsewhere)
    with caplog.at_level(logging.ERROR):
        assert [await key.there() for _ in range(3)] == [False] * 3
        (said,) = caplog.messages  # once a minute
        assert "Copy erasure.key" in said
        with pytest.raises(KeyMissing, match="no key"):
            key.hashed(phone_of(1))
        file.make()  # one that nobody was erased by
        clock.pass_(61)
        assert not await key.there()
        assert len(caplog.messages) == 2
        file.path.write_text("rubbish")
        clock.pass_(61)
        assert not await key.there()
        assert "no key" in caplog.messages[2]
    with pytest.raises(Invalid):
        await key.require()
    file.path.unlink()
    with pytest.raises(Conflict, match="has not"):
        await key.require()
    file.path.write_bytes((tmp_path / "elsewhere" / "erasure.key").read_bytes())
    assert await key.there()
    assert key.hashed(phone_of(1)) == elsewhere.hashed(phone_of(1))


async def test_doctor_tells_whether_the_key_is_here_and_the_right_one(store: Store, tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "here")
    found = await erasure.look(store, file)
    assert (found.level, found.sentence) == (Level.OK, "Nobody was erased: none is needed.")
    await erase(store, KeyFile(tmp_path / "elsewhere").make())
    for put in (
        None,
        file.make,
        lambda: file.path.write_text("rubbish"),
        lambda: file.path.unlink() or file.path.mkdir(),
    ):
        if put is not None:
            put()
        found = await erasure.look(store, file)
        assert (found.level, str(file.path) in found.sentence, bool(found.fix)) == (Level.ERROR, True, True)
    file.path.rmdir()
    file.path.write_bytes((tmp_path / "elsewhere" / "erasure.key").read_bytes())
    assert (await erasure.look(store, file)).level is Level.OK


def test_doctor_tells_which_rule_packs_there_are_and_whether_they_can_be_read(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    found = packs.look(folder)
    assert (found.level, "by the built-in packs; none in" in found.sentence) == (Level.OK, True)
    folder.mkdir()
    (folder / "own.toml").write_text(PACK)
    found = packs.look(folder)
    assert (found.level, found.sentence.endswith(f"and those in {folder}: own.toml.")) == (Level.OK, True)
    for content in (b"[[jurisdiction]]\n", b"\xff\xfe"):
        (folder / "own.toml").write_bytes(content)
        found = packs.look(folder)
        assert (found.level, "own.toml" in found.sentence, bool(found.fix)) == (Level.ERROR, True, True)
