"""From a notebook with outputs to a page that needs nothing but a browser: no script, no network, no other file.

Formulas become MathML, which browsers draw themselves (latex2mathml); text is CommonMark with `$formulas$` (markdown-it);
code is coloured by Pygments; pictures stand in the page. All are optional: `pip install minigrad[tutorial]`.
"""

import html
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ae.tutorial.notebooks import relink, title

if TYPE_CHECKING:
    from nbformat import NotebookNode

STYLE = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")
FUNCTION = re.compile(r"<mi>(?:log|exp|sin|cos|max|min)</mi>(?!<mo stretchy=\"false\">\()")
TAIL = re.compile(r'(<span class="math inline">(?:(?!</span>).)*</span>[.,;:!?)]+)')
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def page(notebook: "NotebookNode", chapter: Path, chapters: Sequence[Path]) -> str:
    """Return a chapter's page, with links to the chapters before and after it and to the index."""
    render = renderer()
    body = "\n".join(
        prose(render.render(relink(cell.source, ".html"))) if cell.cell_type == "markdown" else code(cell)
        for cell in notebook.cells
    )
    i = list(chapters).index(chapter)
    before = _link(chapters[i - 1], "← ") if i > 0 else ""
    after = _link(chapters[i + 1], "", " →") if i + 1 < len(chapters) else ""
    links = f'<nav><span>{before}</span><a href="index.html">all chapters</a><span>{after}</span></nav>'
    return _whole(title(chapter), f"{links}\n<main>\n{body}\n</main>\n{links}")


def index(chapters: Sequence[Path]) -> str:
    """Return the page that lists the chapters, each with what its first paragraph promises."""
    render = renderer()
    rows = "\n".join(f"<li>{_link(one)}<p>{render.renderInline(promise(one))}</p></li>" for one in chapters)
    return _whole(
        "Autoencoders, from the loss up",
        f"<main>\n<h1>Autoencoders, from the loss up</h1>\n<p>Each chapter is a page to read and, beside it under the same "
        f"name, a notebook to run and to change.</p>\n<ol class=chapters>\n{rows}\n</ol>\n</main>",
    )


def promise(chapter: Path) -> str:
    """Return a chapter's first paragraph, in one line of Markdown."""
    text = chapter.read_text(encoding="utf-8").split("# ", 1)[1].split("\n\n")[1]
    return " ".join(text.split())


def renderer() -> Any:
    """Return what turns Markdown with `$formulas$` into HTML."""
    from markdown_it import MarkdownIt
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    made = MarkdownIt("commonmark", {"html": True}).enable("table")
    return made.use(
        dollarmath_plugin, renderer=lambda text, options: formula(text, options["display_mode"]), double_inline=True
    )


def prose(rendered: str) -> str:
    """Return rendered Markdown in which no line breaks between a formula and the punctuation after it."""
    return TAIL.sub(r"<span class=whole>\1</span>", rendered)


def formula(latex: str, display: bool) -> str:
    """Return a LaTeX formula as MathML."""
    from latex2mathml.converter import convert

    made = convert(latex, display="block" if display else "inline")
    made = made.replace(
        "<mo>&#x02016;</mo>", '<mo stretchy="false">&#x02016;</mo>'
    )  # a norm's two bars grow alike: not at all
    return FUNCTION.sub(r'\g<0><mspace width="0.17em" />', made)  # "log x", not "logx"


def code(cell: "NotebookNode") -> str:
    """Return a code cell and its outputs; one that is tagged hide-input is folded."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    shown = highlight(cell.source, PythonLexer(), HtmlFormatter(nowrap=True))
    block = f"<pre class=code tabindex=0><code>{shown}</code></pre>"
    if "hide-input" in cell.metadata.get("tags", ()):
        block = f"<details class=input><summary>the code</summary>\n{block}\n</details>"
    return "\n".join([block, *(output(one, cell.metadata.get("alt", "")) for one in cell.outputs)])


def output(one: "NotebookNode", alt: str) -> str:
    """Return one output: text, a picture with its description, or HTML."""
    if one.output_type == "stream":
        return f"<pre class=output tabindex=0>{html.escape(ANSI.sub('', one.text))}</pre>"
    if one.output_type == "error":
        return f"<pre class=output>{html.escape(ANSI.sub('', chr(10).join(one.traceback)))}</pre>"
    for kind, picture in (("image/svg+xml", "svg"), ("image/png", "png"), ("text/html", "html")):
        if kind in one.data and picture == "svg":
            return f'<figure role=img aria-label="{html.escape(alt)}">{one.data[kind]}</figure>'
        if kind in one.data and picture == "png":
            source = f"data:image/png;base64,{one.data[kind].strip()}"
            return f'<figure><img alt="{html.escape(alt)}" src="{source}"></figure>'
        if kind in one.data:
            return f"<div class=output>{one.data[kind]}</div>"
    return f"<pre class=output tabindex=0>{html.escape(one.data.get('text/plain', ''))}</pre>"


def _link(chapter: Path, before: str = "", after: str = "") -> str:
    return f'<a href="{chapter.stem}.html">{before}{html.escape(title(chapter))}{after}</a>'


def _whole(name: str, body: str) -> str:
    from pygments.formatters import HtmlFormatter

    light = HtmlFormatter(style="default").get_style_defs(".code")
    dark = HtmlFormatter(style="github-dark").get_style_defs(".code")
    style = (
        f"{STYLE}\n{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n.code {{ background: var(--tint); }}"
    )
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(name)}</title>\n<style>\n{style}\n</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )
