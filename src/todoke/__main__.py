"""`python -m todoke` is `todoke`."""

import sys

from todoke.cli import main

if __name__ == "__main__":
    sys.exit(main())
