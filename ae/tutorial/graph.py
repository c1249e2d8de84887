"""Draws the graph behind a tensor as SVG, from `grad_fn` and `next_functions` alone: what was computed, and what came back.

A box is an operation or a leaf; the data flows down, gradients flow up. A tensor that is given a name shows its value
and its gradient as little pictures, an operation without one its kind. Works on minigrad and on PyTorch.
"""

import html
import re
from collections.abc import Mapping
from textwrap import wrap
from typing import Any

import numpy as np

from minigrad import Tensor

WIDTH, HEIGHT, GAP_X, GAP_Y = 244, 78, 24, 38
ELEMENTWISE = {"add", "sub", "mul", "div", "where", "pow"}  # they broadcast their inputs


class Graph:
    """The drawing of a graph; a notebook shows it.

    `names` are the tensors to show by name. `steps` is how many operations the walk back has already passed, all if None:
    gradients of those it has not yet reached stay hidden. Source: the layers are those of Sugiyama, Tagawa and Toda 1981, "Methods
    for Visual Understanding of Hierarchical System Structures", here by the longest way to the result.
    """

    def __init__(self, root: Tensor, names: Mapping[str, Tensor], steps: int | None = None) -> None:
        if root.grad_fn is None:
            raise ValueError("Graph() needs the result of a recorded computation, got a tensor without grad_fn")
        self.named = {id(tensor.grad_fn or tensor): (name, tensor) for name, tensor in names.items()}
        self.held = [tensor.grad_fn for tensor in names.values()]  # so that ids stay theirs
        self.root, self.steps = root.grad_fn, steps
        self.order = walk(self.root)
        self.layers = layers(self.root, self.order)

    def _repr_svg_(self) -> str:
        return self.svg()

    def tensor(self, node: Any) -> tuple[str, Tensor | None]:
        """Return a node's name and tensor, if it is known: a leaf's, or one of the names given."""
        leaf = getattr(node, "variable", None)
        return self.named.get(id(node if leaf is None else leaf), ("", leaf))

    def seen(self, node: Any) -> bool:
        """True if the walk back has already given the node its gradient."""
        if self.steps is None or node is self.root:
            return self.steps is None or self.steps > 0
        done = [one for one in self.order if not is_leaf(one)][: self.steps]
        return any(other is node for one in done for other, _ in one.next_functions)

    def svg(self) -> str:
        """Return the drawing."""
        rows = max(len(row) for row in self.layers)
        width = rows * (WIDTH + GAP_X) + GAP_X
        height = len(self.layers) * (HEIGHT + GAP_Y) + 8
        place: dict[int, tuple[float, float]] = {}
        for depth, row in enumerate(reversed(self.layers)):
            left = (width - len(row) * (WIDTH + GAP_X) + GAP_X) / 2
            for i, node in enumerate(row):
                place[id(node)] = (left + i * (WIDTH + GAP_X), 8 + depth * (HEIGHT + GAP_Y))
        parts = [self._edge(node, other, place) for node in self.order for other, _ in node.next_functions if other]
        parts += [self._box(node, *place[id(node)]) for node in self.order]
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height - GAP_Y + 12}" role="img" '
            f'style="width:{width}px;background:#fff;font:13px system-ui,sans-serif" fill="#222">'
            f"<title>The graph of the computation, its values and its gradients.</title>{''.join(parts)}</svg>"
        )

    def _edge(self, node: Any, other: Any, place: dict[int, tuple[float, float]]) -> str:
        """Draw the line from an input, above, to the operation that uses it."""
        (x, y), (top_x, top_y) = place[id(node)], place[id(other)]
        x, top_x, start = x + WIDTH / 2, top_x + WIDTH / 2, top_y + HEIGHT
        middle = (start + y) / 2
        live = self.seen(other)
        (_, result), (_, used) = self.tensor(node), self.tensor(other)
        kind = operation(node)
        widened = kind in ELEMENTWISE and result is not None and used is not None and result.shape != used.shape
        style = f'stroke="{"#c0392b" if live else "#999"}" stroke-width="{2 if live else 1.2}"'
        style += ' stroke-dasharray="5 4"' if widened else ""
        line = f'<path fill="none" {style} d="M{top_x} {start} C{top_x} {middle} {x} {middle} {x} {y}" />'
        if widened and result is not None and used is not None:
            text = f"broadcast to {shape(result)}"
            line += f'<text x="{top_x + 14}" y="{start + 16}" font-size="11" fill="#555">{text}</text>'
        return line

    def _box(self, node: Any, x: float, y: float) -> str:
        name, tensor = self.tensor(node)
        leaf = is_leaf(node)
        border = "#c0392b" if self.seen(node) else "#888"
        parts = [
            f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="{4 if leaf else 14}" '
            f'fill="{"#eef4ec" if leaf else "#f6f6fa"}" stroke="{border}" />',
            f'<text x="{x + 12}" y="{y + 20}" font-weight="600">{html.escape(name or ("leaf" if leaf else ""))}</text>',
        ]
        lines = [] if leaf else wrap(operation(node), 18)
        lines += [] if tensor is None or not tensor.shape else [shape(tensor)]
        for i, line in enumerate(lines):
            parts.append(
                f'<text x="{x + 12}" y="{y + 34 + 13 * i}" font-size="11" fill="#444">{html.escape(line)}</text>'
            )
        if not leaf:
            number = [one for one in self.order if not is_leaf(one)].index(node) + 1
            parts.append(
                f'<text x="{x + 12}" y="{y + HEIGHT - 6}" font-size="10" fill="#777">step {number} back</text>'
            )
        if tensor is not None:
            parts.append(picture(tensor.detach().numpy(), x + 124, y + 10, "value"))
            if tensor.grad is not None and self.seen(node):
                parts.append(picture(tensor.grad.numpy(), x + 184, y + 10, "gradient"))
        return "".join(parts)


