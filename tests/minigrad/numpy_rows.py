"""The calls of NumPy's functions with which tensors are tested: the shapes of the operands, and what is done to them."""

from collections.abc import Callable
from typing import Any

import numpy as np

ANY, POSITIVE, UNIT, ABOVE_ONE = (-2.5, 2.5), (0.2, 3.0), (-0.9, 0.9), (1.1, 3.0)

# The interval in which a ufunc's operands are drawn
DOMAINS: dict[Any, tuple[float, float]] = {
    np.add: ANY, np.subtract: ANY, np.multiply: ANY, np.divide: POSITIVE, np.negative: ANY, np.positive: ANY,
    np.power: POSITIVE, np.square: ANY, np.sqrt: POSITIVE, np.cbrt: (-3.0, -0.2), np.reciprocal: POSITIVE,
    np.floor_divide: POSITIVE, np.remainder: POSITIVE, np.conjugate: ANY,
    np.exp: ANY, np.exp2: ANY, np.expm1: ANY, np.log: POSITIVE, np.log2: POSITIVE, np.log10: POSITIVE,
    np.log1p: UNIT, np.logaddexp: ANY, np.logaddexp2: ANY,
    np.sin: ANY, np.cos: ANY, np.tan: UNIT, np.arcsin: UNIT, np.arccos: UNIT, np.arctan: ANY, np.arctan2: ANY,
    np.hypot: ANY, np.sinh: ANY, np.cosh: ANY, np.tanh: ANY, np.arcsinh: ANY, np.arccosh: ABOVE_ONE, np.arctanh: UNIT,
    np.deg2rad: ANY, np.radians: ANY, np.rad2deg: ANY, np.degrees: ANY,
    np.absolute: ANY, np.fabs: ANY, np.maximum: ANY, np.minimum: ANY, np.fmax: ANY, np.fmin: ANY, np.sign: ANY,
    np.copysign: ANY, np.floor: ANY, np.ceil: ANY, np.trunc: ANY, np.rint: ANY, np.divmod: POSITIVE,
    np.equal: ANY, np.not_equal: ANY, np.less: ANY, np.less_equal: ANY, np.greater: ANY, np.greater_equal: ANY,
    np.isnan: ANY, np.isinf: ANY, np.isfinite: ANY, np.logical_not: ANY, np.logical_and: ANY, np.logical_or: ANY,
    np.logical_xor: ANY,
}  # fmt: skip
OF_BITS = (np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert)

Call = Callable[..., Any]
X, XY, V, VW, M, MM = ((2, 3),), ((2, 3), (2, 3)), ((4,),), ((4,), (4,)), ((3, 3),), ((3, 3), (3, 3))
CUBE = ((2, 3, 2),)

