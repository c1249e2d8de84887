"""What one library saves the other loads, sharing included; what could run code is refused."""

import io
import os
import pickle
import zipfile

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import minigrad

BOTH_WAYS = [(torch, minigrad), (minigrad, torch), (minigrad, minigrad)]
WAYS = pytest.mark.parametrize(
    ("writer", "reader"), BOTH_WAYS, ids=lambda m: m.__name__ if hasattr(m, "__name__") else None
)


def through(writer, reader, obj, **options):
    file = io.BytesIO()
    writer.save(obj, file)
    file.seek(0)
    return reader.load(file, **options)


def trained(m):
    m.manual_seed(0)
    model = m.nn.Sequential(m.nn.Linear(3, 4), m.nn.BatchNorm1d(4), m.nn.ReLU(), m.nn.Linear(4, 1))
    optimizer = m.optim.Adam(model.parameters(), lr=0.1)
    scheduler = m.optim.lr_scheduler.StepLR(optimizer, 2)
    for _ in range(3):
        step(m, model, optimizer)
        scheduler.step()
    return model, optimizer, scheduler


def step(m, model, optimizer):
    optimizer.zero_grad()
    loss = (model(m.arange(15.0).reshape(5, 3).sin()) ** 2).mean()
    loss.backward()
    optimizer.step()
    return loss.item()


@WAYS
def test_a_checkpoint_goes_on_in_the_other_library(writer, reader):
    model, optimizer, scheduler = trained(writer)
    checkpoint = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict()}
    found = through(writer, reader, {**checkpoint, "rng": writer.get_rng_state(), "epoch": 3})
    other, its_optimizer, its_scheduler = trained(reader)
    for _ in range(2):  # away from where it was saved
        step(reader, other, its_optimizer)
    other.load_state_dict(found["model"])
    its_optimizer.load_state_dict(found["optimizer"])
    its_scheduler.load_state_dict(found["scheduler"])
    expected = [step(writer, model, optimizer) for _ in range(3)]
    assert [step(reader, other, its_optimizer) for _ in range(3)] == pytest.approx(expected, rel=1e-5)
    numbers = []
    for m in (writer, reader):
        m.set_rng_state(found["rng"] if m is reader else writer.tensor(found["rng"].tolist(), dtype=writer.uint8))
        numbers.append(m.rand(3).tolist())
    assert numbers[0] == numbers[1]


CONTENTS = r"""
{"number": 3, "real": 0.5, "text": "tëxt", "none": None, "bytes": b"ab", "set": {1, 2}, "nested": [1, (2, [3, {}])]}
m.tensor(2.5, dtype=m.float64)
m.tensor([True, False])
[m.ones(2, dtype=d) for d in (m.float16, m.float32, m.float64, m.uint8, m.int8, m.int16, m.int32, m.int64)]
m.zeros(0, 3)
m.arange(6).reshape(2, 3).T
m.arange(6)[1:5:2]
m.ones(2).expand(3, 2)
m.ones(2, requires_grad=True)
m.nn.Parameter(m.ones(2))
m.nn.Parameter(m.ones(2), requires_grad=False)
(m.Size([2, 3]), m.float32, m.int64, m.device("cpu"))
m.nn.Linear(2, 2).state_dict()
""".strip().splitlines()


@WAYS
@pytest.mark.parametrize("content", CONTENTS)
def test_a_content_comes_back_as_it_was(content, writer, reader):
    def made(m):
        m.manual_seed(0)
        return eval(content, {"m": m})

    assert repr(through(writer, reader, made(writer))) == repr(made(reader))


@WAYS
def test_tensors_on_one_memory_stay_on_one(writer, reader):
    base = writer.arange(6.0)
    found = through(writer, reader, {"tail": base[2:], "column": base.view(2, 3)[:, 2], "apart": base.clone()})
    found["tail"][0] = 99.0
    assert found["column"].tolist() == [99.0, 5.0]
    assert found["apart"].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]


