from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todoke.sms.rendering import Hole, MissingField, Renderer

WIDTHS = range(7)  # the shapes with a closure of their own, and those without


def numbered(width: int, default: str | None = None) -> Renderer:
    pieces: list[str | Hole] = ["<"]
    for column in range(width):
        pieces += [Hole(column, f"f{column}", default), ">"]
    return Renderer(pieces)


@pytest.mark.parametrize("width", WIDTHS)
def test_every_shape_renders(width: int):
    row = [f"v{column}" for column in range(width)]
    assert numbered(width)(row) == "<" + "".join(f"v{column}>" for column in range(width))
    assert numbered(width).indexes == tuple(range(width))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("blank", ["", " ", "\t\n", "\u3000"])
def test_every_shape_refuses_a_blank_in_any_place(width: int, blank: str):
    for place in range(width):
        row = [blank if column == place else "x" for column in range(width)]
        with pytest.raises(MissingField, match=f"f{place}") as refused:
            numbered(width)(row)
        assert refused.value.field == f"f{place}"
        assert numbered(width, "d")(row) == "<" + "".join("d>" if column == place else "x>" for column in range(width))


@pytest.mark.parametrize("width", WIDTHS[1:])
def test_a_short_row_has_blanks_at_its_end(width: int):
    assert numbered(width, "d")([]) == "<" + "d>" * width
    with pytest.raises(MissingField) as refused:
        numbered(width)(["x"] * (width - 1))
    assert refused.value.field == f"f{width - 1}"


def test_a_column_may_be_read_twice():
    renderer = Renderer([Hole(2, "a", None), Hole(0, "b", ""), Hole(2, "a", "x")])
    assert renderer.indexes == (0, 2)
    assert renderer(["", "-", "v"]) == "vv"


hole = st.builds(Hole, st.integers(0, 5), st.just("f"), st.none() | st.text())


@given(st.lists(st.text() | hole, max_size=9), st.lists(st.text(), max_size=7))
def test_any_row_renders_or_misses_a_field(pieces: list[str | Hole], row: list[str]):
    expected: list[str] | None = []
    for piece in pieces:
        if isinstance(piece, str):
            expected.append(piece)
            continue
        content = row[piece.column] if piece.column < len(row) else ""
        if not content.strip():
            if piece.default is None:
                expected = None
                break
            content = piece.default
        expected.append(content)
    if expected is None:
        with pytest.raises(MissingField):
            Renderer(pieces)(row)
    else:
        assert Renderer(pieces)(row) == "".join(expected)
