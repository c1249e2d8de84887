"""What the READMEs show is what is printed: the tour, and the model of one's own."""

import doctest
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("readme", "least"), [("README.md", 21), ("ae/README.md", 22)])
def test_the_readme_prints_what_it_shows(readme, least):
    results = doctest.testfile(str(ROOT / readme), module_relative=False, optionflags=doctest.ELLIPSIS)
    assert results.attempted >= least
    assert results.failed == 0
