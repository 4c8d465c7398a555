"""What the pages show can be typed: commands parse, files are read by the real readers and applied to a database."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from bench.__main__ import MODULES
from typer.main import get_command

from todoke.cli.commands import app
from todoke.compliance import rulebook
from todoke.compliance.rulebook import PackFile
from todoke.config import SettingsFile, load
from todoke.model.declaration import read
from todoke.providers.kinds import KINDS
from todoke.providers.simulator import __main__ as simulator
from todoke.providers.simulator.behaviour import Behaviour
from todoke.service.demo import Verdict
from todoke.store.catalogue import provision
from todoke.store.store import Store

ROOT = Path(__file__).parents[2]
NOW = 1_800_000_000_000_000
_VARIABLE = re.compile(r"[A-Z_]+=")


def lines(text: str) -> Iterator[list[str]]:
    """The commands of a shell block as words, without comments and variables in front."""
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        while words and _VARIABLE.match(words[0]):
            words.pop(0)
        if words:
            yield words


def find(words: list[str], *, whole: bool) -> Any:
    """The command that the words name. `whole`: with every argument that it needs, as it would be typed."""
    command: Any = get_command(app)
    context: Any = None
    rest, name = words[1:], words[0]
    while True:
        group = hasattr(command, "resolve_command")
        if group or (whole and command.name != "simulate"):
            context = command.make_context(name, list(rest), parent=context, resilient_parsing=not whole)
        if not group:
            return command
        rest = [*context._protected_args, *context.args]
        if not rest:
            return command
        name, command, rest = command.resolve_command(context, rest)


def shell(pages: Any) -> list[tuple[str, list[str]]]:
    return [(str(block), words) for block in pages.blocks("sh") for words in lines(block.text)]


def test_commands_in_blocks_can_be_typed(pages: Any) -> None:
    commands = [(at, words) for at, words in shell(pages) if Path(words[0]).name == "todoke"]
    assert len(commands) > 15
    for at, words in commands:
        try:
            command = find(words, whole=True)
            if command.name == "simulate":
                simulator.settings(simulator.parser().parse_args(words[words.index("simulate") + 1 :]))
        except BaseException as error:
            raise AssertionError(f"{at}: {shlex.join(words)}: {error}") from error


def test_commands_within_sentences_are_there(pages: Any) -> None:
    count = 0
    for page in pages:
        for code in re.findall(r"`(todoke [^`]+)`", pages[page]):
            words = shlex.split(code)
            command = find(words, whole=False)
            count += 1
            assert command.name in words, f"{page}: {code}"
            known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
            if command.name != "simulate":
                assert {word for word in words if word.startswith("--")} <= known, f"{page}: {code}"
    assert count > 20


def test_make_targets_are_there(pages: Any) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {name for page in pages for name in re.findall(r"`make ([a-z]+)", pages[page])}
    named |= {words[1] for _, words in shell(pages) if words[0] == "make" and len(words) > 1}
    assert {"demo", "test", "bench", "lock"} <= named
    assert named <= targets


def test_benchmarks_are_there(pages: Any) -> None:
    named = [words[words.index("bench") + 1 :] for _, words in shell(pages) if words[1:3] == ["-m", "bench"]]
    assert named
    assert all(set(names) <= set(MODULES) for names in named)
    assert [row[0].strip("`") for row in pages.tables("docs/benchmarks.md")[0][1:]] == list(MODULES)


def declarations(pages: Any) -> list[tuple[str, str]]:
    blocks = [block for block in pages.blocks("toml") if "[[" in block.text and not _is_pack(block.text)]
    return [(str(block), block.text) for block in blocks]


def _is_pack(text: str) -> bool:
    return "[[jurisdiction]]" in text


def test_rule_packs_can_be_read(pages: Any) -> None:
    found = [block for block in pages.blocks("toml") if _is_pack(block.text)]
    assert found
    for block in found:
        assert [rule for rule in rulebook.read([PackFile(str(block), block.text)]) if rule.file == str(block)]


def test_declarations_have_no_mistake(pages: Any) -> None:
    found = declarations(pages)
    assert len(found) > 8
    for at, text in found:
        _, problems = read(at, text, KINDS)
        assert not [str(problem) for problem in problems if not problem.warning], at


async def test_the_examples_of_the_reference_can_be_applied_together(pages: Any, store: Store) -> None:
    text = "\n".join(text for at, text in declarations(pages) if at.startswith("docs/declaration.md:"))
    # The skill of one section uses the short code of another page.
    text += '\n[[transport_code]]\ncode = "72345"\ntype = "short"\nprovider = "carrier"\n'
    declaration, problems = read("declaration.md", text, KINDS)
    done = await provision.apply(store, declaration, problems, NOW)
    assert {"business unit", "provider", "skill", "registration"} <= {change.what for change in done.changes}
    assert done.warnings == []


async def test_the_example_of_the_readme_can_be_applied(pages: Any, store: Store) -> None:
    (text,) = [text for at, text in declarations(pages) if at.startswith("README.md:")]
    declaration, problems = read("README.md", text, KINDS)
    done = await provision.apply(store, declaration, problems, NOW)
    assert "skill" in {change.what for change in done.changes}
    assert done.warnings == []


async def test_the_whole_example_can_be_applied_twice(store: Store) -> None:
    text = (ROOT / "examples" / "acme.toml").read_text(encoding="utf-8")
    for expected in (True, False):
        declaration, problems = read("acme.toml", text, KINDS)
        done = await provision.apply(store, declaration, problems, NOW)
        assert bool(done.changes) is expected
        assert done.warnings == []


def test_settings_files_can_be_read(pages: Any) -> None:
    found = [block for block in pages.blocks("toml") if "[[" not in block.text]
    assert found
    for block in found:
        load({}, {}, SettingsFile(str(block), block.text))
        assert tomllib.loads(block.text)


def test_behaviours_are_possible(pages: Any) -> None:
    found = pages.blocks("json")
    assert found
    for block in found:
        msgspec.convert(json.loads(block.text), Behaviour)


def test_the_last_line_of_the_demo_is_as_shown(pages: Any) -> None:
    (line,) = re.findall(r"^demo: .*$", pages["README.md"], re.MULTILINE)
    numbers = [int(number) for number in re.findall(r"\d+", line)]
    contacts, skipped, handed_over, delivered, failed, in_doubt, lost, duplicated = numbers
    assert line == str(Verdict(*numbers, disagreements=()))
    assert contacts == handed_over + skipped
    assert handed_over == delivered + failed + in_doubt
    assert (lost, duplicated) == (0, 0)


def test_every_block_is_of_a_kind_that_is_tested(pages: Any) -> None:
    kinds = {block.language for language in ("", "sh", "toml", "json", "mermaid") for block in pages.blocks(language)}
    assert kinds == {"", "sh", "toml", "json", "mermaid"}
    fences = sum(len(re.findall(r"^```\w*$", pages[page], re.MULTILINE)) for page in pages)
    assert fences == 2 * sum(len(pages.blocks(kind)) for kind in kinds)


@pytest.mark.parametrize(
    "words", [["todoke", "run", "list", "--opne"], ["todoke", "skill", "start", "x"], ["todoke", "x"]]
)
def test_a_wrong_command_is_found(words: list[str]) -> None:
    with pytest.raises(Exception, match=r"(?i)no such|missing"):
        find(words, whole=True)
