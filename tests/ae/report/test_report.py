"""A report is one file that asks for nothing, shows every model, says what there is not, and shows the true numbers."""

import base64
import dataclasses
import json
import re
import shutil
import sys
from html.parser import HTMLParser
from statistics import NormalDist

import numpy as np
import pytest

import minigrad
from ae import runs
from ae.__main__ import main
from ae.config import Config
from ae.data import load
from ae.models import MODELS, NAMES
from ae.report import panels, render, write
from ae.report.pictures import bars, curves, mosaic
from ae.train import Training

TITLES = [
    "Loss over the epochs", "Reconstructions", "Samples", "Codes", "Manifold", "KL per unit", "Traversals",
    "Interpolations", "Filters", "Evaluation",
]  # fmt: skip


class Page(HTMLParser):
    """What a page holds: its headings, images, links, tables' rows and text, and whether its tags are closed."""

    VOID = frozenset({"meta", "img", "link", "br", "hr", "input"})

    def __init__(self, text):
        super().__init__()
        self.open, self.headings, self.images, self.sources, self.rows = [], [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.sources += [attributes[name] for name in ("src", "href") if name in attributes]
        if tag == "img":
            self.images.append(attributes)
        if tag == "tr":
            self.rows.append([])
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("h1", "h2", "h3"):
            self.headings.append(data)
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1].append(data)


def train(folder, name="vae", data="glyphs", epochs=2, **others):
    """A short run in a folder."""
    entry, splits = MODELS[name], load(data)
    pixels = splits.train_images.shape[1]
    hidden, latent = () if entry.sizes == "flat" else (16,), 2 * pixels if entry.wide else others.pop("latent", 3)
    config = Config(name, data, pixels, hidden, latent, epochs, 10, 0.01, 0, **others)
    training = Training(config.build(), splits, config)
    runs.create(config, folder)
    runs.save(folder, training)
    for metrics in training.run():
        runs.save(folder, training, metrics)
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_every_model_has_a_page_with_all_panels(name, tmp_path):
    page = Page(write([train(tmp_path / "run", name)], tmp_path / "page.html").read_text())
    titles = [title for title in TITLES if title != "KL per unit"]
    assert [title for title in page.headings if title in titles] == titles
    assert page.headings[0] == "Report on run"
    assert "KL per unit" in page.headings or "Variance per unit" in page.headings
    assert len(page.images) >= 6
    assert all(image["alt"] for image in page.images)


def test_a_page_asks_for_nothing(tmp_path):
    text = write([train(tmp_path / "a"), train(tmp_path / "b", "linear")], tmp_path / "page.html").read_text()
    assert all(source.startswith(("data:", "#")) for source in Page(text).sources)
    for forbidden in ("http:", "https:", "<script", "@import", "url("):
        assert forbidden not in text, forbidden


def test_pictures_are_whole_png_and_svg(tmp_path):
    page = Page(write([train(tmp_path / "a")], tmp_path / "page.html").read_text())
    kinds = set()
    for image in page.images:
        kind, _, content = image["src"].removeprefix("data:").partition(";base64,")
        start = base64.b64decode(content)[:8]
        assert start == b"\x89PNG\r\n\x1a\n" if kind == "image/png" else start.startswith(b"<?xml")
        kinds.add(kind)
    assert kinds == {"image/png", "image/svg+xml"}


def test_several_runs_stand_side_by_side(tmp_path):
    folders = [train(tmp_path / "a"), train(tmp_path / "b", "linear", epochs=3), train(tmp_path / "c", data="digits")]
    page = Page(write(folders, tmp_path / "page.html").read_text())
    assert page.headings[:2] == ["Report on 3 runs", "Comparison"]
    assert [name for name in page.headings if name in "abc"] == ["a", "b", "c"]
    assert {"Reconstructions of glyphs", "Reconstructions of digits"} <= set(page.headings)
    assert page.rows[0] == ["a", "b", "c"]
    assert page.rows[1:4] == [["model", "vae", "linear", "vae"], ["data", "glyphs", "glyphs", "digits"],
                              ["epochs", "2", "3", "2"]]  # fmt: skip
    losses = [f"{runs.read_metrics(folder)[-1].test_loss:#.4g}" for folder in folders]
    assert page.rows[4] == ["test loss", *losses]
    assert {"#comparison", "#run-1", "#run-2", "#run-3"} <= set(page.sources)


