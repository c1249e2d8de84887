"""Programs written for PyTorch print the same with only their import lines changed."""

import contextlib
import io

import pytest

TUTORIAL = """
import torch
import torch.nn as nn
from torch.nn import functional as F
from torch import optim

torch.manual_seed(0)
zero = torch.tensor([[0., 1, 1, 1, 0], [1, 0, 0, 0, 1], [1, 0, 0, 0, 1], [1, 0, 0, 0, 1], [0, 1, 1, 1, 0]])
print(zero)
print(zero.shape, zero.dtype, zero.flatten())

class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(25, 10)
        self.decoder = nn.Linear(10, 25)

    def forward(self, x):
        return torch.sigmoid(self.decoder(torch.relu(self.encoder(x))))

model = Autoencoder()
print(model)
x = zero.view(1, 25)
out = model(x)
print(out.grad_fn.name(), out.requires_grad, out.shape)
optimizer = optim.SGD(model.parameters(), lr=0.5)
print(optimizer)
criterion = nn.BCELoss()
for epoch in range(30):
    optimizer.zero_grad()
    loss = criterion(model(x), x)
    loss.backward()
    optimizer.step()
    print(epoch, f"{loss.item():.5f}")
print((model(x) > 0.5).int().view(5, 5))
print([tuple(p.shape) for p in model.parameters()], sum(p.numel() for p in model.parameters()))
print(list(model.state_dict()))
"""

VAE = """
import torch
from torch import nn, optim
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(1)

class VAE(nn.Module):
    def __init__(self):
        super(VAE, self).__init__()
        self.fc1 = nn.Linear(64, 32)
        self.fc21 = nn.Linear(32, 4)
        self.fc22 = nn.Linear(32, 4)
        self.fc3 = nn.Linear(4, 32)
        self.fc4 = nn.Linear(32, 64)

    def encode(self, x):
        h1 = F.relu(self.fc1(x))
        return self.fc21(h1), self.fc22(h1)

    def reparameterize(self, mu, logvar):
        std = torch.exp(0.5 * logvar)
        eps = torch.randn_like(std)
        return mu + eps * std

    def forward(self, x):
        mu, logvar = self.encode(x.view(-1, 64))
        z = self.reparameterize(mu, logvar)
        return torch.sigmoid(self.fc4(F.relu(self.fc3(z)))), mu, logvar

def loss_function(recon_x, x, mu, logvar):
    BCE = F.binary_cross_entropy(recon_x, x.view(-1, 64), reduction="sum")
    KLD = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return BCE + KLD

data = (torch.rand(200, 8, 8) > 0.7).float()
loader = DataLoader(TensorDataset(data), batch_size=32, shuffle=True)
device = torch.device("cpu")
model = VAE().to(device)
optimizer = optim.Adam(model.parameters(), lr=1e-3)
print(model)
print(optimizer)
for epoch in range(3):
    model.train()
    total = 0
    for (batch,) in loader:
        optimizer.zero_grad()
        recon, mu, logvar = model(batch)
        loss = loss_function(recon, batch, mu, logvar)
        loss.backward()
        total += loss.item()
        optimizer.step()
    print(epoch, f"{total / len(loader.dataset):.3f}")
model.eval()
with torch.no_grad():
    sample = torch.sigmoid(model.fc4(F.relu(model.fc3(torch.randn(2, 4)))))
    print(sample.shape, sample.requires_grad)
"""

TOUR = """
import torch

torch.manual_seed(3)
a = torch.arange(6).reshape(2, 3)
print(a, a.T, a.float().mean(), a.sum(dim=0), a.max(dim=1))
x = torch.tensor([1.5, -2.0, 0.0], requires_grad=True)
print(x, x * 2, x.exp().sum(), (x > 0), x.relu())
y = (x ** 2).sum()
y.backward()
print(y, x.grad, y.grad_fn.next_functions[0][0].name())
print(torch.rand(3), torch.randn(2, 2), torch.randperm(5), torch.randint(0, 10, (4,)), torch.randn(20)[:3])
print(torch.zeros(2, 0), torch.eye(2, dtype=torch.float64), torch.linspace(0, 1, 5), torch.full((2,), 7))
print(torch.ones(30, 40), torch.tensor(3.14159), torch.tensor([1e-8, 1.0, 1e8]), torch.tensor([True, False]))
print(torch.cat([a, a]).shape, torch.stack([a, a]).shape, a.view(-1)[1:4], a[:, [0, 2]], a[a > 2])
values, indices = torch.tensor([3.0, 1.0, 2.0]).sort()
print(values, indices, torch.topk(torch.tensor([3.0, 1.0, 2.0]), 2))
print(torch.einsum("ij,kj->ik", a, a), (a @ a.T).tolist(), a.dtype, a.size(), a.size(1), len(a), a.numel())
print(torch.where(x > 0, x, 0.0), x.clamp(-1, 1), torch.softmax(x.detach(), dim=0))
print(f"{y.item():.3f} {y:.2f}", 2.0 in x, bool(y), int(a[1, 2]), [int(v) for v in a[0]])
with torch.no_grad():
    x += 1
    x[0] = 9
print(x, x._version > 0, x.is_leaf, x.detach().numpy())
print(torch.Size([2, 3]), torch.float32, torch.tensor(1).dtype, torch.device("cpu"), x.device)
print(torch.std(torch.tensor([1.0, 2.0, 4.0])), torch.var(torch.tensor([[1.0, 2.0], [3.0, 5.0]]), dim=1, keepdim=True))
"""


def output(program: str, module: str) -> str:
    source = program.replace("import torch\n", f"import {module} as torch\n").replace("from torch", f"from {module}")
    source = source.replace("import torch.nn as nn", f"import {module}.nn as nn")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(source, f"<{module}>", "exec"), {"__name__": "program"})
    return printed.getvalue()


@pytest.mark.parametrize("program", [TUTORIAL, VAE, TOUR], ids=["tutorial", "vae", "tour"])
def test_a_program_prints_the_same(program):
    ours, theirs = output(program, "minigrad").splitlines(), output(program, "torch").splitlines()
    assert ours == theirs
