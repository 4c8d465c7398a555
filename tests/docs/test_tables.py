"""The tables of the pages have what the code has: settings, keys and defaults, codes, options, routes."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import NODEFAULT, Struct

from todoke import config
from todoke.model import declaration, reason
from todoke.model.declaration.entries import ProviderHead
from todoke.model.event import Kind, State
from todoke.model.run import RunState
from todoke.model.transport_code import CODE_TYPES
from todoke.pipeline.intake.consents.rows import FAULTS, Fault
from todoke.pipeline.intake.reasons import Reason
from todoke.pipeline.intake.system_fields import SystemField
from todoke.providers.kinds import KINDS
from todoke.providers.simulator import STYLES, Behaviour
from todoke.providers.simulator import __main__ as simulator
from todoke.providers.simulator.control import control
from todoke.providers.simulator.stats import Stats
from todoke.sms.measuring import REASONS
from todoke.store.schema import metadata

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "todoke"


def code(cell: str) -> str:
    """What stands between the first backticks of a cell."""
    found = re.match(r"`([^`]*)`", cell)
    return found[1] if found else cell


def codes(cells: list[str]) -> list[str]:
    return [found for cell in cells for found in re.findall(r"`([^`]*)`", cell)]


def written(value: object) -> str:
    """A default as TOML writes it."""
    plain = msgspec.to_builtins(value)
    return msgspec.json.encode(plain).decode()


def section(text: str, heading: str) -> str:
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found is not None, heading
    return found[1]


def keys(text: str) -> dict[str, str]:
    """The table of keys of a section: the cell of the default by key."""
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \|", text, re.MULTILINE)
    return dict(rows)


# ------------------------------------------------------------------ configuration.md


def test_settings(pages: Any) -> None:
    rows = pages.table("docs/configuration.md", "setting")
    defaults = config.Settings()
    assert [(code(row[0]), code(row[1]), code(row[2])) for row in rows] == [
        (
            key,
            f"--{key.replace('_', '-')}",
            _said(getattr(defaults, key)),
        )
        for key in config.KEYS
    ]
    said = {code(row[0]): row[3] for row in rows}
    assert codes([said["log_level"]]) == list(config.LOG_LEVELS)
    assert codes([said["log_format"]]) == list(config.LOG_FORMATS)


def _said(default: object) -> str:
    """A default as it is written in a settings file, without quotation marks."""
    if isinstance(default, bool):
        return str(default).lower()
    return f"{default:g}" if isinstance(default, float) else str(default)


@pytest.mark.parametrize("key", ["flush_ms", "lease_s"])
def test_limits_of_settings(pages: Any, key: str) -> None:
    said = {code(row[0]): row[3] for row in pages.table("docs/configuration.md", "setting")}
    least, most = (int(number) for number in re.findall(r"(\d+) to (\d+)", said[key])[0])
    for value, possible in ((least, True), (most, True), (least - 1, False), (most + 1, False)):
        try:
            config.load({key: str(value)}, {}, None)
        except config.SettingsError:
            assert not possible
        else:
            assert possible


# ------------------------------------------------------------------ declaration.md

ENTRIES: dict[str, type[Struct]] = {
    "business_unit": declaration.BusinessUnit,
    "transport_code": declaration.TransportCode,
    "dnc_group": declaration.DncGroup,
    "registration": declaration.Registration,
    "campaign": declaration.Campaign,
    "template": declaration.Template,
    "skill": declaration.Skill,
}


def test_every_table_of_a_declaration_has_a_section(pages: Any) -> None:
    headings = re.findall(r"^## (\w+)$", pages["docs/declaration.md"], re.MULTILINE)
    assert set(headings) == set(declaration.TABLES)


@pytest.mark.parametrize("table", ENTRIES)
def test_keys_of_a_declaration(pages: Any, table: str) -> None:
    said = keys(section(pages["docs/declaration.md"], table))
    fields = msgspec.structs.fields(ENTRIES[table])
    assert set(said) >= {field.name for field in fields}
    for field in fields:
        _same_default(field, said[field.name])


def test_keys_of_a_provider(pages: Any) -> None:
    said = keys(section(pages["docs/declaration.md"], "provider"))
    smpp = {field.name: field for field in msgspec.structs.fields(KINDS["smpp"])}
    assert list(said) == [*ProviderHead.__struct_fields__, *smpp]
    for field in smpp.values():
        _same_default(field, said[field.name].partition("; simulator")[0])
    for field in msgspec.structs.fields(KINDS["simulator"]):
        other = field.default != smpp[field.name].default
        assert other is ("simulator:" in said[field.name]), field.name
        if other:
            assert said[field.name].endswith(f"simulator: `{written(field.default)}`")


def _same_default(field: Any, said: str) -> None:
    if field.default is NODEFAULT and field.default_factory is NODEFAULT:
        assert said == "required", field.name
    elif field.default_factory is not NODEFAULT:
        assert said == f"`{written(field.default_factory())}`", field.name
    elif field.default is None:
        assert said and said != "required", field.name
    else:
        assert said == f"`{written(field.default)}`", field.name


def test_types_of_codes(pages: Any) -> None:
    rows = pages.table("docs/declaration.md", "type")
    assert [[code(row[0]), code(row[1]), *row[2:]] for row in rows] == [
        [kind.name, kind.example, f"{kind.rate:g}", "yes" if kind.two_way else "no", kind.lead_time]
        for kind in CODE_TYPES.values()
    ]


# ------------------------------------------------------------------ lists.md


def test_reasons_of_rejected_rows(pages: Any) -> None:
    assert [code(row[0]) for row in pages.table("docs/lists.md", "code")] == [reason.value for reason in Reason]


def test_reasons_of_rejected_consents(pages: Any) -> None:
    rows = [(code(row[0]), row[1]) for row in pages.table("docs/consent.md", "code")]
    assert rows == [(fault.value, FAULTS[fault]) for fault in Fault]


def test_reasons_of_who_is_not_texted(pages: Any) -> None:
    told = set(codes([row[0] for row in pages.table("docs/lists.md", "reason")]))
    # What is a run's own doing, or a carrier's, is foreseen by nobody; without the key there is no estimate.
    later = {
        "no_key",
        "edited",
        "stopped",
        "link_dropped",
        "response_timeout",
        "engine_crashed",
        "journal_lost",
        "at_least_once",
    }
    assert told == {name for name in reason.SENTENCES if name} - later - {"person"}
    assert told > REASONS


def test_fields_of_a_list(pages: Any) -> None:
    named = codes([row[0] for row in pages.table("docs/lists.md", "field")])
    assert sorted(named) == sorted(field.value for field in SystemField)


# ------------------------------------------------------------------ data-model.md, states.md


def test_every_table_of_the_schema_is_explained(pages: Any) -> None:
    rows = [row for table in pages.tables("docs/data-model.md") if table[0][0] == "table" for row in table[1:]]
    assert sorted(code(row[0]) for row in rows) == sorted(metadata.tables)


def test_kinds_of_event(pages: Any) -> None:
    rows = pages.table("docs/data-model.md", "kind")
    assert [(code(row[0]), int(row[1])) for row in rows] == [(kind.name, kind.value) for kind in Kind]


def test_reasons_of_messages(pages: Any) -> None:
    named = {code(row[0]) for row in pages.table("docs/data-model.md", "code")}
    plain = {name for name in named if ":" not in name}
    used = {name for name in reason.SENTENCES if name and _is_used(f'"{name}"')}
    assert used <= plain
    assert all(_is_used(f'"{name}"') for name in plain)
    assert {name.partition(":")[0] for name in named - plain} == {"smpp", "receipt", "person"}


def _is_used(literal: str) -> bool:
    files = (file for file in SOURCE.rglob("*.py") if file.name != "reason.py")
    return any(literal in file.read_text(encoding="utf-8") for file in files)


def test_states_are_explained(pages: Any) -> None:
    runs, messages = (table[1:] for table in pages.tables("docs/states.md"))
    assert [code(row[0]) for row in runs] == [state.value for state in RunState]
    assert [code(row[0]) for row in messages] == [state.value for state in State]


# ------------------------------------------------------------------ simulator.md


def test_options_of_the_simulator(pages: Any) -> None:
    rows = pages.table("docs/simulator.md", "option")
    actions = [action for action in simulator.parser()._actions if "--help" not in action.option_strings]
    assert [code(row[0]).split()[0] for row in rows] == [action.option_strings[0] for action in actions]
    for row, action in zip(rows, actions, strict=True):
        if isinstance(action.default, str | int) and not isinstance(action.default, bool):
            assert code(row[1]) == str(action.default), row


def test_behaviour_of_the_simulator(pages: Any) -> None:
    rows = {code(row[0]): row[1] for row in pages.table("docs/simulator.md", "field")}
    fields = msgspec.structs.fields(Behaviour)
    assert list(rows) == [field.name for field in fields]
    for field in fields:
        said = rows[field.name]
        assert said == ("none" if field.default is None else f"`{written(field.default)}`"), field.name


def test_styles_of_receipts(pages: Any) -> None:
    text = re.search(r"Receipt styles, .*?: (.*?)\. The", pages["docs/simulator.md"], re.DOTALL)
    assert text is not None
    assert codes([text[1]]) == list(STYLES)


def test_routes_of_the_control_port(pages: Any) -> None:
    application = control(simulator.settings(simulator.parser().parse_args([])), Stats(), None, lambda: 0)
    routes = {
        f"{route.method} {route.resource.canonical}"
        for route in application.router.routes()
        if route.method != "HEAD" and route.resource is not None
    }
    rows = pages.table("docs/simulator.md", "request")
    assert {code(row[0]).partition("?")[0] for row in rows} == routes


# ------------------------------------------------------------------ operating.md, CONTRIBUTING.md


def test_actions_in_the_log(pages: Any) -> None:
    for action in codes([row[0] for row in pages.table("docs/operating.md", "action")]):
        assert _is_used(f'"action": "{action}"'), action


def test_checks_of_the_doctor(pages: Any) -> None:
    sources = [file.read_text(encoding="utf-8") for file in sorted((SOURCE / "service" / "doctor").glob("*.py"))]
    named = {name for text in sources for name in re.findall(r'(?:ok|warning|error|_failed)\)?\(\s*"([a-z ]+)"', text)}
    named |= {name for text in sources for name in re.findall(r'^CHECK = "([a-z ]+)"', text, re.MULTILINE)}
    assert len(named) > 10
    assert set(codes([row[0] for row in pages.table("docs/operating.md", "check")])) == named


def test_reasons_for_doubt(pages: Any) -> None:
    rows = [code(row[0]) for row in pages.table("docs/operating.md", "reason")]
    assert all(name in reason.SENTENCES and _is_used(f'"{name}"') for name in rows)


def test_floors(pages: Any) -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers: Mapping[str, Any] = next(contract for contract in contracts if contract["type"] == "layers")
    floors = [sorted(re.findall(r"\w+", layer)) for layer in layers["layers"]]
    rows = pages.table("CONTRIBUTING.md", "floor")
    assert [int(row[0]) for row in rows] == list(range(len(rows) - 1, -1, -1))
    assert [sorted(codes([row[1]])) for row in rows] == floors
    stages = {file.parent.name for file in (SOURCE / "pipeline").glob("*/__init__.py")}
    (pipeline,) = [row[2] for row in rows if code(row[1]) == "pipeline"]
    assert set(codes([pipeline])) == stages
