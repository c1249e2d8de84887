"""Everything a network computes, as functions without state: ``torch.nn.functional``."""

from minigrad.nn.functional.activations import *  # noqa: F403  (the lists are in the files)
from minigrad.nn.functional.activations import __all__ as _activations
from minigrad.nn.functional.class_losses import *  # noqa: F403
from minigrad.nn.functional.class_losses import __all__ as _class_losses
from minigrad.nn.functional.layers import *  # noqa: F403
from minigrad.nn.functional.layers import __all__ as _layers
from minigrad.nn.functional.losses import *  # noqa: F403
from minigrad.nn.functional.losses import __all__ as _losses

__all__ = [*_activations, *_class_losses, *_layers, *_losses]
