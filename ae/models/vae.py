"""The variational autoencoder: it encodes an image not as a point but as a cloud of codes, and can draw new images.

The encoder gives the mean and the log-variance of a Gaussian; a code is drawn from it, and decoded. The loss pulls every
cloud towards N(0, 1), so that a code drawn from N(0, 1) decodes to an image too. The sizes 784-400-20 are those of
PyTorch's example programs. Its relatives change one method: the loss, the posterior or the prior.
"""

from collections.abc import Sequence

import minigrad
from ae import losses
from ae.models.base import ACTIVATIONS, Loss, Model, one_of, stack
from ae.models.likelihood import LIKELIHOODS
from minigrad import Tensor, nn


class VAE(Model):
    """Hidden layers (one, unless told) on both sides of a Gaussian code.

    Images `(N, pixels)` in [0, 1] become `mu` and `logvar`, both `(N, latent)`, and reconstructions `(N, pixels)`.
    `hidden` is a size, or several from the image inwards; `likelihood` is bernoulli or gaussian.

    Raises ValueError without a hidden layer or for an unknown likelihood or activation.
    Source: Kingma and Welling 2014, "Auto-Encoding Variational Bayes", equation 10 and appendix C.
    """

    generates = True

    def __init__(
        self,
        pixels: int = 784,
        hidden: int | Sequence[int] = 400,
        latent: int = 20,
        *,
        likelihood: str = "bernoulli",
        activation: str = "relu",
    ) -> None:
        super().__init__()
        sizes = (pixels, hidden) if isinstance(hidden, int) else (pixels, *hidden)
        if len(sizes) < 2:
            raise ValueError(f"{type(self).__name__} needs the size of at least one hidden layer, got none")
        self.latent = latent
        self.encoder = stack(sizes, activation)
        self.mu = nn.Linear(sizes[-1], latent)
        self.logvar = nn.Linear(sizes[-1], latent)
        self.decoder = stack((latent, *sizes[:0:-1]), activation)
        self.output = nn.Linear(sizes[1], pixels)
        self.activation = ACTIVATIONS[activation]()
        self.likelihood = one_of(LIKELIHOODS, likelihood, "likelihood")()

    def start_from(self, mean: Tensor) -> None:
        """Set the output's bias to the logits of a mean image `(pixels,)`, `log(p / (1 - p))` with p in [0.001, 0.999].

        Training then begins with what all images have in common. Source: the programs of Burda, Grosse and
        Salakhutdinov 2016, "Importance Weighted Autoencoders".
        """
        shares = mean.clamp(0.001, 0.999)
        with minigrad.no_grad():
            self.output.bias.copy_(shares.log() - (1 - shares).log())

    def features(self, images: Tensor) -> Tensor:
        """Return what the encoder knows of images, `(N, hidden)`, before it says it as a distribution."""
        return self.activation(self.encoder(images))

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return mu and logvar `(N, latent)` of the codes of images `(N, pixels)`."""
        hidden = self.features(images)
        return self.mu(hidden), self.logvar(hidden)

    def outputs(self, codes: Tensor) -> Tensor:
        """Return what the decoder says of the pixels `(..., pixels)` given codes `(..., latent)`, as logits."""
        return self.output(self.activation(self.decoder(codes)))

    def decode(self, codes: Tensor) -> Tensor:
        """Return the pixels' probabilities (or means) `(..., pixels)` given codes `(..., latent)`."""
        return self.likelihood.mean(self.outputs(codes))

    def draw(self, mu: Tensor, logvar: Tensor) -> Tensor:
        """Draw codes from N(mu, exp(logvar)) such that gradients reach both: `mu + exp(logvar / 2) * noise`.

        The noise comes from the default generator; it is drawn apart from the parameters, which only shift and scale it.
        """
        deviation = (0.5 * logvar).exp()
        return mu + deviation * minigrad.randn_like(deviation)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return (reconstructions, mu, logvar) with one code drawn for each image."""
        mu, logvar = self.encode(images)
        return self.decode(self.draw(mu, logvar)), mu, logvar

    def embed(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return the clouds' centres, mu `(N, latent)`."""
        return self.encode(images)[0]

    def sample(self, count: int) -> Tensor:
        """Return `count` new images `(count, pixels)`, decoded from codes that are drawn from the prior N(0, 1)."""
        return self.decode(minigrad.randn(count, self.latent))

    def loss(self, images: Tensor, labels: Tensor | None = None) -> Loss:
        """Return the negative ELBO, `reconstruction + kl`, which bounds -log p(x) from above."""
        reconstruction, mu, logvar = self.measure(images)
        kl = losses.kl(mu, logvar)
        return Loss(reconstruction + kl, reconstruction=reconstruction, kl=kl)

    def measure(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return (reconstruction, mu, logvar) with one code drawn for each image: what relatives' losses begin with."""
        mu, logvar = self.encode(images)
        return self.likelihood.nll(self.outputs(self.draw(mu, logvar)), images), mu, logvar

    def posterior(self, images: Tensor, samples: int = 1) -> tuple[Tensor, Tensor]:
        """Draw codes `(samples, N, latent)` from q(z | x) and return them with log q `(samples, N)` in nats."""
        mu, logvar = self.encode(images)
        codes = self.draw(mu.expand(samples, *mu.shape), logvar.expand(samples, *logvar.shape))
        return codes, losses.log_normal(codes, mu, logvar).sum(-1)

    def log_prior(self, codes: Tensor) -> Tensor:
        """Return log p(z) `(...)` in nats of codes `(..., latent)`."""
        return losses.log_standard_normal(codes).sum(-1)

    def terms(self, images: Tensor, samples: int = 1) -> tuple[Tensor, Tensor, Tensor]:
        """Return log p(x | z), log p(z) and log q(z | x), each `(samples, N)` in nats, of codes drawn from q."""
        codes, log_q = self.posterior(images, samples)
        return self.likelihood.log_prob(self.outputs(codes), images), self.log_prior(codes), log_q

    def log_weights(self, images: Tensor, samples: int = 1, labels: Tensor | None = None) -> Tensor:
        """Return log p(x, z) - log q(z | x) `(samples, N)` in nats: the mean of their exponentials estimates p(x)."""
        log_likelihood, log_prior, log_q = self.terms(images, samples)
        return log_likelihood + log_prior - log_q

    def sampled_loss(self, images: Tensor) -> Loss:
        """Return the negative ELBO where the KL has no formula: `log q(z | x) - log p(z)` of one code for each image."""
        log_likelihood, log_prior, log_q = self.terms(images)
        reconstruction, kl = -log_likelihood.mean(), (log_q - log_prior).mean()
        return Loss(reconstruction + kl, reconstruction=reconstruction, kl=kl)
