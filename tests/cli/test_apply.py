from __future__ import annotations

import io
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from todoke.cli.applying import line
from todoke.store.catalogue.provision import Change

EXAMPLE = Path(__file__).parents[2] / "examples" / "acme.toml"
Command = Callable[..., Awaitable[Any]]


async def test_what_is_declared_is_there_and_stays_as_it_is(at_database: Command) -> None:
    first = await at_database("apply", EXAMPLE)
    assert (first.status, first.err) == (0, "")
    lines = first.out.splitlines()
    assert lines[0] == "+ business unit Acme"
    assert lines[-2:] == ["+ skill bonus-shift (Acme)", "= 0 unchanged"]
    assert (await at_database("apply", EXAMPLE)).out == "= 11 unchanged\n"


async def test_a_change_is_told_as_old_and_new(acme: Command, folder: Path) -> None:
    text = (
        EXAMPLE.read_text("utf-8").replace("rate = 100 ", "rate = 50 ").replace('window = "08:00-21:00"', "weight = 2")
    )
    (folder / "new.toml").write_text(text, encoding="utf-8")
    changes = ["~ transport code 72345 (Acme): rate 100 -> 50", "~ skill delivery-notice (Acme): weight 1 -> 2"]
    dry = await acme("apply", "new.toml", "--dry-run")
    assert dry.out.splitlines() == [*changes, "= 9 unchanged", "This was a dry run: nothing was changed."]
    assert (await acme("apply", "new.toml")).out.splitlines() == [*changes, "= 9 unchanged"]


async def test_json(at_database: Command) -> None:
    told = (await at_database("apply", EXAMPLE, "--json", "--dry-run")).json
    assert told["dry_run"] is True
    assert told["changes"][0] == {
        "change": "created",
        "what": "business unit",
        "name": "Acme",
        "business_unit": None,
        "fields": {},
    }


async def test_every_mistake_is_a_line_and_nothing_is_changed(at_database: Command, folder: Path) -> None:
    text = (
        EXAMPLE.read_text("utf-8")
        .replace('type = "short"', 'type = "shrt"')
        .replace('name = "bonus-shift"', 'name = "!"')
    )
    (folder / "wrong.toml").write_text(text, encoding="utf-8")
    lines = text.splitlines()
    code, skill = lines.index(next(line for line in lines if '"shrt"' in line)) + 1, lines.index('name = "!"') + 1
    result = await at_database("apply", "wrong.toml")
    assert (result.status, result.out) == (1, "")
    assert result.err.splitlines() == [
        f"wrong.toml:{code}: transport_code.type: There is no code type 'shrt'. Did you mean 'short'?",
        f"wrong.toml:{skill}: skill.name: '!' does not fit. "
        "Write 2 to 30 characters: letters A to Z, digits and - _ . :.",
    ]
    assert (await at_database("skill", "list")).status == 1  # there is no business unit


async def test_warnings_go_to_standard_error(at_database: Command, folder: Path) -> None:
    text = '[[provider]]\nname = "c"\nkind = "smpp"\nhost = "h"\nsystem_id = "s"\npassword = "s3cret"\n'
    (folder / "clear.toml").write_text(text, encoding="utf-8")
    result = await at_database("apply", "clear.toml")
    assert (result.status, result.out) == (0, "+ provider c\n= 0 unchanged\n")
    assert result.err.startswith("warning: clear.toml:6: provider.password: ")
    assert "s3cret" not in result.out + result.err


async def test_a_warning_beside_mistakes_says_that_it_is_one(at_database: Command, folder: Path) -> None:
    text = '[[provider]]\nname = "c"\nkind = "smpp"\nhost = "h"\nsystem_id = "s"\npassword = "s3cret"\n'
    text += '[[business_unit]]\nname = "A"\ndefault_region = "UU"\n'
    (folder / "both.toml").write_text(text, encoding="utf-8")
    result = await at_database("apply", "both.toml")
    assert (result.status, result.out) == (1, "")
    warning, mistake = result.err.splitlines()
    assert warning.startswith("warning: both.toml:6: provider.password: ")
    assert mistake.startswith("both.toml:9: business_unit.default_region: ")


async def test_the_nearest_brand_is_suggested(at_database: Command, folder: Path) -> None:
    text = EXAMPLE.read_text("utf-8").replace('code = "72345"\n', 'code = "72345"\nbrand = "Acme Stafing"\n', 1)
    (folder / "brand.toml").write_text(text, encoding="utf-8")
    result = await at_database("apply", "brand.toml")
    assert result.err.endswith("Acme has no SMS brand 'Acme Stafing'. Declare it under [[brand]].\n")
    (folder / "brand.toml").write_text(text + '\n[[brand]]\nname = "Acme Staffing"\n', encoding="utf-8")
    result = await at_database("apply", "brand.toml")
    assert result.err.endswith("Acme has no SMS brand 'Acme Stafing'. Did you mean 'Acme Staffing'?\n")


async def test_the_first_apply_makes_the_database_and_a_dry_run_does_not(todoke: Command, folder: Path) -> None:
    dry = await todoke("apply", EXAMPLE, "--dry-run")
    assert (dry.status, dry.out.splitlines()[0]) == (0, "+ business unit Acme")
    assert list(folder.iterdir()) == []
    assert (await todoke("apply", EXAMPLE)).status == 0
    assert (folder / "todoke-data" / "todoke.db").is_file()


async def test_standard_input(at_database: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    text = '[[business_unit]]\nname = "A"\ndefault_region = "UU"\n'
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    result = await at_database("apply", "-")
    assert result.err.startswith("standard input:3: business_unit.default_region: There is no country 'UU'.")


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        ("gone.toml", "gone.toml: There is no such file. examples/acme.toml shows how one looks."),
        (".", ".: This is a folder. Name a file in it."),
        ("latin.toml", "latin.toml: The file is not UTF-8. Save it as UTF-8."),
        ("broken.toml", "broken.toml:2: This is not TOML: "),
    ],
)
async def test_a_file_that_cannot_be_read(todoke: Command, folder: Path, file: str, sentence: str) -> None:
    (folder / "latin.toml").write_bytes(b'name = "\xe9"')
    (folder / "broken.toml").write_text('a = 1\nname = "x')
    result = await todoke("apply", file)
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith(sentence)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (Change(True, "provider", "c", None), "+ provider c"),
        (
            Change(False, "skill", "s", "A", (("smart_encoding", False, True),)),
            "~ skill s (A): smart_encoding no -> yes",
        ),
        (
            Change(False, "template", "t", "A", (("body", "Hi you", ""), ("direction", None, "rtl"))),
            "~ template t (A): body 'Hi you' -> '', direction (default) -> rtl",
        ),
        (
            Change(False, "registration", "1", "A", (("stop_keywords", [], ["no", "no more"]),)),
            "~ registration 1 (A): stop_keywords [] -> [no, 'no more']",
        ),
    ],
)
def test_lines_of_the_diff(change: Change, text: str) -> None:
    assert line(change) == text