def test_folders_of_one_name_are_told_apart(tmp_path):
    folders = [train(tmp_path / "a" / "run"), train(tmp_path / "b" / "run")]
    page = Page(write(folders, tmp_path / "page.html").read_text())
    assert page.rows[0] == [str(folder) for folder in folders]


def test_a_run_without_a_finished_epoch_says_so(tmp_path):
    folder = train(tmp_path / "run")
    (folder / "metrics.jsonl").unlink()
    text = write([folder], tmp_path / "page.html").read_text()
    assert "No epoch was finished" in text
    assert "0 of 2 epochs" in text


def test_what_a_model_does_not_have_is_said(tmp_path):
    text = write([train(tmp_path / "run", "deep", latent=1)], tmp_path / "page.html").read_text()
    assert "no prior to draw from" in text
    assert "The code is one number" in text
    assert "python -m ae evaluate" in text


def test_the_evaluation_is_shown_once_it_was_made(tmp_path, capsys):
    folder = train(tmp_path / "run")
    assert main(["evaluate", str(folder), "--samples", "2"]) == 0
    page = Page(write([folder], tmp_path / "page.html").read_text())
    values = json.loads((folder / "evaluation.json").read_text())["values"]
    assert ["reconstruction, cross-entropy", f"{values['bce']:#.4g}", "nats per image", "lower"] in page.rows


def test_what_was_not_measured_has_its_reason(tmp_path):
    folder = train(tmp_path / "run", "deep")
    assert main(["evaluate", str(folder)]) == 0
    text = write([folder], tmp_path / "page.html").read_text()
    assert "evidence lower bound: the code has no distribution, hence neither KL nor a bound." in text


def test_a_name_cannot_break_the_page(tmp_path):
    folder = train(tmp_path / "<b>&\"'")
    text = write([folder], tmp_path / "page.html").read_text()
    assert "<b>" not in text
    assert Page(text).headings[0].startswith("Report on")


def test_the_same_runs_give_the_same_panels_and_no_random_number_is_lost(tmp_path):
    run = panels.load(train(tmp_path / "run"))
    minigrad.manual_seed(0)
    expected = minigrad.rand(2).tolist()
    minigrad.manual_seed(0)
    first = panels.panels(run)
    assert minigrad.rand(2).tolist() == expected
    again = panels.panels(run)
    for one, other in zip(first, again, strict=True):
        assert one.table == other.table
        assert [(label, picture.alt) for label, picture in one.strips] == [
            (label, picture.alt) for label, picture in other.strips
        ]


def numbers(table):
    return [[cell.replace("−", "-") for cell in row] for row in table.rows]


def test_the_manifold_of_two_numbers_is_a_grid_of_the_priors_quantiles(tmp_path):
    run = panels.load(train(tmp_path / "run", latent=2))
    rows = numbers(panels.manifold(run).table)
    assert len(rows) == 144
    assert float(rows[0][1]) == pytest.approx(NormalDist().inv_cdf(0.03), rel=1e-3)
    assert float(rows[0][2]) == pytest.approx(NormalDist().inv_cdf(0.97), rel=1e-3)


def test_a_traversal_goes_over_five_deviations_of_the_unit_that_tells_most(tmp_path):
    run = panels.load(train(tmp_path / "run", "deep", epochs=20))
    first = numbers(panels.traversals(run).table)[0]
    unit = int(run.codes.std(0).argmax())
    low, high = run.codes[:, unit].mean() + np.array([-2.5, 2.5]) * run.codes[:, unit].std()
    assert first[0] == str(unit + 1)
    assert [float(cell) for cell in first[1:3]] == pytest.approx([low, high], rel=1e-3)


def test_an_interpolation_begins_and_ends_with_the_reconstructions(tmp_path, monkeypatch):
    run = panels.load(train(tmp_path / "run", "deep"))
    shown = []
    monkeypatch.setattr(run, "mosaic", lambda images, alt, columns: shown.append(images))
    panels.interpolations(run)
    copies = run.reconstruct(np.arange(10))
    np.testing.assert_allclose([images[0] for images in shown], copies[:5], atol=1e-5)
    np.testing.assert_allclose([images[-1] for images in shown], copies[5:], atol=1e-5)


def test_long_tables_are_cut_and_say_so(tmp_path):
    config = train(tmp_path / "run")
    lines = [dataclasses.replace(runs.read_metrics(config)[0], epoch=epoch) for epoch in range(1, 302)]
    (config / "metrics.jsonl").unlink()
    for line in lines:
        runs.append_metrics(config, line)
    table = panels.curves(panels.load(config)).table
    assert (len(table.rows), table.left_out) == (200, 101)
    assert "and 101 more rows" in render([panels.load(config)])


