"""How good an autoencoder is, in numbers with units: `evaluate(model, splits)` takes them all, each has a function.

Reconstruction and likelihood are in nats per image, errors in squared grey levels per image; every docstring says.
"""

from ae.evaluation.blocks import decode_points, in_blocks, seeded
from ae.evaluation.disentangling import mutual_information, mutual_information_gap
from ae.evaluation.frechet import PrincipalFeatures, frechet_distance
from ae.evaluation.likelihood import active_units, kl_per_unit, log_likelihood, unit_variances
from ae.evaluation.measure import METRICS, Evaluation, Metric, evaluate, table
from ae.evaluation.pixels import cross_entropy, denoising, grey_floor, squared_error
from ae.evaluation.probes import fit_softmax, linear_probe, minimize, nearest_neighbours

__all__ = [
    "METRICS",
    "Evaluation",
    "Metric",
    "PrincipalFeatures",
    "active_units",
    "cross_entropy",
    "decode_points",
    "denoising",
    "evaluate",
    "fit_softmax",
    "frechet_distance",
    "grey_floor",
    "in_blocks",
    "kl_per_unit",
    "linear_probe",
    "log_likelihood",
    "minimize",
    "mutual_information",
    "mutual_information_gap",
    "nearest_neighbours",
    "seeded",
    "squared_error",
    "table",
    "unit_variances",
]
