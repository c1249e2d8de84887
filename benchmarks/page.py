"""The tables of `benchmarks/README.md`, rewritten from a file of results between their marks."""

import re
from pathlib import Path

from benchmarks.report import markdown, markdown_memory
from benchmarks.results import Results

PAGE = Path(__file__).with_name("README.md")


def rewrite(results: Results, page: Path = PAGE) -> None:
    """Replace what stands between `<!-- times: GROUP -->` or `<!-- memory: GROUP -->` and `<!-- end -->`.

    Groups that the results do not hold keep the table they have. Raises ValueError if the page has no such mark.
    """
    text = page.read_text(encoding="utf-8")
    groups = {work.group for work in results.works if work.times}

    def table(match: re.Match[str]) -> str:
        what, group = match["what"], match["group"]
        if group not in groups:
            return match[0]
        content = markdown(results, group) if what == "times" else markdown_memory(results, group)
        return f"{match['mark']}\n{content}\n<!-- end -->"

    marks = re.compile(r"(?P<mark><!-- (?P<what>times|memory): (?P<group>[\w-]+) -->)\n.*?<!-- end -->", re.DOTALL)
    text, count = marks.subn(table, text)
    if not count:
        raise ValueError(f"{page.name} has no marks such as `<!-- times: steps -->` followed by `<!-- end -->`")
    page.write_text(text, encoding="utf-8")
