"""What is changed in place, and what becomes of its history."""

import torch

x = torch.arange(12.0).reshape(3, 4).requires_grad_()
y = x * 2
y[0] = 0
print(y)
y[:, 1] += 5
print(y)
y.sum().backward()
print(x.grad)
z = x.clone()
z[z > 5] = -1
print(z)
z[torch.tensor([0, 2]), torch.tensor([1, 3])] = torch.tensor([100.0, 200.0])
print(z)
z.zero_()
print(z, z.requires_grad)
a = torch.zeros(4, 4)
a.diagonal().fill_(1)
a[1:3, 1:3].add_(10)
a.t()[0].mul_(7)
print(a)
b = a.view(2, 8)
b[0, 0] = 99
print(a[0, 0], b._base is a, a._version, b._version)
v = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
try:
    v.add_(1)
except RuntimeError:
    print("RuntimeError")
with torch.no_grad():
    v.add_(1)
print(v)
w = v * 3
s = w.sigmoid()
w.add_(1)
s.sum().backward()
print(v.grad)
t = v * 3
e = t * t
t.add_(1)
try:
    e.sum().backward()
except RuntimeError:
    print("stale")
u = torch.ones(3)
u += v.detach()
u -= 1
u *= 2
u /= 4
u **= 2
u //= 1
u %= 2
print(u)
i = torch.tensor([1, 2, 3])
i += 1
i *= 2
print(i)
try:
    i += 0.5
except RuntimeError as e:
    print("RuntimeError")
try:
    i /= 2
except RuntimeError:
    print("RuntimeError")
m = torch.zeros(3, 3)
m[1] = torch.tensor([1, 2, 3])
m[:, 0] = torch.arange(3)
m[2, 2] = True
m[-1][0] = 5
print(m)
m[[0, 1]] = m[[1, 0]]
print(m)
m.fill_diagonal_(0)
print(m, m.tril(), m.triu(1))
m[m == 0] = float("nan")
print(m, m.isnan().sum(), torch.nan_to_num(m, nan=-1.0))
