"""The key by which people who were erased are recognised: is it here, and is it the right one?"""

from __future__ import annotations

from todoke.model.errors import Conflict, Invalid
from todoke.pipeline.privacy.erase import require_key
from todoke.service.doctor.finding import Finding, error, ok
from todoke.store.privacy.key import KeyFile
from todoke.store.store import Store

CHECK = "erasure key"


async def look(store: Store, file: KeyFile) -> Finding:
    """As an engine of this data folder would see it."""
    try:
        key = await require_key(store, file)
    except OSError as wrong:
        return error(CHECK, f"{file.path} cannot be read: {wrong.strerror}.", "Let the engine's user read it.")
    except (Conflict, Invalid) as wrong:
        return error(CHECK, f"{wrong.where}: {wrong.sentence}", wrong.fix or "")
    if key is None:
        return ok(CHECK, "Nobody was erased: none is needed.")
    return ok(CHECK, f"{file.path} is the one by which people were erased. Keep a copy, but not beside the database.")
