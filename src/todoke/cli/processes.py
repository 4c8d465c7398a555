"""The commands that run something: the engine, the simulator; and the schema."""

from __future__ import annotations

from typing import Any

import typer

from todoke.cli import session
from todoke.cli.output import say

_PASSED_ON: dict[str, Any] = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def register(app: typer.Typer) -> None:
    app.command("up")(up)
    app.command("engine")(engine)
    app.command("simulate", context_settings=_PASSED_ON, add_help_option=False)(simulate)
    app.command("migrate")(migrate)


def migrate(context: typer.Context) -> None:
    """Bring the database to this version's schema; a SQLite file is made where there is none."""
    from todoke.store.store import migrate as bring

    settings = session.of(context).settings
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    schema = session.run(bring(settings.database))
    say(f"{settings.database_shown} has the schema {schema}")


def engine(context: typer.Context) -> None:
    """Send what is due, until SIGINT or SIGTERM. Its first line on standard output says that it is ready."""
    from todoke.service.engine import run_engine

    session.run(run_engine(session.of(context).settings))


def up(context: typer.Context) -> None:
    """Everything that one machine needs, until SIGINT or SIGTERM: the database, the engine, a declared simulator."""
    from todoke.service.up import run_up

    settings = session.of(context).settings
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    session.run(run_up(settings))


def simulate(context: typer.Context) -> None:
    """Run the SMSC simulator; todoke simulate --help tells its options."""
    from todoke.providers.simulator import __main__ as simulator

    options = simulator.parser()
    try:
        chosen = simulator.settings(options.parse_args(context.args))
    except ValueError as error:
        options.error(str(error))  # ends the process with status 2
    session.run(simulator.run(chosen))
