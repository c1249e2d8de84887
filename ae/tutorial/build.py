"""`python -m ae tutorial` builds the chapters: runs each, and writes a notebook, a page and the index of the pages."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from ae.tutorial import notebooks, pages


def build(out: Path, names: Sequence[str] = (), torch: bool = False) -> Iterator[Path]:
    """Run chapters, all unless told, write NAME.ipynb and NAME.html of each and index.html; yield what was written.

    `torch` runs them on PyTorch. Raises ValueError for an unknown chapter, a library that is missing or a chapter whose code
    fails; its notebook and page are then not written.
    """
    chosen = notebooks.find(names)
    missing = notebooks.missing(torch)
    if missing:
        wanted = "torch" if missing == ["torch"] else "minigrad[tutorial]" + (" torch" if "torch" in missing else "")
        raise ValueError(f"the tutorial needs {', '.join(missing)}: pip install {wanted}")
    from nbclient.exceptions import CellExecutionError

    out.mkdir(parents=True, exist_ok=True)
    for chapter in chosen:
        notebook = notebooks.read(chapter)
        try:
            notebooks.execute(notebook, torch)
        except CellExecutionError as error:
            raise ValueError(f"{chapter.name} stopped with {error.ename}: {error.evalue}") from error
        target = out / chapter.name
        notebooks.write(notebook, target.with_suffix(".ipynb"))
        yield target.with_suffix(".ipynb")
        target.with_suffix(".html").write_text(pages.page(notebook, chapter, notebooks.CHAPTERS), encoding="utf-8")
        yield target.with_suffix(".html")
    (out / "index.html").write_text(pages.index(notebooks.CHAPTERS), encoding="utf-8")
    yield out / "index.html"
