"""The text of a function as a syntax tree, of a ``def`` or of a lambda anywhere, and functions from changed trees."""

from __future__ import annotations

import ast
import copy
import functools
import inspect
from collections.abc import Callable
from typing import Any


def tree_of(function: Callable[..., Any]) -> ast.FunctionDef | ast.Lambda | None:
    """The syntax tree of a function, found in its file by the line and column it was compiled from; None without a file."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return None
    try:
        lines, _ = inspect.findsource(code)
    except (OSError, TypeError, IndexError):
        return None
    module = _module("".join(lines))
    kind = ast.Lambda if code.co_name == "<lambda>" else ast.FunctionDef
    found = [n for n in ast.walk(module) if isinstance(n, kind) and _starts(n) == code.co_firstlineno] if module else []
    if len(found) > 1:  # several lambdas in one line
        found = [n for n in found if isinstance(n, ast.Lambda) and _spans(n.body, code)]
        found = [n for n in found if not any(m is not n and m in ast.walk(n) for m in found)]  # the innermost
    return found[0] if len(found) == 1 else None


@functools.lru_cache(maxsize=16)
def _module(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except SyntaxError:
        return None


def _starts(node: Any) -> int:
    return min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])


def _spans(body: ast.expr, code: Any) -> bool:
    """Whether the instructions stand inside the text of ``body``."""
    start, end = (body.lineno, body.col_offset), (body.end_lineno, body.end_col_offset)
    places = [(line, column) for line, _, column, _ in code.co_positions() if line is not None and column is not None]
    inside = [p for p in places if start <= p < end]
    return bool(inside) and len(inside) >= len(places) - 2  # the first instructions may have the place of the lambda


def scope_of(function: Callable[..., Any]) -> dict[str, Any]:
    """The names that a function can see: its module's, and those of the functions around it."""
    function = inspect.unwrap(function)
    scope = dict(getattr(function, "__globals__", {}))
    try:
        closed = inspect.getclosurevars(function)
        scope.update(closed.nonlocals)
    except (TypeError, ValueError):
        pass
    return scope


def compiled(node: ast.FunctionDef | ast.Lambda, scope: dict[str, Any]) -> Callable[..., Any]:
    """A function from its tree, seeing the names of ``scope``."""
    if isinstance(node, ast.Lambda):
        tree = ast.fix_missing_locations(ast.Expression(node))
        return eval(compile(tree, "<mutant>", "eval"), scope)
    bare = copy.copy(node)
    bare.decorator_list, bare.returns = [], None
    module = ast.fix_missing_locations(ast.Module([bare], []))
    local = dict(scope)
    exec(compile(module, "<mutant>", "exec"), local)
    return local[node.name]
