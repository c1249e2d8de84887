"""The vector-quantized autoencoder: a code is a few entries of a learned book, so it is a short text of discrete words.

Choosing the nearest entry has no slope. The straight-through trick gives the encoder the gradient of the decoder's input,
as if the choice had been a copy; the entries move towards the vectors that chose them, by gradient or by a moving average.
"""

import math
from collections.abc import Sequence

import minigrad
from ae import losses
from ae.models.base import Loss, Model, check_range, stack
from minigrad import Tensor, nn
from minigrad.nn import functional as F


class VQVAE(Model):
    """`latent` words from a book of `words` vectors of `width` numbers: `(N, latent, width)` between two deep networks.

    `reconstruction + |sg(z) - e|^2 + beta * |z - sg(e)|^2`, with z the encoder's vectors, e the nearest entries and sg
    "no gradient". The prior is uniform, so the KL is `latent * log(words)` nats, whatever the image.
    Source: van den Oord, Vinyals and Kavukcuoglu 2017, "Neural Discrete Representation Learning", equations 1 to 3.
    """

    generates = True

    def __init__(
        self,
        pixels: int,
        hidden: Sequence[int],
        latent: int,
        *,
        words: int = 32,
        width: int = 4,
        beta: float = 0.25,
    ) -> None:
        super().__init__()
        for name, value in (("words", words), ("width", width)):
            check_range(name, value, 1)
        check_range("beta", beta, 0)
        self.latent, self.words, self.width, self.beta = latent, words, width, beta
        self.encoder = stack((pixels, *hidden, latent * width))
        self.decoder = stack((latent * width, *hidden[::-1], pixels))
        self._open(minigrad.randn(words, width) / math.sqrt(width))

    def _open(self, book: Tensor) -> None:
        """Keep the book, as it is at first."""
        self.book = nn.Parameter(book)

    def encode(self, images: Tensor) -> Tensor:
        """Return the encoder's vectors `(N, latent, width)`, before they are replaced by entries."""
        return self.encoder(images).reshape(len(images), self.latent, self.width)

    def choose(self, vectors: Tensor) -> Tensor:
        """Return the numbers `(N, latent)` of the entries nearest to vectors `(N, latent, width)`."""
        vectors, book = vectors.detach(), self.book.detach()
        # |z - e|^2 less |z|^2, which is the same for all entries
        return (book.square().sum(1) - 2 * vectors @ book.t()).argmin(-1)

    def entries(self, choice: Tensor) -> Tensor:
        """Return the entries `(N, latent, width)` of the given numbers."""
        return F.embedding(choice, self.book)

    def outputs(self, codes: Tensor) -> Tensor:
        """Return the logits `(..., pixels)` given entries `(..., latent, width)`."""
        return self.decoder(codes.flatten(-2))

    def forward(self, images: Tensor) -> Tensor:
        """Return the reconstructions `(N, pixels)`, with a gradient for the encoder."""
        vectors = self.encode(images)
        return self.decode(straight_through(self.entries(self.choose(vectors)), vectors))

    def embed(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return the chosen entries side by side, `(N, latent * width)`."""
        return self.entries(self.choose(self.encode(images))).flatten(1)

    def reconstruct(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return the reconstructions `(N, pixels)` of images."""
        return self.decode(self.entries(self.choose(self.encode(images))))

    def sample(self, count: int) -> Tensor:
        """Return `count` new images `(count, pixels)`, of words drawn from the uniform prior, each on its own."""
        return self.decode(self.entries(minigrad.randint(self.words, (count, self.latent))))

    def measure(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return (reconstruction, vectors, choice), the reconstruction with a gradient for the encoder."""
        vectors = self.encode(images)
        choice = self.choose(vectors)
        outputs = self.outputs(straight_through(self.entries(choice), vectors))
        return losses.bernoulli(outputs, images), vectors, choice

    def loss(self, images: Tensor, labels: Tensor | None = None) -> Loss:
        """Return the sum with, as `book` and `commitment`, what moves the entries and what moves the vectors."""
        reconstruction, vectors, choice = self.measure(images)
        entries, kl = self.entries(choice), self.latent * math.log(self.words)
        book = (vectors.detach() - entries).square().sum() / len(images)
        commitment = (vectors - entries.detach()).square().sum() / len(images)
        total = reconstruction + book + self.beta * commitment
        return Loss(total, reconstruction=reconstruction, kl=kl, book=book, commitment=commitment)


class VQVAEEMA(VQVAE):
    """The VQ-VAE whose entries are moving averages of the vectors that chose them, without a gradient.

    `n_i <- d n_i + (1 - d) count_i`, `m_i <- d m_i + (1 - d) sum of its vectors`, `e_i = m_i / n_i`, with a decay d and
    n smoothed so that an entry nobody chooses divides by no 0: `(n_i + s) / (n + words s) n`, `n` their sum, `s = 1e-5`.
    Source: van den Oord et al. 2017, appendix A.1.
    """

    def __init__(
        self,
        pixels: int,
        hidden: Sequence[int],
        latent: int,
        *,
        words: int = 32,
        width: int = 4,
        beta: float = 0.25,
        decay: float = 0.99,
    ) -> None:
        super().__init__(pixels, hidden, latent, words=words, width=width, beta=beta)
        check_range("decay", decay, 0, 1)
        self.decay = decay

    def _open(self, book: Tensor) -> None:
        self.register_buffer("book", book)
        self.register_buffer("counts", minigrad.ones(len(book)))
        self.register_buffer("sums", book.clone())

    def loss(self, images: Tensor, labels: Tensor | None = None) -> Loss:
        """Return the sum with, as `commitment`, what moves the vectors; in training every call moves the averages."""
        reconstruction, vectors, choice = self.measure(images)
        kl = self.latent * math.log(self.words)
        commitment = (vectors - self.entries(choice)).square().sum() / len(images)
        if self.training:
            self._average(vectors.detach(), choice)
        total = reconstruction + self.beta * commitment
        return Loss(total, reconstruction=reconstruction, kl=kl, commitment=commitment)

    def _average(self, vectors: Tensor, choice: Tensor) -> None:
        """Move the averages by one batch."""
        chosen = F.one_hot(choice.flatten(), self.words).to(vectors.dtype)
        self.counts.mul_(self.decay).add_((1 - self.decay) * chosen.sum(0))
        self.sums.mul_(self.decay).add_((1 - self.decay) * (chosen.t() @ vectors.reshape(-1, self.width)))
        total, least = self.counts.sum(), 1e-5
        smoothed = (self.counts + least) / (total + self.words * least) * total
        self.book.copy_(self.sums / smoothed.unsqueeze(1))


def straight_through(value: Tensor, source: Tensor) -> Tensor:
    """Return `value`, to the last bit, whose gradient goes to `source` as if it were that."""
    return value.detach() + (source - source.detach())
