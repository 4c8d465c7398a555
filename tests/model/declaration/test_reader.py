from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todoke.model import declaration as declarations
from todoke.model.declaration import Declaration, Problem
from todoke.providers.kinds import KINDS
from todoke.providers.smpp.settings import Bind, SmppSettings

EXAMPLE = Path(__file__).parents[3] / "examples" / "acme.toml"

UNIT = '[[business_unit]]\nname = "Acme"\ndefault_region = "US"\n'
SMPP = '[[provider]]\nname = "c"\nkind = "smpp"\nhost = "h"\nsystem_id = "s"\n'


def read(file: str, text: str) -> tuple[Declaration, list[Problem]]:
    return declarations.read(file, text, KINDS)


def errors(text: str) -> list[str]:
    return [str(problem) for problem in read("a.toml", text)[1]]


def one(text: str) -> Problem:
    problems = read("a.toml", text)[1]
    assert len(problems) == 1, problems
    return problems[0]


def test_the_example_has_no_mistake() -> None:
    declaration, problems = read("acme.toml", EXAMPLE.read_text(encoding="utf-8"))
    assert problems == []
    assert [skill.entry.name for skill in declaration.skills] == ["delivery-notice", "bonus-shift"]
    assert declaration.registrations[0].entry.stop_keywords == ["no more shifts"]


def test_an_smpp_provider_has_its_settings_beside_its_name() -> None:
    declaration, problems = read("a.toml", SMPP + 'password = "env:CARRIER"\nbind = "pair"\ntls = true')
    assert problems == []
    assert declaration.providers[0].entry.settings == SmppSettings(
        host="h", system_id="s", password="env:CARRIER", bind=Bind.PAIR, tls=True
    )


def test_every_mistake_is_told_with_its_line_key_and_fix() -> None:
    text = '''
[[business_unit]]
name = "Acme"
default_regoin = "US"

[[transport_code]]
code = "+15551230001"
type = "lng"
provider = "carrier"

[[template]]
name = "T"
body = """
Hi,
{FirstName"""

[[skill]]
name = "x"
campaign = "C"
transport_code = "1"
template = "T"
window = "21:00-08:00"

[[skil]]
name = "y"
'''
    assert errors(text) == [
        """a.toml:2: business_unit.default_region: It is missing. Add default_region = ..., a country as two capital """
        """letters, such as "US" or "JP".""",
        "a.toml:4: business_unit.default_regoin: There is no such key. Did you mean 'default_region'?",
        "a.toml:8: transport_code.type: There is no code type 'lng'. Did you mean 'long'?",
        "a.toml:13: template.body: In line 2, column 1 of the text: the { is never closed. "
        "Add }, or write {{ for a literal brace.",
        "a.toml:18: skill.name: 'x' does not fit. Write 2 to 30 characters: letters A to Z, digits and - _ . :.",
        "a.toml:24: skil: There is no such table. Did you mean 'skill'?",
    ]


