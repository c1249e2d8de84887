"""What a user asks of derivatives: gradients of tensors, functions with rules of their own, Jacobians, Hessians, checks."""

from minigrad.autograd import anomaly_mode, functional
from minigrad.autograd.anomaly_mode import detect_anomaly, set_detect_anomaly
from minigrad.autograd.checking.diagnose import diagnose
from minigrad.autograd.checking.report import Diagnosis, Report
from minigrad.autograd.function import Function
from minigrad.autograd.gradcheck import GradcheckError, gradcheck, gradgradcheck
from minigrad.backward import backward, grad
from minigrad.grad_mode import enable_grad, inference_mode, no_grad, set_grad_enabled
from minigrad.tensor import Tensor as Variable

__all__ = [
    "Diagnosis",
    "Function",
    "GradcheckError",
    "Report",
    "Variable",
    "anomaly_mode",
    "backward",
    "detect_anomaly",
    "diagnose",
    "enable_grad",
    "functional",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "inference_mode",
    "no_grad",
    "set_detect_anomaly",
    "set_grad_enabled",
]
