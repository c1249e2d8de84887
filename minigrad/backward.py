"""How gradients flow back: the walk over the graph, and what starts it, ``tensor.backward()`` and ``autograd.grad()``."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from typing import Any

import numpy as np

from minigrad.engine import Node, TensorBase, accumulate
from minigrad.grad_mode import mode

Tensors = TensorBase | Sequence[TensorBase]


@np.errstate(all="ignore")
def walk(
    roots: Sequence[tuple[Node, Any]],
    *,
    retain_graph: bool = False,
    create_graph: bool = False,
    targets: set[Node] | None = None,
) -> dict[Node, Any]:
    """Send gradients from the roots back through the graph, each node once, newest first.

    When a node is the newest of those waiting, all that could send it a gradient has been visited, since edges lead to
    older nodes only: its gradient is complete. With ``targets`` only the paths to these nodes are walked, and their
    gradients are returned instead of being added to the leaves.
    """
    wanted = None if targets is None else _leading_to(targets, [node for node, _ in roots])
    captured: dict[Node, Any] = {}
    waiting: dict[int, list[Any]] = {}  # order -> node, gradient so far, whether its array is ours alone
    queue: list[int] = []
    tape, recording, mode.enabled = mode.tape, mode.enabled, create_graph
    try:
        for node, g in roots:
            _send(waiting, queue, node, g, False)
        while queue:
            node, g, owned = waiting.pop(-heappop(queue))
            if node.hooks:
                for hook in tuple(node.hooks.values()):
                    g, owned = hook(g), False
            if node.ends or (targets is not None and node in targets):
                if not (owned or create_graph):
                    g = g.copy()
                if targets is not None:
                    captured[node] = g
                else:
                    node.accumulate(g)
            if node.edges and (wanted is None or any(source in wanted for source, *_ in node.edges)):
                found = node.pull(g, create_graph, wanted)
                if tape is not None:
                    tape.pulled(node, g, found)
                for source, x_bar in found:
                    owned = create_graph or (node.fresh and x_bar is not g and x_bar.base is None)
                    _send(waiting, queue, source, x_bar, owned)
                if not retain_graph:
                    node.release()
    finally:
        mode.enabled = recording
    return captured


def _send(waiting: dict[int, list[Any]], queue: list[int], node: Node, g: Any, owned: bool) -> None:
    """Add ``g`` to what waits for ``node``: in place where the waiting array is ours and nothing is recorded."""
    entry = waiting.get(node.order)
    if entry is None:
        waiting[node.order] = [node, g, owned]
        heappush(queue, -node.order)
    elif entry[2] and not mode.enabled:
        entry[1] += g
    else:
        total = entry[1] + g
        entry[1:] = np.asarray(total) if isinstance(total, np.generic) else total, True


def _leading_to(targets: set[Node], roots: Sequence[Node]) -> set[Node]:
    """The nodes on a path from a root to a target."""
    reached, stack = set(roots), list(roots)
    while stack:
        for source, *_ in stack.pop().edges:
            if source not in reached:
                reached.add(source)
                stack.append(source)
    wanted: set[Node] = set()
    for node in sorted(reached, key=lambda node: node.order):
        if node in targets or any(source in wanted for source, *_ in node.edges):
            wanted.add(node)
    return wanted


def backward(
    tensors: Tensors,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Any = None,
    inputs: Tensors | None = None,
) -> None:
    """Add d(sum_i tensors_i . grad_tensors_i)/dx to ``x.grad`` of every leaf x, or only of ``inputs``.

    Raises RuntimeError for a tensor without history, for one of several elements without a gradient, for a gradient of
    another shape, and for a graph whose saved values were freed.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.backward.html
    """
    if inputs is not None and not isinstance(inputs, TensorBase) and len(inputs) == 0:
        raise RuntimeError("`inputs` argument to `backward` cannot be empty: leave it out to reach every leaf")
    gradients = grad_tensors if grad_variables is None else grad_variables
    roots = _roots(_sequence(tensors), gradients, create_graph)
    keep = create_graph if retain_graph is None else retain_graph
    if inputs is None:
        walk(roots, retain_graph=keep, create_graph=create_graph)
        return
    ends: list[Any] = _sequence(inputs)
    nodes = _nodes(ends)
    captured = walk(roots, retain_graph=keep, create_graph=create_graph, targets=set(nodes))
    for tensor, node in dict(zip(ends, nodes, strict=True)).items():
        if node in captured and not tensor.retains_grad:
            accumulate(tensor, captured[node])
        if tensor.node is not None:
            tensor.retain_grad()  # from now on, as in PyTorch


def grad(
    outputs: Tensors,
    inputs: Tensors,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """The gradients of sum_i outputs_i . grad_outputs_i with respect to ``inputs``; no ``.grad`` is touched.

    An input that the outputs do not depend on raises RuntimeError, or gives None with ``allow_unused=True`` and zeros
    with ``materialize_grads=True``.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.grad.html
    """
    if is_grads_batched:
        raise NotImplementedError("is_grads_batched: minigrad has no vmap; call grad once per row of grad_outputs")
    if materialize_grads and allow_unused is False:
        raise ValueError("Expected allow_unused to be True or not passed when materialize_grads=True, but got: False.")
    ends = _sequence(inputs)
    if not ends:
        raise RuntimeError("`inputs` argument to `grad` cannot be empty: name the tensors whose gradients you want")
    roots = _roots(_sequence(outputs), grad_outputs, create_graph)
    keep = create_graph if retain_graph is None else retain_graph
    nodes = _nodes(ends)
    captured = walk(roots, retain_graph=keep, create_graph=create_graph, targets=set(nodes))
    result = []
    for position, (tensor, node) in enumerate(zip(ends, nodes, strict=True)):
        g = captured.get(node)
        if g is None and materialize_grads:
            g = np.zeros_like(tensor.array)
        elif g is None and not allow_unused:
            raise RuntimeError(
                f"One of the differentiated Tensors appears to not have been used in the graph: input {position} of shape "
                f"{list(tensor.array.shape)}. Set allow_unused=True if this is the desired behavior: its gradient is then None."
            )
        result.append(tensor.wrap(g) if isinstance(g, np.ndarray) else g)
    return tuple(result)


def _sequence(tensors: Any) -> list[TensorBase]:
    found = [tensors] if isinstance(tensors, TensorBase) else list(tensors)
    for tensor in found:
        if not isinstance(tensor, TensorBase):
            raise TypeError(
                f"expected a tensor or a sequence of tensors, got an element of type {type(tensor).__name__}"
            )
    return found


def _nodes(inputs: Sequence[TensorBase]) -> list[Node]:
    for position, tensor in enumerate(inputs):
        tensor.sync()
        if not tensor.needs_grad:
            raise RuntimeError(
                f"One of the differentiated Tensors does not require grad: input {position} of shape "
                f"{list(tensor.array.shape)}; call requires_grad_() on it before the forward pass"
            )
    return [tensor.gradient_node() for tensor in inputs]


def _roots(tensors: Sequence[TensorBase], gradients: Any, create_graph: bool) -> list[tuple[Node, Any]]:
    if gradients is None:
        return [_root(i, t, None, create_graph) for i, t in enumerate(tensors)]
    if isinstance(gradients, (TensorBase, np.ndarray)):
        gradients = [gradients]
    if len(gradients) != len(tensors):
        raise RuntimeError(
            f"got {len(tensors)} tensors and {len(gradients)} gradients: give one gradient for each tensor"
        )
    return [_root(i, t, g, create_graph) for i, (t, g) in enumerate(zip(tensors, gradients, strict=True))]


def _root(position: int, tensor: TensorBase, gradient: Any, create_graph: bool) -> tuple[Node, Any]:
    tensor.sync()
    if not tensor.needs_grad:
        raise RuntimeError(
            f"element {position} of tensors does not require grad and does not have a grad_fn: nothing it was computed from "
            f"has requires_grad=True, or it was computed under no_grad() or from a detached tensor"
        )
    shape = tensor.array.shape
    if gradient is None:
        if tensor.array.size != 1:
            raise RuntimeError(
                f"grad can be implicitly created only for scalar outputs, and this one has shape {list(shape)}: "
                f"reduce it first, as in loss.sum().backward(), or pass backward(gradient) of that shape"
            )
        given = np.array(1, tensor.array.dtype).reshape(shape)
    else:
        given = gradient.array if isinstance(gradient, TensorBase) else np.asarray(gradient)
    if given.shape != shape:
        raise RuntimeError(
            f"Mismatch in shape: grad_output[{position}] has a shape of {list(given.shape)} and output[{position}] has a "
            f"shape of {list(shape)}: a gradient has the shape of its tensor"
        )
    if create_graph:
        return tensor.gradient_node(), gradient if isinstance(gradient, TensorBase) else tensor.wrap(given)
    return tensor.gradient_node(), given
