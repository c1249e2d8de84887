"""Evaluates fresh models with minigrad, or with PyTorch in its place, and prints the numbers as JSON.

Arguments: `minigrad` or `torch`, and the names of the models.
"""

import importlib
import json
import sys


def main() -> None:
    """Put the package in minigrad's place, then import ae and evaluate."""
    package, *names = sys.argv[1:]
    for name in ("", ".nn", ".nn.functional", ".optim"):
        sys.modules[f"minigrad{name}"] = importlib.import_module(f"{package}{name}")
    data, config = importlib.import_module("ae.data"), importlib.import_module("ae.config")
    evaluation, splits = importlib.import_module("ae.evaluation"), data.load("digits")
    found = {}
    for name in names:
        hidden = () if name == "linear" else (16,)
        model = config.Config(name, "digits", 64, hidden, 4, 1, 32, 1e-3, seed=5).build()
        assert isinstance(model, sys.modules[f"{package}.nn"].Module)
        measured = evaluation.evaluate(model, splits, samples=5, images=60)
        found[name] = measured.values | {"per unit": measured.details.get("kl_per_unit")}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
