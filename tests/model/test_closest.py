from todoke.model.closest import closest, suggestion


def test_case_and_separators_do_not_count() -> None:
    assert closest("bonus shift", ["delivery", "Bonus-Shift"]) == "Bonus-Shift"
    assert closest("xyz", ["delivery"]) is None
    assert closest("a", []) is None


def test_a_suggestion_falls_back_to_what_there_is() -> None:
    assert suggestion("delivry", ["delivery"]) == "Did you mean 'delivery'?"
    assert suggestion("xyz", ["ab", "cd"]) == "There is: 'ab', 'cd'."
    assert suggestion("xyz", [], "Make one.") == "Make one."
