"""The stream of random numbers, number for number that of PyTorch's CPU generator.

Underneath runs the Mersenne Twister MT19937 (Matsumoto and Nishimura, 1998), which gives 32-bit words. Everything else
is a way to spend words: a float32 costs one (its low 24 bits become the fraction), a float64 two (53 bits of them), a
pair of normal numbers two floats, a permutation of n things n - 1 words. Two programs agree on every number if they
start from one seed and spend their words alike, so each method below spends them as PyTorch does. Read ``_words``,
``_fractions``, ``uniform`` and ``normal`` first.
"""

from __future__ import annotations

import copy
import functools
import math
import operator
import os
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from minigrad.grad_mode import mode
from minigrad.rounding import scale_and_shift

F = TypeVar("F", bound=Callable[..., Any])

# The bytes of a saved state, field by field as torch.get_rng_state() lays them out: 5056 in all.
_STATE = np.dtype(
    [
        ("seed", "<u8"),
        ("left", "<i4"),  # 1 if the next word needs a new block of 624, else how many words remain, and one
        ("seeded", "<i4"),
        ("next", "<u8"),  # where in the block the next word is
        ("block", "<u8", 624),
        ("unused_x", "<f8"),
        ("spare", "<f8"),  # the second normal number of a pair, not handed out yet
        ("unused_rho", "<f8"),
        ("has_spare", "<i4"),
        ("unused_float", "<f4"),
        ("has_float", "u1"),
    ],
    align=True,
)
_DEFAULT_SEED = 67280421310721
_WIDE = 1 << 28  # from this many outcomes on, an integer is drawn from 64 bits, lest the remainder favour some
_LONGEST_PERMUTATION = 0xFFFFFFFF // 20 - 1  # beyond, PyTorch chooses places by two words, in another way


def _drawing(method: F) -> F:
    """Have a captured step call the method anew at each replay."""

    @functools.wraps(method)
    def wrapped(self: Generator, *args: Any, **kwargs: Any) -> Any:
        if mode.capture is not None:
            return mode.capture.call(method, self, *args, **kwargs)
        return method(self, *args, **kwargs)

    return wrapped  # type: ignore[return-value]  # functools.wraps keeps the signature, mypy cannot see it


def _size(shape: Sequence[int]) -> int:
    if any(n < 0 for n in shape):
        raise RuntimeError(f"a shape has no negative dimensions, got {tuple(shape)}")
    return math.prod(shape)


def _floating(dtype: Any, what: str) -> np.dtype:
    found = np.dtype(dtype)
    if found not in (np.float16, np.float32, np.float64):
        raise NotImplementedError(f"{what} numbers are of type float16, float32 or float64, got {found}")
    return found


def _computing(dtype: np.dtype) -> np.dtype:
    """The type in which numbers of ``dtype`` are computed: float16 in float32, the others in their own."""
    return np.dtype(np.float64) if dtype == np.float64 else np.dtype(np.float32)


def _last_integer(dtype: np.dtype) -> int:
    """The largest integer of ``dtype``; of a floating type, the last below which it holds every integer."""
    if dtype.kind == "f":
        return 2 ** (np.finfo(dtype).nmant + 1)
    return 1 if dtype.kind == "b" else int(np.iinfo(dtype).max)


def _exchange(places: np.ndarray) -> np.ndarray:
    """0, ..., n - 1 after exchanging, for each i in turn, the numbers at i and places[i] >= i, without a slow loop.

    Step i settles i for good and moves the number that was there, moved[i], to places[i]. What it finds at places[i] is
    what the last earlier step to the same place moved there or, if there was none, the place's own number: that is
    result[i]. Likewise moved[i] is moved[the last earlier step to i], or i itself. So all steps point backwards, and
    replacing every pointer by its target's pointer, at once, reaches the ends of all chains in a few rounds. (What a
    step from i to i moves is never asked for: no later step leads there.)
    """
    steps = np.arange(len(places))
    # Sorted by place (16-bit keys in linear time), steps to one place are neighbours, in their order.
    order = np.argsort(places.astype(np.uint16) if len(places) <= 2**16 else places, kind="stable")
    again = np.flatnonzero(places[order[1:]] == places[order[:-1]])
    earlier = np.full(len(places), -1)
    earlier[order[again + 1]] = order[again]
    moved = steps.copy()
    moved[places] = steps  # where several steps lead to one place, the last assignment stays
    while not np.array_equal(moved, further := moved[moved]):
        moved = further
    return np.where(earlier < 0, places, moved[earlier])


