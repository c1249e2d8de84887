"""A transformer, a recurrent network, a codebook; layers, activations and losses."""

# ruff: noqa: E741  (written as such programs are)

import math

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)


class Attention(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.heads, self.d = heads, d
        self.qkv = nn.Linear(d, 3 * d, bias=False)
        self.proj = nn.Linear(d, d)
        self.register_buffer("mask", torch.tril(torch.ones(8, 8)).view(1, 1, 8, 8))

    def forward(self, x):
        B, T, C = x.size()
        q, k, v = self.qkv(x).split(self.d, dim=2)
        q, k, v = (t.view(B, T, self.heads, C // self.heads).transpose(1, 2) for t in (q, k, v))
        att = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(k.size(-1)))
        att = att.masked_fill(self.mask[:, :, :T, :T] == 0, float("-inf"))
        att = F.softmax(att, dim=-1)
        y = (att @ v).transpose(1, 2).contiguous().view(B, T, C)
        return self.proj(y)


class Block(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.ln1, self.ln2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.attn = Attention(d, heads)
        self.mlp = nn.Sequential(nn.Linear(d, 4 * d), nn.GELU(), nn.Linear(4 * d, d), nn.Dropout(0.1))

    def forward(self, x):
        x = x + self.attn(self.ln1(x))
        return x + self.mlp(self.ln2(x))


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.tok, self.pos = nn.Embedding(11, 16), nn.Embedding(8, 16)
        self.blocks = nn.Sequential(*[Block(16, 2) for _ in range(2)])
        self.ln = nn.LayerNorm(16)
        self.head = nn.Linear(16, 11)
        self.apply(self._init)

    def _init(self, m):
        if isinstance(m, nn.Linear):
            torch.nn.init.normal_(m.weight, mean=0.0, std=0.02)
            if m.bias is not None:
                torch.nn.init.zeros_(m.bias)
        elif isinstance(m, nn.Embedding):
            torch.nn.init.normal_(m.weight, mean=0.0, std=0.02)

    def forward(self, idx, targets=None):
        _B, T = idx.shape
        x = self.tok(idx) + self.pos(torch.arange(T, device=idx.device))
        logits = self.head(self.ln(self.blocks(x)))
        loss = (
            None
            if targets is None
            else F.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1), ignore_index=-1)
        )
        return logits, loss

    @torch.no_grad()
    def generate(self, idx, n):
        for _ in range(n):
            logits, _ = self(idx[:, -8:])
            probs = F.softmax(logits[:, -1, :] / 0.8, dim=-1)
            v, _ = torch.topk(probs, 5)
            probs[probs < v[:, [-1]]] = 0
            idx = torch.cat((idx, torch.multinomial(probs, num_samples=1)), dim=1)
        return idx


model = GPT()
print(model)
print(sum(p.numel() for p in model.parameters()))
data = torch.randint(0, 11, (64,))
decay = {pn for pn, p in model.named_parameters() if p.dim() >= 2}
opt = torch.optim.AdamW(
    [
        {"params": [p for n, p in model.named_parameters() if n in decay], "weight_decay": 0.1},
        {"params": [p for n, p in model.named_parameters() if n not in decay], "weight_decay": 0.0},
    ],
    lr=3e-3,
    betas=(0.9, 0.95),
)
for it in range(4):
    ix = torch.randint(len(data) - 8, (4,))
    x = torch.stack([data[i : i + 8] for i in ix])
    y = torch.stack([data[i + 1 : i + 9] for i in ix])
    logits, loss = model(x, y)
    opt.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    opt.step()
    print(it, f"{loss.item():.4f}")
model.eval()
print(model.generate(torch.zeros((1, 1), dtype=torch.long), 6))


class RNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.i2h = nn.Linear(3 + 5, 5)
        self.h2o = nn.Linear(5, 2)

    def forward(self, x, h):
        h = torch.tanh(self.i2h(torch.cat((x, h), 1)))
        return F.log_softmax(self.h2o(h), dim=1), h


rnn = RNN()
h = torch.zeros(2, 5)
for _t in range(6):
    o, h = rnn(torch.randn(2, 3), h)
l = F.nll_loss(o, torch.tensor([0, 1]))
l.backward()
print(l, rnn.i2h.weight.grad.norm())


class VQ(nn.Module):
    def __init__(self):
        super().__init__()
        self.book = nn.Embedding(6, 4)
        self.book.weight.data.uniform_(-1 / 6, 1 / 6)

    def forward(self, z):
        d = (z**2).sum(1, keepdim=True) + (self.book.weight**2).sum(1) - 2 * torch.matmul(z, self.book.weight.t())
        i = torch.argmin(d, dim=1).unsqueeze(1)
        one = torch.zeros(i.shape[0], 6)
        one.scatter_(1, i, 1)
        q = torch.matmul(one, self.book.weight)
        loss = F.mse_loss(q.detach(), z) + 0.25 * F.mse_loss(q, z.detach())
        q = z + (q - z).detach()
        avg = torch.mean(one, dim=0)
        return loss, q, torch.exp(-torch.sum(avg * torch.log(avg + 1e-10)))


vq = VQ()
z = torch.randn(5, 4, requires_grad=True)
l, q, per = vq(z)
(l + q.sum()).backward()
print(l, per, z.grad[0], vq.book.weight.grad.abs().sum())
bn = nn.BatchNorm1d(4)
for _ in range(2):
    bn(torch.randn(6, 4))
bn.eval()
print(bn.running_mean, bn.running_var, bn(torch.ones(1, 4)), bn.num_batches_tracked)
for act in [
    nn.ReLU(),
    nn.LeakyReLU(0.1),
    nn.ELU(),
    nn.SELU(),
    nn.GELU(),
    nn.SiLU(),
    nn.Softplus(),
    nn.Tanh(),
    nn.Sigmoid(),
    nn.Hardtanh(),
    nn.ReLU6(),
    nn.LogSigmoid(),
    nn.Softmax(dim=0),
    nn.LogSoftmax(dim=0),
    nn.PReLU(),
    nn.Mish(),
    nn.Softsign(),
    nn.Hardswish(),
    nn.Identity(),
    nn.CELU(),
]:
    print(act, act(torch.tensor([-1.0, 0.5])))
for crit in [
    nn.MSELoss(),
    nn.L1Loss(),
    nn.SmoothL1Loss(),
    nn.HuberLoss(),
    nn.BCEWithLogitsLoss(),
    nn.KLDivLoss(reduction="batchmean"),
]:
    print(crit, crit(torch.tensor([[0.2, -0.3]]), torch.tensor([[0.5, 0.5]])))
print(
    nn.Flatten()(torch.ones(2, 3, 4)).shape,
    nn.Unflatten(1, (2, 2))(torch.ones(3, 4)).shape,
    nn.Sequential(nn.Linear(2, 2), nn.ReLU())[0:1],
)
seq = nn.Sequential()
seq.add_module("a", nn.Linear(2, 2))
seq.append(nn.Tanh())
print(seq, len(seq), [type(m).__name__ for m in seq])
print(
    nn.utils.parameters_to_vector(seq.parameters()).shape,
    F.pad(torch.ones(1, 2), (1, 1), value=9),
    F.normalize(torch.tensor([[3.0, 4.0]])),
    F.cosine_similarity(torch.ones(1, 2), torch.ones(1, 2)),
)
