"""What a slip of the pen makes of a function: every single edit of its text, in the statement where it falls.

The grading finds the edit of the solution's function that gives the learner's values; ``learn new`` makes mutants of them.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from minigrad.autograd.checking.edits import edits, rank, replaced
from minigrad.autograd.checking.mutate import WORDS
from minigrad.autograd.checking.text import compiled, scope_of

# The checker's words for an edit, where they speak of the right rule, which a learner is not shown
RETOLD = {
    "it uses its output where you use its input": "the rule uses the output there, where you use an input",
    "it uses its input where you use its output": "the rule uses an input there, where you use the output",
    "it is another variable": "one of the variables is not the right one",
    "it is another function": "one of the functions is not the right one",
    "the operator is another": "one of the operators is not the right one",
    "the comparison is another": "the comparison is not the right one",
    "the axis is another": "the axis is not the right one",
    "it accumulates (+=) where you assign": "add up (+=) where you assign",
}


class Edited(NamedTuple):
    """One edit: its kind, the statement as it stood (of a lambda, the body), what it became, and the whole function."""

    kind: str
    statement: ast.stmt | ast.expr
    text: str
    tree: Any

    @property
    def words(self) -> str:
        """What is wrong with it, said to a learner."""
        return retold(WORDS.get(self.kind, self.kind.replace("_", " ")))

    def function(self, of: Callable[..., Any]) -> Callable[..., Any]:
        """The edited function, which sees what the function ``of`` sees."""
        return compiled(self.tree, scope_of(of))


def retold(words: str) -> str:
    return RETOLD.get(words, words)


def edited(tree: ast.FunctionDef | ast.Lambda, names: list[str]) -> Iterator[Edited]:
    """Every function that differs from ``tree`` by one edit, likely ones first; ``names`` are those of its arguments."""
    seen = set()
    for edit in sorted(edits(tree, names), key=rank):
        changed = replaced(tree, edit.path, edit.new)
        before: ast.AST = tree
        after: ast.AST = changed
        found: tuple[ast.stmt | ast.expr, ast.stmt | ast.expr] | None = None
        if isinstance(tree, ast.Lambda) and isinstance(changed, ast.Lambda):
            found = tree.body, changed.body
        for step in edit.path:
            before, after = _step(before, step), _step(after, step)
            if isinstance(before, ast.stmt) and isinstance(after, ast.stmt):
                found = before, after
        if found is None:
            continue
        text = ast.unparse(ast.fix_missing_locations(found[1]))
        if text not in seen and text != ast.unparse(found[0]):
            seen.add(text)
            yield Edited(edit.kind, found[0], text, changed)


def _step(tree: ast.AST, step: str | tuple[str, int]) -> ast.AST:
    return getattr(tree, step[0])[step[1]] if isinstance(step, tuple) else getattr(tree, step)
