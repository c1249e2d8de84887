"""Saving and loading in PyTorch's own file format: each library reads what the other wrote.

A file is a zip archive, nothing compressed: ``data.pkl`` is a pickle of the object in which a tensor stands as (storage,
offset, shape, strides), and ``data/0``, ``data/1``, ... are the storages, the plain bytes that tensors look into. Two tensors
on one memory name the same storage, so that sharing survives. A pickle can name any function to call; ``load`` knows the
few that state dicts need, and refuses all others unless ``weights_only=False``.
"""

from __future__ import annotations

import codecs
import io
import os
import pickle
import sys
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.lib.array_utils import byte_bounds

from minigrad import dtypes
from minigrad.attributes import Size, check_device, device
from minigrad.nn.parameter import Parameter
from minigrad.tensor import Tensor

__all__ = ["load", "save"]

_STORAGES = {
    "HalfStorage": dtypes.float16,
    "FloatStorage": dtypes.float32,
    "DoubleStorage": dtypes.float64,
    "ByteStorage": dtypes.uint8,
    "CharStorage": dtypes.int8,
    "ShortStorage": dtypes.int16,
    "IntStorage": dtypes.int32,
    "LongStorage": dtypes.int64,
    "BoolStorage": dtypes.bool_,
}
_STORAGE_NAMES = {kind: name for name, kind in _STORAGES.items()}
_BYTE_ORDERS = {"little": "<", "big": ">"}


# Saving


