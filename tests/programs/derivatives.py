"""Gradients of gradients, switches of recording, leaves and views."""

# ruff: noqa: E741  (written as such programs are)

import torch

torch.manual_seed(0)
x = torch.tensor(2.0, requires_grad=True)
y = x**3
(g1,) = torch.autograd.grad(y, x, create_graph=True)
(g2,) = torch.autograd.grad(g1, x, create_graph=True)
(g3,) = torch.autograd.grad(g2, x)
print(g1, g2, g3)
a = torch.randn(3, requires_grad=True)
b = torch.randn(3, requires_grad=True)
q = 3 * a**3 - b**2
q.backward(gradient=torch.tensor([1.0, 1.0, 1.0]))
print(9 * a**2 == a.grad, -2 * b == b.grad)
print(torch.autograd.functional.jacobian(lambda t: t.exp().cumsum(0), torch.ones(3)))
print(torch.autograd.functional.hessian(lambda t: (t**3).sum(), torch.arange(3.0)))
print(torch.autograd.functional.vjp(lambda t: t**2, torch.arange(3.0), torch.ones(3)))
print(torch.autograd.functional.jvp(lambda t: t**2, torch.arange(3.0), torch.ones(3)))
print(torch.func.grad(lambda t: (t**2).sum())(torch.arange(3.0)), torch.func.jacrev(lambda t: t**2)(torch.arange(3.0)))
with torch.no_grad():
    z = a * 2
print(z.requires_grad, torch.is_grad_enabled())


@torch.no_grad()
def f(t):
    return t * 2


print(f(a).requires_grad)
with torch.enable_grad():
    print((a * 1).requires_grad)
with torch.set_grad_enabled(False):
    print((a * 1).requires_grad)
with torch.inference_mode():
    i = a * 2
print(i.is_inference(), i.requires_grad)
d = a.detach()
d[0] = 5
print(a[0], d.requires_grad)
w = torch.ones(2, 2, requires_grad=True)
l = (w * w).sum()
l.backward(retain_graph=True)
l.backward()
print(w.grad)
try:
    l.backward()
except RuntimeError as e:
    print("twice", "retain_graph=True" in str(e))
w.grad.zero_()
(w * 2).sum().backward(inputs=[w])
print(w.grad)
n = w * 3
n.retain_grad()
n.sum().backward()
print(n.grad, n.is_leaf, w.is_leaf, n.grad_fn.next_functions[0][0].variable is w)
print(w.grad)
u = torch.ones(2, requires_grad=True)
v = u.clone()
v *= 2
v.sum().backward()
print(u.grad)
h = torch.rand(2, 3, requires_grad=True)
out = h.view(-1)[::2].sum() + h[0].max() + h.t()[1].prod()
out.backward()
print(h.grad)
k = torch.tensor([1.0, 2.0], requires_grad=True)
m = k.expand(3, 2)
m.sum().backward()
print(k.grad)
print(torch.autograd.grad(k.sum() * 0, k), torch.autograd.grad((k.prod(), k.sum()), k))
s = torch.zeros(1, requires_grad=True)
(s.sqrt() * 0).sum().backward()
print(s.grad)
e = torch.tensor([1.0, float("nan")], requires_grad=True)
torch.where(torch.isnan(e), torch.zeros_like(e), e**2).sum().backward()
print(e.grad)
t1 = torch.ones(2, requires_grad=True, dtype=torch.float64)
(t1.float() * torch.ones(2)).sum().backward()
print(t1.grad)
o = torch.ones(3, requires_grad=True)
p1, p2, p3 = o.unbind()
(p1 * p2 + p3).backward()
print(o.grad)
c = torch.tensor([3.0, 4.0], requires_grad=True)
c.norm().backward()
print(c.grad)
r = torch.arange(4.0, requires_grad=True)
torch.stack([r.min(), r.max(), r.median(), r.mean(), r.std()]).sum().backward()
print(r.grad)
