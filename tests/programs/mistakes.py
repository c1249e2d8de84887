"""Mistakes, and the types of the errors that they raise."""

import torch

x = torch.ones(2, 3, requires_grad=True)
MISTAKES = """
x @ x
x + torch.ones(4)
x.view(5)
x.backward()
x.sum().backward() or x.sum().backward()
torch.cat([x, torch.ones(1, 2)])
torch.stack([x, torch.ones(1)])
x[5]
x[0, 7]
x[0, 0, 0]
x.sum(5)
x.item()
x.numpy()
torch.tensor([1, 2]).requires_grad_()
torch.tensor([1, 2], requires_grad=True)
torch.ones(2).backward()
nn.Linear(3, 2)(torch.ones(2, 4))
nn.Linear(3, 2)(torch.ones(2, 3).double())
nn.Linear(3, 2)(torch.ones(2, 3).long())
F.cross_entropy(torch.ones(2, 3), torch.tensor([0, 3]))
F.cross_entropy(torch.ones(2, 3), torch.tensor([0.0, 1.0]))
F.cross_entropy(torch.ones(2, 3), torch.tensor([0]))
F.binary_cross_entropy(torch.tensor([1.5]), torch.tensor([1.0]))
F.binary_cross_entropy(torch.tensor([0.5]), torch.tensor([1, 2.0]))
F.binary_cross_entropy(torch.tensor([0.5]), torch.tensor([1]))
F.nll_loss(torch.ones(3, 2), torch.ones(3, 2).long())
bool(torch.ones(2))
int(torch.ones(2))
float(torch.tensor([3.0]))
torch.ones(2, 2).t().view(4)
torch.zeros(0).max()
torch.zeros(0).mean().item() != 0
torch.zeros(3).max(dim=1)
torch.tensor('a')
torch.tensor([[1], [1, 2]])
torch.ones(2) & torch.ones(2)
torch.ones(2) | 1
-torch.tensor([True])
torch.tensor([True]) - torch.tensor([True])
torch.arange(3) / 0
torch.arange(3) // 0
torch.arange(3) % 0
torch.arange(3) ** (-1)
torch.tensor([1, 2]).mean()
torch.tensor([1, 2]).std()
torch.tensor([True]).sum()
torch.tensor([1, 2]).sqrt()
torch.tensor([1, 2]).softmax(0)
x.squeeze_()
x.detach().add_(torch.ones(5))
x.copy_(x)
x.grad.zero_()
torch.ones(2).expand(3)
torch.ones(2).repeat()
torch.ones(2, 3).permute(0)
torch.ones(2).transpose(0, 1)
torch.ones(2, 2, 2).t()
torch.eye(2).unsqueeze(5)
torch.randint(5, 5, (2,))
torch.randint(5, (2,))
torch.rand(-1)
torch.randperm(-1)
torch.normal(0.0, -1.0, (2,))
torch.bernoulli(torch.tensor([2.0]))
torch.multinomial(torch.tensor([0.0, 0.0]), 1)
torch.ones(3)[torch.tensor([0.5])]
torch.ones(3)[[0, 5]]
torch.ones(3)[torch.tensor([True, False])]
torch.ones(3).gather(0, torch.tensor([5]))
torch.ones(3, 2).gather(0, torch.tensor([0]))
torch.ones(3).index_select(0, torch.tensor([7]))
torch.ones(3).masked_fill(torch.tensor([1, 0, 1]), 5)
torch.where(torch.tensor([1, 0]), 1.0, 2.0)
torch.chunk(torch.ones(3), 0)
torch.split(torch.ones(3), [1, 1])
torch.ones(3).narrow(0, 2, 2)
torch.einsum('ij,jk', torch.ones(2, 3), torch.ones(2, 3))
torch.dot(torch.ones(2), torch.ones(3))
torch.mm(torch.ones(2), torch.ones(2))
torch.ones(2).mv(torch.ones(2))
torch.autograd.grad(x.sum(), torch.ones(1, requires_grad=True))
torch.autograd.grad(x.sum(), torch.ones(1))
nn.Dropout(2)
nn.BatchNorm1d(3)(torch.ones(1, 3))
nn.LayerNorm(4)(torch.ones(2, 3))
nn.Embedding(3, 2)(torch.tensor([3]))
nn.Embedding(3, 2)(torch.tensor([1.0]))
F.one_hot(torch.tensor([3]), 2)
F.one_hot(torch.tensor([1.0]))
nn.Module()(x)
nn.Sequential(nn.Linear(2, 2))[3]
nn.Sequential().foo
nn.ModuleList([1])
x.T.T.shape == x.shape
torch.tensor(3)[0]
len(torch.tensor(3))
list(torch.tensor(3))
iter(torch.tensor(3))
torch.ones(2)[1.0]
torch.ones(2)['a']
hash(x) is not None
x == 'a'
x == None
x != None
x == [1, 2]
float(torch.ones(2))
x + 'a'
x + None
[1, 2] + torch.ones(2)
x < 'b'
torch.ones(2) @ 3
x.foo
torch.foo
torch.full((2,), 'a')
torch.zeros(2, dtype=torch.float32).fill_(torch.ones(2))
torch.zeros(2).clamp()
torch.ones(2).to('cpu').device.type
torch.zeros(2).requires_grad_().detach_().requires_grad
(torch.zeros(2, requires_grad=True) * 2).requires_grad_(False)
x.data.numpy().shape
x.grad_fn
x.sum().grad
torch.from_numpy([1])
torch.as_tensor([1, 2]).dtype
torch.tensor([1, 2.5]).dtype
torch.tensor([True, 2]).dtype
"""


def outcome(text):
    try:
        result = eval(text)
    except Exception as error:
        return type(error).__name__
    return tuple(result.shape) if torch.is_tensor(result) else result


for line in MISTAKES.strip().splitlines():
    print(line, "->", outcome(line))
