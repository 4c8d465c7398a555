"""Rule packs: can they be read, and which are the installation's own?"""

from __future__ import annotations

from pathlib import Path

from todoke.model.errors import TodokeError
from todoke.service import rules
from todoke.service.doctor.finding import Finding, count, error, ok

CHECK = "rule packs"


def look(folder: Path) -> Finding:
    """An engine does not start with one that is broken; one that runs keeps the rules that it has."""
    try:
        book = rules.load(folder)
        own = sorted(file.name for file in folder.glob("*.toml")) if folder.is_dir() else []
    except TodokeError as wrong:
        place = f"{wrong.where}: " if wrong.where else ""
        return error(CHECK, f"{place}{wrong.sentence}", wrong.fix or "Correct it; todoke rules check FILE tells more.")
    except OSError as wrong:
        place = wrong.filename or folder
        return error(CHECK, f"{place} cannot be read: {wrong.strerror}.", "Let the engine's user read it.")
    places = count(len({rule.jurisdiction.code for rule in book}), "jurisdiction")
    if not own:
        return ok(CHECK, f"{places}, by the built-in packs; none in {folder}.")
    return ok(CHECK, f"{places}, by the built-in packs and those in {folder}: {', '.join(own)}.")
