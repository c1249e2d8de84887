"""Operations with a user's own rules."""

import torch


class Exp(torch.autograd.Function):
    @staticmethod
    def forward(ctx, i):
        result = i.exp()
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx, grad_output):
        (result,) = ctx.saved_tensors
        return grad_output * result


class Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx, input, weight, bias=None):
        ctx.save_for_backward(input, weight, bias)
        output = input.mm(weight.t())
        if bias is not None:
            output += bias.unsqueeze(0).expand_as(output)
        return output

    @staticmethod
    def backward(ctx, grad_output):
        input, weight, bias = ctx.saved_tensors
        gi = gw = gb = None
        if ctx.needs_input_grad[0]:
            gi = grad_output.mm(weight)
        if ctx.needs_input_grad[1]:
            gw = grad_output.t().mm(input)
        if bias is not None and ctx.needs_input_grad[2]:
            gb = grad_output.sum(0)
        return gi, gw, gb


class Round(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, scale):
        ctx.scale = scale
        return torch.round(x * scale) / scale

    @staticmethod
    def backward(ctx, g):
        return g.clone(), None


class SplitF(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.set_materialize_grads(True)
        a, b = x[:2].clone(), x[2:].clone()
        return a, b

    @staticmethod
    def backward(ctx, ga, gb):
        return torch.cat([ga, gb])


torch.manual_seed(0)
x = torch.randn(3, requires_grad=True)
y = Exp.apply(x)
print(y)
y.sum().backward()
print(x.grad)
inp = torch.randn(2, 3, requires_grad=True, dtype=torch.double)
w = torch.randn(4, 3, requires_grad=True, dtype=torch.double)
b = torch.randn(4, requires_grad=True, dtype=torch.double)
print(torch.autograd.gradcheck(Linear.apply, (inp, w, b)))
out = Linear.apply(inp, w)
print(out.shape, out.grad_fn.name())
out.sum().backward()
print(inp.grad, b.grad)
q = torch.tensor([0.12, 0.57, 0.99], requires_grad=True)
r = Round.apply(q, 10)
(r**2).sum().backward()
print(r, q.grad)
a, c = SplitF.apply(torch.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True))
print(a, c)


class Bad(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, g):
        return g, g


try:
    Bad.apply(q).sum().backward()
except RuntimeError:
    print("RuntimeError")
