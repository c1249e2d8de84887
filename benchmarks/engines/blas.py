"""Which BLAS NumPy computes matrix products with."""

import numpy as np


def numpy_versions() -> dict[str, str]:
    """Return NumPy's version and its BLAS, without paths."""
    blas = np.show_config(mode="dicts").get("Build Dependencies", {}).get("blas", {})
    name = " ".join(str(blas[key]) for key in ("name", "version") if blas.get(key))
    return {"numpy": np.__version__, "BLAS": name or "unknown"}
