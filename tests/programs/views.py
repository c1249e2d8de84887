"""Views, and what is written through them and through indices."""

# ruff: noqa: E741  (written as such programs are)

import torch

base = torch.arange(12.0)
v = base.view(3, 4)
print(
    v._base is base,
    v.is_contiguous(),
    v.t().is_contiguous(),
    v.stride(),
    v.t().stride(),
    v[:, 1].stride(),
    v.data_ptr() == base.data_ptr(),
)
v[1] = -1
print(base)
r = v.reshape(4, 3)
r += 1
print(base[:3], v.t().reshape(-1)[:3], v.flatten()[0])
n = v.narrow(1, 1, 2)
n.zero_()
print(v)
s = v.select(0, 2)
s.fill_(7)
print(v[2], v.unbind(1)[0])
e = torch.ones(3, 1).expand(3, 2)
print(e.stride(), e.is_contiguous())
try:
    e.view(6)
except RuntimeError:
    print("view")
print(e.contiguous().view(6), e.reshape(6))
x = torch.randn(2, 3, requires_grad=True)
with torch.no_grad():
    y = x.view(6)
    y[0] = 0
print(x[0, 0].item(), x._version)
a = torch.zeros(2, 2)
b = a
b += 1
c = a + 1
print(a, b is a, c)
z = torch.ones(2, requires_grad=True)
w = z * 1
u = w[0]
w[0] = 5
print(u.detach(), w, u.requires_grad)
(u + w.sum()).backward()
print(z.grad)
p = torch.ones(4, requires_grad=True)
q = p.clone()
h1 = q[:2]
h1.mul_(2)
q.sum().backward()
print(p.grad, q)
k = torch.ones(2, 2, requires_grad=True)
m = k * 2
m.t().add_(torch.tensor([1.0, 2.0]))
m.sum().backward()
print(m, k.grad)
d = torch.ones(3, requires_grad=True)
f = d.detach()
f.mul_(3)
print(d)
g = d.data
g += 1
print(d, d._version)
i = torch.tensor([[1, 2], [3, 4]])
i[i > 2] = 0
i[:, 1] *= 10
i[0, :] = i[1, :]
i.T[0] = 9
print(i)
mask = torch.tensor([True, False, True])
t = torch.arange(3.0)
t[mask] += 10
t[~mask] = t[mask].sum()
print(t)
t[[0, 2]] = t[[2, 0]] * 2
t[t.argmax()] = -1
print(t, t[-1:], t[:-1], t[::2])
l = torch.arange(24).view(2, 3, 4)
print(l[1, 2, 3], l[..., 0], l[:, -1], l[0][1][2], l[:, [0, 2]][..., 1:3], l[torch.tensor([1]), :, torch.tensor([2])])
l[0, 1:, ::2] = torch.tensor([[1, 2], [3, 4]])
l[1, :, [0, 3]] = -5
print(l)
print(
    torch.stack([torch.arange(3)] * 2).T,
    torch.cat([torch.zeros(0), torch.ones(2)]),
    torch.arange(6).view(2, -1).unsqueeze(1).shape,
    torch.ones(1, 2, 1).squeeze().shape,
    torch.ones(2, 1).squeeze(0).shape,
)
print(
    torch.arange(4).view(2, 2).permute(1, 0).contiguous().view(-1),
    torch.arange(3).repeat(2, 2),
    torch.arange(3).repeat_interleave(2),
    torch.arange(3).expand(2, 3),
    torch.arange(4).split([1, 3]),
    torch.arange(5).chunk(2),
    torch.ones(2, 3).numel(),
)
o = torch.zeros(2, 3)
o[0] += torch.arange(3)
o[:, 0].add_(5)
o.unsqueeze_(0)
print(o.shape, o)
o.squeeze_(0).t_()
print(o.shape, o.is_contiguous())
o.copy_(torch.ones(2))
print(o)
o.index_fill_(0, torch.tensor([0]), 3).scatter_(1, torch.tensor([[0], [1], [0]]), 8.0).clamp_(max=7).masked_fill_(
    o == 1, 0
)
print(o, o.sum(1), (o == 7).nonzero())
print(
    torch.where(o > 3),
    torch.argwhere(o > 3),
    torch.take(o, torch.tensor([0, 5])),
    torch.gather(o, 1, torch.tensor([[0], [1], [0]])).squeeze(1),
)
