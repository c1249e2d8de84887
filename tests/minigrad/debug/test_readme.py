"""Each program of the README prints what is shown under it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "minigrad" / "debug" / "README.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", TEXT, re.DOTALL)


def test_every_program_is_found():
    assert len(PROGRAMS) == TEXT.count("```python") == 7


@pytest.mark.parametrize(("program", "shown"), PROGRAMS)
def test_the_readme_shows_what_is_printed(program, shown, tmp_path):
    (tmp_path / "train.py").write_text(program, encoding="utf-8")
    code = f"import runpy, sys; sys.path.insert(0, {str(ROOT)!r}); runpy.run_path('train.py', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout == shown
