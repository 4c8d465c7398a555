from pathlib import Path

import pytest

from todoke.config import DECLARED, Settings, SettingsError, SettingsFile, closest, find_file, load, masked


def file(text: str) -> SettingsFile:
    return SettingsFile("todoke.toml", text)


def test_without_anything_the_defaults_hold() -> None:
    assert load({}, {}, None) == Settings()
    assert Settings().database == "sqlite:///todoke-data/todoke.db"


def test_flags_win_over_environment_over_file() -> None:
    text = 'log_level = "error"\nlog_format = "json"\nflush_ms = 30\nlease_s = 4'
    environ = {"TODOKE_LOG_LEVEL": "debug", "TODOKE_FLUSH_MS": "40"}
    settings = load({"log_level": "warning", "flush_ms": None}, environ, file(text))
    assert (settings.log_level, settings.flush_ms, settings.log_format, settings.lease_s) == ("warning", 40, "json", 4)


def test_the_database_lies_in_the_data_directory_unless_it_is_named() -> None:
    assert load({"data_dir": "var"}, {}, None).database == "sqlite:///var/todoke.db"
    assert load({"data_dir": "/var/todoke"}, {}, None).database == "sqlite:////var/todoke/todoke.db"
    settings = load({"data_dir": "var", "database": "postgres://localhost/x"}, {}, None)
    assert (settings.database, settings.data_dir) == ("postgresql://localhost/x", Path("var"))


@pytest.mark.parametrize(
    ("flags", "environ", "text", "where", "fix"),
    [
        ({"databse": "x"}, {}, None, "--databse", "Did you mean --database?"),
        ({}, {"TODOKE_DATABSE": "x"}, None, "environment: TODOKE_DATABSE", "Did you mean TODOKE_DATABASE?"),
        ({}, {}, 'loglevel = "info"', "todoke.toml: loglevel", "Did you mean log_level?"),
        ({}, {}, "zzz = 1", "todoke.toml: zzz", "The settings are: database, "),
        ({}, {}, "database = ", "todoke.toml", "key = value"),
        ({}, {}, '[[business_unit]]\nname = "A"', "todoke.toml: business_unit", "todoke apply todoke.toml"),
        ({"database": "mysql://x"}, {}, None, "--database", "sqlite:///FILE"),
        ({"database": "sqlite://"}, {}, None, "--database", "sqlite:///FILE"),
        ({"database": "sqlite:///:memory:"}, {}, None, "--database", "needs a file"),
        ({"database": "postgresql://"}, {}, None, "--database", "postgresql://USER"),
        ({"log_level": "inof"}, {}, None, "--log-level", "Did you mean info?"),
        ({"log_format": "xml"}, {}, None, "--log-format", "text, json"),
        ({}, {"TODOKE_FLUSH_MS": "soon"}, None, "environment: TODOKE_FLUSH_MS", "from 5 to 1000"),
        ({"flush_ms": 1}, {}, None, "--flush-ms", "from 5 to 1000"),
        ({"lease_s": "nan"}, {}, None, "--lease-s", "from 2 to 300"),
        ({}, {}, "lease_s = true", "todoke.toml: lease_s", "from 2 to 300"),
        ({}, {}, "data_dir = 1", "todoke.toml: data_dir", "in a file"),
    ],
)
def test_a_setting_that_cannot_be_used_says_where_and_what_to_do(
    flags: dict[str, object], environ: dict[str, str], text: str | None, where: str, fix: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load(flags, environ, None if text is None else file(text))
    assert caught.value.where == where
    assert fix in caught.value.fix
    assert str(caught.value).startswith(f"{where}: ")


def test_variables_of_tests_and_secrets_are_left_alone() -> None:
    environ = {"TODOKE_TEST_POSTGRES_URL": "x", "TODOKE_REQUIRE_NODE": "1", "TODOKE_SECRET_CARRIER": "s", "PATH": "/"}
    assert load({}, environ, None) == Settings()


def test_the_password_is_never_shown() -> None:
    settings = load({"database": "postgresql://me:s3cr@t@db:5432/x"}, {}, None)
    assert settings.database_shown == "postgresql://me:***@db:5432/x"
    assert "s3cr" not in repr(settings)
    assert masked("postgresql://db/x?user=me&password=s3cret") == "postgresql://db/x?user=me&password=***"
    with pytest.raises(SettingsError) as caught:
        load({"database": "mysql://me:s3cret@db/x"}, {}, None)
    assert "s3cret" not in str(caught.value)


def test_the_file_is_the_named_one_or_the_one_that_is_there(tmp_path: Path) -> None:
    assert find_file(None, {}, tmp_path) is None
    (tmp_path / "todoke.toml").write_text("flush_ms = 30")
    (tmp_path / "other.toml").write_text("flush_ms = 40")
    assert find_file(None, {}, tmp_path) == SettingsFile("todoke.toml", "flush_ms = 30")
    assert find_file(None, {"TODOKE_CONFIG": "other.toml"}, tmp_path) == SettingsFile("other.toml", "flush_ms = 40")
    with pytest.raises(SettingsError, match=r"^gone\.toml: There is no such file"):
        find_file("gone.toml", {"TODOKE_CONFIG": "other.toml"}, tmp_path)
    (tmp_path / "latin.toml").write_bytes(b"\xff")
    with pytest.raises(SettingsError, match=r"cannot be read"):
        find_file("latin.toml", {}, tmp_path)


def test_closest_ignores_case_and_separators() -> None:
    assert closest("Log-Level", ["log_level", "log_format"]) == "Did you mean log_level?"
    assert closest("qqq", ["log_level"]) == ""
    assert "skill" in DECLARED
