"""Layers that standardize: over the batch (BatchNorm1d) or over the features of each example (LayerNorm)."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.nn import init
from minigrad.nn.functional import layers as F
from minigrad.nn.modules.layers import _new
from minigrad.nn.modules.module import Module
from minigrad.tensor import Tensor


class BatchNorm1d(Module):
    """Each of ``num_features`` channels of ``(N, C)`` or ``(N, C, L)`` standardized over the batch, then scaled and shifted.

    In evaluation the running mean and variance are used, to which training moves by ``momentum`` (None: their plain average).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm1d.html
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        self.register_parameter("weight", _new(num_features, dtype, device) if affine else None)
        self.register_parameter("bias", _new(num_features, dtype, device) if affine and bias else None)
        kind = dtypes.default.numpy if dtype is None else dtypes.to_numpy(dtype)
        tracked = track_running_stats
        self.register_buffer("running_mean", Tensor.wrap(np.zeros(num_features, kind)) if tracked else None)
        self.register_buffer("running_var", Tensor.wrap(np.ones(num_features, kind)) if tracked else None)
        self.register_buffer("num_batches_tracked", Tensor.wrap(np.array(0, np.int64)) if tracked else None)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Forget what was tracked."""
        if self.track_running_stats:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Scale 1, shift 0, nothing tracked."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Any) -> Any:
        if input.ndim not in (2, 3):
            raise ValueError(f"expected 2D or 3D input (got {input.ndim}D input)")
        if input.shape[1] != self.num_features:
            raise RuntimeError(f"running_mean should contain {input.shape[1]} elements not {self.num_features}")
        momentum = 0.0 if self.momentum is None else self.momentum
        if self.training and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:
                momentum = 1.0 / self.num_batches_tracked.array.reshape(1)
        by_batch = self.training or self.running_mean is None
        tracking = self.training and self.track_running_stats
        mean, var = (self.running_mean, self.running_var) if tracking or not by_batch else (None, None)
        return F.batch_norm(input, mean, var, self.weight, self.bias, by_batch, momentum, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class LayerNorm(Module):
    """Each example standardized over its last dimensions, of shape ``normalized_shape``, then scaled and shifted.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.LayerNorm.html
    """

    def __init__(
        self,
        normalized_shape: Any,
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.normalized_shape, self.eps, self.elementwise_affine = shape, eps, elementwise_affine
        self.register_parameter("weight", _new(shape, dtype, device) if elementwise_affine else None)
        self.register_parameter("bias", _new(shape, dtype, device) if elementwise_affine and bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Scale 1, shift 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Any) -> Any:
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        has_bias = self.bias is not None
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, bias={has_bias}"
