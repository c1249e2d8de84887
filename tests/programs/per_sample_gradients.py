"""Derivatives as functions: Jacobians, Hessians, gradients of single examples, the method of Newton."""

import torch
import torch.nn as nn
from torch.autograd.functional import hessian, hvp, jacobian, jvp, vjp
from torch.func import functional_call, grad, grad_and_value, jacfwd, jacrev

torch.manual_seed(0)
A = torch.randn(3, 3)
f = lambda x: (A @ x).tanh()
x = torch.randn(3)
print(jacobian(f, x))
print(hessian(lambda x: (f(x) ** 2).sum(), x))
print(vjp(f, x, torch.ones(3)))
print(jvp(f, x, torch.ones(3)))
print(hvp(lambda x: (x**3).sum(), x, torch.ones(3)))
print(jacrev(f)(x))
print(torch.allclose(jacrev(f)(x), jacfwd(f)(x)))
print(grad(lambda x: (x**2).sum())(x), grad_and_value(lambda x: x.sin().sum())(x))
net = nn.Linear(3, 1)
params = {k: v.detach() for k, v in net.named_parameters()}


def loss(params, x, y):
    return ((functional_call(net, params, (x,)) - y) ** 2).mean()


X = torch.randn(4, 3)
Y = torch.randn(4, 1)
per = [grad(loss)(params, X[i : i + 1], Y[i : i + 1]) for i in range(4)]
print({k: torch.stack([p[k] for p in per]).shape for k in per[0]})
mean = {k: torch.stack([p[k] for p in per]).mean(0) for k in per[0]}
print(mean)
((net(X) - Y) ** 2).mean().backward()
print(torch.allclose(net.weight.grad, mean["weight"], atol=1e-6))
# newton
t = torch.tensor(2.0, requires_grad=True)
for i in range(5):
    y = t**3 - 2 * t - 5
    (g,) = torch.autograd.grad(y, t, create_graph=True)
    (h,) = torch.autograd.grad(g, t)
    t = (t - y / g).detach().requires_grad_()
    print(i, t.item(), h)