@given(st.data())
def test_any_view_is_read_by_torch(data):
    shape = data.draw(st.lists(st.integers(0, 4), max_size=3))
    steps = [data.draw(st.sampled_from([1, 2, -1])) for _ in shape]
    order = data.draw(st.permutations(range(len(shape))))
    x = minigrad.arange(int(minigrad.Size(shape).numel())).reshape(shape)[tuple(slice(None, None, s) for s in steps)]
    x = x.permute(*order) if shape else x
    assert through(minigrad, torch, x).tolist() == x.tolist()


def test_a_part_of_a_large_tensor_is_a_small_file():
    file = io.BytesIO()
    minigrad.save(minigrad.zeros(100_000)[:3], file)
    assert file.tell() < 2000


def test_one_content_gives_one_file():
    first, second = io.BytesIO(), io.BytesIO()
    for file in (first, second):
        minigrad.save(minigrad.nn.Linear(1, 1, bias=False).state_dict().fromkeys("ab", minigrad.ones(2)), file)
    assert first.getvalue() == second.getvalue()


class _Runs:
    ran = False

    def __reduce__(self):
        return _run, ()


def _run():
    _Runs.ran = True


def test_a_file_that_would_run_code_is_refused():
    with pytest.raises(pickle.UnpicklingError, match=r"_run.*state_dict\(\).*weights_only=False"):
        through(minigrad, minigrad, _Runs())
    assert not _Runs.ran
    through(minigrad, minigrad, _Runs(), weights_only=False)
    assert _Runs.ran


def test_a_whole_module_is_loaded_on_request():
    model = minigrad.nn.Sequential(minigrad.nn.Linear(2, 2), minigrad.nn.Tanh())
    x = minigrad.ones(1, 2)
    with pytest.raises(pickle.UnpicklingError):
        through(minigrad, minigrad, model)
    found = through(minigrad, minigrad, model, weights_only=False)
    assert found(x).tolist() == model(x).tolist()
    assert [type(p) for p in found.parameters()] == [minigrad.nn.Parameter] * 2


def test_a_tensor_cannot_look_outside_its_storage():
    file = io.BytesIO()
    minigrad.save(minigrad.zeros(4), file)
    archive = zipfile.ZipFile(file)
    forged = io.BytesIO()
    with zipfile.ZipFile(forged, "w") as out:
        for name in archive.namelist():
            content = archive.read(name)
            out.writestr(name, content[:8] if name.endswith("data/0") else content)
    with pytest.raises(ValueError, match="buffer"):
        minigrad.load(forged)


def test_a_failed_save_leaves_the_former_file(tmp_path):
    path = tmp_path / "model.pt"
    minigrad.save({"a": 1}, path)
    with pytest.raises((pickle.PicklingError, AttributeError)):
        minigrad.save({"a": lambda: 1}, path)
    assert minigrad.load(str(path)) == {"a": 1}
    assert os.listdir(tmp_path) == ["model.pt"]


def test_mistakes_are_explained(tmp_path):
    with pytest.raises(RuntimeError, match=r"Parent directory .* does not exist.*makedirs"):
        minigrad.save({}, tmp_path / "no" / "model.pt")
    with pytest.raises(FileNotFoundError):
        minigrad.load(tmp_path / "nothing.pt")
    (tmp_path / "text.pt").write_text("not a checkpoint")
    with pytest.raises(RuntimeError, match="not a zip archive"):
        minigrad.load(tmp_path / "text.pt")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("a", "b")
    with pytest.raises(RuntimeError, match="not written by save"):
        minigrad.load(tmp_path / "other.zip")
    minigrad.save({}, tmp_path / "a.pt")
    with pytest.raises(NotImplementedError, match="'cpu' only"):
        minigrad.load(tmp_path / "a.pt", map_location="cuda:0")
    assert minigrad.load(tmp_path / "a.pt", map_location=minigrad.device("cpu")) == {}


def test_a_type_that_minigrad_lacks_is_named():
    with pytest.raises(TypeError, match=r"BFloat16Storage.*convert"):
        through(torch, minigrad, torch.ones(2, dtype=torch.bfloat16))