# For each function: the shapes of its operands, and calls of it
ROWS: dict[Any, list[tuple[tuple[tuple[int, ...], ...], Call]]] = {
    np.sum: [
        (((),), lambda f, x: f(x, axis=0)),
        (X, lambda f, x: f(x)), (X, lambda f, x: f(x, 0)), (CUBE, lambda f, x: f(x, axis=(0, -1), keepdims=True)),
        (X, lambda f, x: f(x, axis=())), (((),), lambda f, x: f(x)), (((0, 3),), lambda f, x: f(x, 0)),
        (X, lambda f, x: f(x, dtype=np.float64)), (X, lambda f, x: f(x, out=None)),
    ],
    np.mean: [
        (X, lambda f, x: f(x)), (X, lambda f, x: f(x, 1)), (CUBE, lambda f, x: f(x, axis=(0, 2), keepdims=True)),
        (X, lambda f, x: f(x, dtype=float)),
    ],
    np.var: [(X, lambda f, x: f(x)), (X, lambda f, x: f(x, 0, ddof=1)), (CUBE, lambda f, x: f(x, (0, 2), keepdims=True))],
    np.std: [(X, lambda f, x: f(x)), (X, lambda f, x: f(x, 0, ddof=1)), (CUBE, lambda f, x: f(x, (0, 2), keepdims=True))],
    np.prod: [
        (X, lambda f, x: f(x)), (X, lambda f, x: f(x, -1)), (CUBE, lambda f, x: f(x, axis=(0, 2))),
        (CUBE, lambda f, x: f(x, axis=(0, 2), keepdims=True)), (((),), lambda f, x: f(x)),
    ],
    np.ptp: [(X, lambda f, x: f(x)), (X, lambda f, x: f(x, axis=1, keepdims=True))],
    np.average: [
        (X, lambda f, x: f(x, axis=1)), (XY, lambda f, x, w: f(x, 0, w * w + 1)),
        (((2, 3), (3,)), lambda f, x, w: f(x, axis=1, weights=w * w + 1)),
        (((2, 3, 4), (4, 2)), lambda f, x, w: f(x, axis=(2, 0), weights=w * w + 1, keepdims=True)),
    ],
    np.cumsum: [(X, lambda f, x: f(x)), (X, lambda f, x: f(x, axis=-1)), (((),), lambda f, x: f(x))],
    np.cumprod: [(X, lambda f, x: f(x)), (X, lambda f, x: f(x, axis=0))],
    np.diff: [(V, lambda f, x: f(x)), (CUBE, lambda f, x: f(x, n=2, axis=1))],
    np.sort: [(X, lambda f, x: f(x)), (X, lambda f, x: f(x, axis=0)), (X, lambda f, x: f(x, axis=None, kind="stable"))],
    np.median: [
        (X, lambda f, x: f(x)), (V, lambda f, x: f(np.log(x * x + 1))), (X, lambda f, x: f(x, 1)),
        (CUBE, lambda f, x: f(x, axis=(2, 0), keepdims=True)),
    ],
    np.trapezoid: [
        (X, lambda f, x: f(x)), (CUBE, lambda f, x: f(x, dx=0.5, axis=1)), (((2, 3), (3,)), lambda f, y, x: f(y, x)),
        (((3, 2), (3,)), lambda f, y, x: f(y, x=x, axis=0)), (XY, lambda f, y, x: f(y, x)),
        (V, lambda f, x: f([1.0, 2.0, 4.0, 3.0], x)),
    ],
    np.where: [
        (XY, lambda f, x, y: f(x > 0, x, y)), (XY, lambda f, x, y: f(x, x, 0.0)),
        (((2, 3), (3,)), lambda f, x, y: f([[True], [False]], x, y)), (X, lambda f, x: f(x > 0)),
    ],
    np.clip: [
        (X, lambda f, x: f(x, -1, 1)), (X, lambda f, x: f(x, a_min=None, a_max=0.5)), (X, lambda f, x: f(x, min=0.1)),
        (((2, 3), (3,), (3,)), lambda f, x, a, b: f(x, a, b)), (X, lambda f, x: f([0.3] * 3, x, None)),
    ],
    np.sinc: [(X, lambda f, x: f(x))],
    np.fix: [(X, lambda f, x: f(x))],
    np.nan_to_num: [
        (X, lambda f, x: f(x)), (X, lambda f, x: f(np.log(x), nan=1.5)),
        (X, lambda f, x: f(np.where(x > 0, x, np.inf), posinf=3.0)), (X, lambda f, x: f(np.where(x > 0, x, -np.inf), neginf=3)),
    ],
    np.reshape: [
        (X, lambda f, x: f(x, (3, 2))), (X, lambda f, x: f(x, -1)), (CUBE, lambda f, x: f(x, (4, -1), order="F")),
    ],
    np.ravel: [(X, lambda f, x: f(x)), (CUBE, lambda f, x: f(x, order="F"))],
    np.transpose: [(CUBE, lambda f, x: f(x)), (CUBE, lambda f, x: f(x, axes=(1, -1, 0)))],
    np.matrix_transpose: [(CUBE, lambda f, x: f(x))],
    np.swapaxes: [(CUBE, lambda f, x: f(x, 0, -1)), (CUBE, lambda f, x: f(x, axis1=1, axis2=2))],
    np.moveaxis: [(CUBE, lambda f, x: f(x, 0, -1)), (CUBE, lambda f, x: f(x, source=[0, 1], destination=[-1, 0]))],
    np.squeeze: [(((1, 3, 1),), lambda f, x: f(x)), (((1, 3, 1),), lambda f, x: f(x, axis=0))],
    np.expand_dims: [(X, lambda f, x: f(x, 1)), (X, lambda f, x: f(x, axis=(0, -1)))],
    np.broadcast_to: [(((3, 1),), lambda f, x: f(x, (2, 3, 4))), (((),), lambda f, x: f(x, shape=3))],
    np.broadcast_arrays: [(((3, 1), (2,)), lambda f, x, y: f(x, y)), (V, lambda f, x: f(x, x[:1]))],
    np.meshgrid: [
        (((2,), (3,)), lambda f, x, y: f(x, y)), (((2,), (3,), (2,)), lambda f, x, y, z: f(x, y, z)),
        (((2,), (3,)), lambda f, x, y: f(x, y, [1.0], indexing="ij")), (V, lambda f, x: f(x)),
    ],
    np.atleast_1d: [(((),), lambda f, x: f(x)), (((), (2, 3)), lambda f, x, y: f(x, y))],
    np.atleast_2d: [(((),), lambda f, x: f(x)), (((4,), (2, 3)), lambda f, x, y: f(x, y))],
    np.atleast_3d: [(((),), lambda f, x: f(x)), (((4,), (2, 3)), lambda f, x, y: f(x, y))],
    np.concatenate: [
        (((2, 3), (1, 3)), lambda f, x, y: f([x, y])), (XY, lambda f, x, y: f((x, y), axis=-1)),
        (((2, 3), (2,)), lambda f, x, y: f([x, y], axis=None)), (CUBE, lambda f, x: f(x, axis=1)),
        (X, lambda f, x: f([x, [[1.0, 2.0, 3.0]]], dtype=np.float64)),
    ],
    np.stack: [(XY, lambda f, x, y: f([x, y])), (XY, lambda f, x, y: f((x, y, x), axis=-1))],
    np.vstack: [(((3,), (2, 3)), lambda f, x, y: f([x, y])), (VW, lambda f, x, y: f((x, y)))],
    np.hstack: [(((3,), (2,)), lambda f, x, y: f([x, y])), (XY, lambda f, x, y: f((x, y)))],
    np.dstack: [(VW, lambda f, x, y: f([x, y])), (XY, lambda f, x, y: f([x, y]))],
    np.column_stack: [(((2,), (2, 3)), lambda f, x, y: f([x, y]))],
    np.append: [(((3,), (2, 2)), lambda f, x, y: f(x, y)), (XY, lambda f, x, y: f(x, y, axis=1))],
    np.split: [(V, lambda f, x: f(x, 2)), (X, lambda f, x: f(x, [1, 2], axis=1))],
    np.array_split: [(V, lambda f, x: f(x, 3)), (X, lambda f, x: f(x, [2, 1, 9], axis=-1)), (V, lambda f, x: f(x, 6))],
    np.vsplit: [(((4, 2),), lambda f, x: f(x, 2))],
    np.hsplit: [(V, lambda f, x: f(x, [1])), (CUBE, lambda f, x: f(x, 3))],
    np.repeat: [(X, lambda f, x: f(x, 2)), (X, lambda f, x: f(x, [0, 1, 3], axis=1))],
    np.tile: [(X, lambda f, x: f(x, 2)), (X, lambda f, x: f(x, (2, 1, 3))), (((),), lambda f, x: f(x, 3))],
    np.roll: [(X, lambda f, x: f(x, 2)), (X, lambda f, x: f(x, -1, axis=0)), (CUBE, lambda f, x: f(x, (1, 2), axis=(0, 1)))],
    np.flip: [(X, lambda f, x: f(x)), (CUBE, lambda f, x: f(x, axis=(0, 2))), (X, lambda f, x: f(x, 1))],
    np.fliplr: [(X, lambda f, x: f(x))],
    np.flipud: [(X, lambda f, x: f(x))],
    np.rot90: [(X, lambda f, x, k=k: f(x, k)) for k in range(-1, 4)] + [(CUBE, lambda f, x: f(x, axes=(2, 1)))],
    np.pad: [
        (X, lambda f, x: f(x, 1)), (X, lambda f, x: f(x, ((1, 0), (0, 2)), constant_values=3.0)),
        (X, lambda f, x: f(x, (1, 2), mode="edge")), (X, lambda f, x: f(x, 1, "reflect")),
        (X, lambda f, x: f(x, 2, "symmetric")), (X, lambda f, x: f(x, ((0, 0), (4, 4)), "wrap")),
    ],
    np.take: [(X, lambda f, x: f(x, [0, 0, 5])), (X, lambda f, x: f(x, np.array([[2, 0]]), axis=-1)), (X, lambda f, x: f(x, 1, 1))],
    np.take_along_axis: [(X, lambda f, x: f(x, np.array([[0, 0], [2, 1]]), axis=1))],
    np.diag: [(X, lambda f, x: f(x)), (V, lambda f, x: f(x, k=-1)), (M, lambda f, x: f(x, 1))],
    np.diagflat: [(X, lambda f, x: f(x, 1))],
    np.diagonal: [(X, lambda f, x: f(x)), (CUBE, lambda f, x: f(x, offset=1, axis1=2, axis2=1))],
    np.trace: [(X, lambda f, x: f(x)), (CUBE, lambda f, x: f(x, -1, axis1=0, axis2=2))],
    np.triu: [(X, lambda f, x: f(x)), (CUBE, lambda f, x: f(x, k=1))],
    np.tril: [(X, lambda f, x: f(x)), (CUBE, lambda f, x: f(x, k=-1))],
    np.copy: [(X, lambda f, x: f(x))],
    np.zeros_like: [(X, lambda f, x: f(x)), (X, lambda f, x: f(x, dtype=np.int64, shape=(2,)))],
    np.ones_like: [(X, lambda f, x: f(x)), (X, lambda f, x: f(x, dtype=bool))],
    np.empty_like: [(X, lambda f, x: f(x) * 0)],
    np.full_like: [(X, lambda f, x: f(x, 2.5)), (((2, 3), (3,)), lambda f, x, y: f(x, y, dtype=np.float64))],
    np.dot: [
        (VW, lambda f, x, y: f(x, y)), (((2, 3), (3, 2)), lambda f, x, y: f(x, y)), (((2, 3), (3,)), lambda f, x, y: f(x, y)),
        (((), (3,)), lambda f, x, y: f(x, y)), (((2, 3), (2, 3, 2)), lambda f, x, y: f(x, y)),
        (((2, 2, 3), (3,)), lambda f, x, y: f(x, y)), (((3,), (2, 3, 2)), lambda f, x, y: f(x, y)),
        (V, lambda f, x: f([1.0, 2.0, 3.0, 4.0], x)),
    ],
    np.vdot: [(VW, lambda f, x, y: f(x, y)), (XY, lambda f, x, y: f(x, y))],
    np.inner: [(VW, lambda f, x, y: f(x, y)), (((2, 3), (4, 3)), lambda f, x, y: f(x, y)), (((2, 3), ()), lambda f, x, y: f(x, y))],
    np.outer: [(((2,), (3,)), lambda f, x, y: f(x, y)), (((2, 2), (3,)), lambda f, x, y: f(x, y))],
    np.kron: [(((2, 2), (1, 3)), lambda f, x, y: f(x, y)), (((2,), (2, 1, 2)), lambda f, x, y: f(x, y))],
    np.cross: [
        (((3,), (3,)), lambda f, x, y: f(x, y)), (((2, 3), (3,)), lambda f, x, y: f(x, y, axisc=0)),
        (((3, 2), (3, 2)), lambda f, x, y: f(x, y, axis=0)), (((3, 2), (2, 3)), lambda f, x, y: f(x, y, axisa=0)),
    ],
    np.tensordot: [
        (((2, 3), (3, 2)), lambda f, x, y: f(x, y, 1)), (((2, 3, 2), (2, 2, 3)), lambda f, x, y: f(x, y, axes=((1, 0), (2, 1)))),
        (XY, lambda f, x, y: f(x, y)), (((2,), (3,)), lambda f, x, y: f(x, y, axes=0)),
    ],
    np.einsum: [
        (((2, 3), (3, 2)), lambda f, x, y: f("ij,jk->ik", x, y)), (M, lambda f, x: f("ii", x)),
        (M, lambda f, x: f("ii->i", x)), (X, lambda f, x: f("ij->ji", x)), (X, lambda f, x: f("ij->", x)),
        (((2, 3, 2), (2, 3)), lambda f, x, y: f("...ij,ki->...kj", x, y, optimize=True)),
        (((2,), (3,), (2, 3)), lambda f, x, y, z: f("i,j,ij", x, y, z)),
    ],
    np.linalg.norm: [
        (X, lambda f, x: f(x)), (V, lambda f, x: f(x, 1)), (V, lambda f, x: f(x, ord=3)), (V, lambda f, x: f(x, -np.inf)),
        (CUBE, lambda f, x: f(x)), (CUBE, lambda f, x: f(x, axis=-1)), (X, lambda f, x: f(x, "fro", keepdims=True)),
        (X, lambda f, x: f(x, 1)), (X, lambda f, x: f(x, -1, keepdims=True)), (X, lambda f, x: f(x, np.inf)),
        (CUBE, lambda f, x: f(x, -np.inf, axis=(2, 0))), (CUBE, lambda f, x: f(x, 1, axis=(2, 0), keepdims=True)),
    ],
    np.linalg.inv: [(M, lambda f, x: f(x + 6 * np.eye(3, dtype=np.float32)))],
    np.linalg.det: [(M, lambda f, x: f(x)), (((2, 2, 2),), lambda f, x: f(x))],
    np.linalg.slogdet: [(M, lambda f, x: f(x + 6 * np.eye(3, dtype=np.float32)))],
    np.linalg.solve: [
        (((3, 3), (3,)), lambda f, x, y: f(x + 6 * np.eye(3, dtype=np.float32), y)),
        (((2, 3, 3), (3, 2)), lambda f, x, y: f(x + 6 * np.eye(3, dtype=np.float32), y)),
    ],
    np.linalg.vector_norm: [(X, lambda f, x: f(x)), (X, lambda f, x: f(x, axis=1, ord=3, keepdims=True))],
    np.linalg.matrix_norm: [(CUBE, lambda f, x: f(x)), (CUBE, lambda f, x: f(x, ord=np.inf, keepdims=True))],
    np.linalg.matrix_power: [
        *((M, lambda f, x, n=n: f(x, n)) for n in (0, 1, 2, 5)), (((2, 2, 2),), lambda f, x: f(x, 3)),
        (M, lambda f, x: f(x + 6 * np.eye(3, dtype=np.float32), -2)),
    ],
    # without a gradient
    np.all: [(X, lambda f, x: f(x > 0)), (X, lambda f, x: f(x > 0, axis=1, keepdims=True))],
    np.any: [(X, lambda f, x: f(x > 0)), (X, lambda f, x: f(x > 0, axis=(0, 1)))],
    np.argmax: [(X, lambda f, x: f(x)), (X, lambda f, x: f(x, axis=0, keepdims=True))],
    np.argmin: [(X, lambda f, x: f(x)), (X, lambda f, x: f(x, axis=1))],
    np.argsort: [(X, lambda f, x: f(x)), (X, lambda f, x: f(x, axis=None))],
    np.nonzero: [(X, lambda f, x: f(x > 0))],
    np.flatnonzero: [(X, lambda f, x: f(x > 0))],
    np.argwhere: [(X, lambda f, x: f(x > 0))],
    np.count_nonzero: [(X, lambda f, x: f(x > 0)), (X, lambda f, x: f(x > 0, axis=0))],
    np.searchsorted: [(V, lambda f, x: f(np.arange(3.0), x))],
    np.digitize: [(V, lambda f, x: f(x, [-1.0, 0.0, 1.0]))],
    np.isclose: [(XY, lambda f, x, y: f(x, y, atol=1.0))],
    np.allclose: [(XY, lambda f, x, y: f(x, y)), (X, lambda f, x: f(x, x))],
    np.array_equal: [(XY, lambda f, x, y: f(x, y)), (X, lambda f, x: f(x, x))],
    np.array_equiv: [(X, lambda f, x: f(x, [x, x])), (VW, lambda f, x, y: f(x, y))],
    np.shape: [(X, lambda f, x: f(x))],
    np.ndim: [(X, lambda f, x: f(x))],
    np.size: [(X, lambda f, x: f(x)), (X, lambda f, x: f(x, 1))],
    np.isposinf: [(X, lambda f, x: f(x))],
    np.isneginf: [(X, lambda f, x: f(x))],
    np.iscomplexobj: [(X, lambda f, x: f(x))],
    np.isrealobj: [(X, lambda f, x: f(x))],
    np.result_type: [(X, lambda f, x: f(x, np.float64))],
    np.may_share_memory: [(XY, lambda f, x, y: f(x, y)), (X, lambda f, x: f(x, x))],
    np.shares_memory: [(XY, lambda f, x, y: f(x, y)), (X, lambda f, x: f(x, x))],
    np.array_repr: [(X, lambda f, x: f(x))],
    np.array_str: [(X, lambda f, x: f(x))],
    np.array2string: [(X, lambda f, x: f(x, precision=2))],
}  # fmt: skip
for _extreme in (np.max, np.amax, np.min, np.amin):
    ROWS[_extreme] = [
        (X, lambda f, x: f(x)),
        (CUBE, lambda f, x: f(x, axis=(0, 2))),
        (X, lambda f, x: f(x, 1, keepdims=True)),
    ]
