"""The house stands: imports run downwards, only the engine records, and starting costs little."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# From the ground up. A file may import files of its own layer that stand before it in no circle, and of any layer below.
LAYERS = [
    [
        "minigrad.cuda",
        "minigrad.backends",
        "minigrad.grad_mode",
        "minigrad.attributes",
        "minigrad.dtypes",
        "minigrad.generator",
        "minigrad.printing",
        "minigrad.rounding",
        "minigrad.signature",
    ],
    ["minigrad.engine"],
    ["minigrad.backward", "minigrad.mutation", "minigrad.hooks"],
    ["minigrad.ops"],
    ["minigrad.numpy_protocol", "minigrad.numpy_functions"],
    ["minigrad.operators", "minigrad.inplace", "minigrad.conversion", "minigrad.tensor"],
    ["minigrad.creation", "minigrad.random", "minigrad.linalg"],
    ["minigrad.autograd"],
    ["minigrad.func"],
    ["minigrad.nn", "minigrad.optim", "minigrad.utils", "minigrad.compile"],
    ["minigrad.debug", "minigrad.serialization"],
    ["minigrad.exercises"],
    ["minigrad.__main__"],
    ["minigrad"],
    ["ae"],
]


def modules() -> dict[str, Path]:
    found = {}
    for package in ("minigrad", "ae"):
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(path: Path, known: set[str]) -> set[str]:
    """The project's modules that a file imports, wherever in the file that is."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name in known}
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                found |= {name} if name in known else {node.module} & known
    return found


GRAPH = {name: imports(path, set(modules())) for name, path in modules().items()}


def layer(name: str) -> int:
    if name == "minigrad":
        return len(LAYERS) - 2
    fits = [(len(p), i) for i, row in enumerate(LAYERS) for p in row if name == p or name.startswith(p + ".")]
    longest = max(fits)
    if longest[0] == len("minigrad") and name != "minigrad":
        raise AssertionError(f"{name} stands in no layer: give it a place in LAYERS")
    return longest[1]


@pytest.mark.parametrize("name", sorted(GRAPH))
def test_imports_lead_to_the_same_layer_or_below(name: str) -> None:
    upwards = {other for other in GRAPH[name] if layer(other) > layer(name)}
    assert not upwards, f"{name} imports from above: {sorted(upwards)}"


def test_imports_form_no_circle() -> None:
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join((*path, name))
        if name not in done:
            for other in sorted(GRAPH[name]):
                visit(other, (*path, name))
            done.add(name)

    for name in GRAPH:
        visit(name, ())


def test_ae_uses_only_the_public_face() -> None:
    public = {
        "minigrad",
        "minigrad.nn",
        "minigrad.nn.functional",
        "minigrad.optim",
        "minigrad.utils",
        "minigrad.utils.data",
    }
    for name, path in modules().items():
        if name.startswith("ae"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("minigrad"):
                    assert node.module in public, f"{name} reaches into {node.module}"


def test_only_the_engine_records() -> None:
    makers = {"Node": set(), "AccumulateGrad": set(), "node_of": set(), "OutputNode": set()}  # type: dict[str, set[str]]
    for name, path in modules().items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                makers.get(called, set()).add(name)
    assert makers == {
        "Node": {"minigrad.engine"},
        "AccumulateGrad": {"minigrad.engine"},
        "node_of": {"minigrad.autograd.function"},  # in the primitives that stand for a Function
        "OutputNode": {"minigrad.autograd.function"},
    }


def test_no_class_is_patched_from_outside() -> None:
    for name, path in modules().items():
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "setattr":
                target = ast.unparse(node.args[0])
                is_class = target[:1].isupper() or target == "cls"
                assert not is_class, f"{name} sets an attribute of the class {target}"


def test_import_needs_neither_torch_nor_matplotlib() -> None:
    code = "import minigrad, sys; print([m for m in ('torch', 'matplotlib', 'scipy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
