"""The README's tour prints what it says."""

import doctest
from pathlib import Path


def test_the_tour_prints_what_the_readme_shows():
    readme = Path(__file__).parents[2] / "README.md"
    results = doctest.testfile(str(readme), module_relative=False, optionflags=doctest.ELLIPSIS)
    assert results.attempted > 20
    assert results.failed == 0
