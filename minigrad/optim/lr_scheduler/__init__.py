"""Schedules of the learning rate. Call ``scheduler.step()`` after ``optimizer.step()``."""

from minigrad.optim.lr_scheduler.decay import CosineAnnealingLR, ExponentialLR, LambdaLR, MultiStepLR, StepLR
from minigrad.optim.lr_scheduler.one_cycle import OneCycleLR
from minigrad.optim.lr_scheduler.plateau import ReduceLROnPlateau
from minigrad.optim.lr_scheduler.scheduler import LRScheduler

__all__ = [
    "CosineAnnealingLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "MultiStepLR",
    "OneCycleLR",
    "ReduceLROnPlateau",
    "StepLR",
]
