"""The modules one by one: they print, start, keep and compute as PyTorch's do."""

from collections import OrderedDict

import numpy as np
import pytest
import torch

import minigrad
from tests.minigrad.nn.twins import close, same_error

LIBRARIES = (minigrad, torch)
MODULES = [
    "Identity(3, unused=True)",
    "Linear(3, 4)",
    "Linear(3, 4, bias=False)",
    "Linear(3, 4, dtype=m.float64)",
    "Flatten()",
    "Flatten(0, 1)",
    "Unflatten(1, (3, 1))",
    "Dropout()",
    "Dropout(0.2, inplace=True)",
    "AlphaDropout(0.2)",
    "BatchNorm1d(3)",
    "BatchNorm1d(3, eps=0.1, momentum=None)",
    "BatchNorm1d(3, affine=False, track_running_stats=False)",
    "BatchNorm1d(3, bias=False)",
    "LayerNorm(3)",
    "LayerNorm((2, 3), eps=1e-3, bias=False)",
    "LayerNorm([3], elementwise_affine=False)",
    "ReLU()",
    "ReLU(inplace=True)",
    "LeakyReLU()",
    "LeakyReLU(0.2, inplace=True)",
    "PReLU()",
    "PReLU(3, 0.1)",
    "ELU()",
    "ELU(0.5, True)",
    "CELU()",
    "SELU()",
    "GELU()",
    "GELU('tanh')",
    "SiLU()",
    "Mish()",
    "Softplus()",
    "Softplus(2, 10)",
    "LogSigmoid()",
    "Sigmoid()",
    "Tanh()",
    "Hardtanh()",
    "Hardtanh(-0.5, 0.5)",
    "ReLU6()",
    "Hardsigmoid()",
    "Hardswish()",
    "Softsign()",
    "Tanhshrink()",
    "Softshrink()",
    "Hardshrink(0.1)",
    "Threshold(0.1, 20)",
    "Softmax(dim=1)",
    "Softmax(-1)",
    "Softmin(dim=1)",
    "LogSoftmax(dim=1)",
    "Sequential()",
    "Sequential(nn.Linear(3, 4), nn.Sequential(nn.ReLU(), nn.Linear(4, 2)), nn.Sigmoid())",
    "Sequential(OrderedDict(a=nn.Linear(3, 4), b=nn.Tanh()))",
]
LOSSES = [
    "MSELoss()",
    "MSELoss(reduction='sum')",
    "L1Loss()",
    "SmoothL1Loss(beta=0.5)",
    "HuberLoss(delta=0.5)",
    "BCELoss()",
    "BCELoss(m.tensor([0.5, 1.0, 2.0]))",
    "BCEWithLogitsLoss(pos_weight=m.tensor([0.5, 1.0, 2.0]))",
    "KLDivLoss(reduction='batchmean')",
    "KLDivLoss(reduction='sum', log_target=True)",
    "PoissonNLLLoss()",
    "CrossEntropyLoss(label_smoothing=0.1)",
]
CLASS_LOSSES = [
    "CrossEntropyLoss(m.tensor([1.0, 2.0, 3.0]), ignore_index=1)",
    "NLLLoss()",
    "NLLLoss(m.tensor([1.0, 2.0, 3.0]))",
]
OTHERS = [
    "Embedding(5, 3)",
    "Embedding(5, 3, padding_idx=-1)",
    "Embedding(5, 3, max_norm=1.0, norm_type=1.0)",
    "CosineSimilarity()",
    "GaussianNLLLoss(full=True)",
    "ModuleList([nn.Linear(3, 3) for _ in range(3)] + [nn.ReLU()])",
    "ModuleList()",
    "ModuleList([nn.Sequential(nn.ReLU(), nn.Tanh()), nn.Sequential(nn.ReLU(), nn.Tanh())])",
    "ModuleDict({'one': nn.Linear(1, 2), 'two': nn.ReLU()})",
    "ModuleDict()",
    "ParameterList([m.zeros(2), nn.Parameter(m.zeros(3, 4))])",
    "ParameterDict({'a': m.zeros(2), 'b': nn.Parameter(m.zeros(3, 4))})",
]


