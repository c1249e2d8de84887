"""Hooks on tensors and modules."""

import torch
import torch.nn as nn

torch.manual_seed(3)
net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
acts = {}


def save(name):
    def hook(module, args, output):
        acts[name] = output.detach()

    return hook


handles = [m.register_forward_hook(save(n)) for n, m in net.named_children()]
x = torch.randn(5, 3)
out = net(x)
for k, v in acts.items():
    print(k, v.shape, v.mean())
for h in handles:
    h.remove()
acts.clear()
net(x)
print(acts)
pre = net[0].register_forward_pre_hook(lambda m, a: (a[0] * 0,))
print(net(x))
pre.remove()
grads = []
out = net(x)
out.register_hook(lambda g: grads.append(g.clone()))
out.retain_grad()
h = net[0].weight.register_hook(lambda g: g * 0)
out.pow(2).sum().backward()
print(grads[0].shape, out.grad.equal(grads[0]), net[0].weight.grad.abs().sum(), net[2].weight.grad.abs().sum())
h.remove()
log = []


def acc(p):
    log.append(p.grad.abs().sum().item() > 0)
    p.grad = None


for p in net.parameters():
    p.register_post_accumulate_grad_hook(acc)
net(x).sum().backward()
print(log, [p.grad for p in net.parameters()])
v = torch.ones(2, requires_grad=True)
order = []
v.register_hook(lambda g: order.append("a"))
v.register_hook(lambda g: order.append("b") or g * 2)
(v * 3).sum().backward()
print(order, v.grad)
m = v * 2
m.register_hook(lambda g: print("m", g))
n = m.exp()
n.register_hook(lambda g: g + 1)
n.sum().backward()
print(v.grad)