class Generator:
    """A stream of random numbers, as ``torch.Generator``; its methods return NumPy arrays.

    Raises NotImplementedError for any device but the CPU.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.Generator.html
    """

    def __init__(self, device: Any = "cpu") -> None:
        if str(device).split(":")[0] != "cpu":
            raise NotImplementedError(f"Generator(device={str(device)!r}): random numbers are drawn on the 'cpu' only")
        self._engine = np.random.MT19937(0)
        self.manual_seed(_DEFAULT_SEED)

    device: Any = "cpu"  # where the numbers are drawn

    # The state of the stream.

    @_drawing
    def manual_seed(self, seed: int) -> Generator:
        """Start anew from ``seed``, of which the stream uses the low 32 bits; returns the generator.

        Raises RuntimeError if ``seed`` is not an integer, ValueError outside [-2**63, 2**64); negative seeds wrap.
        """
        try:
            value = operator.index(seed)
        except TypeError:
            raise RuntimeError(f"manual_seed expected an integer, but got {type(seed).__name__}: {seed!r}") from None
        if not -(1 << 63) <= value < 1 << 64:
            raise ValueError(f"a seed lies in [-2**63, 2**64), got {value}")
        self._seed = value % (1 << 64)
        # RandomState spreads the seed over the 624 words as the Twister's authors do (their init_genrand).
        block = np.random.RandomState(self._seed & 0xFFFFFFFF).get_state(legacy=False)["state"]["key"]
        self._engine.state = {"bit_generator": "MT19937", "state": {"key": block, "pos": 624}}
        self._spare: float | None = None
        return self

    def initial_seed(self) -> int:
        """The seed that the stream started from."""
        return self._seed

    def seed(self) -> int:
        """Start anew from a seed of the operating system, which is returned."""
        self.manual_seed(int.from_bytes(os.urandom(8), "little"))
        return self._seed

    @_drawing
    def get_state(self) -> Any:
        """Everything the next numbers depend on: 5056 bytes (a uint8 array), which PyTorch can load, too."""
        engine = self._engine.state["state"]
        state = np.zeros(1, _STATE)
        state["seed"], state["seeded"], state["block"] = self._seed, 1, engine["key"]
        if engine["pos"] == 624 and engine["key"][0] == self._seed & 0xFFFFFFFF:
            state["left"], state["next"] = 1, 0  # no word drawn yet
        else:
            state["left"], state["next"] = 625 - engine["pos"], engine["pos"]
        if self._spare is not None:
            state["has_spare"], state["spare"] = 1, self._spare
        return state.view(np.uint8)

    @_drawing
    def set_state(self, new_state: Any) -> Generator:
        """Continue from a state of ``get_state``, or of PyTorch's; returns the generator.

        Raises TypeError unless ``new_state`` is an array of bytes, RuntimeError if it is no generator's state.
        """
        if not isinstance(new_state, np.ndarray) or new_state.dtype != np.uint8:
            given = f"an array of {new_state.dtype}" if isinstance(new_state, np.ndarray) else type(new_state).__name__
            raise TypeError(f"a generator's state is a uint8 array, as get_state() returns, got {given}")
        if new_state.size != _STATE.itemsize:
            raise RuntimeError(f"a generator's state has {_STATE.itemsize} bytes, got {new_state.size}")
        state = np.frombuffer(new_state.tobytes(), _STATE)[0]
        left, position = int(state["left"]), int(state["next"])
        if state["seeded"] != 1 or not 1 <= left <= 624 or (left, position) not in ((1, 0), (left, 625 - left)):
            raise RuntimeError("invalid Mersenne Twister state: these bytes do not come from get_state()")
        self._seed = int(state["seed"])
        block = state["block"].astype(np.uint32)
        self._engine.state = {"bit_generator": "MT19937", "state": {"key": block, "pos": 625 - left}}
        self._spare = float(state["spare"]) if state["has_spare"] else None
        return self

    def clone_state(self) -> Generator:
        """A new generator that continues from the same place."""
        return copy.copy(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (), Generator.get_state(self)  # what pickle and deepcopy keep

    def __setstate__(self, state: np.ndarray) -> None:
        Generator.set_state(self, state)

    # Words, and numbers made of them.

    def _words(self, n: int) -> np.ndarray:
        """The next ``n`` words of 32 bits, as uint64."""
        return self._engine.random_raw(n)

    def _double_words(self, n: int) -> np.ndarray:
        """``n`` numbers of 64 bits; the first word of each two is the upper half."""
        words = self._words(2 * n)
        return words[0::2] << np.uint64(32) | words[1::2]

    def _fractions(self, n: int, dtype: Any) -> np.ndarray:
        """``n`` numbers on [0, 1), in float32 (a word each) or float64 (two words each).

        A float32 holds 24 binary digits, so the low 24 bits of a word, read as an integer k < 2**24 and divided by
        2**24, give each multiple of 2**-24 below 1 exactly, with equal probability, and never 1 itself. A float64
        holds 53 digits: the low 53 of 64 bits, over 2**53.
        """
        if dtype == np.float64:
            return (self._double_words(n) & np.uint64(2**53 - 1)) * 2.0**-53
        low_bits = (self._words(n) & np.uint64(2**24 - 1)).astype(np.int32)
        return low_bits.astype(np.float32) * np.float32(2.0**-24)

    @_drawing
    def uniform(self, shape: Sequence[int], dtype: Any = np.float32, low: float = 0.0, high: float = 1.0) -> np.ndarray:
        """Numbers uniform on [low, high): low + (high - low) u, as ``torch.Tensor.uniform_``.

        float16 is computed in float32; what rounding lifts to ``high`` becomes ``low``.
        Raises RuntimeError if low > high or the distance has no finite number.
        """
        wanted = _floating(dtype, "uniform")
        limit = float(np.finfo(wanted).max)
        if not -limit <= low <= limit or not -limit <= high <= limit or not low <= high or high - low > limit:
            raise RuntimeError(f"uniform numbers need finite low <= high, at most {limit:g} apart: {low}, {high}")
        computing = _computing(wanted)
        u = self._fractions(_size(shape), computing)
        if (low, high) != (0, 1):
            start, stop = computing.type(low), computing.type(high)
            u = scale_and_shift(u, stop - start, start)
        u = u.astype(wanted, copy=False)
        if wanted == np.float16 or (low, high) != (0, 1):
            u[u == wanted.type(high)] = wanted.type(low)
        return u.reshape(shape)

    @_drawing
    @np.errstate(over="ignore", invalid="ignore")
    def normal(
        self, shape: Sequence[int], dtype: Any = np.float32, mean: float = 0.0, std: float = 1.0, pairs: bool = False
    ) -> np.ndarray:
        """Normal numbers with the given mean and standard deviation, as ``torch.Tensor.normal_``.

        Box and Muller (1958): a point whose coordinates are independent normals lies at a uniform angle 2 pi u, and
        its squared distance from the origin is exponential, -2 log(1 - v). Two uniform numbers thus give two normal
        ones, r cos and r sin. Fewer than 16 numbers are made pair by pair in float64, and a half-used pair's second
        waits for the next such call; 16 or more in blocks of 16 in their own type (float32 to a few units in the last
        place of PyTorch's), and a last, incomplete block is completed backwards: the last 16 numbers are drawn anew.
        ``pairs=True`` makes any number of them pair by pair: so PyTorch fills a tensor that is not contiguous.
        Raises RuntimeError if std < 0.
        """
        wanted = _floating(dtype, "normal")
        if not std >= 0:
            raise RuntimeError(f"normal expects std >= 0.0, but found std {std}")
        size = _size(shape)
        if size < 16 or pairs:
            return scale_and_shift(self._normal_pairs(size), float(std), float(mean)).astype(wanted).reshape(shape)
        computing = _computing(wanted)
        whole, tail = size - size % 16, 16 if size % 16 else 0
        if wanted == np.float16:
            u = self._fractions(whole + tail, computing)
        else:  # here PyTorch draws for the incomplete block, too, before it discards that
            u = self._fractions(size + tail, computing)
            u = np.concatenate([u[:whole], u[size:]]) if tail else u
        u, v = np.ascontiguousarray(u.reshape(-1, 2, 8).swapaxes(0, 1))  # each block: 8 radii, 8 angles
        r = np.sqrt(computing.type(-2) * np.log(computing.type(1) - u))
        angle = computing.type(2 * math.pi) * v
        z = np.stack([r * np.cos(angle), r * np.sin(angle)], axis=1)
        z = scale_and_shift(z.reshape(-1), computing.type(std), computing.type(mean)).astype(wanted, copy=False)
        if tail:
            z = np.concatenate([z[: size - 16], z[-16:]])
        return z.reshape(shape)

    def _normal_pairs(self, n: int) -> np.ndarray:
        """``n`` standard normal numbers in float64, the spare one of an earlier pair first."""
        z = [] if self._spare is None or n == 0 else [self._spare]
        pairs = (n - len(z) + 1) // 2
        for u, v in self._fractions(2 * pairs, np.float64).reshape(pairs, 2).tolist():
            # The C library's functions, as in PyTorch: NumPy's own round some results differently.
            r, angle = math.sqrt(-2.0 * math.log1p(-v)), 2.0 * math.pi * u
            z += r * math.cos(angle), r * math.sin(angle)
        if n:
            self._spare = z[n] if len(z) > n else None
        return np.array(z[:n])

    @_drawing
    @np.errstate(over="ignore", invalid="ignore")
    def exponential(self, shape: Sequence[int], dtype: Any = np.float32, lambd: float = 1.0) -> np.ndarray:
        """Exponential numbers with rate ``lambd``: -log(1 - u) / lambd, as ``torch.Tensor.exponential_``.

        Any distribution with a known cumulative function F can be drawn so: as the inverse of F at a uniform u.
        Raises RuntimeError unless lambd > 0.
        """
        wanted = _floating(dtype, "exponential")
        if not lambd > 0:
            raise RuntimeError(f"exponential expects lambd > 0, but found lambd={lambd}")
        u = self._fractions(_size(shape), np.float64)
        return (-1.0 / float(lambd) * np.log1p(-u)).astype(wanted).reshape(shape)

    # Integers and choices.

    @_drawing
    def integers(self, shape: Sequence[int], low: int, high: int, dtype: Any = np.int64) -> np.ndarray:
        """Integers from ``low`` to ``high - 1``, as ``torch.randint``: low + word mod (high - low).

        Raises RuntimeError unless low < high, and if ``dtype`` does not hold all of the integers.
        """
        wanted = np.dtype(dtype)
        if low >= high:
            raise RuntimeError(f"integers from low to high - 1 need low < high, but got low={low} >= high={high}")
        most = _last_integer(wanted)
        least = -most if wanted.kind == "f" else 0 if wanted.kind == "b" else int(np.iinfo(wanted).min)
        if low < least or high - 1 > most:
            raise RuntimeError(f"{wanted} holds the integers from {least} to {most}, got low={low}, high={high}")
        size, outcomes = _size(shape), high - low
        words = self._double_words(size) if outcomes >= _WIDE else self._words(size)
        drawn = (words % np.uint64(outcomes)).view(np.int64) + np.int64(low)  # wraps around, and thereby fits again
        return drawn.astype(wanted, copy=False).reshape(shape)

    @_drawing
    def random(self, shape: Sequence[int], dtype: Any = np.int64) -> np.ndarray:
        """Integers of the whole range of ``dtype`` from 0 on, as ``torch.Tensor.random_()``.

        A floating type gets the integers that it holds exactly: up to 2**24 for float32, 2**53 for float64.
        """
        wanted = np.dtype(dtype)
        size = _size(shape)
        words = self._double_words(size) if wanted in (np.int64, np.float64) else self._words(size)
        return (words % np.uint64(_last_integer(wanted) + 1)).astype(wanted).reshape(shape)

    @_drawing
    def permutation(self, n: int, dtype: Any = np.int64) -> np.ndarray:
        """The numbers 0 to n - 1 in random order, as ``torch.randperm``.

        Fisher and Yates: each place in turn is exchanged with one drawn from it and those after it.
        Raises RuntimeError if n < 0, if ``dtype`` cannot count to n - 1, or if one word is too short to choose fairly.
        """
        most = min(_LONGEST_PERMUTATION, _last_integer(np.dtype(dtype)) + 1)
        if not 0 <= n <= most:
            raise RuntimeError(f"a permutation of type {np.dtype(dtype)} has 0 to {most} elements, got n={n}")
        places = np.arange(n)
        places[:-1] += self._words(max(n - 1, 0)).view(np.int64) % np.arange(n, min(n, 1), -1)
        return _exchange(places).astype(dtype, copy=False)

    @_drawing
    def bernoulli(self, p: float, shape: Sequence[int], dtype: Any = np.float32) -> np.ndarray:
        """1 with probability ``p``, else 0, as ``torch.Tensor.bernoulli_(p)``: a float64 (two words) each.

        Raises RuntimeError unless p is in [0, 1].
        """
        if not 0 <= p <= 1:
            raise RuntimeError(f"bernoulli expects p to be in [0, 1], but got p={p}")
        return (self._fractions(_size(shape), np.float64) < p).astype(dtype).reshape(shape)

    @_drawing
    def bernoulli_array(self, p: np.ndarray) -> np.ndarray:
        """1 with probability ``p``, else 0, element by element, in p's type, as ``torch.bernoulli(p)``.

        Here a float of p's own width is drawn: one word each for float32 and float16, two for float64.
        Raises RuntimeError unless all of p is in [0, 1].
        """
        _floating(p.dtype, "probabilities as")
        if not ((p >= 0) & (p <= 1)).all():
            raise RuntimeError("bernoulli expects all probabilities to be in [0, 1]")
        return (self._fractions(p.size, _computing(p.dtype)).reshape(p.shape) < p).astype(p.dtype)

    @_drawing
    def multinomial(self, weights: np.ndarray, n: int, replacement: bool = False) -> np.ndarray:
        """Indices drawn with probabilities proportional to ``weights``, of shape (k,) or (rows, k): (n,) or (rows, n).

        With replacement, a uniform number is looked up in the cumulative sums. Without, all k race: index i arrives
        after an exponential time of rate weights[i], and the first n to arrive are taken. A single draw is a race, too.
        Raises RuntimeError for weights that are negative, not finite or all 0, and for too large an n.
        Source: https://docs.pytorch.org/docs/stable/generated/torch.multinomial.html
        """
        if weights.dtype.kind != "f" or weights.ndim not in (1, 2):
            given = f"{weights.dtype} of shape {weights.shape}"
            raise RuntimeError(f"multinomial takes floating-point weights of 1 or 2 dimensions, got {given}")
        if n <= 0 or (not replacement and n > weights.shape[-1]):
            limit = "positive" if replacement else f"from 1 to {weights.shape[-1]} without replacement"
            raise RuntimeError(f"the number of samples of a multinomial is {limit}, got n={n}")
        if not (np.isfinite(weights) & (weights >= 0)).all():
            raise RuntimeError("multinomial weights contain inf, nan or a negative number")
        sums = np.cumsum(weights, axis=-1, dtype=_computing(weights.dtype))
        if weights.shape[-1] == 0 or not (sums[..., -1] > 0).all():
            raise RuntimeError("multinomial weights have the sum 0: at least one of each row must be positive")
        if not replacement or n == 1:
            times = self.exponential(weights.shape, weights.dtype)
            with np.errstate(divide="ignore", over="ignore"):
                speeds = weights / times
            return np.argsort(-speeds, axis=-1, kind="stable")[..., :n]
        sums /= sums[..., -1:]
        u = self._fractions(weights.size // weights.shape[-1] * n, np.float64).reshape(*weights.shape[:-1], n)
        rows = zip(sums.reshape(-1, weights.shape[-1]), u.reshape(-1, n), strict=True)
        return np.array([np.searchsorted(row, samples) for row, samples in rows], np.int64).reshape(u.shape)


default_generator = Generator()
default_generator.seed()  # as in PyTorch, a program that sets no seed draws other numbers each time
