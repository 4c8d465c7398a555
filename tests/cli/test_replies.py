"""`todoke keywords`, `todoke review`, and one text with `todoke send --to`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from todoke.model.clock import SystemClock
from todoke.model.ids import from_public_id
from todoke.model.meaning import Meaning
from todoke.store import schema
from todoke.store.hot.base import InboundPart, Said
from todoke.store.hot.replies import Target
from todoke.store.store import open_store

Command = Callable[..., Awaitable[Any]]
PHONE = 12025550143


@pytest.fixture
async def asked(acme: Command, database_url: str) -> Command:
    """A reply waits for a person."""
    async with await open_store(database_url) as store:
        async with store.reading() as connection:
            unit = (await connection.execute(select(schema.business_unit))).one()
            code = (await connection.execute(select(schema.transport_code))).first()
        assert code is not None
        now = SystemClock().now()
        text = "can you stop by?"
        part = InboundPart(0, unit.id, code.provider_id, code.id, str(PHONE), code.code, text, None, 1, 1, "one", now)
        (stored,) = await store.hot.store_inbound([part])
        targets = (Target(0, unit.id, unit.dnc_group_id),)
        said = Said(
            0, unit.id, code.id, PHONE, stored.id, Meaning.REVIEW, text, now, now, targets, reason="It has stop."
        )
        await store.hot.apply_replies([said])
    return acme


async def test_how_a_text_would_be_read_needs_no_database(todoke: Command) -> None:
    assert (await todoke("keywords", "try", "Stop texting me!")).out.startswith("stop: 'stop texting me' says stop")
    found = (await todoke("keywords", "try", "can you stop by at 5?", "--json")).json
    assert (found["meaning"], found["keyword"]) == ("review", "stop")
    shown = await todoke("keywords", "show")
    assert shown.status == 0
    assert "停止" in shown.out


async def test_the_keywords_of_a_code_are_what_its_registration_says(acme: Command, folder: Path) -> None:
    (folder / "more.toml").write_text(
        '[[registration]]\ncode = "72345"\nstop_keywords = ["nada mas"]\nremove_keywords = ["end"]\n'
        'languages = ["en", "es"]\n'
        'help_text = { en = "{BusinessUnit}: call 555-0100", es = "{BusinessUnit}: 555-0101" }\n',
        encoding="utf-8",
    )
    applied = await acme("apply", "more.toml")
    assert applied.status == 0, applied.err
    assert "In the United States 'end' by itself is an opt-out by law" in applied.err
    assert (await acme("apply", "more.toml", "--json")).json["changes"] == []
    for text, meaning in (("Nada más!", "stop"), ("end", "reply"), ("停止", "reply"), ("baja", "stop")):
        assert (await acme("keywords", "try", text, "--code", "72345", "--json")).json["meaning"] == meaning
    shown = (await acme("keywords", "show", "--code", "72345", "--json")).json
    assert shown["answered_by"] == "us"
    assert shown["answers"]["help"] == "Acme: call 555-0100"
    assert shown["answers"]["stop"].startswith("Acme: You have opted out")


async def test_a_number_that_is_held_is_shown_until_a_person_decides(asked: Command) -> None:
    result = await asked("dnc", "check", f"+{PHONE}")
    assert "a person has read its reply: todoke review" in result.out
    assert "todoke review" in (await asked("dnc", "list")).out
    (entry,) = (await asked("dnc", "check", f"+{PHONE}", "--json")).json
    assert (entry["source"], entry["expires_at"]) == ("review", None)
    answer = (await asked("review", "resolve", "1", "--as", "reply", "--json")).json
    assert answer == {"review": 1, "meaning": "reply", "answered": False}
    assert "is on no DNC group" in (await asked("dnc", "check", f"+{PHONE}")).out


async def test_texts_that_cannot_be_sent_back_are_refused(acme: Command, folder: Path) -> None:
    (folder / "wrong.toml").write_text(
        '[[registration]]\ncode = "72345"\nlanguage = "xx"\nremove_keywords = ["STOP"]\nstart_keywords = ["go"]\n'
        'help_keywords = ["Go"]\n',
        encoding="utf-8",
    )
    result = await acme("apply", "wrong.toml")
    assert result.status == 1
    for words in ("no language 'xx'", "'stop' always means stop", "'go' cannot mean both start and help"):
        assert words in result.err
    (folder / "wrong.toml").write_text(
        '[[registration]]\ncode = "72345"\nstop_text = { qq = "Bye" }\nstart_text = "Hello {FirstName}"\n'
        f'help_text = "{"long " * 100}"\n',
        encoding="utf-8",
    )
    result = await acme("apply", "wrong.toml")
    assert result.status == 1
    for words in ("no language 'qq'", "a field that is not known here", "The text takes 4 segments"):
        assert words in result.err


async def test_a_person_reads_what_may_mean_stop_and_decides(asked: Command) -> None:
    listed = await asked("review", "list")
    assert "can you stop by?" in listed.out
    assert f"+{PHONE}" in listed.out
    (row,) = (await asked("review", "list", "--json")).json
    assert (row["text"], row["source"], row["state"]) == ("can you stop by?", str(PHONE), "open")
    assert (await asked("dnc", "check", f"+{PHONE}", "--json")).json[0]["source"] == "review"
    refused = await asked("send", "--to", f"+{PHONE}", "--text", "Hi", "--code", "72345")
    assert refused.status == 1
    assert "is on the DNC group" in refused.err
    result = await asked("review", "resolve", str(row["id"]), "--as", "reply", "--note", "a question")
    assert result.out == f"review {row['id']}: reply\n"
    assert (await asked("dnc", "check", f"+{PHONE}", "--json")).json == []
    assert (await asked("review", "list")).out == "Nothing waits for a person.\n"
    (row,) = (await asked("review", "list", "--all", "--json")).json
    assert (row["meaning"], row["note"]) == ("reply", "a question")
    again = await asked("review", "resolve", str(row["id"]), "--as", "stop")
    assert (again.status, "was decided before" in again.err) == (1, True)
    assert (await asked("review", "resolve", "99", "--as", "stop")).status == 1


async def test_a_number_that_is_listed_while_it_is_held_stays_listed(asked: Command, folder: Path) -> None:
    (folder / "numbers.txt").write_text(f"+{PHONE}\n", encoding="utf-8")
    assert (await asked("dnc", "add", "--file", "numbers.txt")).status == 0
    (row,) = (await asked("review", "list", "--json")).json
    assert (await asked("review", "resolve", str(row["id"]), "--as", "reply")).status == 0
    assert (await asked("dnc", "check", f"+{PHONE}", "--json")).json[0]["source"] != "review"


async def test_stop_by_a_person_is_an_opt_out_with_the_words_as_evidence(asked: Command, database_url: str) -> None:
    (row,) = (await asked("review", "list", "--json")).json
    assert "it is answered" in (await asked("review", "resolve", str(row["id"]), "--as", "stop")).out
    assert (await asked("dnc", "check", f"+{PHONE}", "--json")).json[0]["source"] == "opt_out"
    async with await open_store(database_url) as store, store.reading() as connection:
        o = schema.opt_out.c
        assert (await connection.execute(select(o.source, o.evidence))).all() == [("review", "can you stop by?")]


async def test_a_stranger_sees_no_review(asked: Command, besto: Command) -> None:
    assert (await besto("review", "list", "-b", "Besto", "--json")).json == []
    (row,) = (await besto("review", "list", "-b", "Acme", "--json")).json
    assert (await besto("review", "resolve", str(row["id"]), "--as", "reply", "-b", "Besto")).status == 1


async def test_one_text_is_a_message_of_a_standing_run(acme: Command, database_url: str) -> None:
    sent = (await acme("send", "--to", "202-555-0143", "--text", "{Hi} there", "--code", "72345", "--json")).json
    assert sent["segments"] == 1
    assert from_public_id(sent["message"]) & 1023 == 0
    again = (await acme("send", "--to", "+819012345678", "--text", "Hi", "--code", "72345", "--json")).json
    assert again["run"] == sent["run"]
    assert (await acme("run", "list", "--json")).json == []
    (run,) = (await acme("run", "list", "--standing", "--json")).json
    assert (run["run"], run["contacts"], run["waiting"], run["standing"]) == (sent["run"], 2, 2, True)
    assert "it carries single messages" in (await acme("report", str(sent["run"]))).out
    async with await open_store(database_url) as store, store.reading() as connection:
        fields = list(await connection.scalars(select(schema.contact.c.fields).order_by(schema.contact.c.position)))
        assert [value.split("\x1f")[0] for value in fields] == ["{Hi} there", "Hi"]
    for command in (("list", "list"), ("skill", "list")):
        assert "texts" not in (await acme(*command)).out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--to", "12", "--text", "Hi"), "Write it with its country code"),
        (("--to", "+12025550143", "--text", " "), "The text is empty"),
        (("--text", "Hi"), "Give --list or --to"),
        (("--text", "Hi", "--to", "+12025550143", "--list", "Agents"), "Give --list or --to"),
        (("--to", "+12025550143", "--text", "Hi", "--watch"), "One text is not watched"),
        (("--to", "+81312345678", "--text", "Hi"), "No text can reach a number of this kind"),
    ],
)
async def test_what_is_wrong_with_one_text_is_said(acme: Command, options: tuple[str, ...], words: str) -> None:
    result = await acme("send", *options, "--code", "72345")
    assert (result.status, words in result.err) == (1, True), result.err
