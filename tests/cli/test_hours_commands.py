"""Rules of places, and why a number may or may not be texted, as commands."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

Command = Callable[..., Awaitable[Any]]

PACK = """version = "2"
[[jurisdiction]]
code = "US-DC"
name = "District of Columbia"
hours = "10:00-12:00"
basis = "law"
source = "a test"
"""
DC = "+12025550143"
WHY = ("why", DC, "--skill", "bonus-shift")


async def test_rules_that_hold(todoke: Command) -> None:
    listed = await todoke("rules", "list")
    assert "mon-sat 09:00-21:00; sun 12:00-21:00" in listed.out
    assert "calendars of holidays: AU, CA, FR" in listed.out
    as_json = (await todoke("rules", "list", "--json")).json
    assert {rule["code"] for rule in as_json["jurisdictions"]} >= {"US", "US-FL", "JP", "GB", "CA"}
    assert "nov thu 4" in as_json["calendars"]["US"]
    shown = await todoke("rules", "show", "us-fl")
    assert "US-FL Florida: 08:00-20:00" in shown.out
    assert "at most 3 messages in 24 hours about the same subject" in shown.out
    assert "501.616(6) (law; built-in us.toml, version 2026.11)" in shown.out
    assert [rule["code"] for rule in (await todoke("rules", "show", "US-FL", "--json")).json] == ["US", "US-FL"]
    assert (await todoke("rules", "show", "XX")).err.startswith("No rule is known for 'XX'.")


async def test_a_pack_is_checked_and_put_into_the_folder(todoke: Command, folder: Path) -> None:
    (folder / "own.toml").write_text(PACK)
    checked = await todoke("rules", "check", "own.toml")
    assert "own.toml can be used" in checked.out
    assert "US-DC" in checked.out
    assert (await todoke("rules", "show", "US-DC", "--json")).json[-1]["code"] == "US"
    (folder / "rules").mkdir()
    (folder / "own.toml").rename(folder / "rules" / "own.toml")
    held = (await todoke("--rules-dir", "rules", "rules", "show", "US-DC", "--json")).json
    assert [(rule["code"], rule["version"]) for rule in held] == [("US", "2026.11"), ("US-DC", "2")]
    (folder / "bad.toml").write_text(PACK.replace("10:00", "10:99"))
    refused = await todoke("rules", "check", "bad.toml")
    assert (refused.status, refused.out) == (1, "")
    assert refused.err.startswith("bad.toml:5: jurisdiction.hours: ")


async def test_why(agents: Command, folder: Path) -> None:
    noon = await agents(*WHY, "--at", "2026-06-08T12:00-04:00")
    assert noon.status == 0
    assert "may be texted by bonus-shift at 2026-06-08 16:00:00 UTC." in noon.out
    night = await agents(*WHY, "--at", "2026-06-08T23:00-04:00", "--list", "Agents", "--json")
    assert night.status == 1
    told = night.json
    assert (told["may"], told["next_at"]) == (False, "2026-06-09T12:00:00.000Z")
    assert told["places"] == ["US-DC America/New_York"]
    assert {v["rule"] for v in told["verdicts"] if not v["allowed"]} == {
        "hours of the skill", "rules of US", "all hours",
    }  # fmt: skip
    assert all(verdict["source"] for verdict in told["verdicts"])
    assert "It may be from 2026-06-09 12:00:00 UTC on." in (await agents(*WHY, "--at", "2026-06-09T03:00Z")).out
    packs = folder / "packs"
    packs.mkdir()
    (packs / "own.toml").write_text(PACK)
    stricter = await agents("--rules-dir", "packs", *WHY, "--at", "2026-06-08T13:00-04:00")
    assert stricter.status == 1
    assert "rules of US-DC: Closed: 10:00-12:00." in stricter.out
    assert (await agents("dnc", "add", DC)).status == 0
    stopped = await agents(*WHY, "--at", "2026-06-08T12:00-04:00")
    assert stopped.status == 1
    assert "It may not be until something else than the time changes." in stopped.out


async def test_why_says_what_it_does_not_understand(agents: Command) -> None:
    assert (await agents(*WHY, "--at", "noon")).err.startswith("--at: 'noon' is no moment.")
    assert "of which time zone" in (await agents(*WHY, "--at", "2026-06-08T12:00")).err
    assert "Did you mean" in (await agents("why", DC, "--skill", "bonus-shifts")).err
    assert "may not be texted" in (await agents("why", "at home", "--skill", "bonus-shift")).out


async def test_hours_are_declared(acme: Command, folder: Path) -> None:
    text = """
[[business_unit]]
name = "Acme"
default_region = "US"
window = "Mon - Fri 8-20; sat 10:00-17:00"
holidays = ["US", "12-24", "2026-06-02"]
rule_pack = "US-TX"
phone_hours = { "Work phone" = "mon-fri 9-17", "Home phone" = "sat-sun 10:00-18:00" }

[[skill]]
name = "bonus-shift"
campaign = "Operations"
transport_code = "15551230001"
template = "Bonus shift"
window = "mon-fri 9-12, 13-17"
rule_pack = "none"

