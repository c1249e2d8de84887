"""minigrad: a reverse-mode autograd engine in NumPy with PyTorch's face. Start reading at ``minigrad/engine.py``."""

from builtins import bool as _bool
from builtins import float as _float
from builtins import int as _int
from typing import Any

from minigrad import autograd, backends, cuda, debug, func, linalg, nn, optim, utils
from minigrad.attributes import Size, contiguous_format, device, preserve_format
from minigrad.autograd.anomaly_mode import is_anomaly_check_nan_enabled, is_anomaly_enabled
from minigrad.compile import compile
from minigrad.creation import (
    arange,
    as_tensor,
    asarray,
    cartesian_prod,
    combinations,
    empty,
    empty_like,
    eye,
    from_numpy,
    full,
    full_like,
    linspace,
    logspace,
    meshgrid,
    ones,
    ones_like,
    scalar_tensor,
    tensor,
    tril_indices,
    triu_indices,
    zeros,
    zeros_like,
)
from minigrad.dtypes import (
    bool_ as bool,
)
from minigrad.dtypes import (
    double,
    dtype,
    finfo,
    float16,
    float32,
    float64,
    get_default_dtype,
    half,
    iinfo,
    int8,
    int16,
    int32,
    int64,
    long,
    promote_types,
    result_dtype,
    set_default_dtype,
    short,
    uint8,
)
from minigrad.dtypes import (
    float_ as float,
)
from minigrad.dtypes import from_numpy as from_numpy_dtype
from minigrad.dtypes import (
    int_ as int,
)
from minigrad.grad_mode import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from minigrad.nn.functional import celu, cosine_similarity, layer_norm, pairwise_distance, prelu, threshold
from minigrad.operators import add, sub
from minigrad.ops.activation import elu, relu, selu, sigmoid
from minigrad.ops.choosing import where
from minigrad.ops.comparison import (
    bitwise_and,
    bitwise_left_shift,
    bitwise_not,
    bitwise_or,
    bitwise_right_shift,
    bitwise_xor,
    eq,
    ge,
    gt,
    isfinite,
    isinf,
    isnan,
    le,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    lt,
    ne,
)
from minigrad.ops.diagonal import diag, diag_embed, diagflat, diagonal, trace, tril, triu
from minigrad.ops.einsum import einsum
from minigrad.ops.elementwise import (
    addcdiv,
    addcmul,
    div,
    floor_divide,
    fmod,
    lerp,
    mul,
    neg,
    pow,
    reciprocal,
    remainder,
    rsqrt,
    rsub,
    sqrt,
    square,
)
from minigrad.ops.exponential import erf, erfc, exp, exp2, expm1, log, log1p, log2, log10, logaddexp, logit, xlogy
from minigrad.ops.extremes import amax, amin, aminmax, argmax, argmin, cummax, cummin, max, min
from minigrad.ops.gather import (
    gather,
    index_add,
    index_copy,
    index_fill,
    index_put,
    index_select,
    repeat_interleave,
    scatter,
    scatter_add,
    take,
    take_along_dim,
)
from minigrad.ops.index import masked_fill, masked_select, select, unbind
from minigrad.ops.inspect import (
    allclose,
    argwhere,
    bincount,
    bucketize,
    equal,
    histc,
    isclose,
    isin,
    nonzero,
    searchsorted,
    unique,
)
from minigrad.ops.joining import (
    cat,
    chunk,
    column_stack,
    concat,
    concatenate,
    dstack,
    hstack,
    narrow,
    row_stack,
    split,
    split_with_sizes,
    stack,
    tensor_split,
    vstack,
)
from minigrad.ops.kinks import (
    abs,
    ceil,
    clamp,
    clamp_max,
    clamp_min,
    copysign,
    floor,
    fmax,
    fmin,
    frac,
    maximum,
    minimum,
    nan_to_num,
    round,
    sign,
    trunc,
)
from minigrad.ops.linalg import addmm, addmv, baddbmm, bmm, dot, inner, matmul, mm, mv, outer, tensordot, vdot
from minigrad.ops.order import argsort, kthvalue, median, msort, quantile, sort, topk
from minigrad.ops.reduce import all, any, count_nonzero, cumprod, cumsum, diff, mean, nanmean, nansum, prod, sum
from minigrad.ops.shape import (
    atleast_1d,
    atleast_2d,
    atleast_3d,
    broadcast_shapes,
    broadcast_tensors,
    broadcast_to,
    flatten,
    flip,
    fliplr,
    flipud,
    movedim,
    permute,
    ravel,
    reshape,
    roll,
    rot90,
    squeeze,
    t,
    tile,
    transpose,
    unflatten,
    unsqueeze,
)
from minigrad.ops.softmax import log_softmax, logsumexp, softmax
from minigrad.ops.statistics import cdist, corrcoef, cov, dist, norm, std, std_mean, var, var_mean
from minigrad.ops.trigonometry import (
    acos,
    acosh,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    cos,
    cosh,
    deg2rad,
    hypot,
    rad2deg,
    sin,
    sinc,
    sinh,
    tan,
    tanh,
)
from minigrad.printing import get_printoptions, set_printoptions
from minigrad.random import (
    Generator,
    bernoulli,
    default_generator,
    get_rng_state,
    initial_seed,
    manual_seed,
    multinomial,
    normal,
    rand,
    rand_like,
    randint,
    randint_like,
    randn,
    randn_like,
    randperm,
    seed,
    set_rng_state,
)
from minigrad.serialization import load, save
from minigrad.tensor import Tensor

