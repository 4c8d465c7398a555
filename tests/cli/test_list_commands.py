"""Lists and imports, as a person deals with them."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import Command

MORE = "Id,First name,Mobile,Zone\na1,Anna,+1 (202) 555-0143,America/New_York\na9,Zoe,202-555-0149,America/New_York\n"


async def test_the_life_of_a_list(agents: Command, folder: Path) -> None:
    """Updated, appended to, made inactive, given another end, deleted, restored; all said in a sentence."""
    (folder / "more.csv").write_text(MORE, encoding="utf-8")
    updated = await agents("import", "more.csv", "--list", "Agents", "--update")
    assert "1 contacts updated, 1 added" in updated.out
    added = await agents(
        "list", "add", "Agents", "--field", "ExternalId=b1", "--field", "SMSPhoneNumber=202-555-0150", "--json"
    )
    assert added.json == {"list": "Agents", "position": 4}
    refused = await agents("list", "add", "Agents", "--field", "ExternalId=b1", "--field", "SMSPhoneNumber=2025550151")
    assert refused.status == 1
    assert "duplicate_external_id" in refused.err
    short = await agents("list", "add", "Agents", "--field", "ExternalId=b2", "--field", "SMSPhoneNumber=12345")
    sentence = "the number is too short; is an area code or a digit missing?"
    assert short.err == f"list 'Agents': The contact was refused (phone_too_short): {sentence}\n"
    assert (await agents("dnc", "add", "12345")).err.startswith(f"12345: T{sentence[1:]} Write it with")
    shown = (await agents("list", "show", "Agents", "--json")).json
    assert shown["counts"] == {"total": 7, "valid": 5, "invalid": 2, "finalized": 0, "skills": []}
    assert shown["expires_at"] is not None

    assert "inactive" in (await agents("list", "deactivate", "Agents")).out
    sent = await agents("send", "--list", "Agents", "--text", "Hi", "--code", "72345")
    assert sent.status == 1
    assert "inactive" in sent.err
    assert (await agents("list", "activate", "Agents")).status == 0
    assert (await agents("list", "expire", "Agents")).status == 1
    assert "does not expire" in (await agents("list", "expire", "Agents", "--never")).out
    assert (await agents("list", "expire", "Agents", "--days", "0")).status == 0
    assert "expired" in (await agents("send", "--list", "Agents", "--text", "Hi", "--code", "72345")).err

    assert (await agents("list", "delete", "Agents")).status == 0
    assert (await agents("list", "show", "Agents")).status == 1
    assert [row["name"] for row in (await agents("list", "list", "--deleted", "--json")).json] == ["Agents"]
    assert (await agents("import", "more.csv", "--list", "Agents")).status == 0
    taken = await agents("list", "restore", "Agents")
    assert taken.status == 1
    assert "--as" in taken.err
    assert (await agents("list", "restore", "Agents", "--as", "Old agents")).status == 0
    assert (await agents("list", "show", "Old agents", "--json")).json["contacts"] == 5


async def test_imports_are_seen(acme: Command, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stream:
        buffer = io.BytesIO(MORE.encode())

    monkeypatch.setattr(sys, "stdin", Stream)
    done = await acme("import", "-", "--list", "Agents", "--json")
    assert done.json["contacts"] == 2
    assert not list((folder / "todoke-data" / "uploads").iterdir())
    (folder / "bad.csv").write_text("Mobile\n202-555-0149\n", encoding="utf-8")
    assert (await acme("import", "bad.csv", "--list", "Bad")).status == 1

    rows = (await acme("imports", "list", "--json")).json
    assert [(row["name"], row["state"]) for row in rows] == [("Bad", "failed"), ("Agents", "done")]
    assert (rows[1]["rows"], rows[1]["rejected"]) == (2, 0)  # though it ended before it had said any
    shown = await acme("imports", "show", str(rows[1]["id"]))
    assert "standard input into the list Agents" in shown.out
    assert "2 rows, 0 of them rejected" in shown.out

    Stream.buffer = io.BytesIO(MORE.encode())
    unsaved = await acme("import", "bad.csv", "--list", "Agents", "--preview", "--save-mapping", "Staff")
    assert (unsaved.status, "Nothing is started or saved" in unsaved.err) == (1, True)
    previewed = await acme("import", "-", "--list", "Agents", "--preview")
    assert previewed.out.startswith("standard input: ")
    again = MORE + "a1,Anna,202-555-0143,\na3,Lea,12,\n"
    (folder / "again.csv").write_text(again, encoding="utf-8")
    assert (await acme("import", "again.csv", "--list", "Agents", "--update")).status == 0
    newest = (await acme("imports", "list", "--json")).json[0]
    assert (newest["kind"], newest["rows"], newest["rejected"]) == ("update", 4, 2)
    assert "external id" in (await acme("imports", "show", str(rows[0]["id"]))).out
    assert (await acme("imports", "resume", str(rows[0]["id"]))).status == 1
    assert "cancelled" in (await acme("imports", "cancel", str(rows[0]["id"]))).out
    assert (await acme("imports", "cancel", str(rows[1]["id"]))).status == 1
    assert (await acme("imports", "show", "99")).status == 1
