"""A small GPT by hand: causal attention, tied weights, parameter groups, sampling from the best."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)


class Attn(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.qkv = nn.Linear(d, 3 * d, bias=False)
        self.o = nn.Linear(d, d)
        self.register_buffer("mask", torch.tril(torch.ones(16, 16)).view(1, 1, 16, 16))

    def forward(self, x):
        B, T, C = x.shape
        q, k, v = self.qkv(x).split(C, dim=2)
        q, k, v = [t.view(B, T, self.h, C // self.h).transpose(1, 2) for t in (q, k, v)]
        a = (q @ k.transpose(-2, -1)) / math.sqrt(k.size(-1))
        a = a.masked_fill(self.mask[:, :, :T, :T] == 0, float("-inf"))
        a = F.softmax(a, dim=-1)
        return self.o((a @ v).transpose(1, 2).contiguous().view(B, T, C))


class Block(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.l1 = nn.LayerNorm(d)
        self.a = Attn(d, h)
        self.l2 = nn.LayerNorm(d)
        self.m = nn.ModuleDict(
            {"up": nn.Linear(d, 4 * d), "act": nn.GELU(approximate="tanh"), "down": nn.Linear(4 * d, d)}
        )

    def forward(self, x):
        x = x + self.a(self.l1(x))
        h = self.l2(x)
        return x + self.m["down"](self.m["act"](self.m["up"](h)))


class GPT(nn.Module):
    def __init__(self, V=11, d=16, L=2):
        super().__init__()
        self.t = nn.Embedding(V, d)
        self.p = nn.Embedding(16, d)
        self.b = nn.ModuleList([Block(d, 4) for _ in range(L)])
        self.f = nn.LayerNorm(d)
        self.head = nn.Linear(d, V, bias=False)
        self.t.weight = self.head.weight

    def forward(self, i, y=None):
        x = self.t(i) + self.p(torch.arange(i.size(1), device=i.device))
        for b in self.b:
            x = b(x)
        lg = self.head(self.f(x))
        return lg, (None if y is None else F.cross_entropy(lg.view(-1, lg.size(-1)), y.view(-1), ignore_index=-1))


m = GPT()
print(m, sum(p.numel() for p in m.parameters()), len(list(m.parameters())))
dec = [p for p in m.parameters() if p.dim() >= 2]
no = [p for p in m.parameters() if p.dim() < 2]
o = torch.optim.AdamW(
    [{"params": dec, "weight_decay": 0.1}, {"params": no, "weight_decay": 0.0}], lr=1e-2, betas=(0.9, 0.95)
)
x = torch.randint(0, 11, (4, 10))
y = torch.roll(x, -1, 1)
y[:, -1] = -1
for i in range(8):
    _, loss = m(x, y)
    o.zero_grad(set_to_none=True)
    loss.backward()
    o.step()
    print(i, f"{loss.item():.4f}")
lg, _ = m(x[:1])
v, _ = torch.topk(lg[:, -1], 3)
lg = lg[:, -1].clone()
lg[lg < v[:, [-1]]] = -float("Inf")
print(F.softmax(lg, -1), torch.multinomial(F.softmax(lg, -1), 2))
