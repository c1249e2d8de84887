"""Networks saved, loaded, copied, converted and frozen."""

# ruff: noqa: E741  (written as such programs are)

import copy

import torch
import torch.nn as nn

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 2)
        self.bn = nn.BatchNorm1d(2)
        self.register_buffer("steps", torch.tensor(0))
        self.scale = nn.Parameter(torch.ones(1))
        self.layers = nn.ModuleList([nn.Linear(2, 2) for _ in range(2)])
        self.heads = nn.ModuleDict({"a": nn.Linear(2, 1), "b": nn.Linear(2, 3)})

    def forward(self, x, head="a"):
        x = self.bn(self.fc(x)) * self.scale
        for l in self.layers:
            x = torch.tanh(l(x)) + x
        self.steps += 1
        return self.heads[head](x)


net = Net()
print(net)
print(list(net.state_dict().keys()))
for n, p in net.named_parameters():
    print(n, tuple(p.shape), p.requires_grad)
print([n for n, _ in net.named_buffers()], [n for n, _ in net.named_modules()])
x = torch.randn(4, 3)
y = net(x)
print(net.steps, net.bn.num_batches_tracked, net.bn.running_mean)
sd = copy.deepcopy(net.state_dict())
twin = Net()
print(twin.load_state_dict(sd))
net.eval()
twin.eval()
print(torch.equal(net(x), twin(x)), torch.allclose(net(x, "b"), twin(x, "b")))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(3):
    opt.zero_grad()
    net(x).pow(2).mean().backward()
    opt.step()
sd2 = opt.state_dict()
print(sd2["param_groups"][0]["lr"], sorted(sd2["state"][0].keys()), sd2["state"][0]["step"])
opt2 = torch.optim.Adam(twin.parameters(), lr=0.5)
opt2.load_state_dict(sd2)
print(opt2.param_groups[0]["lr"])
del sd["fc.bias"]
try:
    twin.load_state_dict(sd)
except RuntimeError as e:
    print(str(e))
sd["nope"] = torch.zeros(1)
print(twin.load_state_dict(sd, strict=False))
sd["fc.weight"] = torch.zeros(5, 5)
try:
    twin.load_state_dict(sd, strict=False)
except RuntimeError as e:
    print(str(e))
c = copy.deepcopy(net)
c.fc.weight.data.fill_(0)
print(net.fc.weight.abs().sum() > 0, c.fc.weight.sum())
print(sum(p.numel() for p in net.parameters() if p.requires_grad))
for p in net.fc.parameters():
    p.requires_grad = False
print([n for n, p in net.named_parameters() if not p.requires_grad])
net.fc.weight = nn.Parameter(torch.ones(2, 3))
print(net.fc)
try:
    net.fc.weight = torch.ones(2, 3)
except TypeError as e:
    print(str(e)[:60])
print(net.double()(x.double()).dtype, net.float()(x).dtype)
new = {k: torch.zeros_like(v) for k, v in net.state_dict().items()}
net.load_state_dict(new, assign=True)
print(net.fc.weight, net.fc.weight.requires_grad)
net2 = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
net2[1].weight = net2[0].weight
print(len(list(net2.parameters())), list(net2.state_dict()))