def is_leaf(node: Any) -> bool:
    """True of the node that hands a leaf its gradient."""
    return getattr(node, "variable", None) is not None


def operation(node: Any) -> str:
    """Return what a node does, in words: `binary cross entropy` of `BinaryCrossEntropyBackward0`."""
    kind = node.name().split("::")[-1].removesuffix("0").removesuffix("Backward")
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind).lower()


def shape(tensor: Tensor) -> str:
    """Return a shape as it is written: (1, 10)."""
    return str(tuple(tensor.shape))


def walk(root: Any) -> list[Any]:
    """Return the nodes under `root` in the order of a walk back: each after all that use it."""
    users: dict[int, int] = {}
    found, waiting = {id(root): root}, [root]
    while waiting:
        for other, _ in waiting.pop().next_functions:
            if other is not None:
                users[id(other)] = users.get(id(other), 0) + 1
                if id(other) not in found:
                    found[id(other)] = other
                    waiting.append(other)
    order, ready = [], [root]
    while ready:
        node = ready.pop()
        order.append(node)
        for other, _ in node.next_functions:
            if other is not None:
                users[id(other)] -= 1
                if not users[id(other)]:
                    ready.append(found[id(other)])
    return order


def layers(root: Any, order: list[Any]) -> list[list[Any]]:
    """Return the nodes by their longest way to the root, the root's own layer first."""
    depth = {id(root): 0}
    for node in order:
        for other, _ in node.next_functions:
            if other is not None:
                depth[id(other)] = max(depth.get(id(other), 0), depth[id(node)] + 1)
    rows: list[list[Any]] = [[] for _ in range(max(depth.values()) + 1)]
    for node in order:
        rows[depth[id(node)]].append(node)
    for row in rows:
        row.sort(key=is_leaf)  # operations to the left, leaves beside them; the sort keeps the walk's order otherwise
    return rows


def picture(array: np.ndarray, x: float, y: float, label: str) -> str:
    """Draw an array as small squares, red above 0 and blue below, or a single number as it is."""
    caption = f'<text x="{x + 25}" y="{y + 56}" font-size="10" fill="#777" text-anchor="middle">{label}</text>'
    if array.size == 1:
        return f'<text x="{x + 25}" y="{y + 28}" text-anchor="middle">{array.item():.3g}</text>{caption}'
    rows = array.reshape(-1, array.shape[-1])
    if len(rows) == 1:  # a row of 25 is easier to see as 5x5
        side = max(n for n in range(1, int(array.size**0.5) + 1) if array.size % n == 0)
        rows = rows.reshape(side, -1)
    cell = min(50 / rows.shape[1], 42 / rows.shape[0])
    left, top = x + (50 - cell * rows.shape[1]) / 2, y + (42 - cell * rows.shape[0]) / 2
    bound = float(np.abs(rows).max()) or 1.0
    squares = [
        box(left + j * cell, top + i * cell, cell, cell, f'fill="{colour(value / bound)}"')
        for i, row in enumerate(rows)
        for j, value in enumerate(row)
    ]
    frame = box(left, top, cell * rows.shape[1], cell * rows.shape[0], 'fill="none" stroke="#aaa"')
    return f'<g shape-rendering="crispEdges">{"".join(squares)}</g>{frame}{caption}'


def box(x: float, y: float, width: float, height: float, style: str) -> str:
    """Return a rectangle."""
    return f'<rect x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}" {style} />'


def colour(value: float) -> str:
    """Return red for 1, white for 0, blue for -1, as CSS."""
    strength = min(abs(value), 1.0)
    pale, deep = round(255 - 225 * strength), round(255 - 40 * strength)
    return f"rgb({deep},{pale},{pale})" if value > 0 else f"rgb({pale},{pale},{deep})"
