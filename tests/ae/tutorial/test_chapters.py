"""Every chapter runs to its end, shows what it promises and says what its figures are."""

import re

import pytest

from ae.tutorial import notebooks, pages
from minigrad.exercises.exercise import CATALOGUE

pytest.importorskip("jupytext")
pytest.importorskip("nbclient")

CHAPTERS = {chapter.stem: chapter for chapter in notebooks.CHAPTERS}
ON_TORCH_TOO = ("02_backprop", "03_training_the_zero")
PICTURES = {"image/png", "image/svg+xml"}


def run(chapter, torch=False):
    notebook = notebooks.read(chapter)
    notebooks.execute(notebook, torch)
    return notebook


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_runs_and_becomes_a_page(name):
    notebook = run(CHAPTERS[name])
    outputs = [(cell, one) for cell in notebook.cells if cell.cell_type == "code" for one in cell.outputs]
    assert not [one.text for _, one in outputs if one.output_type == "stream" and one.name == "stderr"]
    drawn = [cell for cell, one in outputs if PICTURES & set(one.get("data", ()))]
    assert drawn, "a chapter has at least one figure"
    assert all(len(cell.metadata.get("alt", "")) > 20 for cell in drawn), "a figure says what it shows"
    page = pages.page(notebook, CHAPTERS[name], notebooks.CHAPTERS)
    assert page.count("<figure") >= len(drawn)
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page), "a page needs no network"
    assert not re.search(r"<mtext>\\|merror", page), "every formula is drawn"


@pytest.mark.parametrize("name", ON_TORCH_TOO)
def test_a_chapter_runs_on_torch_too(name):
    run(CHAPTERS[name], torch=True)


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_asks_two_questions_and_folds_their_answers(name):
    text = CHAPTERS[name].read_text(encoding="utf-8")
    assert text.count("<details>") == text.count("</details>") == 2
    assert "## Two questions" in text


@pytest.mark.parametrize("name", CHAPTERS)
def test_links_lead_to_chapters(name):
    text = CHAPTERS[name].read_text(encoding="utf-8")
    targets = re.findall(r"\]\((\w+)\.md\)", text)
    assert set(targets) <= set(CHAPTERS)
    following = sorted(CHAPTERS)[sorted(CHAPTERS).index(name) + 1 :]
    assert not following or following[0] in targets, "a chapter leads on to the next"


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_names_exercises_that_exist(name):
    titles = {path.read_text(encoding="utf-8").split("\n", 1)[0][2:] for path in CATALOGUE.glob("[0-9]*.md")}
    named = {
        name
        for paragraph in CHAPTERS[name].read_text(encoding="utf-8").split("\n\n")
        if "python -m minigrad learn" in paragraph
        for name in re.findall(r"(?<!\*)\*([^*]+)\*(?!\*)", " ".join(paragraph.split()))
    }
    assert named
    assert named <= titles
