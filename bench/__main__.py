"""`python -m bench [NAME ...]`: the named benchmarks, or all of them, one JSON line a figure.

Each line has `name`, `value` in `unit`, the `reference` that it is compared with, and `ratio`, value by reference,
both measured in this run. Absolute values of a shared machine mean little; ratios hold.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Sequence

MODULES = (
    *("sms", "codec", "store", "intake", "beside", "dnc_import", "caps", "blaster", "end_to_end", "cost", "scale"),
    *("long_list", "soak", "lanes500", "stop_to_silence", "round_trip", "rate"),
)


def main(names: Sequence[str]) -> int:
    unknown = set(names) - set(MODULES)
    if unknown:
        sys.stderr.write(f"bench: there is no {', '.join(sorted(unknown))}; there are {', '.join(MODULES)}\n")
        return 2
    for name in names or MODULES:
        module = importlib.import_module(f"bench.{name}")
        for case in module.cases():
            sys.stdout.write(json.dumps(case) + "\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
