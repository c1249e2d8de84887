"""From a chapter's Markdown to a notebook with outputs: jupytext reads it, nbclient runs it in a kernel of its own.

Both are optional: `pip install minigrad[tutorial]`. The chapters run on minigrad, or on PyTorch put in its place.
"""

import copy
import os
import re
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbformat import NotebookNode

CHAPTERS = tuple(sorted((Path(__file__).parent / "chapters").glob("[0-9][0-9]_*.md")))
NEEDED = ("jupytext", "nbclient", "ipykernel", "latex2mathml", "mdit_py_plugins", "pygments", "matplotlib")
SECONDS = 600  # for a cell: on a quiet machine a whole chapter takes less than one minute, so it hangs

# Run before a chapter on PyTorch: from here on `import minigrad` gives torch.
ON_TORCH = """\
import importlib, sys
for name in ("", ".nn", ".nn.functional", ".optim", ".autograd", ".func"):
    sys.modules["minigrad" + name] = importlib.import_module("torch" + name)
"""


def title(chapter: Path) -> str:
    """Return a chapter's first heading."""
    found = re.search(r"^# (.+)$", chapter.read_text(encoding="utf-8"), re.MULTILINE)
    if not found:
        raise ValueError(f"{chapter.name} has no heading: a chapter begins with '# Title'")
    return found[1]


def find(names: Sequence[str]) -> list[Path]:
    """Return the chapters of the given numbers or names, or all. Raises ValueError for one there is not."""
    chosen = []
    for name in names:
        fits = [one for one in CHAPTERS if one.stem == name or (name.isdigit() and int(one.stem[:2]) == int(name))]
        if not fits:
            raise ValueError(f"there is no chapter {name!r}; there are {', '.join(one.stem for one in CHAPTERS)}")
        chosen += fits
    return chosen or list(CHAPTERS)


def read(chapter: Path) -> "NotebookNode":
    """Return a chapter as a notebook without outputs."""
    import jupytext

    notebook = jupytext.reads(chapter.read_text(encoding="utf-8"), fmt="md")
    notebook.metadata = {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "language_info": {"name": "python"},
    }
    return notebook


def execute(notebook: "NotebookNode", torch: bool = False) -> None:
    """Run a notebook's cells in order and keep their outputs in it; with `torch` on PyTorch in minigrad's place.

    Raises nbclient.exceptions.CellExecutionError if a cell does.
    """
    import nbformat
    from nbclient import NotebookClient

    root = str(Path(__file__).parents[2])  # the kernel starts elsewhere, and is to find this very package
    found = os.environ.get("PYTHONPATH")
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([root, found] if found else [root]),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "OMP_NUM_THREADS": "1",  # matrices of this size are multiplied sooner than two threads have met
        "OPENBLAS_NUM_THREADS": "1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
    if torch:
        notebook.cells.insert(0, nbformat.v4.new_code_cell(ON_TORCH))
    client = NotebookClient(
        notebook,
        timeout=SECONDS,
        kernel_name="python3",
        coalesce_streams=True,  # what is printed in one go is one output, however it arrives
        resources={"metadata": {"path": root}},
        extra_arguments=["--log-level=ERROR"],  # its warning that other users of this machine could listen in
    )
    client.execute(env=environment)
    if torch:
        del notebook.cells[0]
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # when it was run is nobody's business but the clock's


def relink(text: str, suffix: str) -> str:
    """Let links to other chapters, which are to Markdown files, lead to files of another suffix."""
    return re.sub(r"\]\((\d\d_\w+)\.md\)", rf"](\1{suffix})", text)


def missing(torch: bool = False) -> list[str]:
    """Return the names of the libraries that building needs, with `torch` PyTorch too, and that are not installed."""
    return [name for name in (*NEEDED, *(("torch",) if torch else ())) if find_spec(name) is None]


def write(notebook: "NotebookNode", path: Path) -> None:
    """Write a notebook whose links to chapters lead to notebooks."""
    import nbformat

    written = copy.deepcopy(notebook)
    for cell in written.cells:
        if cell.cell_type == "markdown":
            cell.source = relink(cell.source, ".ipynb")
    nbformat.write(written, path)
