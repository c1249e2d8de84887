"""`python -m benchmarks.vae_mnist`: PyTorch's example VAE on MNIST, the same program and seed on minigrad and on PyTorch.

The two take turns, an epoch each, and every epoch's losses are printed beside each other. The published logs of the
example end at 105.589 and 105.559 nats per test image after 10 epochs. Set AE_DATA to a folder that holds MNIST's
files, or they are downloaded once.
"""

import argparse
import importlib
import os
import subprocess
import sys

SEED = 1
TARGET, TOLERANCE = 105.6, 0.3


def run(package: str, epochs: int) -> None:
    """Train on the given package, in this process: a line read asks for an epoch, a line written answers with its numbers."""
    for name in ("", ".nn", ".nn.functional", ".optim"):
        sys.modules[f"minigrad{name}"] = importlib.import_module(f"{package}{name}")
    data, training = importlib.import_module("ae.data"), importlib.import_module("ae.train")
    splits = data.load("mnist", os.environ.get("AE_DATA"))
    config = training.Config("vae", "mnist", 784, (400,), 20, epochs, batch_size=128, lr=1e-3, seed=SEED)
    results = training.train(config.build(), splits, config)
    for _ in sys.stdin:
        line = next(results)
        print(line.train_loss, line.test_loss, line.seconds, flush=True)


def main() -> int:
    """Compare the two packages epoch by epoch; the exit status is 0 if 10 epochs reach the published figure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.vae_mnist", description=__doc__.split("\n\n")[0])
    parser.add_argument("--epochs", type=int, default=10, help="default: 10")
    parser.add_argument("--on", choices=["minigrad", "torch"], help="be the side that runs on this package")
    options = parser.parse_args()
    if options.on:
        run(options.on, options.epochs)
        return 0
    command = [sys.executable, "-m", "benchmarks.vae_mnist", "--epochs", str(options.epochs), "--on"]
    sides = [
        subprocess.Popen([*command, package], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        for package in ("minigrad", "torch")
    ]
    print("epoch   train: minigrad      torch    test: minigrad      torch   difference   seconds: minigrad  torch")
    worst, ours = 0.0, [float("nan")] * 3
    for epoch in range(1, options.epochs + 1):
        ours, theirs = (_next_epoch(side) for side in sides)
        worst = max(worst, abs(ours[1] - theirs[1]))
        print(
            f"{epoch:5}{ours[0]:18.4f}{theirs[0]:11.4f}{ours[1]:18.4f}{theirs[1]:11.4f}{ours[1] - theirs[1]:13.4f}"
            f"{ours[2]:20.1f}{theirs[2]:7.1f}",
            flush=True,
        )
    for side in sides:
        side.communicate()
    print(f"largest difference of the test losses: {worst:.4f} nats per image")
    if options.epochs != 10:
        return 0
    reached = abs(ours[1] - TARGET) <= TOLERANCE
    print(f"{ours[1]:.2f} nats per test image; published {TARGET} +- {TOLERANCE}: {'reached' if reached else 'missed'}")
    return 0 if reached else 1


def _next_epoch(side: subprocess.Popen) -> list[float]:
    """Let a side run an epoch and return its training loss, test loss and seconds."""
    print(file=side.stdin, flush=True)
    assert side.stdout is not None
    line = side.stdout.readline()
    if not line:
        raise SystemExit(f"a run ended early, with status {side.wait()}; its error is above")
    return [float(number) for number in line.split()]


if __name__ == "__main__":
    sys.exit(main())
