"""Takes a few steps with every model and writes all its numbers to a file, on minigrad or with PyTorch in its place.

Arguments: `minigrad` or `torch`, and the path of the .npz to write.
"""

import importlib
import sys

import numpy as np

PIXELS, HIDDEN, LATENT, COUNT, STEPS = 12, (9,), 4, 10, 3

VARIANTS = {
    "denoising gaussian": {"noise": "gaussian", "level": 0.2},
    "denoising salt-and-pepper": {"noise": "salt-and-pepper"},
    "vae gaussian": {"likelihood": "gaussian"},
    "vae tanh": {"activation": "tanh"},
    "beta-vae warm": {"warmup": 2},
    "conditional-vae gaussian": {"likelihood": "gaussian", "classes": 3},
    "iwae one": {"k": 1},
    "categorical-vae gaussian": {"likelihood": "gaussian", "faces": 3},
    "planar-vae long": {"steps": 7},
    "iaf-vae long": {"steps": 3, "width": 11},
}


def numbers(torch, models, case, options) -> dict[str, np.ndarray]:
    """What a model says and sends back, before, during and after a few steps of training."""
    name = case.split()[0]
    entry = models.MODELS[name]
    torch.manual_seed(5)
    model = models.build(
        name, PIXELS, () if entry.sizes == "flat" else HIDDEN, 2 * PIXELS if entry.wide else LATENT, **options
    )
    rng = np.random.default_rng(0)
    images = torch.from_numpy(rng.uniform(0, 1, (COUNT, PIXELS)))
    labels = torch.from_numpy(rng.integers(0, options.get("classes", 10), COUNT))
    found: dict[str, np.ndarray] = {}

    def keep(key, value):
        found[f"{case}/{key}"] = value.detach().numpy().copy() if hasattr(value, "detach") else np.asarray(value)

    def keep_loss(prefix, loss):
        keep(f"{prefix}/total", loss.total)
        for part, value in loss.parts.items():
            keep(f"{prefix}/{part}", value)

    optimizers = model.optimizers(0.01)
    for step in range(STEPS):
        loss = model.loss(images, labels)
        keep_loss(f"step {step}", loss)
        for number, (objective, optimizer) in enumerate(zip(loss.objectives, optimizers, strict=True)):
            optimizer.zero_grad()
            objective.backward()
            for key, parameter in model.named_parameters():
                if parameter.grad is not None:
                    keep(f"step {step}/objective {number}/gradient of {key}", parameter.grad)
            optimizer.step()
    model.eval()
    with torch.no_grad():
        keep_loss("evaluation", model.loss(images, labels))
        keep("reconstructions", model.reconstruct(images))
        keep("points", model.embed(images))
        if model.generates:
            keep("samples", model.sample(6))
        if hasattr(model, "log_weights"):
            keep("log weights", model.log_weights(images, 3))
    for key, value in model.state_dict().items():
        keep(f"afterwards {key}", value)
    return found


def main() -> None:
    """Run all cases and write their numbers."""
    package, path = sys.argv[1:]
    for name in ("", ".nn", ".nn.functional", ".optim"):
        sys.modules[f"minigrad{name}"] = importlib.import_module(f"{package}{name}")
    torch, models = sys.modules["minigrad"], importlib.import_module("ae.models")
    torch.set_default_dtype(torch.float64)
    found: dict[str, np.ndarray] = {}
    for case, options in {**{name: {} for name in models.NAMES}, **VARIANTS}.items():
        found |= numbers(torch, models, case, options)
    np.savez(path, **found)


if __name__ == "__main__":
    main()