def build(m, text):
    m.manual_seed(7)
    return eval("nn." + text, {"nn": m.nn, "m": m, "OrderedDict": OrderedDict})


@pytest.mark.parametrize("text", MODULES + LOSSES + CLASS_LOSSES + OTHERS)
def test_a_module_prints_and_starts_as_in_pytorch(text):
    ours, theirs = (build(m, text) for m in LIBRARIES)
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for (name, a), b in zip(ours.state_dict().items(), theirs.state_dict().values(), strict=True):
        close(a, b, name)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("text", MODULES)
def test_a_module_computes_and_has_gradients_as_in_pytorch(text, training):
    dtype = np.float64 if "float64" in text else np.float32
    shape = (4, 2, 3) if "(2, 3)" in text else (4, 3)
    x = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    outcomes = []
    for m in LIBRARIES:
        module = build(m, text).train(training)
        leaf = m.tensor(x, requires_grad=True)
        m.manual_seed(1)
        y = module(leaf * 1)
        (y * y).sum().backward()
        outcomes.append([y, leaf.grad, *(p.grad for p in module.parameters()), *module.buffers()])
    for ours, theirs in zip(*outcomes, strict=True):
        close(ours, theirs)


@pytest.mark.parametrize("text", LOSSES)
def test_a_loss_computes_as_in_pytorch(text):
    p, t = np.random.default_rng(0).uniform(0.1, 0.9, (2, 4, 3)).astype(np.float32)
    close(*(build(m, text)(m.tensor(p), m.tensor(t)) for m in LIBRARIES))


@pytest.mark.parametrize("text", CLASS_LOSSES)
def test_a_loss_of_classes_computes_as_in_pytorch(text):
    x = np.random.default_rng(0).standard_normal((4, 3)).astype(np.float32)
    close(*(build(m, text)(m.tensor(x), m.tensor([0, 1, 2, 2])) for m in LIBRARIES))


def test_the_weight_of_a_loss_is_converted_with_it():
    loss = build(minigrad, LOSSES[6])
    assert list(loss.state_dict()) == ["weight"]
    assert loss.double().weight.dtype == minigrad.float64


@pytest.mark.parametrize("momentum", [0.1, None, 1.0])
@pytest.mark.parametrize("shape", [(5, 3), (4, 3, 2)])
def test_batch_norm_tracks_over_batches_and_uses_it_in_evaluation(momentum, shape):
    batches = np.random.default_rng(0).standard_normal((3, *shape)).astype(np.float32)
    outcomes = []
    for m in LIBRARIES:
        norm = m.nn.BatchNorm1d(3, momentum=momentum)
        for batch in batches:
            norm(m.tensor(batch))
        outcomes.append([norm.eval()(m.tensor(batches[0])), *norm.buffers()])
    for ours, theirs in zip(*outcomes, strict=True):
        close(ours, theirs)


def test_embedding_from_pretrained_is_frozen_and_shares_the_table():
    table = minigrad.ones(3, 2)
    embedding = minigrad.nn.Embedding.from_pretrained(table)
    assert not embedding.weight.requires_grad
    table[1, 0] = 5.0
    assert embedding(minigrad.tensor([1])).tolist() == [[5.0, 1.0]]


MISTAKES = {
    "dropout": (lambda m: m.nn.Dropout(-0.1), "between 0 and 1"),
    "batch norm dimensions": (lambda m: m.nn.BatchNorm1d(3)(m.ones(3)), "expected 2D or 3D input"),
    "batch norm features": (
        lambda m: m.nn.BatchNorm1d(3)(m.ones(4, 2)),
        "running_mean should contain 2 elements not 3",
    ),
    "batch norm of one": (lambda m: m.nn.BatchNorm1d(3)(m.ones(1, 3)), "more than 1 value"),
    "linear": (lambda m: m.nn.Linear(3, 2)(m.ones(2, 4)), "takes 3 features"),
    "layer norm": (lambda m: m.nn.LayerNorm(3)(m.ones(2, 4)), "expected input with shape"),
    "unflatten": (lambda m: m.nn.Unflatten(1, 3), "tuple of ints"),
    "hardtanh": (lambda m: m.nn.Hardtanh(1.0, -1.0), "larger"),
    "padding": (lambda m: m.nn.Embedding(3, 2, padding_idx=3), "within num_embeddings"),
    "pretrained": (lambda m: m.nn.Embedding.from_pretrained(m.ones(3)), "2-dimensional"),
    "sequential": (lambda m: m.nn.Sequential(m.nn.ReLU(), m.nn.functional.relu), "not a Module subclass"),
    "list index": (lambda m: m.nn.ModuleList([m.nn.ReLU()])[1], "out of range"),
    "dict key": (lambda m: m.nn.ModuleDict()["a"], "a"),
    "list of nothing": (lambda m: m.nn.ModuleList().extend(3), "iterable"),
}


