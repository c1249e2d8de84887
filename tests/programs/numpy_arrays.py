"""Tensors beside NumPy arrays and Python numbers."""

# ruff: noqa: UP031  (written as such programs are)

import numpy as np
import torch

a = np.arange(6, dtype=np.float64).reshape(2, 3)
t = torch.from_numpy(a)
t[0, 0] = 100
print(a[0, 0], t.dtype, t)
print(
    torch.tensor(a).dtype,
    torch.as_tensor(a.astype(np.float32)).dtype,
    torch.Tensor(a).dtype,
    torch.tensor(np.float32(3)),
    torch.tensor(np.int64(3)),
)
print(
    torch.tensor([np.float64(1.5), 2]),
    torch.tensor(np.array([True, False])),
    torch.tensor([np.array([1, 2]), np.array([3, 4])]),
)
x = torch.ones(3, requires_grad=True)
print(x.detach().numpy(), type(x.detach().numpy()), np.asarray(torch.ones(2)), np.array(torch.arange(3)).dtype)
print(
    (torch.ones(2) * np.float64(2)).dtype,
    (torch.ones(2) + np.ones(2, dtype=np.float32)).dtype,
    (torch.ones(2, dtype=torch.float64) * 2).dtype,
)
print(
    torch.ones(2).double().numpy().dtype,
    torch.arange(3).numpy().sum(),
    len(torch.arange(3)),
    max(torch.tensor([1, 5, 2])),
    sum(torch.tensor([1, 5, 2])),
)
print(
    [round(v, 3) for v in torch.linspace(0, 1, 4).tolist()],
    torch.arange(3).tolist(),
    torch.tensor(2.5).tolist(),
    list(torch.arange(3)),
)
print(
    torch.ones(2, 2).numpy().T.flags["C_CONTIGUOUS"],
    torch.from_numpy(a.T).is_contiguous(),
    torch.from_numpy(a[:, ::2]).stride(),
)
b = torch.zeros(3)
n = b.numpy()
b += 1
n *= 5
print(b, n)
for v in torch.tensor([[1, 2], [3, 4]]):
    print(v, v.sum().item())
for i, (p, q) in enumerate(zip(torch.arange(2), torch.ones(2), strict=False)):
    print(i, p, q)
print(torch.tensor(3) == 3, torch.tensor(3) in [1, 2, 3], 3 in torch.arange(5), {torch.float32: 1}[torch.ones(1).dtype])
i = torch.tensor(2)
print([10, 20, 30][i], "abc"[torch.tensor(1)], range(10)[i], list(range(torch.tensor(3))))
print(
    round(torch.tensor(2.567).item(), 1),
    int(torch.tensor(3.9)),
    float(torch.tensor(2)),
    bool(torch.tensor(0)),
    torch.tensor(1.0).is_floating_point(),
)
print(f"{torch.tensor(3.14159):.2f} {torch.tensor(7)} {torch.tensor([1.0, 2.0])} {torch.tensor(5):d}")
print("%.3f %d %s" % (torch.tensor(1.23456), torch.tensor(5), torch.tensor(True)))
print(torch.is_tensor(a), torch.is_tensor(t), isinstance(t, torch.Tensor), t.__class__.__name__, type(t.shape).__name__)
print(
    torch.equal(torch.tensor([1, 2]), torch.tensor([1, 2])),
    torch.allclose(torch.tensor([1.0]), torch.tensor([1.0 + 1e-9])),
)
m = torch.arange(12).view(3, 4)
print(
    m[1:, ::2],
    m[-1],
    m[..., -1],
    m[:, None].shape,
    m[m % 2 == 0],
    m[[0, 2], [1, 3]],
    m[torch.tensor([[0], [2]]), torch.tensor([1, 3])],
)
print(
    m.sum(dim=(0, 1)),
    m.float().mean(dim=0),
    m.max(),
    m.argmax(),
    m.argmax(dim=1),
    m.min(dim=0).values,
    m.any(),
    m.all(dim=1),
)
print(
    m.to(torch.float16).dtype,
    m.bool()[0],
    m.byte().dtype,
    m.int().dtype,
    m.type(torch.float64).dtype,
    m.type_as(torch.ones(1)).dtype,
)
print(
    torch.cat((m, m), dim=1).shape,
    torch.stack([m, m], dim=-1).shape,
    torch.hstack([m, m]).shape,
    torch.vstack([m, m]).shape,
)
print(
    m.unique(),
    torch.unique(torch.tensor([3, 1, 3]), return_counts=True),
    torch.bincount(torch.tensor([0, 1, 1])),
    torch.nonzero(m > 9),
    (m > 9).nonzero(as_tuple=True),
)
print(
    torch.cdist(torch.zeros(1, 2), torch.ones(2, 2)),
    torch.cumsum(m, 1)[0],
    torch.diff(torch.tensor([1, 4, 9])),
    torch.flip(m, [0])[0],
    torch.roll(m, 1, 0)[0],
)
print(
    torch.isclose(torch.tensor(1.0), torch.tensor(1.0001)),
    torch.sort(torch.tensor([2, 1]), descending=True),
    torch.argsort(torch.tensor([3.0, 1.0])),
    torch.topk(torch.tensor([1.0, 3.0, 2.0]), 2).indices,
)
print(
    torch.meshgrid(torch.arange(2), torch.arange(2), indexing="ij")[0],
    torch.tril(torch.ones(2, 2)),
    torch.eye(2),
    torch.diag(torch.tensor([1, 2])),
    torch.outer(torch.arange(2), torch.arange(2)),
)
print(
    torch.clamp(torch.tensor([-1.0, 2.0]), 0, 1),
    torch.sign(torch.tensor([-2.0, 0.0])),
    torch.fmod(torch.tensor(-5), 3),
    torch.remainder(torch.tensor(-5), 3),
    torch.tensor(-5) // 2,
    torch.tensor(7.0) // 2,
    torch.tensor(-7) / 2,
)
print(
    torch.logical_and(torch.tensor([1, 0]), torch.tensor([1, 1])),
    ~torch.tensor([True]),
    torch.tensor([5]) & 3,
    torch.tensor([True]) ^ True,
)
print(
    torch.quantile(torch.arange(5.0), 0.25),
    torch.arange(5.0).median(),
    torch.var(torch.arange(5.0)),
    torch.std(torch.arange(5.0), unbiased=False),
    torch.histc(torch.tensor([1.0, 2.0, 1.0]), bins=4, min=0, max=3),
    torch.var_mean(torch.arange(4.0)),
)
