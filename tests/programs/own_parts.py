"""An optimizer, a schedule, layers and containers of a user's own."""

# ruff: noqa: B018, C408, E721, E741  (written as such programs are)

import copy
import itertools
import pickle

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler


class MySGD(Optimizer):
    def __init__(self, params, lr=0.1, momentum=0.0):
        super().__init__(params, dict(lr=lr, momentum=momentum))

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                st = self.state[p]
                if len(st) == 0:
                    st["buf"] = torch.zeros_like(p)
                    st["n"] = 0
                st["n"] += 1
                st["buf"].mul_(group["momentum"]).add_(p.grad)
                p.add_(st["buf"], alpha=-group["lr"])
        return loss


class Warm(LRScheduler):
    def get_lr(self):
        return [b * min(1.0, (self.last_epoch + 1) / 4) for b in self.base_lrs]


torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self, sizes, act=nn.ReLU):
        super().__init__()
        self.sizes = sizes
        layers = []
        for a, b in itertools.pairwise(sizes):
            layers += [nn.Linear(a, b), act()]
        self.body = nn.Sequential(*layers[:-1])
        self.temperature = nn.Parameter(torch.tensor(1.0))
        self.register_parameter("none", None)
        self.cache = {}

    def extra_repr(self):
        return f"sizes={self.sizes}"

    def forward(self, x):
        return self.body(x) / self.temperature


net = Net([3, 5, 2])
print(net)
opt = MySGD(net.parameters(), lr=0.1, momentum=0.9)
sched = Warm(opt)
print(opt)
x, y = torch.randn(6, 3), torch.randn(6, 2)


def closure():
    opt.zero_grad()
    l = nn.functional.mse_loss(net(x), y)
    l.backward()
    return l


for _ in range(5):
    print(f"{opt.step(closure).item():.5f}", [round(v, 4) for v in sched.get_last_lr()])
    sched.step()
print(opt.state[net.temperature]["n"], len(opt.state), opt.state_dict()["param_groups"])
best, best_state = float("inf"), None
for _epoch in range(4):
    l = opt.step(closure)
    if l < best:
        best, best_state = l.item(), copy.deepcopy(net.state_dict())
net.load_state_dict(best_state)
saved = pickle.loads(pickle.dumps(net.state_dict()))
clone = Net([3, 5, 2])
print(clone.load_state_dict(saved), torch.equal(clone(x), net(x)), type(saved).__name__)
twin = copy.deepcopy(net)
with torch.no_grad():
    for p in twin.parameters():
        p.zero_()
print(net.temperature, twin.temperature, [n for n, m in net.named_modules() if isinstance(m, nn.Linear)])
print([n for n, p in net.named_parameters()], net.none, hasattr(net, "foo"), "body" in dict(net.named_children()))
del net.cache
net.body[0] = nn.Linear(3, 5, bias=False)
print(net.body[0], net.body[-1].out_features, len(net.body), net.body[1:])


def init(m):
    if type(m) == nn.Linear:
        nn.init.xavier_uniform_(m.weight)
        if m.bias is not None:
            nn.init.constant_(m.bias, 0.1)


net.apply(init)
print(net.body[0].weight, net.body[2].bias)
for f in [
    nn.init.kaiming_uniform_,
    nn.init.kaiming_normal_,
    nn.init.xavier_normal_,
    nn.init.orthogonal_,
    nn.init.trunc_normal_,
]:
    w = torch.empty(3, 4)
    f(w)
    print(f.__name__, w[0])
print(
    nn.init.calculate_gain("relu"),
    nn.init.calculate_gain("tanh"),
    nn.init.eye_(torch.empty(2, 2)),
    nn.init.ones_(torch.empty(2)),
)


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Linear(4, 2)
        self.bias = nn.Parameter(torch.zeros(4))

    def forward(self, x):
        return nn.functional.linear(torch.sigmoid(self.enc(x)), self.enc.weight.t(), self.bias)


t = Tied()
out = t(torch.ones(2, 4))
out.sum().backward()
print(out, t.enc.weight.grad, out.grad_fn.name())


class Swish(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(x)


seq = nn.Sequential(nn.Linear(2, 2), Swish(), nn.Flatten())
print(seq, sum(1 for _ in seq.modules()), seq.training, seq.eval().training, seq[1].training)


class Residual(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x, *, scale=1.0):
        return x + scale * self.inner(x)


r = Residual(nn.Linear(2, 2))
print(r(torch.ones(1, 2), scale=0.5).shape, list(r.state_dict()))
ml = nn.ModuleList([nn.Linear(1, 1)])
ml.extend([nn.Linear(1, 2)])
ml.insert(0, nn.Identity())
print(ml, len(ml), ml[-1])
md = nn.ModuleDict({"x": nn.ReLU()})
md["y"] = nn.Tanh()
print(md, list(md.keys()), "x" in md, md.pop("x"))
try:
    nn.Linear(2, 2).foo
except AttributeError as e:
    print(e)
try:

    class Wrong(nn.Module):
        def __init__(self):
            self.l = nn.Linear(1, 1)

    Wrong()
except AttributeError as e:
    print(str(e)[:50])
p = nn.Parameter(torch.randn(2, 2))
print(p.requires_grad, isinstance(p, torch.Tensor), type(p.data).__name__, type(p * 1).__name__, p.grad)
print(
    nn.Linear(3, 2, dtype=torch.float64).weight.dtype,
    nn.Linear(3, 2).to(torch.float64).bias.dtype,
    nn.Linear(2, 2).half().weight.dtype,
)
print(nn.utils.clip_grad_value_(t.parameters(), 0.01), t.enc.weight.grad.max())
vec = nn.utils.parameters_to_vector(t.parameters())
nn.utils.vector_to_parameters(vec * 0, t.parameters())
print(vec.shape, t.bias)
