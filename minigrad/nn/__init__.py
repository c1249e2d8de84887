"""Networks, with PyTorch's names: modules, parameters, ``functional``, ``init`` and ``utils``."""

from minigrad.nn import functional, init, modules, parameter, utils
from minigrad.nn.modules import *  # noqa: F403  (the list is in modules)
from minigrad.nn.modules import __all__ as _modules
from minigrad.nn.parameter import Buffer, Parameter

__all__ = ["Buffer", "Parameter", "functional", "init", "modules", "parameter", "utils", *_modules]


def __getattr__(name: str) -> object:
    instead = (
        "it has dense layers only"
        if name.startswith(("Conv", "MaxPool", "AvgPool", "LSTM", "GRU", "RNN"))
        else "see nn.modules"
    )
    raise AttributeError(f"minigrad.nn has no {name!r}: {instead}")
