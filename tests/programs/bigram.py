"""A bigram model, then a small network whose gradients are also derived by hand."""

# ruff: noqa: B007, N816  (written as such programs are)

import itertools

import torch
import torch.nn.functional as F

words = ["emma", "olivia", "ava", "isabella", "sophia", "mia", "amelia", "noah", "liam"]
chars = sorted(set("".join(words)))
stoi = {s: i + 1 for i, s in enumerate(chars)}
stoi["."] = 0
itos = {i: s for s, i in stoi.items()}
V = len(stoi)
N = torch.zeros((V, V), dtype=torch.int32)
for w in words:
    chs = [".", *list(w), "."]
    for a, b in itertools.pairwise(chs):
        N[stoi[a], stoi[b]] += 1
print(N[0], N.sum(), N[:, 1].tolist(), N[1, 2].item())
P = (N + 1).float()
P /= P.sum(1, keepdim=True)
print(round(P[0].sum().item(), 4), P.shape)
g = torch.Generator().manual_seed(2147483647)
for _ in range(3):
    out, ix = [], 0
    while True:
        ix = torch.multinomial(P[ix], num_samples=1, replacement=True, generator=g).item()
        out.append(itos[ix])
        if ix == 0 or len(out) > 20:
            break
    print("".join(out))
log_likelihood, n = 0.0, 0
for w in words[:2]:
    for a, b in zip("." + w, w + ".", strict=False):
        log_likelihood += torch.log(P[stoi[a], stoi[b]])
        n += 1
print(f"{log_likelihood:.4f}", f"{-log_likelihood / n:.4f}")
xs, ys = [], []
for w in words:
    for a, b in zip("." + w, w + ".", strict=False):
        xs.append(stoi[a])
        ys.append(stoi[b])
xs, ys = torch.tensor(xs), torch.tensor(ys)
num = xs.nelement()
W = torch.randn((V, V), generator=g, requires_grad=True)
for k in range(5):
    xenc = F.one_hot(xs, num_classes=V).float()
    logits = xenc @ W
    counts = logits.exp()
    probs = counts / counts.sum(1, keepdims=True)
    loss = -probs[torch.arange(num), ys].log().mean() + 0.01 * (W**2).mean()
    print(round(loss.item(), 4))
    W.grad = None
    loss.backward()
    W.data += -50 * W.grad
C = torch.randn((V, 2), generator=g)
W1, b1 = torch.randn((6, 20), generator=g) * (5 / 3) / (6**0.5), torch.randn(20, generator=g) * 0.01
W2, b2 = torch.randn((20, V), generator=g) * 0.1, torch.zeros(V)
bngain, bnbias = torch.ones((1, 20)), torch.zeros((1, 20))
parameters = [C, W1, b1, W2, b2, bngain, bnbias]
print(sum(p.nelement() for p in parameters))
for p in parameters:
    p.requires_grad = True
context = torch.stack([xs.roll(i) for i in range(3)], 1)
ix = torch.randint(0, context.shape[0], (8,), generator=g)
Xb, Yb = context[ix], ys[ix]
emb = C[Xb]
embcat = emb.view(emb.shape[0], -1)
hprebn = embcat @ W1 + b1
bnmeani = 1 / 8 * hprebn.sum(0, keepdim=True)
bndiff = hprebn - bnmeani
bnvar = 1 / (8 - 1) * (bndiff**2).sum(0, keepdim=True)
bnvar_inv = (bnvar + 1e-5) ** -0.5
bnraw = bndiff * bnvar_inv
hpreact = bngain * bnraw + bnbias
h = torch.tanh(hpreact)
logits = h @ W2 + b2
logit_maxes = logits.max(1, keepdim=True).values
norm_logits = logits - logit_maxes
counts = norm_logits.exp()
counts_sum_inv = counts.sum(1, keepdims=True) ** -1
probs = counts * counts_sum_inv
logprobs = probs.log()
loss = -logprobs[range(8), Yb].mean()
for p in parameters:
    p.grad = None
for t in [
    logprobs,
    probs,
    counts,
    norm_logits,
    logit_maxes,
    logits,
    h,
    hpreact,
    bnraw,
    bnvar_inv,
    bnvar,
    bndiff,
    hprebn,
    embcat,
    emb,
]:
    t.retain_grad()
loss.backward()
print(loss)
dlogits = F.softmax(logits, 1)
dlogits[range(8), Yb] -= 1
dlogits /= 8
print(torch.allclose(dlogits, logits.grad, atol=1e-7), (dlogits - logits.grad).abs().max().item() < 1e-7)
dhpreact = (1.0 - h**2) * (dlogits @ W2.T)
dbnbias = dhpreact.sum(0, keepdim=True)
dhprebn = bngain * bnvar_inv / 8 * (8 * dhpreact - dhpreact.sum(0) - 8 / 7 * bnraw * (dhpreact * bnraw).sum(0))
dC = torch.zeros_like(C)
demb = (dhprebn @ W1.T).view(emb.shape)
for k in range(Xb.shape[0]):
    for j in range(Xb.shape[1]):
        dC[Xb[k, j]] += demb[k, j]
for name, ours, p in [("bnbias", dbnbias, bnbias), ("hprebn", dhprebn, hprebn), ("C", dC, C), ("emb", demb, emb)]:
    print(name, torch.allclose(ours, p.grad, atol=1e-6), torch.all(ours == p.grad).item() in (True, False))
with torch.no_grad():
    for p in parameters:
        p.data += -0.1 * p.grad
    print(((h.abs() > 0.99).float().mean() * 100).item(), h.std(), hpreact.mean(0, keepdim=True).shape)
