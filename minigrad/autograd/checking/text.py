"""The text of a function as a syntax tree: of a ``def``, of a lambda anywhere in a statement, or of a string."""

from __future__ import annotations

import ast
import copy
import inspect
import textwrap
from collections.abc import Callable
from typing import Any


def tree_of(function: Callable[..., Any]) -> ast.FunctionDef | ast.Lambda | None:
    """The syntax tree of a function; None if its text cannot be read or does not single it out."""
    function = inspect.unwrap(function)
    code = getattr(function, "__code__", None)
    if code is None:
        return None
    try:
        lines, _ = inspect.getsourcelines(code)
    except (OSError, TypeError):
        return None
    module = _parsed(textwrap.dedent("".join(lines)))
    if module is None:
        return None
    found: list[Any] = [n for n in ast.walk(module) if isinstance(n, (ast.FunctionDef, ast.Lambda)) and _fits(n, code)]
    if len(found) > 1 and hasattr(code, "co_positions"):
        exact = [n for n in found if isinstance(n, ast.Lambda) and _same_code(n, code)]
        found = exact or found
    return found[0] if found and (len(found) == 1 or all(_same_code(n, code) for n in found)) else None


def _parsed(text: str) -> ast.Module | None:
    """The text parsed; of a lambda in the middle of a statement, as much of it as is a statement."""
    for attempt in (
        text,
        f"({text}\n)",
        text.rstrip().rstrip(","),
        f"f({text}\n)",
        f"dict({text}\n)",
        "{" + text + "\n}",
        f"({text}",
    ):
        try:
            return ast.parse(attempt)
        except SyntaxError:
            continue
    for at in range(len(text)):
        if text.startswith("lambda", at):
            for end in range(len(text), at, -1):
                try:
                    return ast.parse(text[at:end].strip())
                except SyntaxError:
                    continue
    return None


def _fits(node: ast.FunctionDef | ast.Lambda, code: Any) -> bool:
    if (code.co_name == "<lambda>") != isinstance(node, ast.Lambda):
        return False
    if isinstance(node, ast.FunctionDef) and node.name != code.co_name:
        return False
    names = [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    return tuple(names) == code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


def _same_code(node: ast.FunctionDef | ast.Lambda, code: Any) -> bool:
    if not isinstance(node, ast.Lambda):
        return True
    made = eval(compile(ast.Expression(node), "<rule>", "eval"), {})  # only makes the function, runs nothing of it
    return (
        made.__code__.co_code == code.co_code
        and made.__code__.co_names == code.co_names
        and _plain(made.__code__) == _plain(code)
    )


def _plain(code: Any) -> list[Any]:
    return [c for c in code.co_consts if isinstance(c, (int, float, str, tuple, type(None)))]


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
