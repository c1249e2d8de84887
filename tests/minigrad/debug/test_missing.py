"""why_no_grad gives the reason and the line; unreached names the parameters that a loss leaves out."""

import pytest

import minigrad as torch
from minigrad import nn
from minigrad.debug import detect_anomaly, trace_lines, unreached, why_no_grad
from tests.minigrad.debug.healthy import runs


def leaf():
    return torch.ones(3, requires_grad=True)


def detached():
    x = leaf()
    y = (x * 2).detach()
    return y + 1


def under_no_grad():
    x = leaf()
    with torch.no_grad():
        y = x * 2
    return y + 1


def under_inference_mode():
    x = leaf()
    with torch.inference_mode():
        return x * 2


def through_data():
    x = leaf()
    y = (x * 2).data
    return y.exp()


def through_numpy():
    x = leaf()
    y = x * 2
    z = torch.tensor(y.detach().numpy())
    return z + 1


def through_a_copy():
    x = leaf()
    y = torch.tensor(x * 2)
    return y


def listed():
    x = leaf()
    y = torch.tensor([x[0], x[1] * 2])
    return y.sum()


def detached_in_place():
    x = leaf()
    y = x * 2
    y.detach_()
    return y


def integers():
    x = leaf()
    return (x * 5).argmax()


def compared():
    x = leaf()
    y = x > 0
    return y.float()


def through_int():
    x = leaf()
    y = (x * 5).long()
    return y.float() * 2


def never_asked():
    x = torch.ones(3)
    return x * 2


def inner():
    x = leaf()
    y = x * 2
    return y


def converted():
    x = leaf()
    return x.double()


# the fault, the code, the offset of the line that is to be named (None: no line), words of the reason
FAULTS = [
    (detached, "detach", 2, "detach() cut the result of MulBackward0 off from its history"),
    (under_no_grad, "no_grad", 3, "the result of mul was computed under no_grad()"),
    (under_inference_mode, "inference_mode", 3, "computed under inference_mode()"),
    (through_data, "data", 2, ".data took the values of the result of MulBackward0"),
    (through_numpy, "detach", 3, "detach() cut the result of MulBackward0 off"),
    (through_a_copy, "tensor", 2, "tensor(...) copied the values of the result of MulBackward0"),
    (listed, "tensor", 2, "tensor(...) copied the values of the result of SelectBackward0"),
    (detached_in_place, "detach_", 3, "detach_() cut the result of MulBackward0"),
    (integers, "dtype", 2, "Its type is torch.int64"),
    (compared, "dtype", 2, "gt gives bool, and only floats have gradients"),
    (through_int, "dtype", 2, "gives int64, and only floats have gradients"),
    (never_asked, "not_required", None, "none of which requires a gradient"),
    (inner, "not_leaf", 2, "not a leaf but the result of MulBackward0"),
    (converted, "not_leaf", 2, "the leaf is the one before it"),
]


@pytest.mark.parametrize(("fault", "code", "offset", "words"), FAULTS)
@pytest.mark.parametrize("context", [trace_lines, detect_anomaly])
def test_the_reason_and_the_line_are_named(fault, code, offset, words, context):
    with context():
        x = fault()
    why = why_no_grad(x)
    assert why.code == code
    assert words in str(why)
    if offset is None:
        assert why.origin is None
    else:
        line = fault.__code__.co_firstlineno + offset
        assert why.origin.line == line
        assert f"test_missing.py:{line}" in str(why)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (detached, "not_required"),
        (under_no_grad, "not_required"),
        (under_inference_mode, "inference_mode"),
        (integers, "dtype"),
        (inner, "not_leaf"),
        (never_asked, "not_required"),
    ],
)
def test_without_tracing_the_answer_says_how_to_learn_the_line(fault, code):
    why = why_no_grad(fault())
    assert why.code == code
    assert why.origin is None
    if code == "not_required":
        assert "trace_lines" in why.remedy


def test_retaining_is_the_remedy_for_an_inner_tensor():
    y = inner()
    assert "retain_grad()" in why_no_grad(y).remedy
    y.retain_grad()
    y.sum().backward()
    assert why_no_grad(y).code == "has_grad"


def test_before_backward_the_loss_tells_what_is_missing():
    x = leaf()
    loss = (x * 2).sum()
    assert why_no_grad(x).code == "none_arrived"
    assert why_no_grad(x, loss).code == "backward_not_called"
    loss.backward()
    assert why_no_grad(x, loss).code == "has_grad"
    assert "3 of 3 entries are not 0" in str(why_no_grad(x))


def test_a_leaf_the_loss_does_not_use():
    x, other = leaf(), leaf()
    with trace_lines():
        y = other * 3
        loss = x.sum()
    why = why_no_grad(other, loss)
    assert why.code == "unused"
    assert "It was used by MulBackward0" in str(why)
    assert "y = other * 3" in str(why)
    assert y.requires_grad
    assert why_no_grad(leaf(), loss).code == "unused"


