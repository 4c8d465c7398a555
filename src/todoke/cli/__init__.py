"""The command line, one file a group of commands. What a command needs is imported when it runs: help is quick."""

from __future__ import annotations

from todoke.cli.commands import main

__all__ = ["main"]