class _Global:
    """Something in PyTorch, by name: ``load`` puts in its place what it is there."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name

    def __call__(self) -> None:
        """Never called; but what a pickle says is to be called must look as if it could be."""


_TENSOR = _Global("torch._utils", "_rebuild_tensor_v2")
_PARAMETER = _Global("torch._utils", "_rebuild_parameter")
_SIZE, _DEVICE = _Global("torch", "Size"), _Global("torch", "device")
_KINDS = {kind: _Global("torch", repr(kind).removeprefix("torch.")) for kind in _STORAGE_NAMES}
_STORAGE_KINDS = {kind: _Global("torch", name) for kind, name in _STORAGE_NAMES.items()}


class _Storage:
    """A piece of memory that tensors of one type look into, to be written under ``data/key``."""

    def __init__(self, first: np.ndarray) -> None:
        self.first, self.key = first, ""
        self.start, self.stop = byte_bounds(first)

    def memory(self) -> np.ndarray:
        size = (self.stop - self.start) // self.first.itemsize
        return np.lib.stride_tricks.as_strided(self.first, (size,), (self.first.itemsize,), writeable=False)


class _Pickler(pickle._Pickler):
    """Pickles an object twice: first to see which memory its tensors share, then with the storages that follow.

    It is the pickler written in Python, since only there a subclass can write names that cannot be imported here.
    """

    dispatch: ClassVar[dict[type, Any]] = dict(pickle._Pickler.dispatch)

    def __init__(self, file: Any, protocol: int, seen: dict[int, tuple[Any, np.ndarray]] | None = None) -> None:
        super().__init__(file, protocol)
        self.seen = {} if seen is None else seen  # by id, each array, and what of it is written
        self.storages = _storages([dense for _, dense in self.seen.values()])
        self.written: dict[str, _Storage] = {}

    def persistent_id(self, obj: Any) -> Any:
        if not isinstance(obj, _Storage):
            return None
        kind = dtypes.from_numpy(obj.first.dtype)
        obj.key = obj.key or str(len(self.written))
        self.written[obj.key] = obj
        return "storage", _STORAGE_KINDS[kind], obj.key, "cpu", (obj.stop - obj.start) // obj.first.itemsize

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, Parameter):
            return _PARAMETER, (obj.detach(), obj.requires_grad, OrderedDict())
        if isinstance(obj, Tensor):
            storage, offset, strides = self._place(obj.array)
            return _TENSOR, (storage, offset, obj.array.shape, strides, obj.requires_grad, OrderedDict())
        if isinstance(obj, Size):
            return _SIZE, (tuple(obj),)
        if isinstance(obj, device):
            return _DEVICE, (str(obj),)
        return NotImplemented

    def _place(self, array: np.ndarray) -> tuple[_Storage, int, tuple[int, ...]]:
        """The storage of an array, and where in it, in elements, the array begins and how it strides."""
        fits = all(s >= 0 and s % array.itemsize == 0 for s in array.strides)
        _, dense = self.seen.setdefault(id(array), (array, array if fits else np.ascontiguousarray(array)))
        storage = self.storages.get(id(dense)) or self.storages.setdefault(id(dense), _Storage(dense))
        offset = byte_bounds(dense)[0] - storage.start
        return storage, offset // dense.itemsize, tuple(s // dense.itemsize for s in dense.strides)

    def _save_name(self, obj: _Global) -> None:
        own: Any = self  # typeshed leaves these methods out
        own.write(pickle.GLOBAL + f"{obj.module}\n{obj.name}\n".encode())
        own.memoize(obj)

    def _save_kind(self, obj: dtypes.dtype) -> None:
        own: Any = self
        own.save(_KINDS[obj])

    dispatch[_Global] = _save_name
    dispatch[dtypes.dtype] = _save_kind


def _storages(arrays: list[np.ndarray]) -> dict[int, _Storage]:
    """For each array, by id, the piece of memory it is written with: arrays that overlap share one."""
    found: dict[int, _Storage] = {}
    last = None
    for array in sorted(arrays, key=lambda x: (x.dtype.str, byte_bounds(x))):
        start, stop = byte_bounds(array)
        if last is None or last.first.dtype != array.dtype or start >= last.stop:
            last = _Storage(array)
        last.stop = max(last.stop, stop)
        found[id(array)] = last
    return found


def save(obj: Any, f: Any, pickle_module: Any = None, pickle_protocol: int = 2) -> None:
    """Write ``obj`` (state dicts, tensors, and whatever can be pickled around them) to a path or an open file.

    A file of that name is replaced only when everything is written. Raises RuntimeError if its folder does not exist.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.save.html
    """
    if pickle_module not in (None, pickle):
        raise NotImplementedError("save(pickle_module=...): minigrad writes with Python's own pickle; leave it out")
    if hasattr(f, "write"):
        _write(obj, f, "archive", pickle_protocol)
        return
    path = Path(os.path.realpath(f))
    if not path.parent.is_dir():
        raise RuntimeError(f"Parent directory {path.parent} does not exist: make it first, with os.makedirs(...)")
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(draft, "wb") as file:
            _write(obj, file, path.stem, pickle_protocol)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _write(obj: Any, file: Any, folder: str, protocol: int) -> None:
    with zipfile.ZipFile(file, "w") as archive:

        def record(name: str, content: Any) -> None:
            archive.writestr(zipfile.ZipInfo(f"{folder}/{name}"), content)  # without a date: the same file each time

        survey = _Pickler(io.BytesIO(), protocol)
        survey.dump(obj)
        text = io.BytesIO()
        pickler = _Pickler(text, protocol, survey.seen)
        pickler.dump(obj)
        record("data.pkl", text.getvalue())
        record("byteorder", sys.byteorder)
        for key, storage in pickler.written.items():
            record(f"data/{key}", storage.memory().tobytes())
        record("version", "3\n")


# Loading


def _rebuild_tensor(
    storage: np.ndarray, offset: int, size: Any, stride: Any, requires_grad: bool, hooks: Any, metadata: Any = None
) -> Tensor:
    step = storage.itemsize
    array: np.ndarray = np.ndarray(tuple(size), storage.dtype, storage, offset * step, tuple(s * step for s in stride))
    return Tensor.wrap(array).requires_grad_(requires_grad)


def _rebuild_parameter(data: Tensor, requires_grad: bool, hooks: Any) -> Parameter:
    return Parameter(data, requires_grad)


_KNOWN: dict[tuple[str, str], Any] = {
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
    ("torch", "Size"): Size,
    ("torch", "device"): device,
    ("collections", "OrderedDict"): OrderedDict,
    ("builtins", "set"): set,
    ("_codecs", "encode"): codecs.encode,  # how the older protocols write bytes
    **{("torch", name): kind for name, kind in _STORAGES.items()},
    **{("torch", known.name): kind for kind, known in _KINDS.items()},
}


class _Unpickler(pickle.Unpickler):
    def __init__(self, archive: zipfile.ZipFile, folder: str, map_location: Any, weights_only: bool) -> None:
        super().__init__(archive.open(f"{folder}data.pkl"))
        self.archive, self.folder = archive, folder
        self.map_location, self.weights_only = map_location, weights_only
        self.storages: dict[str, np.ndarray] = {}
        names = archive.namelist()
        order = archive.read(f"{folder}byteorder").decode() if f"{folder}byteorder" in names else "little"
        self.byte_order = _BYTE_ORDERS[order]

    def find_class(self, module: str, name: str) -> Any:
        module = "builtins" if module == "__builtin__" else module
        if (module, name) in _KNOWN:
            return _KNOWN[module, name]
        if module == "torch" and name.endswith("Storage"):
            raise TypeError(f"the file has tensors of type {name}, which minigrad has not: convert them before saving")
        if self.weights_only:
            raise pickle.UnpicklingError(
                f"Weights only load failed. The file names {module}.{name}, which no tensor or state dict needs: save "
                f"model.state_dict() instead of the model. If you trust its source, load it with weights_only=False, which "
                f"lets a file run any code."
            )
        return super().find_class(module, name)

    def persistent_load(self, pid: Any) -> np.ndarray:
        kind, element, key, location, _ = pid
        if kind != "storage" or not isinstance(element, dtypes.dtype):
            raise pickle.UnpicklingError(f"the file names something that is not a storage: {pid!r}")
        if location != "cpu" and self.map_location is None:
            raise RuntimeError(
                f"the file has tensors of device {location!r}, and minigrad has the CPU only: load it with map_location='cpu'"
            )
        if key not in self.storages:
            content = self.archive.read(f"{self.folder}data/{key}")
            found = np.frombuffer(content, element.dtype.newbyteorder(self.byte_order))
            self.storages[key] = found.astype(element.dtype)  # a copy: what was read cannot be written to
        return self.storages[key]


def load(
    f: Any, map_location: Any = None, pickle_module: Any = None, *, weights_only: bool | None = None, mmap: Any = None
) -> Any:
    """What was saved in a file, a path or an open file, by ``save`` or PyTorch's.

    Raises pickle.UnpicklingError for a file that names other things than tensors, numbers, text and containers of these,
    unless ``weights_only=False``: then it may run any code, so trust its source.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.load.html
    """
    if pickle_module not in (None, pickle):
        raise NotImplementedError("load(pickle_module=...): minigrad reads with Python's own pickle; leave it out")
    if mmap:
        raise NotImplementedError("load(mmap=True): minigrad reads the whole file; leave it out")
    if isinstance(map_location, (str, device)):
        check_device(map_location)
    try:
        archive = zipfile.ZipFile(f)
    except zipfile.BadZipFile:
        raise RuntimeError(
            "the file is not a zip archive as save writes it, or was cut short. Files of PyTorch before 1.6 must be loaded "
            "and saved again there"
        ) from None
    with archive:
        inside = [name for name in archive.namelist() if name.endswith("data.pkl")]
        if not inside:
            raise RuntimeError("the zip archive holds no data.pkl: it was not written by save")
        folder = inside[0].removesuffix("data.pkl")
        return _Unpickler(archive, folder, map_location, weights_only is not False).load()