@pytest.mark.parametrize(
    ("text", "where", "part"),
    [
        (UNIT.replace("US", "UU"), "a.toml:3: business_unit.default_region", "no country 'UU'"),
        (UNIT + "bucket = 256", "a.toml:4: business_unit.bucket", "from 0 to 255"),
        (UNIT + "rate = 0", "a.toml:4: business_unit.rate", "0.1 or more"),
        (
            '[[brand]]\nname = "B"\ncap_zone = "America/Los_Angles"',
            "a.toml:3: brand.cap_zone",
            "Did you mean 'America/Los_Angeles'?",
        ),
        ('[[brand]]\nname = "B"\ndaily_cap = 0', "a.toml:3: brand.daily_cap", "1 or more"),
        (SMPP + "price = 0.0079", "a.toml:6: provider.price", 'Add currency = "USD"'),
        (SMPP + 'currency = "USD"', "a.toml:6: provider.currency", "There is no price in it"),
        (SMPP + 'price = 0.01\ncurrency = "Yen"', "a.toml:7: provider.currency", "three capital letters"),
        (SMPP + 'price = -1\ncurrency = "USD"', "a.toml:6: provider.price", "such as 0.0079"),
        (
            '[[transport_code]]\ncode = "72345"\ntype = "short"\nprovider = "c"\nprice = 3',
            "a.toml:5: transport_code.price",
            "in which currency",
        ),
        (SMPP + "rate = 0", "a.toml:6: provider.rate", "Rate must be between 0.1"),
        (UNIT + "bucket = true", "a.toml:4: business_unit.bucket", "from 0 to 255"),
        (UNIT.replace("Acme", "a/b"), "a.toml:2: business_unit.name", "without a slash"),
        (UNIT + UNIT, "a.toml:5: business_unit.name", "The first is at line 1"),
        ("[business_unit]\nname = 'A'", "a.toml:1: business_unit", "[[business_unit]]"),
        ("business_unit = 3", "a.toml:1: business_unit", "[[business_unit]]"),
        ("business_unit = [{name = 'A'}]", "a.toml:1: business_unit.default_region", "Add default_region"),
        ("a = 1\nb =", "a.toml:2", "not TOML"),
        ("x = '''", "a.toml:1", "not TOML"),
        ('[[provider]]\nname = "c"\nkind = "smp"', "a.toml:3: provider.kind", "Did you mean 'smpp'?"),
        ('[[provider]]\nname = "c"', "a.toml:1: provider.kind", "Add kind = ..."),
        (SMPP.replace('host = "h"', ""), "a.toml:1: provider.host", "Add host = ..., a text in quotes"),
        (SMPP + "links = 65", "a.toml:6: provider.links", "Links must be between 1 and 64."),
        (SMPP + 'password = "123456789"', "a.toml:6: provider.password", "at most 8"),
        (SMPP + 'password = "env:a b"', "a.toml:6: provider.password", "not the name of a variable"),
        (SMPP + 'password = "env:TODOKE_PASSWORD"', "a.toml:6: provider.password", "TODOKE_SECRET_"),
        (SMPP + 'password = "env:A"\nbind = "transciever"', "a.toml:7: provider.bind", "Did you mean 'transceiver'?"),
        (SMPP + 'password = "env:A"\nport = "x"', "a.toml:7: provider.port", "a whole number"),
        (
            '[[transport_code]]\ncode = "12"\ntype = "short"\nprovider = "c"',
            "a.toml:2: transport_code.code",
            "One looks like 72345",
        ),
        ('[[template]]\nname = "T"\nbody = " \\n "', "a.toml:3: template.body", "The text is empty"),
        (
            '[[skill]]\nname = "ab"\ncampaign = "c"\ntransport_code = "1"\ntemplate = "t"\nwindow = "21-8"',
            "a.toml:6: skill.window",
            "ends before it starts",
        ),
    ],
)
def test_mistakes(text: str, where: str, part: str) -> None:
    problem = one(text)
    assert problem.where == where
    assert part in f"{problem.sentence} {problem.fix}"
    assert not problem.warning


def test_warnings_do_not_stop_an_entry() -> None:
    text = (
        SMPP + 'password = "secret"\n[[transport_code]]\ncode = "+15551230001"\ntype = "long"\nprovider = "c"\nrate = 5'
        "\nburst = 3"
    )
    declaration, problems = read("a.toml", text)
    assert [(problem.where, problem.warning) for problem in problems] == [
        ("a.toml:6: provider.password", True),
        ("a.toml:11: transport_code.rate", True),
        ("a.toml:12: transport_code.burst", True),
    ]
    assert "secret" not in str(problems[0])
    assert [code.entry.code for code in declaration.codes] == ["15551230001"]
    assert len(declaration.providers) == 1


def test_the_end_of_a_body_loses_its_line_breaks() -> None:
    declaration, _ = read("a.toml", '[[template]]\nname = "T"\nbody = """\nHi\nthere\n"""')
    assert declaration.templates[0].entry.body == "Hi\nthere"


def test_lines_inside_a_long_text_are_no_keys() -> None:
    text = '[[template]]\nbody = """\nname = x\n[[skill]]\n"""\nnam = "T"'
    assert [problem.line for problem in read("a.toml", text)[1]] == [1, 6]


def test_what_has_a_mistake_is_still_mentioned() -> None:
    declaration, _ = read("a.toml", UNIT.replace("US", "UU"))
    assert declaration.units == []
    assert declaration.mentioned == {"business_unit": {"Acme"}, "dnc_group": {"Do not call"}}


@given(
    st.text(max_size=200)
    | st.lists(st.sampled_from(EXAMPLE.read_text("utf-8").splitlines()), max_size=20).map("\n".join)
)
def test_no_text_is_too_odd(text: str) -> None:
    declaration, problems = read("a.toml", text)
    assert isinstance(declaration, Declaration)
    assert all(problem.line >= 1 and problem.where.startswith("a.toml") for problem in problems)