@pytest.mark.parametrize("case", list(MISTAKES))
def test_mistakes_raise_as_in_pytorch(case):
    same_error(*MISTAKES[case])


# Containers


def outline(container):
    return [(name, type(module).__name__) for name, module in container.named_children()]


@pytest.mark.parametrize(
    "edit",
    [
        lambda nn, s: s.append(nn.Tanh()),
        lambda nn, s: s.insert(1, nn.Tanh()),
        lambda nn, s: s.extend([nn.Tanh(), nn.ReLU()]),
        lambda nn, s: s.pop(0),
        lambda nn, s: s.pop(-1),
        lambda nn, s: s.__setitem__(1, nn.Tanh()),
        lambda nn, s: s.__setitem__(-1, nn.Tanh()),
        lambda nn, s: s.__delitem__(0),
        lambda nn, s: s.__delitem__(slice(0, 2)),
        lambda nn, s: s.__iadd__(type(s)(nn.Tanh()) if isinstance(s, nn.Sequential) else [nn.Tanh()]),
    ],
)
@pytest.mark.parametrize("kind", ["Sequential", "ModuleList"])
def test_lists_of_modules_are_edited_as_in_pytorch(kind, edit):
    outcomes = []
    for m in LIBRARIES:
        members = [m.nn.Linear(2, 3), m.nn.ReLU(), m.nn.Sigmoid()]
        container = m.nn.Sequential(*members) if kind == "Sequential" else m.nn.ModuleList(members)
        edit(m.nn, container)
        outcomes.append(
            (outline(container), len(container), repr(container[-1]), outline(container[:2]), repr(container))
        )
    assert outcomes[0] == outcomes[1]


def test_a_slice_of_a_sequential_keeps_names_and_shares_modules():
    net = minigrad.nn.Sequential(minigrad.nn.Linear(2, 3), minigrad.nn.ReLU(), minigrad.nn.Linear(3, 1))
    tail = net[1:]
    assert [name for name, _ in tail.named_children()] == ["1", "2"]
    assert tail[1] is net[2]
    assert len(net + tail) == 5


def test_a_module_dict_is_edited_as_in_pytorch():
    outcomes = []
    for m in LIBRARIES:
        d = m.nn.ModuleDict([["a", m.nn.ReLU()], ["b", m.nn.Tanh()]])
        d["c"] = m.nn.Sigmoid()
        del d["a"]
        d.update({"d": m.nn.ELU()})
        popped = repr(d.pop("b"))
        outcomes.append(
            (list(d), list(d.keys()), [repr(v) for v in d.values()], len(d), "c" in d, popped, repr(dict(d.items())))
        )
        d.clear()
        assert not len(d)
    assert outcomes[0] == outcomes[1]


def test_lists_and_dicts_of_parameters_register_them():
    outcomes = []
    for m in LIBRARIES:
        many = m.nn.ParameterList([m.zeros(i + 1) for i in range(3)])
        many.append(m.nn.Parameter(m.ones(5)))
        many[0] = m.nn.Parameter(m.ones(7))
        many += [m.zeros(1)]
        named = m.nn.ParameterDict({"w": m.ones(2)})
        named["b"] = m.zeros(3)
        del named["w"]
        outcomes.append(
            (
                [(n, tuple(p.shape), p.requires_grad) for n, p in many.named_parameters()],
                len(many),
                tuple(many[-1].shape),
                [tuple(p.shape) for p in many[1:3]],
                [(n, tuple(p.shape)) for n, p in named.named_parameters()],
                list(named.keys()),
                "b" in named,
            )
        )
    assert outcomes[0] == outcomes[1]
