"""`python -m todoke` is `todoke`."""

from todoke.cli import main

if __name__ == "__main__":
    main()
