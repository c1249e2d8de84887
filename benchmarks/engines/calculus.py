"""What is not training, each written once for minigrad and for PyTorch: single operations, a chain, derivatives of
derivatives, the numerical check of a gradient, and batches of data.
"""

from collections.abc import Callable
from typing import Any

from benchmarks.catalogue import SEED
from benchmarks.engines.backend import Arrays, Step
from benchmarks.engines.training import Compile, load

OPERATIONS: dict[str, Callable] = {
    "add": lambda torch, x, y: x + y,
    "multiply": lambda torch, x, y: x * y,
    "exp": lambda torch, x: x.exp(),
    "tanh": lambda torch, x: x.tanh(),
    "relu": lambda torch, x: torch.nn.functional.relu(x),
    "sum": lambda torch, x: x.sum(),
    "log_softmax": lambda torch, x: torch.nn.functional.log_softmax(x, dim=1),
    "matmul": lambda torch, x, y: x @ y,
}


def operation(
    torch: Any, compile: Compile, arrays: Arrays, operation: str, direction: str, size: int, own_draws: bool
) -> Step:
    """One operation on tensors that need a gradient, as in training: forward alone, or with its backward."""
    rule = OPERATIONS[operation]
    operands = [torch.from_numpy(arrays[name]).requires_grad_() for name in ("x", "y") if name in arrays]
    g = torch.from_numpy(arrays["g"])

    @compile
    def forward(*xs: Any) -> Any:
        return rule(torch, *xs)

    @compile
    def both(g: Any, *xs: Any) -> Any:
        y = rule(torch, *xs)
        return y.detach(), *torch.autograd.grad(y, xs, g)

    return (lambda: forward(*operands)) if direction == "forward" else (lambda: both(g, *operands))


def chain(torch: Any, compile: Compile, arrays: Arrays, length: int, size: int, own_draws: bool) -> Step:
    """A long chain of cheap operations, forward and backward: what an operation costs."""
    start, g = torch.from_numpy(arrays["x"]).requires_grad_(), torch.from_numpy(arrays["g"])

    @compile
    def both(x: Any, g: Any) -> Any:
        y = x
        for _ in range(length):
            y = y.sin()
        return torch.autograd.grad(y, x, g)

    return lambda: both(start, g)


def penalty(torch: Any, compile: Compile, arrays: Arrays, width: int, batch: int, own_draws: bool) -> Step:
    """Double backward: the gradient of the squared length of a loss's gradient."""
    nn = torch.nn
    model = nn.Sequential(nn.Linear(width, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh())
    load(torch, model, arrays)
    rows, parameters = torch.from_numpy(arrays["rows"]), list(model.parameters())

    @compile
    def both() -> Any:
        loss = nn.functional.mse_loss(model(rows), rows)
        gradients = torch.autograd.grad(loss, parameters, create_graph=True)
        return torch.autograd.grad(sum(g.square().sum() for g in gradients), parameters)

    return both


def gradcheck(torch: Any, compile: Compile, arrays: Arrays, size: int, own_draws: bool) -> Step:
    """The derivative against differences in each direction, float64."""
    x, w = torch.from_numpy(arrays["x"]).requires_grad_(), torch.from_numpy(arrays["w"])
    return lambda: float(torch.autograd.gradcheck(lambda x: (x @ w).tanh(), (x,)))


def loading(torch: Any, compile: Compile, arrays: Arrays, batch: int, rows: int, own_draws: bool) -> Step:
    """All batches of a shuffled data set; the result is the first number of each."""
    data = torch.utils.data.TensorDataset(torch.from_numpy(arrays["rows"]))
    loader = torch.utils.data.DataLoader(data, batch_size=batch, shuffle=True)
    torch.manual_seed(SEED)
    return lambda: [rows[0, 0].item() for (rows,) in loader]
