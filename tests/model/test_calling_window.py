import pytest
from hypothesis import given
from hypothesis import strategies as st

from todoke.model.calling_window import WHOLE_DAY, Window, parse
from todoke.model.errors import Invalid


@given(st.integers(0, WHOLE_DAY - 1), st.data())
def test_what_is_written_is_read_again(start: int, data: st.DataObject) -> None:
    window = Window(start, data.draw(st.integers(start + 1, WHOLE_DAY)))
    assert parse(str(window)) == window


def test_short_forms() -> None:
    assert parse("00-24") == Window(0, WHOLE_DAY)
    assert parse(" 8 - 21:30 ") == Window(480, 1290)


@pytest.mark.parametrize("text", ["", "all day", "8", "8-", "21-8", "8-8", "08:60-09:00", "08:00-25:00", "-1-5", "٨-٩"])
def test_what_is_none_says_how_to_write_one(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse(text)
    assert caught.value.fix