for _rounding in (np.round, np.around):
    ROWS[_rounding] = [(X, lambda f, x: f(x)), (X, lambda f, x: f(x, decimals=1))]

UFUNC_METHODS: dict[Any, list[tuple[tuple[tuple[int, ...], ...], Call]]] = {
    **{
        u: [
            (X, lambda f, x: f(x)), (CUBE, lambda f, x: f(x, axis=(0, 2))), (X, lambda f, x: f(x, 1, keepdims=True)),
            (X, lambda f, x: f(x, axis=None)),
        ]
        for u in (
            np.add.reduce, np.multiply.reduce, np.maximum.reduce, np.minimum.reduce, np.logical_and.reduce,
            np.logical_or.reduce,
        )
    },
    **{u: [(X, lambda f, x: f(x)), (X, lambda f, x: f(x, axis=1))] for u in (np.add.accumulate, np.multiply.accumulate)},
    **{u: [(((2,), (3, 2)), lambda f, x, y: f(x, y))] for u in (np.subtract.outer, np.multiply.outer, np.maximum.outer)},
    np.matmul: [
        (((2, 3), (3, 2)), lambda f, x, y: f(x, y)), (VW, lambda f, x, y: f(x, y)), (((3,), (2, 3, 2)), lambda f, x, y: f(x, y)),
        (((2, 1, 2, 3), (2, 3, 1)), lambda f, x, y: f(x, y)), (((2, 2, 3), (3,)), lambda f, x, y: f(x, y)),
    ],
}  # fmt: skip
