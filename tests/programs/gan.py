"""Two networks against each other, each with its optimizer; a gradient penalty."""

# ruff: noqa: N816, UP031  (written as such programs are)

import torch
import torch.nn as nn
import torch.optim as optim

torch.manual_seed(7)
G = nn.Sequential(nn.Linear(4, 16), nn.LeakyReLU(0.2), nn.BatchNorm1d(16), nn.Linear(16, 8), nn.Tanh())
D = nn.Sequential(nn.Linear(8, 16), nn.LeakyReLU(0.2, inplace=True), nn.Dropout(0.3), nn.Linear(16, 1), nn.Sigmoid())
print(G, D)


def weights_init(m):
    classname = m.__class__.__name__
    if classname.find("Linear") != -1:
        nn.init.normal_(m.weight.data, 0.0, 0.02)
        nn.init.constant_(m.bias.data, 0)


G.apply(weights_init)
D.apply(weights_init)
opt_g = optim.Adam(G.parameters(), lr=2e-4, betas=(0.5, 0.999))
opt_d = optim.Adam(D.parameters(), lr=2e-4, betas=(0.5, 0.999))
criterion = nn.BCELoss()
real_label, fake_label = 1.0, 0.0
for it in range(5):
    D.zero_grad()
    real = torch.randn(6, 8)
    label = torch.full((6,), real_label, dtype=torch.float)
    out = D(real).view(-1)
    errD_real = criterion(out, label)
    errD_real.backward()
    D_x = out.mean().item()
    noise = torch.randn(6, 4)
    fake = G(noise)
    label.fill_(fake_label)
    out = D(fake.detach()).view(-1)
    errD_fake = criterion(out, label)
    errD_fake.backward()
    D_G_z1 = out.mean().item()
    errD = errD_real + errD_fake
    opt_d.step()
    G.zero_grad()
    label.fill_(real_label)
    out = D(fake).view(-1)
    errG = criterion(out, label)
    errG.backward()
    opt_g.step()
    print("[%d] Loss_D: %.4f Loss_G: %.4f D(x): %.4f D(G(z)): %.4f" % (it, errD.item(), errG.item(), D_x, D_G_z1))
print(errD, errG)
# gradient penalty
alpha = torch.rand(6, 1)
inter = (alpha * real + (1 - alpha) * fake.detach()).requires_grad_(True)
d = D(inter)
g = torch.autograd.grad(
    outputs=d, inputs=inter, grad_outputs=torch.ones_like(d), create_graph=True, retain_graph=True, only_inputs=True
)[0]
gp = ((g.norm(2, dim=1) - 1) ** 2).mean() * 10
D.zero_grad()
gp.backward()
print(f"{gp.item():.5f}", [None if p.grad is None else round(p.grad.abs().sum().item(), 4) for p in D.parameters()])
for p in D.parameters():
    p.data.clamp_(-0.01, 0.01)
print(max(p.abs().max().item() for p in D.parameters()))
