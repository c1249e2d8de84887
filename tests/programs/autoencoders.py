"""Autoencoders: denoising, contractive, sparse, variational, with codes; streams and samplers."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, Sampler, TensorDataset

torch.manual_seed(3)


class Digits(Dataset):
    def __init__(self, n, transform=None):
        self.x = (torch.rand(n, 1, 4, 4) > 0.5).float()
        self.y = torch.randint(0, 3, (n,))
        self.transform = transform

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        x = self.x[i]
        if self.transform:
            x = self.transform(x)
        return x, self.y[i]


class Denoise(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.ReLU(True), nn.Linear(8, 3))
        self.decoder = nn.Sequential(
            nn.Linear(3, 8), nn.ReLU(True), nn.Linear(8, 16), nn.Sigmoid(), nn.Unflatten(1, (1, 4, 4))
        )

    def forward(self, x):
        z = self.encoder(x)
        return self.decoder(z), z


loader = DataLoader(Digits(20, lambda x: x * 0.9), batch_size=6, shuffle=True)
model = Denoise()
print(model)
opt = torch.optim.Adam(model.parameters(), lr=1e-2, weight_decay=1e-5)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=4)
crit = nn.MSELoss()
for epoch in range(4):
    run = 0.0
    for _i, (img, _) in enumerate(loader):
        noisy = img + 0.1 * torch.randn_like(img)
        out, z = model(noisy)
        loss = crit(out, img) + 1e-3 * z.abs().mean() + 1e-4 * sum(p.pow(2.0).sum() for p in model.parameters())
        opt.zero_grad()
        loss.backward()
        opt.step()
        run += loss.item() * img.size(0)
    sched.step()
    print(f"epoch [{epoch + 1}/4], loss:{run / len(loader.dataset):.4f} lr {sched.get_last_lr()[0]:.5f}")
model.eval()
with torch.no_grad():
    codes = torch.cat([model.encoder(x) for x, _ in DataLoader(Digits(5), batch_size=2)])
print(codes.shape, codes.mean(0))
# contractive
x = torch.rand(3, 4, requires_grad=True)
W = torch.randn(2, 4, requires_grad=True)
h = torch.sigmoid(F.linear(x, W))
dh = h * (1 - h)
cl = torch.sum(torch.mm(dh**2, torch.sum(W**2, dim=1).view(-1, 1)))
cl.backward()
print(cl, W.grad.shape, x.grad[0])
J = torch.autograd.functional.jacobian(lambda t: torch.sigmoid(t @ W.t()).sum(0), x)
print(J.shape, (J**2).sum())
# sparse kl
rho = 0.05
rho_hat = torch.mean(torch.sigmoid(torch.randn(10, 4)), 0)
print(torch.sum(rho * torch.log(rho / rho_hat) + (1 - rho) * torch.log((1 - rho) / (1 - rho_hat))))
# vae pieces
mu, logvar = torch.randn(5, 2, requires_grad=True), torch.randn(5, 2, requires_grad=True)
std = logvar.mul(0.5).exp_()
eps = torch.empty_like(std).normal_()
z = eps.mul(std).add_(mu)
kld_el = mu.pow(2).add_(logvar.exp()).mul_(-1).add_(1).add_(logvar)
kld = torch.sum(kld_el).mul_(-0.5)
kld.backward(retain_graph=True)
z.sum().backward()
print(kld, mu.grad, logvar.grad)


def gaussian_nll(m, lv, t):
    return 0.5 * (lv + (t - m) ** 2 / lv.exp()).sum(-1).mean()


print(gaussian_nll(mu, logvar, torch.zeros(5, 2)), F.gaussian_nll_loss(mu, torch.zeros(5, 2), logvar.exp()))
ww = torch.logsumexp(torch.randn(4, 5), dim=1) - torch.log(torch.tensor(5.0))
print(ww.mean())
# gumbel softmax by hand, straight through
logits = torch.randn(3, 4, requires_grad=True)
g = -torch.log(-torch.log(torch.rand_like(logits)))
ys = F.softmax((logits + g) / 0.5, dim=-1)
hard = torch.zeros_like(ys).scatter_(-1, ys.argmax(-1, keepdim=True), 1.0)
yh = (hard - ys).detach() + ys
yh.sum().backward()
print(hard, logits.grad.abs().sum() < 1e-5)


# mmd
def mmd(a, b):
    def k(p, q):
        d = (p.unsqueeze(1) - q.unsqueeze(0)).pow(2).mean(2)
        return torch.exp(-d)

    return k(a, a).mean() + k(b, b).mean() - 2 * k(a, b).mean()


print(mmd(torch.randn(6, 2), torch.randn(6, 2)))


class Stream(IterableDataset):
    def __iter__(self):
        return iter(range(7))


print(list(DataLoader(Stream(), batch_size=3)))


class Backwards(Sampler):
    def __init__(self, d):
        self.d = d

    def __iter__(self):
        return iter(range(len(self.d) - 1, -1, -1))

    def __len__(self):
        return len(self.d)


ds = TensorDataset(torch.arange(4), torch.arange(4) * 2.0)
print(list(DataLoader(ds, batch_size=3, sampler=Backwards(ds))))
print(
    [
        tuple(t.shape for t in b)
        for b in DataLoader(
            ds,
            batch_size=2,
            drop_last=True,
            collate_fn=lambda items: (torch.stack([i[0] for i in items]), torch.stack([i[1] for i in items])),
        )
    ]
)
for red in ["mean", "sum", "none"]:
    print(
        F.binary_cross_entropy_with_logits(torch.tensor([0.5, -1.0]), torch.tensor([1.0, 0.0]), reduction=red),
        F.kl_div(torch.tensor([[-1.0, -0.5]]), torch.tensor([[0.4, 0.6]]), reduction=red),
        F.cross_entropy(torch.tensor([[1.0, 2.0, 0.5]]), torch.tensor([1]), reduction=red, label_smoothing=0.1),
    )
