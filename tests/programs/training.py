"""Training loops with every optimizer and schedule, closures, accumulation, frozen parts."""

# ruff: noqa: E741  (written as such programs are)

import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR, ExponentialLR, LambdaLR, ReduceLROnPlateau, StepLR

torch.manual_seed(1234)
x = torch.linspace(-math.pi, math.pi, 64)
y = torch.sin(x)
p = torch.tensor([1, 2, 3])
xx = x.unsqueeze(-1).pow(p)
model = nn.Sequential(nn.Linear(3, 1), nn.Flatten(0, 1))
loss_fn = nn.MSELoss(reduction="sum")
for name, opt in [
    ("sgd", torch.optim.SGD(model.parameters(), lr=1e-6, momentum=0.9, weight_decay=1e-4, nesterov=True)),
    ("rms", torch.optim.RMSprop(model.parameters(), lr=1e-3)),
    ("adagrad", torch.optim.Adagrad(model.parameters(), lr=1e-2)),
    ("adamw", torch.optim.AdamW(model.parameters(), lr=1e-3)),
    ("adam", torch.optim.Adam(model.parameters(), lr=1e-3, amsgrad=True)),
]:
    print(opt)
    for t in range(20):
        loss = loss_fn(model(xx), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        if t % 10 == 9:
            print(name, t, f"{loss.item():.4f}")
lin = model[0]
print(f"y = {lin.bias.item():.4f} + {lin.weight[:, 0].item():.4f} x + {lin.weight[:, 1].item():.4f} x^2")
opt = torch.optim.SGD([{"params": [lin.weight], "lr": 0.1}, {"params": [lin.bias]}], lr=0.01, momentum=0.5)
for sch in [
    StepLR(opt, 2, 0.5),
    CosineAnnealingLR(opt, 5),
    ExponentialLR(opt, 0.9),
    LambdaLR(opt, lambda e: 1 / (e + 1)),
]:
    lrs = []
    for _ in range(4):
        opt.step()
        sch.step()
        lrs.append([round(g["lr"], 6) for g in opt.param_groups])
    print(type(sch).__name__, lrs, [round(v, 6) for v in sch.get_last_lr()])
pl = ReduceLROnPlateau(opt, patience=1, factor=0.5)
for v in [1.0, 1.0, 1.0, 1.0, 0.5]:
    pl.step(v)
print([g["lr"] for g in opt.param_groups], pl.state_dict()["best"])
# classification
torch.manual_seed(0)
X = torch.randn(60, 5)
Y = (X[:, 0] * X[:, 1] > 0).long()
net = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 2))
opt = torch.optim.Adam(net.parameters(), lr=0.05)
for _epoch in range(10):
    net.train()
    perm = torch.randperm(60)
    for i in range(0, 60, 20):
        idx = perm[i : i + 20]
        opt.zero_grad()
        loss = F.cross_entropy(net(X[idx]), Y[idx])
        loss.backward()
        norm = nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        opt.step()
net.eval()
with torch.no_grad():
    out = net(X)
    pred = out.argmax(dim=1)
    acc = (pred == Y).float().mean()
    print(loss, norm, acc, (pred == Y).sum().item(), pred.eq(Y.view_as(pred)).sum())
    print(F.softmax(out[:2], dim=1), out[:2].softmax(-1).sum(1))
total, correct = 0, 0
_, predicted = torch.max(out.data, 1)
total += Y.size(0)
correct += (predicted == Y).sum().item()
print(f"Accuracy: {100 * correct // total} %")
# lbfgs style closure
w = torch.zeros(2, requires_grad=True)
opt = torch.optim.SGD([w], lr=0.1)


def closure():
    opt.zero_grad()
    l = ((w - torch.tensor([1.0, 2.0])) ** 2).sum()
    l.backward()
    return l


for _ in range(3):
    print(opt.step(closure))
print(w)
# accumulation of gradients
w.grad = None
for i in range(3):
    ((w * i).sum() / 3).backward()
print(w.grad)
opt.zero_grad(set_to_none=False)
print(w.grad)
opt.zero_grad()
print(w.grad)
# freeze, partial
for p in net[0].parameters():
    p.requires_grad_(False)
opt = torch.optim.SGD(filter(lambda p: p.requires_grad, net.parameters()), lr=0.1)
net(X).sum().backward()
print([p.grad is None for p in net[0].parameters()], len(opt.param_groups[0]["params"]))
try:
    torch.optim.SGD([], lr=0.1)
except ValueError as e:
    print(e)
try:
    torch.optim.SGD(net.parameters(), lr=-1)
except ValueError as e:
    print(e)