[skill.phone_hours]
"Work phone" = "12:00-13:00"
"""
    (folder / "hours.toml").write_text(text)
    applied = await acme("apply", "hours.toml")
    assert applied.status == 0, applied.err
    assert "warning: hours.toml:16: skill.rule_pack: " in applied.err
    assert "window (default) -> 'mon-fri 08:00-20:00; sat 10:00-17:00; sun closed'" in applied.out
    assert "phone_hours {} -> " in applied.out
    again = await acme("apply", "hours.toml", "--json")
    assert again.json["changes"] == []
    (skill, _) = (await acme("skill", "list", "--json")).json
    assert (skill["window"], skill["rule_pack"]) == ("mon-fri 09:00-12:00, 13:00-17:00; sat-sun closed", "none")
    for old, new, where in (
        ("sat 10:00-17:00", "sat 10:00-25:00", "hours.toml:5: business_unit.window: "),
        ('"12-24"', '"24-12"', "hours.toml:6: business_unit.holidays: "),
        ('["US", ', '["ZZ", ', "hours.toml:6: business_unit.holidays: "),
        ('"US-TX"', '"DE"', "hours.toml:7: business_unit.rule_pack: "),
        ('"US-TX"', '"US-TZ"', "hours.toml:7: business_unit.rule_pack: "),
        ("mon-fri 9-12, 13-17", "closed", "hours.toml:15: skill.window: "),
        ("mon-fri 9-17", "mon-fry 9-17", "hours.toml:8: business_unit.phone_hours: Of 'Work phone': "),
        ("sat-sun 10:00-18:00", "closed", "hours.toml:8: business_unit.phone_hours: 'Home phone' is never open."),
        (
            '"Home phone"',
            '"work_phone"',
            "hours.toml:8: business_unit.phone_hours: 'Work phone' and 'work_phone' are one",
        ),
        ('"Home phone"', '"-"', "hours.toml:8: business_unit.phone_hours: '-' is no name of a phone type."),
        ('"12:00-13:00"', '"noon"', "hours.toml:18: skill.phone_hours: Of 'Work phone': "),
        ('"12:00-13:00"', "12", "hours.toml:18: skill.phone_hours: "),
    ):
        (folder / "hours.toml").write_text(text.replace(old, new))
        refused = await acme("apply", "hours.toml")
        assert (refused.status, where in refused.err) == (1, True), refused.err


async def test_hours_by_phone_type_from_the_list_to_why(acme: Command, folder: Path) -> None:
    """A list with numbers at work and at home, and a contact that is added to it later."""
    (folder / "hours.toml").write_text(
        '[[business_unit]]\nname = "Acme"\ndefault_region = "US"\n'
        '[business_unit.phone_hours]\n"Work phone" = "mon-fri 09:00-12:00"\n"Home phone" = "mon-fri 17:00-20:00"\n'
    )
    (folder / "both.csv").write_text(
        "id,First name,Work phone,Home phone\na1,Ann,202-555-0143,202-555-0144\na2,Bob,,202-555-0145\n"
    )
    assert (await acme("apply", "hours.toml")).status == 0
    assert (await acme("import", "both.csv", "--list", "Both")).status == 0
    assert "phone types: PhoneNumber (Work phone), Home phone" in (await acme("list", "show", "Both")).out
    added = ("--field", "ExternalId=a3", "--field", "FirstName=Eve", "--field", "PhoneNumber=202-555-0146")
    assert (await acme("list", "add", "Both", *added)).status == 0
    for number, hour, against in (
        ("+12025550143", "10:00", []),
        ("+12025550145", "10:00", ["hours of Home phone", "all hours"]),
        ("+12025550146", "10:00", []),
        ("+12025550143", "18:00", ["hours of Work phone", "all hours"]),
        ("+12025550145", "18:00", []),
        ("+12025550146", "18:00", ["hours of Work phone", "all hours"]),
    ):
        asked = ("why", number, "--skill", "bonus-shift", "--list", "Both", "--at", f"2026-06-08T{hour}-04:00")
        told = (await acme(*asked, "--json")).json
        assert [verdict["rule"] for verdict in told["verdicts"] if not verdict["allowed"]] == against, (number, hour)
        assert told["places"] == ["US-DC America/New_York"]


async def test_a_single_text_says_of_which_phone_type_it_is(acme: Command, folder: Path) -> None:
    def declare(hours: str) -> None:
        (folder / "hours.toml").write_text(
            f'[[business_unit]]\nname = "Acme"\ndefault_region = "US"\nrule_pack = "none"\n'
            f"phone_hours = {{ {hours} }}\n"
        )

    declare('"Work phone" = "mon-fri 09:00-12:00", "Home phone" = "sat-sun 09:00-12:00"')
    assert (await acme("apply", "hours.toml")).status == 0
    send = ("send", "--to", DC, "--text", "Hi", "--code", "15551230001")
    refused = await acme(*send)
    assert refused.status == 1
    assert "the hours of all phone types must be open together" in refused.err
    assert (await acme(*send, "--phone-type", "work_phone")).status == 0
    assert (await acme(*send, "--phone-type", "Pager")).status == 0
    assert "is no name of a phone type" in (await acme(*send, "--phone-type", "-")).err
    listed = await acme("send", "--list", "Agents", "--text", "Hi", "--phone-type", "Work phone")
    assert "Leave out --phone-type" in listed.err
