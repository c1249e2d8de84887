"""The edits that a rule's syntax tree may suffer: one place each, with the kind of mistake that it is."""

from __future__ import annotations

import ast
import copy
import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

FUNCTIONS = {
    "sin": ("cos",), "cos": ("sin",), "sinh": ("cosh",), "cosh": ("sinh",), "exp": ("log", "sqrt"), "log": ("exp", "log2", "log10"),
    "sum": ("mean", "max"), "mean": ("sum",), "sign": ("abs",), "abs": ("sign",), "sqrt": ("square",), "maximum": ("minimum",),
    "minimum": ("maximum",), "tanh": ("sinh",), "square": ("sqrt",), "sigmoid": ("tanh",), "flip": (), "cumsum": ("cumprod",),
    "triu": ("tril",), "tril": ("triu",), "matmul": ("multiply",), "max": ("min", "sum"), "min": ("max",), "log1p": ("log",),
    "expm1": ("exp",),
}  # fmt: skip
COMPARISONS = (ast.Gt, ast.GtE, ast.Lt, ast.LtE, ast.Eq, ast.NotEq)


class Edit(NamedTuple):
    """A place in the tree, what stands there instead, and what kind of mistake that is."""

    path: tuple[Any, ...]
    new: ast.AST
    kind: str


