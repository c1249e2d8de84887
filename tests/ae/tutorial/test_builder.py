"""The builder's parts, each on a small example: the notebook read, the page drawn, the command line."""

import pytest

import ae.__main__
from ae.tutorial import notebooks, pages

nbformat = pytest.importorskip("nbformat")
pytest.importorskip("jupytext")
pytest.importorskip("latex2mathml")

CHAPTER = """# 1. A title

What it promises, with $x^2$.

```python alt="what it shows" tags=["hide-input"]
1 + 1
```

On to [the next](02_backprop.md).
"""


@pytest.fixture
def chapter(tmp_path):
    path = tmp_path / "01_title.md"
    path.write_text(CHAPTER, encoding="utf-8")
    return path


def test_there_are_nineteen_chapters_numbered_in_order():
    assert [int(one.stem[:2]) for one in notebooks.CHAPTERS] == list(range(1, 20))
    assert [int(notebooks.title(one).split(".")[0]) for one in notebooks.CHAPTERS] == list(range(1, 20))


def test_a_chapter_is_found_by_number_and_by_name():
    assert notebooks.find(["3", "04_bottleneck"]) == list(notebooks.CHAPTERS[2:4])
    assert notebooks.find([]) == list(notebooks.CHAPTERS)
    with pytest.raises(ValueError, match="there is no chapter '20'; there are 01_reconstruction_loss"):
        notebooks.find(["20"])


def test_a_chapter_without_a_heading_is_refused(tmp_path):
    path = tmp_path / "01_x.md"
    path.write_text("no heading", encoding="utf-8")
    with pytest.raises(ValueError, match=r"01_x\.md has no heading"):
        notebooks.title(path)


def test_code_keeps_its_description_and_its_fold(chapter):
    cells = notebooks.read(chapter).cells
    assert [one.cell_type for one in cells] == ["markdown", "code", "markdown"]
    assert cells[1].metadata["alt"] == "what it shows"
    assert cells[1].metadata["tags"] == ["hide-input"]


def test_a_written_notebook_links_to_notebooks(chapter, tmp_path):
    notebook = notebooks.read(chapter)
    notebooks.write(notebook, tmp_path / "x.ipynb")
    assert "(02_backprop.ipynb)" in (tmp_path / "x.ipynb").read_text(encoding="utf-8")
    assert "(02_backprop.md)" in notebook.cells[2].source, "the notebook itself is left as it was"


def test_a_page_links_to_pages_draws_formulas_and_folds_code(chapter):
    notebook = notebooks.read(chapter)
    notebook.cells[1].outputs = [
        nbformat.v4.new_output("stream", text="a < b \x1b[31mred\x1b[0m"),
        nbformat.v4.new_output("display_data", data={"image/png": "AAAA"}),
    ]
    page = pages.page(notebook, chapter, [chapter])
    assert 'href="02_backprop.html"' in page
    assert "<msup><mi>x</mi><mn>2</mn></msup>" in page
    assert "<summary>the code</summary>" in page
    assert "a &lt; b red</pre>" in page
    assert '<img alt="what it shows" src="data:image/png;base64,AAAA">' in page


def test_the_index_promises_what_each_chapter_does(chapter):
    page = pages.index([chapter])
    assert '<a href="01_title.html">1. A title</a>' in page
    assert "<p>What it promises, with <" in page


def test_a_space_stands_between_a_function_and_its_argument():
    assert "<mi>log</mi><mspace" in pages.formula(r"\log p", False)
    assert "<mspace" not in pages.formula("p", False)


def test_the_bars_of_a_norm_are_alike():
    assert pages.formula(r"\lVert J \rVert_F^2", False).count('<mo stretchy="false">&#x02016;</mo>') == 2


def test_no_line_breaks_between_a_formula_and_its_full_stop():
    page = pages.prose(pages.renderer().render("With $x$ and $y$. And so on."))
    assert page.count("<span class=whole>") == 1
    assert page.index("<mi>x</mi>") < page.index("<span class=whole>") < page.index("<mi>y</mi>")
    assert "</span>.</span> And so on." in page


@pytest.mark.parametrize(
    ("lacking", "torch", "told"),
    [
        (["jupytext"], [], "the tutorial needs jupytext: pip install minigrad[tutorial]"),
        (["torch"], ["--torch"], "the tutorial needs torch: pip install torch"),
        (
            ["jupytext", "torch"],
            ["--torch"],
            "the tutorial needs jupytext, torch: pip install minigrad[tutorial] torch",
        ),
        (["torch"], [], ""),
    ],
)
def test_a_missing_library_is_named(monkeypatch, tmp_path, capsys, chapter, lacking, torch, told):
    monkeypatch.setattr(notebooks, "find_spec", lambda name: None if name in lacking else name)
    monkeypatch.setattr(notebooks, "execute", lambda *_: None)
    monkeypatch.setattr(notebooks, "CHAPTERS", (chapter,))
    assert ae.__main__.main(["tutorial", *torch, "--out", str(tmp_path)]) == (1 if told else 0)
    assert told in capsys.readouterr().err


def test_a_chapter_that_fails_is_named_and_not_written(monkeypatch, tmp_path, capsys, chapter):
    chapter.write_text(CHAPTER.replace("1 + 1", "raise KeyError('planted')"), encoding="utf-8")
    monkeypatch.setattr(notebooks, "CHAPTERS", (chapter,))
    assert ae.__main__.main(["tutorial", "--out", str(tmp_path / "out")]) == 1
    assert "01_title.md stopped with KeyError: 'planted'" in capsys.readouterr().err
    assert not list((tmp_path / "out").iterdir())


def test_the_command_line_builds_a_chapter(tmp_path, capsys, monkeypatch, chapter):
    monkeypatch.setattr(notebooks, "CHAPTERS", (chapter,))
    assert ae.__main__.main(["tutorial", "1", "--out", str(tmp_path / "out")]) == 0
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {"01_title.ipynb", "01_title.html", "index.html"}
    nbformat.validate(nbformat.read(tmp_path / "out" / "01_title.ipynb", as_version=4))
    assert "<pre class=output tabindex=0>2</pre>" in (tmp_path / "out" / "01_title.html").read_text(encoding="utf-8")
    assert capsys.readouterr().out.count("\n") == 3


def test_a_failing_cell_is_an_error(chapter):
    from nbclient.exceptions import CellExecutionError

    notebook = notebooks.read(chapter)
    notebook.cells[1].source = "raise ValueError('planted')"
    with pytest.raises(CellExecutionError, match="planted"):
        notebooks.execute(notebook)