def test_a_leaf_whose_path_was_cut():
    x, other = leaf(), leaf()
    with trace_lines():
        y = (other * 3).detach()
        loss = (x * y).sum()
    why = why_no_grad(other, loss)
    assert (why.code, why.cuts[0].how) == ("cut", "detach")
    assert "It was used by MulBackward0" in str(why)
    assert "detach() cut the result of MulBackward0 off" in str(why)


def test_a_number_made_of_the_loss_has_no_history():
    x = leaf()
    with trace_lines():
        loss = torch.tensor((x * 2).sum().item(), requires_grad=True)
    why = why_no_grad(x, loss * 1)
    assert (why.code, why.cuts[0].how) == ("cut", "item")


def test_a_loss_without_history_is_said():
    x = leaf()
    with trace_lines():
        loss = (x * 2).sum().detach()
    why = why_no_grad(x, loss)
    assert why.code == "loss_without_history"
    assert "detach() cut the result of SumBackward0" in str(why)


def test_a_gradient_of_zeros_is_no_missing_one():
    x = leaf()
    (x * 0).sum().backward()
    why = why_no_grad(x)
    assert why.code == "zero"
    assert "all 3 entries are 0" in str(why)


def test_only_tensors_can_be_asked_about():
    with pytest.raises(TypeError, match="takes a tensor, got list"):
        why_no_grad([1.0])


class Forked(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.decoder, self.spare = nn.Linear(3, 2), nn.Linear(2, 3), nn.Linear(3, 3)
        self.frozen = nn.Linear(2, 2).requires_grad_(False)

    def forward(self, x):
        code = self.frozen(self.encoder(x))
        code = code.detach()
        return self.decoder(code)


def test_unreached_parameters_are_named_with_the_cut():
    model = Forked()
    with trace_lines():
        loss = model(torch.ones(2, 3)).sum()
    found = unreached(loss, model)
    assert found.names == ["encoder.weight", "encoder.bias", "spare.weight", "spare.bias"]
    assert [found.reasons[name].code for name in found.names] == ["cut", "cut", "unused", "unused"]
    assert found.reasons["encoder.weight"].origin.line == Forked.forward.__code__.co_firstlineno + 2
    assert found.frozen == ["frozen.weight", "frozen.bias"]
    text = str(found)
    assert "does not reach 4 of 6 parameters: encoder.weight, encoder.bias, spare.weight, spare.bias" in text
    assert "code = code.detach()" in text
    assert "<td>spare.weight, spare.bias</td><td>unused</td>" in found._repr_html_()


def test_parameters_are_unreached_also_if_another_loss_gave_them_a_gradient():
    model = nn.ModuleDict({"a": nn.Linear(2, 1), "b": nn.Linear(2, 1)})
    x = torch.ones(1, 2)
    model["a"](x).sum().backward()
    assert unreached(model["b"](x).sum(), model).names == ["a.weight", "a.bias"]


class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, g):
        return g * 2


def test_the_forward_of_a_function_is_no_cut():
    x, other = leaf(), leaf()
    with trace_lines():
        y = Doubled.apply(other)
    assert why_no_grad(other, x.sum()).code == "unused"
    assert why_no_grad(other, y.sum()).code == "backward_not_called"


@pytest.mark.parametrize("make", runs(12))
def test_healthy_networks_reach_all_parameters(make):
    run = make()
    with trace_lines():
        losses = run.objectives()
    groups = [[p for group in optimizer.param_groups for p in group["params"]] for optimizer in run.optimizers]
    for loss, params in zip(losses, groups, strict=True):
        model = nn.Module()
        for i, p in enumerate(params):
            model.register_parameter(f"p{i}", p)
        found = unreached(loss, model)
        assert not found
        assert f"reaches all {len(params)} parameters" in str(found)
    run.train(1)
    assert all(why_no_grad(p).code in ("has_grad", "zero") for params in groups for p in params)


def test_tracing_leaves_results_and_gradients_as_they_are():
    def run():
        torch.manual_seed(1)
        x = torch.randn(4, 3, requires_grad=True)
        (nn.Linear(3, 2)(x).tanh() ** 2).sum().backward()
        return x.grad.tolist()

    expected = run()
    with trace_lines():
        assert run() == expected


def test_a_parameter_that_nothing_used_is_told_with_what_the_loss_leads_to() -> None:
    model, unused = nn.Linear(3, 2), nn.Parameter(torch.ones(2))
    found = why_no_grad(unused, model(torch.ones(4, 3)).sum())
    assert "leads to it, but to 2 other leaves" in found.reason
    assert "trace_lines" in found.remedy
    with trace_lines():
        loss = model(torch.ones(4, 3)).sum()
    assert "while that was traced, no operation took it" in why_no_grad(unused, loss).remedy
