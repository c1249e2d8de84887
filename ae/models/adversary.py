"""The second player: a discriminator that learns to tell two kinds of codes apart, with an optimizer of its own.

The model's loss has a term that says how well it is told apart; the discriminator's loss is the loss's `adversary`. The
trainer takes a step for each, so neither player steps on the other's gradient.
"""

from minigrad import Tensor, nn, optim
from minigrad.nn import functional as F


def tell_apart(yes: Tensor, no: Tensor) -> Tensor:
    """Return the mean cross-entropy, in nats, of logits that should say yes and logits that should say no, 0-d.

    `(mean log(1 + exp(-yes)) + mean log(1 + exp(no))) / 2`: log 2 for one who guesses. At its least the logit is the log of
    the ratio of the two densities. Source: Goodfellow et al. 2014, "Generative Adversarial Nets", equation 1.
    """
    return 0.5 * (F.softplus(-yes).mean() + F.softplus(no).mean())


def two_players(model: nn.Module, adversary: nn.Module, lr: float) -> list[optim.Optimizer]:
    """Return Adam on the model's parameters but the adversary's, and Adam on the adversary's.

    The trainer lets each take its step after the gradient of its own objective, so what an objective sends into the
    other's parameters is dropped. The adversary's momentum is 0.5, for its target moves: as in Kim and Mnih 2018.
    """
    theirs = {id(parameter) for parameter in adversary.parameters()}
    ours = [parameter for parameter in model.parameters() if id(parameter) not in theirs]
    return [optim.Adam(ours, lr=lr), optim.Adam(adversary.parameters(), lr=lr, betas=(0.5, 0.9))]
