"""Helpers around training; ``minigrad.utils.data`` feeds it."""

from minigrad.utils import data

__all__ = ["data"]