__version__ = "0.1.0"

pi, e, inf, nan = 3.141592653589793, 2.718281828459045, _float("inf"), _float("nan")
strided = "torch.strided"
clip, absolute, multiply, divide, true_divide, subtract, negative = clamp, abs, mul, div, div, sub, neg
swapaxes = swapdims = transpose
moveaxis, det, inverse = movedim, linalg.det, linalg.inv
arccos, arcsin, arctan, arctan2, arccosh, arcsinh, arctanh = acos, asin, atan, atan2, acosh, asinh, atanh
fix, sgn = trunc, sign
greater, greater_equal, less, less_equal, not_equal = gt, ge, lt, le, ne


def clone(input: Tensor, *, memory_format: Any = None) -> Tensor:
    """A copy with the same history."""
    return input.clone(memory_format=memory_format)


def dropout(input: Tensor, p: _float, train: _bool) -> Tensor:
    """``nn.functional.dropout`` with PyTorch's other name for ``training``."""
    return nn.functional.dropout(input, p, train)


def is_tensor(obj: Any) -> _bool:
    """True if ``obj`` is a tensor."""
    return isinstance(obj, Tensor)


def is_floating_point(input: Tensor) -> _bool:
    """True if the elements are floats."""
    return input.is_floating_point()


def is_complex(input: Tensor) -> _bool:
    """False: minigrad has real numbers only."""
    return False


def is_nonzero(input: Tensor) -> _bool:
    """True if the only element is not 0."""
    return input.is_nonzero()


def result_type(tensor1: Any, tensor2: Any) -> dtype:
    """The type in which two operands meet."""
    return from_numpy_dtype(result_dtype(*(x.array if isinstance(x, Tensor) else x for x in (tensor1, tensor2))))


def use_deterministic_algorithms(mode: _bool, *, warn_only: _bool = False) -> None:
    """Nothing to do: every operation here gives the same result each time."""


def numel(input: Tensor) -> _int:
    """The number of elements."""
    return input.numel()


def set_num_threads(num: _int) -> None:
    """Accepted for PyTorch's programs; NumPy's BLAS takes its threads from the environment (OPENBLAS_NUM_THREADS)."""
    raise NotImplementedError(
        "set_num_threads: NumPy's BLAS takes its threads from OPENBLAS_NUM_THREADS, set before the start"
    )


_ELSEWHERE = {
    "mps": "minigrad computes on the CPU with NumPy; leave device moves out",
    "amp": "minigrad has no mixed precision; use float32, or .to(minigrad.float16) by hand",
    "autocast": "minigrad has no mixed precision; use float32, or .to(minigrad.float16) by hand",
    "complex64": "minigrad has real numbers only, float16 to float64",
    "complex128": "minigrad has real numbers only, float16 to float64",
    "bfloat16": "NumPy has no bfloat16; use float16 or float32",
    "FloatTensor": "write tensor(data), or zeros(sizes)",
    "LongTensor": "write tensor(data, dtype=int64)",
    "DoubleTensor": "write tensor(data, dtype=float64)",
    "sparse": "minigrad has dense tensors only",
    "sparse_coo_tensor": "minigrad has dense tensors only",
    "jit": "minigrad has no TorchScript",
    "distributed": "minigrad runs in one process",
}


def __getattr__(name: str) -> Any:
    raise AttributeError(f"minigrad has no {name!r}" + (f": {_ELSEWHERE[name]}" if name in _ELSEWHERE else ""))
