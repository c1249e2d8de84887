"""Texts of different lengths, embedded, masked and averaged, are told apart."""

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
docs = [[1, 2, 3], [4, 5], [1, 5, 6, 7], [2, 2]]
labels = torch.tensor([0, 1, 1, 0])
L = max(map(len, docs))
ids = torch.zeros(4, L, dtype=torch.long)
mask = torch.zeros(4, L, dtype=torch.bool)
for i, d in enumerate(docs):
    ids[i, : len(d)] = torch.tensor(d)
    mask[i, : len(d)] = True


class C(nn.Module):
    def __init__(self):
        super().__init__()
        self.e = nn.Embedding(10, 6, padding_idx=0)
        self.f = nn.Linear(6, 2)
        self.d = nn.Dropout(0.1)

    def forward(self, x, m):
        h = self.e(x).masked_fill(~m.unsqueeze(-1), 0.0).sum(1) / m.sum(1, keepdim=True).clamp(min=1)
        return self.f(self.d(F.relu(h)))


m = C()
o = torch.optim.Adagrad(m.parameters(), lr=0.5)
for e in range(6):
    o.zero_grad()
    lg = m(ids, mask)
    loss = F.cross_entropy(lg, labels, weight=torch.tensor([1.0, 2.0]), label_smoothing=0.05)
    loss.backward()
    o.step()
    print(e, round(loss.item(), 4), (lg.argmax(1) == labels).float().mean().item())
print(m.e.weight[0], m.e.weight.grad[0], m)
m.eval()
p = F.softmax(m(ids, mask), -1)
print(p, p.max(dim=1), p.topk(1).indices.squeeze())
cm = torch.zeros(2, 2, dtype=torch.int64)
for t, q in zip(labels, p.argmax(1), strict=False):
    cm[t, q] += 1
print(cm, cm.diag().sum() / cm.sum())
