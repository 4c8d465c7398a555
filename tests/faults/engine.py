"""The test build of the engine: `python -m tests.faults.engine` is `todoke engine` with its seams wrapped."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.faults import failpoints, seams, tap

from todoke.cli import main

if __name__ == "__main__":
    tapped = os.environ.get(tap.VARIABLE)
    seams.install(failpoints.of_environment(seams.POINTS), Path(tapped) if tapped else None)
    sys.argv = ["todoke", "engine"]
    main()
