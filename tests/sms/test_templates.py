from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todoke.sms.templates import TemplateError, UnknownField, literal, parse


def render(body: str, **row: str) -> str:
    return parse(body).compile(list(row))(list(row.values()))


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("Hi {FirstName}!", "Hi Taro!"),
        ("{FirstName}", "Taro"),
        ("{FirstName}{Order No}", "TaroA-1"),
        ("{FirstName} {FirstName}", "Taro Taro"),
        ("{ FirstName }", "Taro"),
        ("{名前}様", "山田様"),
        ("{Blank|friend}", "friend"),
        ("{Blank | friend of mine }", "friend of mine"),
        ("[{Blank|}]", "[]"),
        ("{Blank|a|b}", "a|b"),
        ("{FirstName|friend}", "Taro"),
        ("{{FirstName}}", "{FirstName}"),
        ("{{{FirstName}}}", "{Taro}"),
        ("{{}}", "{}"),
        ("}}{{", "}{"),
        ("a|b", "a|b"),
        ("%s {FirstName} %(x)s $x {{0}}", "%s Taro %(x)s $x {0}"),
        ("{Sly}", "{FirstName} {{x}} {0.__class__}"),
        ("", ""),
        ("line\nline {FirstName}", "line\nline Taro"),
    ],
)
def test_rendering(body: str, text: str):
    row = {
        "FirstName": "Taro",
        "Order No": "A-1",
        "名前": "山田",
        "Blank": " \t\u3000",
        "Sly": "{FirstName} {{x}} {0.__class__}",
    }
    template = parse(body)
    assert template.compile(list(row))(list(row.values())) == text


@pytest.mark.parametrize(
    ("body", "line", "column", "problem"),
    [
        ("Hi {FirstName", 1, 4, "never closed"),
        ("Hi {First\nName}", 1, 4, "never closed"),
        ("one\r\ntwo {x", 2, 5, "never closed"),
        ("Hi {", 1, 4, "never closed"),
        ("Hi {}", 1, 4, "without a name"),
        ("Hi {  }", 1, 4, "without a name"),
        ("Hi {|you}", 1, 4, "without a name"),
        ("a\nb } c", 2, 3, "without its {"),
        ("Hi {x}}", 1, 7, "without its {"),
        ("Hi {a{b}}", 1, 6, "inside a merge field"),
        ("Hi {a|{b}}", 1, 7, "inside a merge field"),
        ("{{x}", 1, 4, "without its {"),
    ],
)
def test_mistakes_have_a_place_and_a_fix(body: str, line: int, column: int, problem: str):
    with pytest.raises(TemplateError) as refused:
        parse(body)
    error = refused.value
    assert (error.line, error.column) == (line, column)
    assert problem in error.problem
    assert error.fix
    assert str(error) == f"line {line}, column {column}: {error.problem}; {error.fix}"


def test_fields_in_order_of_first_use():
    template = parse("{b|x} {a} {b} {{c}} { d }")
    assert template.fields == ("b", "a", "d")
    assert template.unknown(["a", "d"]) == ("b",)
    assert template.compile(["d", "c", "b", "a"]).indexes == (0, 2, 3)
    assert parse("none").compile(["a"]).indexes == ()


def test_unknown_fields_are_listed_with_what_was_meant():
    with pytest.raises(UnknownField) as refused:
        parse("{first name} {Zzz} {LastName}").compile(["PhoneNumber", "FirstName", "LastName"])
    error = refused.value
    assert error.names == ("first name", "Zzz")
    assert error.known == ("PhoneNumber", "FirstName", "LastName")
    assert error.closest == {"first name": "FirstName"}
    assert str(error) == (
        "the list has no field for {first name} (did you mean {FirstName}?), {Zzz}; "
        "its fields are: PhoneNumber, FirstName, LastName"
    )


def test_names_are_exact():
    with pytest.raises(UnknownField, match=r"did you mean \{FirstName\}"):
        parse("{firstname}").compile(["FirstName"])
    with pytest.raises(UnknownField, match="its fields are: none"):
        parse("{FirstName}").compile([])


def test_literal_braces_around_a_known_field_are_suspect():
    template = parse("{{FirstName}} ｛名前｝ {{other}} {{FirstName|x}} {FirstName} {{FirstName}}")
    assert template.suspects(["FirstName", "名前"]) == ("{FirstName}", "｛名前｝", "{FirstName|x}")
    assert parse("{FirstName} {{").suspects(["FirstName"]) == ()


@given(st.text())
def test_a_literal_renders_as_itself(text: str):
    template = parse(literal(text))
    assert template.fields == ()
    assert template.compile([])([]) == text


@given(st.text(st.sampled_from("ab {}|\n名")))
def test_any_body_parses_or_says_where_it_does_not(body: str):
    try:
        template = parse(body)
    except TemplateError as error:
        lines = body.split("\n")
        assert 1 <= error.line <= len(lines)
        assert lines[error.line - 1][error.column - 1] in "{}"
    else:
        values = [f"<{name}>" for name in template.fields]
        expected = body.replace("{{", "\0").replace("}}", "\1")
        if "{{{" not in body and "}}}" not in body and "|" not in body and not template.fields:
            assert template.compile([])([]) == expected.replace("\0", "{").replace("\1", "}")
        assert all(value in template.compile(template.fields)(values) for value in values)


name = st.text(st.characters(exclude_characters="{}|\n\r"), min_size=1).filter(lambda text: text == text.strip())
value = st.text().filter(lambda text: text and not text.isspace())


@given(st.lists(st.tuples(st.text(), name, value)), st.text())
def test_values_stand_between_the_literals(pieces: list[tuple[str, str, str]], tail: str):
    row = {field: content for _, field, content in pieces}
    body = "".join(f"{literal(before)}{{{field}}}" for before, field, _ in pieces) + literal(tail)
    text = "".join(f"{before}{row[field]}" for before, field, _ in pieces) + tail
    assert render(body, **row) == text
