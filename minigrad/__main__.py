"""``python -m minigrad learn ...``: the exercises on the command line."""

from minigrad.exercises.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