def decoded(picture):
    from io import BytesIO

    from matplotlib.image import imread

    return imread(BytesIO(base64.b64decode(picture.uri.partition("base64,")[2])))


def test_a_mosaic_has_a_dot_for_each_pixel_in_its_place():
    images = np.array([[0.0, 1.0, 1.0, 0.0], [1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
    dots = decoded(mosaic(images, (2, 2), 2, "three"))
    assert dots.shape == (7, 7, 4)
    for image, (top, left) in zip(images, ((1, 1), (1, 4), (4, 1)), strict=True):
        np.testing.assert_allclose(dots[top : top + 2, left : left + 2, 0], image.reshape(2, 2))
    assert (dots[4:, 4:, 3] == 0).all()  # there is no fourth


def test_signed_images_are_white_at_zero_red_above_and_blue_below():
    dots = decoded(mosaic(np.array([[-2.0, 0.0, 0.0, 1.0]]), (2, 2), 1, "weights", signed=True))[1:3, 1:3]
    assert dots[0, 0, 2] > dots[0, 0, 0]
    assert dots[0, 1, :3].min() > 0.95
    assert dots[1, 1, 0] > dots[1, 1, 2]


def svg_texts(picture):
    """The words in a plot and how high they stand in it, from the top; letters are drawn, and named in a comment."""
    text = base64.b64decode(picture.uri.partition(",")[2]).decode()
    places = re.findall(r"<!-- (.*?) -->.*?translate\(([-\d.]+) ([-\d.]+)\)", text, flags=re.DOTALL)
    return {word: float(y) for word, _, y in places}


def test_the_names_of_many_lines_stand_below_them():
    line = ([1, 2], [3.0, 4.0])
    few = svg_texts(curves({f"line {i}": line for i in range(3)}, ""))
    many = svg_texts(curves({f"line {i}": line for i in range(4)}, ""))
    assert few["line 0"] < few["epoch"]
    assert all(many[f"line {i}"] > many["epoch"] for i in range(4))


def test_ticks_are_whole_numbers_even_of_one_unit_or_epoch():
    for picture in (bars(np.full(1, 100.0), "", ""), curves({"loss": ([1], [2.0])}, "", ylabel="")):
        assert "1" in svg_texts(picture)
        assert not {"0.8", "1.2", "0.96", "1.04"} & svg_texts(picture).keys()


def test_a_hundred_units_have_their_bars():
    assert bars(np.arange(100.0), "variance", "bars").uri.startswith("data:image/svg+xml")


def test_the_command_writes_into_the_run_unless_told(tmp_path, capsys, monkeypatch):
    folder = train(tmp_path / "run")
    assert main(["report", str(folder)]) == 0
    assert "report.html" in capsys.readouterr().out
    assert (folder / "report.html").exists()
    monkeypatch.chdir(tmp_path)
    shutil.copytree(folder, tmp_path / "other")
    assert main(["report", str(folder), str(tmp_path / "other")]) == 0
    assert (tmp_path / "report.html").exists()
    assert main(["report", str(folder), "--out", str(tmp_path / "new" / "x.html")]) == 0
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["x.html"]


@pytest.mark.parametrize("missing", ["jinja2", "matplotlib"])
def test_without_a_library_the_extra_is_named(tmp_path, monkeypatch, capsys, missing):
    folder = train(tmp_path / "run")
    monkeypatch.setitem(sys.modules, missing, None)
    assert main(["report", str(folder)]) == 1
    assert "pip install minigrad[report]" in capsys.readouterr().err


def test_a_folder_in_the_place_of_the_page_is_said(tmp_path, capsys):
    folder = train(tmp_path / "run")
    assert main(["report", str(folder), "--out", str(tmp_path)]) == 1
    assert f"{tmp_path} is a folder: name a file, such as {tmp_path / 'report.html'}" in capsys.readouterr().err


def test_a_folder_that_is_no_run_is_said(tmp_path, capsys):
    folder = train(tmp_path / "run")
    assert main(["report", str(folder), str(tmp_path / "nowhere")]) == 1
    assert "is no run: it has no config.json" in capsys.readouterr().err
    (folder / "evaluation.json").write_text("{")
    assert main(["report", str(folder)]) == 1
    assert "evaluation.json is damaged" in capsys.readouterr().err
