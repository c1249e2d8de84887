"""A recurrent network of linear layers learns a text letter by letter, and writes."""

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
text = "hello world, hello torch. " * 3
chars = sorted(set(text))
stoi = {c: i for i, c in enumerate(chars)}
data = torch.tensor([stoi[c] for c in text])


class RNN(nn.Module):
    def __init__(self, v, h=16):
        super().__init__()
        self.h = h
        self.i2h = nn.Linear(v + h, h)
        self.h2o = nn.Linear(h, v)

    def forward(self, x, h):
        h = torch.tanh(self.i2h(torch.cat((x, h), dim=1)))
        return self.h2o(h), h


V = len(chars)
m = RNN(V)
o = torch.optim.Adam(m.parameters(), lr=0.02)
for ep in range(5):
    h = torch.zeros(1, m.h)
    loss = 0
    for t in range(len(data) - 1):
        x = F.one_hot(data[t : t + 1], num_classes=V).float()
        y, h = m(x, h)
        loss = loss + F.nll_loss(F.log_softmax(y, dim=-1), data[t + 1 : t + 2])
        if (t + 1) % 20 == 0:
            o.zero_grad()
            (loss / 20).backward()
            n = nn.utils.clip_grad_norm_(m.parameters(), max_norm=1.0)
            o.step()
            h = h.detach()
            last = loss.item()
            loss = 0
    print(ep, f"{last:.4f} {n:.4f}")
m.eval()
h = torch.zeros(1, m.h)
c = data[0]
out = chars[c]
with torch.no_grad():
    for _ in range(20):
        y, h = m(F.one_hot(c.view(1), V).float(), h)
        c = torch.multinomial(F.softmax(y / 0.8, -1).view(-1), 1)[0]
        out += chars[c.item()]
print(out)
