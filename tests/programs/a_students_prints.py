"""What a student prints on the way: parameters, gradients, graphs, types, schedules."""

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
# things a student prints
model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
for name, p in model.named_parameters():
    print(name, p)
    print(name, p.data, p.grad, p.shape, p.dtype, p.requires_grad, p.is_leaf)
x = torch.randn(4, 2)
out = model(x)
print(out)
loss = F.mse_loss(out, torch.zeros(4, 1))
print(loss, loss.item(), loss.detach(), loss.data, float(loss))
loss.backward()
for p in model.parameters():
    print(p.grad, p.grad.norm(), p.grad.abs().max())
print(model[0].weight.grad is not None, model[0].weight.grad.shape == model[0].weight.shape)
total_norm = torch.norm(torch.stack([torch.norm(p.grad.detach(), 2.0) for p in model.parameters()]), 2.0)
print(total_norm, sum(p.grad.pow(2).sum() for p in model.parameters()).sqrt())
print(torch.cat([p.grad.view(-1) for p in model.parameters()]).shape)
# graph inspection
a = torch.tensor(2.0, requires_grad=True)
b = torch.tensor(3.0, requires_grad=True)
c = a * b + a.sin()


def walk(f, depth=0):
    if f is None:
        return
    print(" " * depth + f.name().rpartition(":")[2])
    for g, _i in f.next_functions:
        walk(g, depth + 1)


walk(c.grad_fn)
print(type(c.grad_fn).__name__ in ("AddBackward0", "Node"), c.grad_fn.next_functions[0][1])
# type juggling
t = torch.tensor([1, 2, 3])
print(
    t.float().mean(),
    t.sum() / 2,
    t.sum() // 2,
    t.max().item() ** 2,
    (t * 1.0).dtype,
    (t + True).dtype,
    t.double() @ t.double(),
)
print(
    t.to(torch.uint8) - 2,
    torch.tensor([250], dtype=torch.uint8) + 10,
    torch.tensor([127], dtype=torch.int8) + 1,
    torch.tensor([1.9, -1.9]).int(),
    torch.tensor([float("nan")]).bool(),
)
print(
    torch.tensor(1e20).float(),
    torch.tensor(1e-45),
    torch.tensor(16777217.0),
    torch.tensor([0.1, 0.2]).sum() == 0.3,
    torch.tensor(0.1).double(),
    torch.tensor([1 / 3]).half(),
)
print(
    torch.tensor([1e-8, 1e8]),
    torch.tensor([123456.789]),
    torch.tensor([0.00012345]),
    torch.tensor([1.0, 1000000.0]),
    torch.tensor([99999.5]),
    torch.tensor([-0.0, 0.0]),
)
print(torch.arange(1001)[-3:], torch.arange(1001), torch.rand(1001).shape, torch.zeros(11, 100))
print(
    torch.tensor([[1.5, float("inf")], [float("-inf"), float("nan")]]),
    torch.tensor([True, False]).float(),
    torch.tensor([[True], [False]]),
)
print(torch.ones(1, 1, 1, 2), torch.zeros(2, 0, 3), torch.tensor([[[1]]]).shape, torch.empty(0).sum())
print(
    torch.ones(2, 3, dtype=torch.int32),
    torch.ones(2, dtype=torch.float64),
    torch.ones(2, dtype=torch.bool),
    torch.ones((), dtype=torch.int16),
)
# in-place relu then backward, dropout modes, repeated eval
m = nn.Sequential(nn.Linear(2, 4), nn.ReLU(inplace=True), nn.Dropout(0.5), nn.Linear(4, 1))
m(x).sum().backward()
print(m[0].weight.grad)
m.eval()
print(torch.equal(m(x), m(x)), m.training, m[2].training)
m.train()
print(torch.equal(m(x), m(x)))
for mod in m:
    if isinstance(mod, nn.Dropout):
        mod.p = 0.0
print(torch.equal(m(x), m(x)), m)
# one cycle, warm restarts by hand
o = torch.optim.SGD(m.parameters(), lr=0.1, momentum=0.9)
s = torch.optim.lr_scheduler.OneCycleLR(o, max_lr=0.5, total_steps=6)
lrs = []
for _ in range(6):
    lrs.append((round(o.param_groups[0]["lr"], 5), round(o.param_groups[0]["momentum"], 5)))
    o.step()
    if len(lrs) < 6:
        s.step()
print(lrs)
o.param_groups[0]["lr"] = 0.25
for g in o.param_groups:
    g["lr"] *= 0.5
print(o.param_groups[0]["lr"], o.defaults["lr"], len(o.state))
o.add_param_group({"params": [torch.zeros(1, requires_grad=True)], "lr": 1.0})
print([g["lr"] for g in o.param_groups], o)
s2 = torch.optim.lr_scheduler.MultiStepLR(o, milestones=[2, 4], gamma=0.1)
for _ in range(5):
    o.step()
    s2.step()
print(s2.get_last_lr(), s2.last_epoch, s2.state_dict()["milestones"])
# cross entropy with extra dims, ignore, weights, probs
lo = torch.randn(2, 3, 4)
ta = torch.randint(0, 3, (2, 4))
print(
    F.cross_entropy(lo, ta),
    F.cross_entropy(lo.transpose(1, 2).reshape(-1, 3), ta.reshape(-1)),
    F.cross_entropy(lo, ta, reduction="none").shape,
)
ta[0, 0] = -100
print(
    F.cross_entropy(lo, ta),
    F.cross_entropy(lo[:, :, 0], F.softmax(lo[:, :, 1], 1)),
    F.nll_loss(F.log_softmax(lo, 1), ta),
)
print(
    nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0, 0.5]))(lo[:, :, 0], ta[:, 1]),
    nn.BCEWithLogitsLoss(pos_weight=torch.tensor([2.0]))(torch.tensor([0.3]), torch.tensor([1.0])),
)
# embedding bag by hand, masks
e = nn.Embedding(6, 3, padding_idx=0)
ids = torch.tensor([[1, 2, 0], [3, 0, 0]])
mask = (ids != 0).unsqueeze(-1)
pooled = (e(ids) * mask).sum(1) / mask.sum(1)
pooled.sum().backward()
print(pooled, e.weight.grad)
print(nn.Embedding.from_pretrained(torch.eye(2))(torch.tensor([1])), F.embedding(torch.tensor([0]), torch.ones(1, 2)))
# broadcasting
print(
    (torch.arange(3).unsqueeze(1) * torch.arange(4)).shape,
    (torch.ones(2, 1, 3) + torch.ones(4, 1)).shape,
    torch.broadcast_shapes((2, 1), (1, 3)),
)
print(torch.arange(3)[:, None] == torch.arange(3)[None, :], torch.triu(torch.ones(3, 3), diagonal=1).bool())
d = (x.unsqueeze(1) - x.unsqueeze(0)).pow(2).sum(-1).sqrt()
print(d, d.argsort(dim=1)[:, 1])
