"""Data sets, samplers and loaders."""

import torch
from torch.utils.data import (
    BatchSampler,
    ConcatDataset,
    DataLoader,
    Dataset,
    RandomSampler,
    SequentialSampler,
    Subset,
    TensorDataset,
    WeightedRandomSampler,
    random_split,
)


class Squares(Dataset):
    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        return {"x": torch.tensor([i, i * i], dtype=torch.float32), "y": i, "name": f"s{i}", "pair": (i, float(i) / 2)}


torch.manual_seed(5)
for b in DataLoader(Squares(7), batch_size=3, shuffle=True):
    print(b)
print(len(DataLoader(Squares(7), batch_size=3)), len(DataLoader(Squares(7), batch_size=3, drop_last=True)))
ds = TensorDataset(torch.arange(10).float().unsqueeze(1), torch.arange(10) % 2)
train, val = random_split(ds, [7, 3], generator=torch.Generator().manual_seed(42))
print(train.indices, val.indices, len(train), train[0])
a, b = random_split(ds, [0.7, 0.3])
print(len(a), len(b), list(a.indices))
for x, y in DataLoader(train, batch_size=4):
    print(x.squeeze(), y)
for x, y in DataLoader(ds, batch_sampler=BatchSampler(SequentialSampler(ds), 4, True)):
    print(x.shape, y)
g = torch.Generator()
g.manual_seed(0)
print([int(y) for _, y in DataLoader(ds, batch_size=1, shuffle=True, generator=g)])
s = WeightedRandomSampler([0.1, 0.9, 0.5], 6, replacement=True)
print(list(s))
print(list(RandomSampler(range(5))), list(RandomSampler(range(5), replacement=True, num_samples=8)))
it = iter(DataLoader(ds, batch_size=5, shuffle=True))
print(next(it)[1], next(it)[1])
try:
    next(it)
except StopIteration:
    print("stop")
print(len(ConcatDataset([ds, Subset(ds, [1, 2])])))
print(list(DataLoader(list(range(5)), batch_size=2)))
print(list(DataLoader([1.5, 2.5, 3.5], batch_size=2)))
print(list(DataLoader(torch.eye(3), batch_size=None)))
print(list(DataLoader(ds, batch_size=4, collate_fn=lambda items: len(items))))
try:
    DataLoader(ds, batch_size=0)
except ValueError as e:
    print("ValueError", e)
try:
    random_split(ds, [5, 6])
except ValueError as e:
    print(str(e)[:64])
try:
    DataLoader(ds, shuffle=True, sampler=RandomSampler(ds))
except ValueError as e:
    print(e)
