"""The programs in ``tests/programs`` print the same, to the letter, whichever of the two libraries ``torch`` means."""

import builtins
import contextlib
import difflib
import io
from pathlib import Path

import pytest

PROGRAMS = sorted((Path(__file__).parent / "programs").glob("*.py"))


def printed(path: Path, library: str) -> list[str]:
    """What the program prints, ``torch`` being ``library``."""

    def import_(name, *args):
        return builtins.__import__(library + name[len("torch") :] if name.split(".")[0] == "torch" else name, *args)

    names = {"__name__": "program", "__builtins__": {**vars(builtins), "__import__": import_}}
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), names)
    return text.getvalue().splitlines()


@pytest.mark.filterwarnings("ignore")  # both libraries give advice about what the programs do on purpose
@pytest.mark.parametrize("path", PROGRAMS, ids=[path.stem for path in PROGRAMS])
def test_a_program_prints_the_same(path: Path) -> None:
    difference = list(difflib.unified_diff(printed(path, "torch"), printed(path, "minigrad"), "torch", "minigrad", n=0))
    assert not difference, "\n".join(difference)
