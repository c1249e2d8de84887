"""Regressions, a perceptron, attacks, Newton steps, learning to learn and k-means, by hand."""

# ruff: noqa: E741  (written as such programs are)

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(42)
true_w, true_b = torch.tensor([2, -3.4]), 4.2
X = torch.normal(0, 1, (100, 2))
y = X @ true_w + true_b
y += torch.normal(0, 0.01, y.shape)
w = torch.normal(0, 0.01, size=(2, 1), requires_grad=True)
b = torch.zeros(1, requires_grad=True)


def data_iter(batch_size, features, labels):
    idx = torch.randperm(len(features))
    for i in range(0, len(features), batch_size):
        j = idx[i : min(i + batch_size, len(features))]
        yield features[j], labels[j]


def sgd(params, lr, batch_size):
    with torch.no_grad():
        for p in params:
            p -= lr * p.grad / batch_size
            p.grad.zero_()


for epoch in range(3):
    for xb, yb in data_iter(10, X, y):
        l = (xb @ w + b - yb.reshape((xb @ w).shape)) ** 2 / 2
        l.sum().backward()
        sgd([w, b], 0.03, 10)
    with torch.no_grad():
        t = ((X @ w + b).squeeze() - y) ** 2 / 2
        print(f"epoch {epoch + 1}, loss {float(t.mean()):.4f}")
print(f"error in w: {(true_w - w.reshape(true_w.shape)).abs().max():.4f}, b: {(true_b - b).item():.4f}")
print(w.grad, b.grad, w.is_leaf)
# softmax regression by hand
W = torch.normal(0, 0.01, size=(5, 3), requires_grad=True)


def softmax(X):
    e = torch.exp(X - X.max(1, keepdim=True)[0])
    return e / e.sum(1, keepdim=True)


def ce(p, y):
    return -torch.log(p[range(len(p)), y])


Z = torch.randn(30, 5)
c = (Z @ torch.randn(5, 3)).argmax(1)
for _i in range(40):
    l = ce(softmax(Z @ W), c).mean()
    l.backward()
    with torch.no_grad():
        W -= 1.0 * W.grad
        W.grad = None
p = softmax(Z @ W)
print(f"{l.item():.4f}", (p.argmax(axis=1).type(c.dtype) == c).float().mean())
conf = torch.zeros(3, 3, dtype=torch.int64)
for t_, q in zip(c, p.argmax(1), strict=False):
    conf[t_.long(), q.long()] += 1
print(conf, conf.diag() / conf.sum(1), torch.bincount(c * 3 + p.argmax(1), minlength=9).reshape(3, 3))
# perceptron / xor
X = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
Y = torch.tensor([[0.0], [1.0], [1.0], [0.0]])
torch.manual_seed(1)
m = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1), nn.Sigmoid())
o = torch.optim.Adam(m.parameters(), lr=0.05)
for _ in range(200):
    o.zero_grad()
    l = nn.BCELoss()(m(X), Y)
    l.backward()
    o.step()
print(m(X).round(), (m(X) > 0.5).float().eq(Y).all())
# FGSM and saliency
x = X.clone().requires_grad_(True)
F.binary_cross_entropy(m(x), Y).backward()
print(x.grad.data.sign(), torch.clamp(x + 0.1 * x.grad.sign(), 0, 1))


# newton
def f(v):
    return (v[0] - 1) ** 4 + (v[1] + 2) ** 2 + v[0] * v[1]


v = torch.tensor([3.0, 3.0])
for _ in range(6):
    g = torch.autograd.functional.jacobian(f, v)
    H = torch.autograd.functional.hessian(f, v)
    v = v - torch.linalg.solve(H, g)
print(v)
# inner loop
theta = torch.tensor([1.0, 2.0], requires_grad=True)
fast = theta
for _ in range(3):
    (g,) = torch.autograd.grad((fast**2).sum(), fast, create_graph=True)
    fast = fast - 0.1 * g
(fast - 1).pow(2).sum().backward()
print(theta.grad)
# ema
ema = [p.detach().clone() for p in m.parameters()]
for e, p in zip(ema, m.parameters(), strict=False):
    e.mul_(0.9).add_(p.detach(), alpha=0.1)
    e.lerp_(p.detach(), 0.5)
print(ema[1])
# kmeans
pts = torch.cat([torch.randn(20, 2) + 4, torch.randn(20, 2) - 4])
cen = pts[torch.randperm(40)[:2]].clone()
for _ in range(5):
    a = torch.cdist(pts, cen).argmin(1)
    for k in range(2):
        if (a == k).any():
            cen[k] = pts[a == k].mean(0)
print(cen.sort(0)[0], a.unique(return_counts=True))