def paths(tree: ast.AST, root: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """All nodes below, each with the way to it."""
    for field, value in ast.iter_fields(tree):
        if field in ("args", "decorator_list", "returns") and isinstance(tree, (ast.FunctionDef, ast.Lambda)):
            continue
        if isinstance(value, ast.AST):
            yield (*root, field), value
            yield from paths(value, (*root, field))
        elif isinstance(value, list):
            for i, item in enumerate(value):
                if isinstance(item, ast.AST):
                    yield (*root, (field, i)), item
                    yield from paths(item, (*root, (field, i)))


def replaced(tree: ast.AST, path: tuple[Any, ...], new: ast.AST) -> ast.AST:
    """The tree with ``new`` at ``path``; it shares with the old one what is not on the way there."""
    if not path:
        return new
    made, step = copy.copy(tree), path[0]
    if isinstance(step, tuple):
        field, i = step
        items = list(getattr(tree, field))
        items[i] = replaced(items[i], path[1:], new)
        setattr(made, field, items)
    else:
        setattr(made, step, replaced(getattr(tree, step), path[1:], new))
    return made


class _Renamed(ast.NodeTransformer):
    def __init__(self, old: str, new: str) -> None:
        self.old, self.new = old, new

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.copy_location(ast.Name(self.new, node.ctx), node) if node.id == self.old else node


def edits(tree: ast.AST, names: list[str]) -> Iterator[Edit]:
    """Every single edit of the rule."""
    if isinstance(tree, ast.Lambda):  # one variable for another wherever it stands
        used = {n.id for n in ast.walk(tree.body) if isinstance(n, ast.Name)}
        renamed: Any
        for old, new in itertools.permutations(names, 2):
            if old in used and old != "g":
                renamed = _Renamed(old, new).visit(copy.deepcopy(tree.body))
                yield Edit(("body",), renamed, _kind_of_name(old, new))
    for path, node in paths(tree):
        if isinstance(node, ast.expr) and not isinstance(getattr(node, "ctx", None), ast.Store):
            exponent = _in_exponent(tree, path)
            for made, kind in _of_expression(node, names, path):
                yield Edit(path, made, "power" if exponent else kind)
        elif isinstance(node, ast.AugAssign):
            yield Edit(path, ast.copy_location(ast.Assign([node.target], node.value), node), "overwrite")
            yield Edit(path, ast.copy_location(ast.Pass(), node), "dropped_term")


def _in_exponent(tree: ast.AST, path: tuple[Any, ...]) -> bool:
    """Whether the place is in the exponent of a power."""
    at: Any = tree
    for step in path:
        if step == "right" and isinstance(at, ast.BinOp) and isinstance(at.op, ast.Pow):
            return True
        at = getattr(at, step[0])[step[1]] if isinstance(step, tuple) else getattr(at, step)
    return False


def _of_expression(node: ast.expr, names: list[str], path: tuple[Any, ...]) -> Iterator[tuple[ast.AST, str]]:
    if isinstance(node, ast.BinOp):
        yield from _of_operation(node)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield node.operand, "wrong_constant" if isinstance(node.operand, ast.Constant) else "sign_of_term"
    elif isinstance(node, ast.Name):
        yield from (
            (ast.Name(n, ast.Load()), _kind_of_name(node.id, n)) for n in names if n != node.id and node.id in names
        )
        if node.id in names:
            yield ast.Attribute(node, "T", ast.Load()), "transpose"
            yield ast.UnaryOp(ast.USub(), node), "sign_of_term"
    elif isinstance(node, ast.Constant):
        yield from _of_constant(node)
    elif isinstance(node, ast.Attribute) and node.attr in ("T", "mT"):
        yield node.value, "transpose"
    elif isinstance(node, ast.Call):
        yield from _of_call(node)
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        for op in COMPARISONS:
            if not isinstance(node.ops[0], op):
                yield ast.Compare(node.left, [op()], node.comparators), "comparison"
    whole = len(path) == 1 or path[-1] == "value"
    if isinstance(node, (ast.BinOp, ast.Call)) and path and path[-1] != "func":
        yield ast.UnaryOp(ast.USub(), node), "sign" if whole else "sign_of_term"
    if whole:
        if any(isinstance(n, ast.Name) and n.id == "g" for n in ast.walk(node)):
            yield ast.Name("g", ast.Load()), "dropped_factor"
        for n in names:
            yield ast.BinOp(node, ast.Mult(), ast.Name(n, ast.Load())), "extra_factor"
            yield ast.BinOp(node, ast.Div(), ast.Name(n, ast.Load())), "extra_factor"


def _kind_of_name(old: str, new: str) -> str:
    if old == "y":
        return "input_for_output"
    return "output_for_input" if new == "y" else "wrong_variable"


def _plain_number(node: ast.AST) -> bool:
    """Whether an expression is a number: of constants and functions of them alone."""
    return not any(isinstance(n, ast.Name) and n.id not in ("np", "math", "numpy") for n in ast.walk(node))


def _of_operation(node: ast.BinOp) -> Iterator[tuple[ast.AST, str]]:
    a, b, op = node.left, node.right, node.op
    if isinstance(op, (ast.Add, ast.Sub)):
        other = ast.Sub() if isinstance(op, ast.Add) else ast.Add()
        yield ast.BinOp(a, other, b), "sign_of_term"
        yield ast.BinOp(b, ast.Sub(), a), "sign_of_term"
        yield a, "dropped_term"
        yield (b if isinstance(op, ast.Add) else ast.UnaryOp(ast.USub(), b)), "dropped_term"
        if isinstance(op, ast.Sub):
            yield b, "dropped_term"
    elif isinstance(op, (ast.Mult, ast.Div)):
        yield a, "wrong_constant" if _plain_number(b) else "dropped_factor"
        rest = b if isinstance(op, ast.Mult) else ast.BinOp(ast.Constant(1.0), op, b)
        yield rest, "wrong_constant" if _plain_number(a) else "dropped_factor"
        number = _plain_number(a) or _plain_number(b)
        yield (
            ast.BinOp(a, ast.Div() if isinstance(op, ast.Mult) else ast.Mult(), b),
            "wrong_constant" if number else "operator",
        )
        if isinstance(op, ast.Div):
            yield ast.BinOp(b, op, a), "operator"
        else:
            yield ast.BinOp(a, ast.Add(), b), "operator"
        yield ast.BinOp(a, op, ast.BinOp(b, ast.Mult(), b)), "squared"
    elif isinstance(op, ast.MatMult):
        yield ast.BinOp(b, op, a), "order"
        yield ast.BinOp(a, ast.Mult(), b), "operator"
        yield a, "dropped_factor"
        yield b, "dropped_factor"
    elif isinstance(op, ast.Pow):
        yield a, "power"
        if isinstance(b, ast.Constant) and isinstance(b.value, (int, float)):
            for exponent in (b.value - 1, b.value + 1, -b.value, 2, 3):
                yield ast.BinOp(a, op, ast.Constant(exponent)), "power"
        for change in (ast.Add(), ast.Sub()):
            yield ast.BinOp(a, op, ast.BinOp(b, change, ast.Constant(1))), "power"
        yield ast.BinOp(a, op, ast.UnaryOp(ast.USub(), b)), "power"


def _of_constant(node: ast.Constant) -> Iterator[tuple[ast.AST, str]]:
    v = node.value
    if isinstance(v, bool) or v is None:
        yield ast.Constant(not v), "keepdims"
    elif isinstance(v, (int, float)):
        half = v / 2 if isinstance(v, float) or v % 2 else v // 2
        for new in dict.fromkeys([v + 1, v - 1, v * 2, half, -v, 1]):
            if new not in (v, 0):
                yield ast.Constant(new), "wrong_constant"


def _of_call(node: ast.Call) -> Iterator[tuple[ast.AST, str]]:
    attribute = isinstance(node.func, ast.Attribute)
    name = (
        node.func.attr
        if isinstance(node.func, ast.Attribute)
        else node.func.id
        if isinstance(node.func, ast.Name)
        else ""
    )
    for other in FUNCTIONS.get(name, ()):
        func = (
            ast.Attribute(node.func.value, other, ast.Load())
            if isinstance(node.func, ast.Attribute)
            else ast.Name(other, ast.Load())
        )
        yield ast.Call(func, node.args, node.keywords), "function"
    is_method = (
        attribute
        and isinstance(node.func, ast.Attribute)
        and not (isinstance(node.func.value, ast.Name) and node.func.value.id in ("np", "numpy", "mg", "torch", "F"))
    )
    if name in ("sum", "mean") and (is_method or node.args):
        inner = node.func.value if is_method and isinstance(node.func, ast.Attribute) else node.args[0]
        yield inner, "missing_sum"
    elif name == "where" and len(node.args) == 3:
        yield ast.Call(node.func, [node.args[0], node.args[2], node.args[1]], node.keywords), "branches"
        yield node.args[1], "branches"
        yield node.args[2], "branches"
    elif is_method and isinstance(node.func, ast.Attribute):
        yield node.func.value, "dropped_function"
    elif node.args:
        yield node.args[0], "dropped_function"
    for i, j in itertools.combinations(range(len(node.args)), 2):
        args = list(node.args)
        args[i], args[j] = args[j], args[i]
        yield ast.Call(node.func, args, node.keywords), "order"
    for i, k in enumerate(node.keywords):
        if k.arg in ("axis", "dim"):
            yield ast.Call(node.func, node.args, [w for j, w in enumerate(node.keywords) if j != i]), "axis"
            for value in (0, 1, -1):
                yield (
                    ast.Call(
                        node.func,
                        node.args,
                        [ast.keyword(k.arg, ast.Constant(value)) if j == i else w for j, w in enumerate(node.keywords)],
                    ),
                    "axis",
                )


def rank(edit: Edit) -> int:
    """The likelier mistakes first: where two mutants are one function, the likelier is told."""
    order = (
        "sign", "transpose", "branches", "dropped_factor", "comparison", "input_for_output", "output_for_input", "dropped_term",
        "sign_of_term", "power", "wrong_constant", "dropped_function",
    )  # fmt: skip
    late = ("operator", "squared", "extra_factor")
    return order.index(edit.kind) if edit.kind in order else 50 + late.index(edit.kind) if edit.kind in late else 20
