"""Flags, modes, hooks and copies: what a tensor allows and what it refuses."""

import copy
import threading

import torch
from torch import nn


def attempt(f):
    try:
        return f()
    except Exception as e:
        return type(e).__name__


x = torch.ones(2, requires_grad=True)


def setgrad(v):
    x.grad = v
    return x.grad


print(attempt(lambda: setgrad(torch.ones(2))), attempt(lambda: setgrad(None)))
(x * 2).sum().backward()
del x.grad
print(x.grad)
y = x * 2


def setrg(t, v):
    t.requires_grad = v
    return t.requires_grad


print(
    attempt(lambda: setrg(y, False)),
    attempt(lambda: setrg(y, True)),
    attempt(lambda: setrg(x, False)),
    attempt(lambda: setrg(x, True)),
)


def setshape():
    x.shape = (1, 2)


print(attempt(setshape))
x.note = "hello"
print(x.note, {x: 1}[x], x in {x}, len({x, y, x}))
p = nn.Parameter(torch.zeros(2, 2))
p.data = torch.ones(3)
print(p, p.shape)
p.data[0] = 5
print(p, p._version)


def bad_data():
    p.data = [1]


print(attempt(bad_data))
lin = nn.Linear(2, 2)
lin.weight.data.fill_(1)
lin.bias.data = torch.tensor([1.0, 2.0])
print(lin(torch.ones(1, 2)))
lin.weight.data = torch.zeros(3, 2)
print(attempt(lambda: lin(torch.ones(1, 2))), lin.weight.shape, lin)
try:
    with torch.no_grad():
        raise ValueError
except ValueError:
    pass
print(torch.is_grad_enabled())
ng = torch.no_grad()
with ng:
    with torch.enable_grad():
        print(torch.is_grad_enabled())
    print(torch.is_grad_enabled())
with ng:
    print((x * 1).requires_grad)
print(torch.is_grad_enabled())


@torch.no_grad()
def gen():
    yield torch.is_grad_enabled()
    yield (x * 1).requires_grad


print(list(gen()), torch.is_grad_enabled())
seen = []


def work():
    seen.append(torch.is_grad_enabled())


with torch.no_grad():
    t = threading.Thread(target=work)
    t.start()
    t.join()
print(seen)
torch.set_grad_enabled(False)
print((x * 1).requires_grad)
torch.set_grad_enabled(True)
a, b = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
torch.autograd.backward([(a * 2).sum(), (b * 3).sum()])
print(a.grad, b.grad)
torch.autograd.backward([a * 2, b], [torch.ones(2), torch.tensor([5.0, 6.0])])
print(a.grad, b.grad)
g = torch.autograd.grad([(a * b).sum(), a.sum()], [a, b], allow_unused=True)
print(g)
print(
    torch.autograd.grad(a.sum(), b, allow_unused=True),
    attempt(lambda: torch.autograd.grad(a.sum(), b)),
    torch.autograd.grad(a.sum(), [a, b], allow_unused=True, materialize_grads=True),
)
print(
    attempt(lambda: (a * 2).backward()),
    attempt(lambda: (a * 2).sum().backward(torch.ones(2))),
    attempt(lambda: a.sum().backward(inputs=[])),
)
with torch.no_grad():
    z = (a * 2).sum()
print(attempt(lambda: z.backward()))
h = []


def once(g):
    h.append(1)
    handle.remove()


handle = a.register_hook(once)
for _ in range(2):
    (a * 1).sum().backward()
print(h)
c = a.detach().requires_grad_()
d = c.clone()
print(c.is_leaf, c.requires_grad, d.is_leaf, d.grad_fn.name(), c.data_ptr() == a.data_ptr())
(d.exp() * 0).sum().backward()
print(c.grad)
e = copy.deepcopy(c)
print(e.grad, e.requires_grad, attempt(lambda: copy.deepcopy(d)), copy.copy(c).requires_grad)
opt = torch.optim.Adam([c], lr=0.1)
c.grad = torch.ones(2)
opt.step()
o2 = copy.deepcopy(opt)
o2.param_groups[0]["params"][0].grad = torch.ones(2)
o2.step()
print(c, o2.param_groups[0]["params"][0])
print(opt.zero_grad(), c.grad)
f = torch.zeros(3, requires_grad=True)
out = f + 1
out2 = out.detach()
out2[0] = 9
print(out, f)
out[1] = 7.0
out.sum().backward()
print(f.grad)
k = torch.randn(3, requires_grad=True)
w = k**2
w.retain_grad()
w.retain_grad()
w.sum().backward()
print(w.grad, w.retains_grad, k.retains_grad)
q = torch.ones(2, requires_grad=True)
r = q * 1
r.detach_()
print(r.requires_grad, r.is_leaf, attempt(lambda: q.view(2).detach_()))
s = torch.ones(2)
s.requires_grad_()
u = s.unsqueeze(0)
print(attempt(lambda: s.add_(1)), attempt(lambda: u.add_(1)), attempt(lambda: s.data.add_(1)), s)
v = torch.ones(2, requires_grad=True)
n = v.detach().numpy()
n[0] = 3
print(v)
print(
    attempt(lambda: torch.tensor([v[0], v[1]])),
    attempt(lambda: torch.stack([v[0], v[1]])),
    attempt(lambda: float(v[0])),
    attempt(lambda: v.tolist()),
    attempt(lambda: int(v.sum())),
)
print(
    attempt(lambda: v.sum().item()),
    f"{v.sum():.1f}",
    attempt(lambda: round(float(v.mean()), 2)),
    attempt(lambda: sorted(v.tolist())),
)
print(attempt(lambda: torch.from_numpy(v.numpy())), attempt(lambda: v * [1, 2]))
print(
    isinstance(v, torch.nn.Parameter),
    isinstance(nn.Parameter(v.detach()), torch.Tensor),
    torch.is_tensor(nn.Parameter(v.detach())),
)
print(
    v.__class__.__name__,
    nn.Parameter(torch.ones(1)).__class__.__name__,
    type(nn.Parameter(torch.ones(1)) + 1).__name__,
    type(nn.Parameter(torch.ones(1)).detach()).__name__,
)
big = torch.ones(3, 3)
big[range(3), range(3)] = 0
big[[0, 1], 2] = torch.tensor([4.0, 5.0])
big[2] = torch.tensor([7, 8, 9])
big[big > 6] -= 10
big[:, -1] = big.sum(1)
print(big)
print(
    attempt(lambda: big.__setitem__(5, 1)),
    attempt(lambda: big.__setitem__((0, 0), torch.ones(2))),
    attempt(lambda: big.__setitem__(0, torch.ones(2))),
    attempt(lambda: big.__setitem__(0, "a")),
    attempt(lambda: big.__setitem__(slice(None), [1, 2, 3])),
)
