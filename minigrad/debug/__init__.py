"""Tools for a training run that does not do what it should: each answers in sentences, with numbers and the line."""

from minigrad.autograd.anomaly import Anomaly, AnomalyError
from minigrad.autograd.anomaly_mode import detect_anomaly, set_detect_anomaly
from minigrad.autograd.tracing import trace_lines
from minigrad.debug.gradients import GradReport, grad_report
from minigrad.debug.graph import GraphReport, graph_report
from minigrad.debug.lints import Finding, LintWarning, lint
from minigrad.debug.missing import NoGrad, Unreached, unreached, why_no_grad
from minigrad.debug.units import DeadUnits, dead_units

__all__ = [
    "Anomaly",
    "AnomalyError",
    "DeadUnits",
    "Finding",
    "GradReport",
    "GraphReport",
    "LintWarning",
    "NoGrad",
    "Unreached",
    "dead_units",
    "detect_anomaly",
    "grad_report",
    "graph_report",
    "lint",
    "set_detect_anomaly",
    "trace_lines",
    "unreached",
    "why_no_grad",
]
