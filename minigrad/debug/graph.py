"""``graph_report``: how large the graph of a loss is, and what it keeps in memory until backward has run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minigrad.autograd.tracing import Origin, lines
from minigrad.debug.table import html_table, plain_table, plural, share, size_text
from minigrad.engine import AccumulateGrad, Node
from minigrad.tensor import Tensor


@dataclass(frozen=True)
class Part:
    """The nodes of one operation, or of one line."""

    what: str
    nodes: int
    bytes: int
    origin: Origin | None = None


@dataclass(frozen=True)
class GraphReport:
    """Counts of a graph; ``bytes`` are those it keeps for backward, each piece of memory counted once."""

    nodes: int  # recorded operations
    leaves: int
    depth: int  # the most operations on one path
    bytes: int
    leaf_bytes: int  # the part of it that is memory of the leaves, and would exist without the graph
    operations: list[Part]
    lines: list[Part]  # empty unless the forward pass ran under trace_lines() or detect_anomaly()
    freed: bool  # whether backward has freed what was saved

    def _sentences(self) -> str:
        text = (
            f"{plural(self.nodes, 'operation')} on {plural(self.leaves, 'leaf').replace('leafs', 'leaves')}; "
            f"the longest path from the loss to a leaf passes {self.depth}."
        )
        if self.freed:
            return text + "\nIt keeps nothing any more: backward has freed what was saved. Ask before backward."
        text += f"\nIt keeps {size_text(self.bytes)} for backward"
        if self.leaf_bytes:
            text += f", of which {size_text(self.leaf_bytes)} are parameters and other leaves, which exist anyway"
        if self.operations and self.operations[0].bytes:
            first = self.operations[0]
            text += f"; most by {first.what}: {size_text(first.bytes)}, {share(first.bytes, self.bytes)}"
        return text + "."

    def _rows(self) -> list[list[str]]:
        return [[p.what, str(p.nodes), str(p.bytes), share(p.bytes, self.bytes)] for p in self.operations]

    def _line_rows(self) -> list[list[str]]:
        return [
            [str(p.origin), str(p.nodes), str(p.bytes), share(p.bytes, self.bytes), p.origin.code if p.origin else ""]
            for p in self.lines
        ]

    def __str__(self) -> str:
        parts = [self._sentences(), plain_table(_HEAD, self._rows())]
        if self.lines:
            parts.append(plain_table(_LINE_HEAD, self._line_rows()))
        else:
            parts.append("To see lines, run the forward pass under `with minigrad.debug.trace_lines():`.")
        return "\n\n".join(parts)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        text = html_table(_HEAD, self._rows(), self._sentences())
        return text + (html_table(_LINE_HEAD, self._line_rows(), "By line:") if self.lines else "")


_HEAD = ["operation", "nodes", "bytes kept", "share"]
_LINE_HEAD = ["line", "nodes", "bytes kept", "share", "code"]


def graph_report(loss: Tensor) -> GraphReport:
    """Count the nodes, depth and saved bytes of the graph behind ``loss``.

    Memory that several operations keep is counted at the first of them. Raises RuntimeError for a tensor without history.
    """
    root = loss.grad_fn
    if root is None:
        raise RuntimeError(
            "graph_report: this tensor has no graph" + (", it is a leaf" if loss.requires_grad else "; see why_no_grad")
        )
    nodes, depth = _ordered(root)
    recorded = [node for node in nodes if not isinstance(node, AccumulateGrad)]
    leaf_memory = {
        id(_owner(n.variable.array)) for n in nodes if isinstance(n, AccumulateGrad) and n.variable is not None
    }
    by_name: dict[str, list[int]] = {}
    by_line: dict[Origin, list[int]] = {}
    known: set[int] = set()
    leaf_bytes = 0
    for node in recorded:
        kept = 0
        for array in node.saved():
            owner = _owner(array)
            if id(owner) not in known:
                known.add(id(owner))
                kept += owner.nbytes
                leaf_bytes += owner.nbytes * (id(owner) in leaf_memory)
        by_name.setdefault(node.name(), []).append(kept)
        where = lines.get(node)
        if where is not None:
            by_line.setdefault(where, []).append(kept)
    return GraphReport(
        len(recorded),
        len(nodes) - len(recorded),
        depth,
        sum(map(sum, by_name.values())),
        leaf_bytes,
        sorted((Part(k, len(v), sum(v)) for k, v in by_name.items()), key=_size),
        sorted((Part(str(k), len(v), sum(v), k) for k, v in by_line.items()), key=_size),
        _freed(recorded),
    )


def _size(part: Part) -> tuple[int, int]:
    return -part.bytes, -part.nodes


def _freed(nodes: list[Node]) -> bool:
    """Whether a node that was to keep something has it no more."""
    return any(getattr(node, "versions", None) and not node.saved() for node in nodes)


def _owner(array: np.ndarray) -> np.ndarray:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _ordered(root: Node) -> tuple[list[Node], int]:
    """All nodes behind ``root``, each after those it leads to, and the most operations on one path."""
    done: list[Node] = []
    length: dict[Node, int] = {}
    stack: list[tuple[Node, bool]] = [(root, False)]
    entered: set[Node] = set()
    while stack:
        node, leaving = stack.pop()
        sources = [source for source, _ in node.next_functions if source is not None]
        if leaving:
            own = 0 if isinstance(node, AccumulateGrad) else 1
            length[node] = own + max((length[s] for s in sources), default=0)
            done.append(node)
        elif node not in entered:
            entered.add(node)
            stack.append((node, True))
            stack += [(s, False) for s in sources if s not in entered]
    return done, length[root]
