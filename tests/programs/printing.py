"""How tensors, sizes, types and histories are shown."""

import torch

torch.manual_seed(1)
print(torch.randn(3, 3) * 1e5, torch.randn(2, 2) * 1e-5, torch.tensor([1.0, float("inf"), float("nan")]))
print(torch.rand(3, requires_grad=True), torch.rand(2, 2).double(), torch.rand(3).half())
print(torch.randint(0, 1000, (20, 20)))
print(torch.zeros(5, 5, 5, 5).shape, torch.empty(0), torch.empty(0, 3), torch.zeros(2, 2, 2))
print(torch.tensor(5), torch.tensor(5.0), torch.tensor(True), torch.tensor([]), torch.tensor([[]]))
print(repr(torch.tensor([1, 2])), str(torch.tensor(1.5)), f"{torch.tensor(2.5):.2f}", f"{torch.tensor([1.5])}")
print(torch.tensor([1e10, 1.0]), torch.tensor([1e-10, 1.0]), torch.tensor([100000.0, 0.1]), torch.tensor([1.0, 2.5]))
x = torch.randn(2, 3, requires_grad=True)
for name in [
    "sin",
    "exp",
    "tanh",
    "sigmoid",
    "relu",
    "abs",
    "neg",
    "t",
    "flatten",
    "sum",
    "mean",
    "std",
    "var",
    "norm",
    "max",
    "min",
    "clone",
    "square",
    "sqrt",
    "trunc",
]:
    print(name, getattr(x, name)().grad_fn.name())
for e in [
    "x + 1",
    "x - 1",
    "1 - x",
    "2 * x",
    "x / 2",
    "2 / x",
    "x ** 2",
    "2 ** x",
    "-x",
    "x @ x.t()",
    "x[0]",
    "x[:, 1]",
    "x[0, 1]",
    "x[1:]",
    "x[:, 1:]",
    "x[None]",
    "x[[0, 1]]",
    "x[x > 0]",
    "x.view(-1)",
    "x.T",
    "x.reshape(3, 2)",
    "x.unsqueeze(0)",
    "x.squeeze()",
    "x.sum(0)",
    "x.mean(1, keepdim=True)",
    "x.max(1)[0]",
    "x.softmax(1)",
    "x.log_softmax(1)",
    "torch.cat([x, x])",
    "torch.stack([x, x])",
    "x.expand(2, 2, 3)",
    "x.repeat(2, 1)",
    "x.clamp(0, 1)",
    "x.clamp(min=0)",
    "x.to(torch.float64)",
    "torch.where(x > 0, x, 0.)",
    "x.masked_fill(x > 0, 0.)",
    "x.cumsum(0)",
    "x.prod()",
    "x.prod(1)",
    "x.sort()[0]",
    "x.topk(2)[0]",
    "x.transpose(0, 1)",
    "x.permute(1, 0)",
    "x.gather(1, torch.tensor([[0], [1]]))",
    "x.chunk(2)[0]",
    "x.split(1)[0]",
    "x.unbind()[0]",
    "x[0].dot(x[1])",
    "x.mv(x[0])",
    "x.outer",
    'torch.einsum("ij,kj->ik", x, x).shape',
    "x.var(0)",
    "x.logsumexp(1)",
    "x.lerp(x, 0.5)",
    "x.pow(3)",
    "x.float()",
    "x.detach().requires_grad",
    "x.log1p()",
    "x.diagonal()",
    "x.tril()",
    "x.flip(0)",
    "x.roll(1)",
]:
    r = eval(e)
    print(
        e, r.grad_fn.name() if hasattr(r, "grad_fn") and r.grad_fn is not None else r if not callable(r) else "callable"
    )
print(
    x.size(),
    x.shape[0],
    x.dim(),
    x.numel(),
    x.stride(),
    x.is_contiguous(),
    x.t().is_contiguous(),
    x.element_size(),
    x.dtype,
    x.device,
    x.layout,
    x.is_leaf,
    x.type(),
)
print(x.max(dim=1), x.sort(dim=1), x.topk(1), x.median(1), x.cummax(1))
print(
    (*torch.Size([1, 2]), 3),
    torch.Size([2, 3]).numel(),
    tuple(torch.Size([1])),
    torch.zeros(2, 3).shape == (2, 3),
    list(torch.zeros(2, 3).size()),
)
torch.set_printoptions(precision=2, sci_mode=False)
print(torch.tensor([1.23456, 1e-6, 1e6]))
torch.set_printoptions(profile="default")
print(torch.nn.Parameter(torch.ones(2)), torch.nn.Parameter(torch.ones(1), requires_grad=False))
print(torch.arange(0, 1, 0.25), torch.linspace(-1, 1, 3), torch.logspace(0, 2, 3))
print(torch.float32, torch.int64, torch.bool, torch.finfo(torch.float32).eps, torch.iinfo(torch.int8).max)
