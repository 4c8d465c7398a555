"""`todoke`: the commands together, and how they end.

Exit status: 0 done; 1 something is wrong, said in a sentence on stderr; 2 wrong usage; 130 interrupted.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import typer

from todoke.cli import (
    applying,
    consent,
    demo,
    dnc_files,
    doctor,
    doubts,
    importing,
    keywords,
    list_imports,
    lists,
    mappings,
    privacy,
    processes,
    reporting,
    reviewing,
    rules,
    runs,
    sending,
    skills,
    suppressing,
    why,
)
from todoke.cli.session import Session
from todoke.config import SettingsError
from todoke.model.errors import TodokeError

INTERRUPTED = 130

app = typer.Typer(
    name="todoke",
    help="Proactive SMS: every contact of a calling list gets its message, once.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for group in (demo, processes, applying, importing, sending, reporting, doctor, why):
    group.register(app)
app.add_typer(skills.app, name="skill")
app.add_typer(runs.app, name="run")
app.add_typer(lists.app, name="list")
app.add_typer(mappings.app, name="mapping")
app.add_typer(list_imports.app, name="imports")
app.add_typer(doubts.app, name="doubt")
app.add_typer(keywords.app, name="keywords")
app.add_typer(reviewing.app, name="review")
app.add_typer(dnc_files.app, name="dnc")
app.add_typer(suppressing.app, name="suppress")
app.add_typer(rules.app, name="rules")
app.add_typer(consent.app, name="consent")
app.add_typer(privacy.app, name="privacy")


@app.callback()
def settings(
    context: typer.Context,
    config: str | None = typer.Option(None, metavar="FILE", help="Settings file; todoke.toml if it is there."),
    database: str | None = typer.Option(None, metavar="URL", help="sqlite:///FILE or postgresql://..."),
    data_dir: str | None = typer.Option(None, metavar="FOLDER", help="Where files are kept; todoke-data."),
    rules_dir: str | None = typer.Option(None, metavar="FOLDER", help="Your own rule packs; todoke-data/rules."),
    log_level: str | None = typer.Option(None, metavar="LEVEL", help="debug, info, warning or error."),
    log_format: str | None = typer.Option(None, metavar="FORMAT", help="text or json."),
    flush_ms: str | None = typer.Option(None, metavar="MS", help="How often an engine commits."),
    lease_s: str | None = typer.Option(None, metavar="SECONDS", help="How long a silent engine keeps its lanes."),
    accept_async_replication: str | None = typer.Option(
        None, metavar="TRUE|FALSE", help="Start though a fail-over may text people twice."
    ),
) -> None:
    """Settings come from these options, else from TODOKE_... variables, else from the settings file."""
    flags = {
        "database": database,
        "data_dir": data_dir,
        "rules_dir": rules_dir,
        "log_level": log_level,
        "log_format": log_format,
        "flush_ms": flush_ms,
        "lease_s": lease_s,
        "accept_async_replication": accept_async_replication,
    }
    context.obj = Session(config, flags)


@lru_cache(1)
def _command() -> Callable[..., Any]:
    """All commands, put together once a process: that takes longer than most of them."""
    return typer.main.get_command(app)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit status."""
    try:
        _command()(args=None if arguments is None else list(arguments), prog_name="todoke")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except (TodokeError, SettingsError) as error:
        return _say(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return _say(_sentence(error))
    return 0


def _say(sentence: str) -> int:
    sys.stderr.write(f"{sentence}\n")
    return 1


def _sentence(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{where}The disk is full. Free some space and run it again; nothing is lost."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{where}This user may not do that here. Correct the permissions, or choose another place."
    return f"{where}{error.strerror or error}."
