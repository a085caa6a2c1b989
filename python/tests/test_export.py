"""What `surefoot export` writes predicts as `surefoot predict` does, in the programs that it is for.

`onnx` and `onnxruntime`, and PyTorch with `safetensors`, are looked for; tests that need what is absent are skipped.
"""

import ctypes
import json
import re
import runpy
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from export_cases import CASES, made_up, model_of
from table_cases import ROOT, needs_command, run

pytestmark = needs_command


@pytest.fixture(scope="module", params=CASES)
def case(request, tmp_path_factory):
    return model_of(request.param, tmp_path_factory.mktemp("case"))


def number(text):
    """The number of a cell, NaN where there is none."""
    try:
        return float(text)
    except ValueError:
        return np.nan


def export(case, to):
    run("export", "model.safetensors", "--to", to, folder=case.folder)
    return case.folder / {"pytorch": "model.py"}.get(to, f"model.{to}")


def session(path):
    onnxruntime = pytest.importorskip("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options)


def feed(session, cells):
    """The raw columns: texts as they are, numbers as numbers."""
    return {
        column.name: np.array([[row[column.name]] for row in cells], dtype=object)
        if column.type == "tensor(string)"
        else np.array([[number(row[column.name])] for row in cells])
        for column in session.get_inputs()
    }


def test_onnx_runtime_predicts_the_same_from_raw_columns(case):
    onnx = pytest.importorskip("onnx")
    path = export(case, "onnx")
    onnx.checker.check_model(onnx.load(path), full_check=True)
    network = session(path)
    results = dict(zip([result.name for result in network.get_outputs()], network.run(None, feed(network, case.cells)), strict=True))
    assert len(case.rows) == len(case.cells) > 3
    if "prediction" in results:
        expected = case.numbers()
        np.testing.assert_allclose(results["prediction"], expected, rtol=1e-5, atol=1e-5)
        return
    assert case.header[1:] == [f"probability_{name}" for name in json.loads((export(case, "json")).read_text())["classes"]]
    expected = np.array([[float(cell) for cell in row[1:]] for row in case.rows])
    np.testing.assert_allclose(results["probabilities"], expected, rtol=0, atol=1e-5)
    differ = [i for i, row in enumerate(case.rows) if results["label"][i] != row[0]]
    # only where two classes are as probable as each other
    assert all(np.ptp(np.sort(expected[i])[-2:]) < 1e-5 for i in differ)


def test_onnx_refuses_the_rows_that_predict_refuses(tmp_path):
    (tmp_path / "t.csv").write_text("x,place,y\n" + "".join(f"{i * 7 % 13}.5,{'ab'[i % 2]},{'pq'[i % 2]}\n" for i in range(40)))
    run(*"train t.csv --epochs 2 --report none --quiet --activation relu --out model.safetensors".split(), folder=tmp_path)
    run("export", "model.safetensors", "--to", "onnx", folder=tmp_path)
    network = session(tmp_path / "model.onnx")
    given = {"x": np.array([[1.0], [np.inf], [-np.inf], [1e300]]), "place": np.array([["a"]] * 4, dtype=object)}
    label, probabilities = network.run(None, given)
    assert label[0] in ("p", "q") and list(label[1:3]) == ["", ""] and label[3] in ("p", "q")
    assert np.isnan(probabilities).all(axis=1).tolist() == [False, True, True, False]


def test_a_matrix_goes_in_where_a_model_has_no_columns(tmp_path):
    import surefoot.sklearn as surefoot

    inputs = np.random.RandomState(0).normal(size=(50, 3))
    model = surefoot.MLPRegressor(max_iter=5).fit(inputs, inputs.sum(axis=1))
    model.save(tmp_path / "model.safetensors")
    run("export", "model.safetensors", "--to", "onnx", folder=tmp_path)
    (prediction,) = session(tmp_path / "model.onnx").run(None, {"X": inputs})
    np.testing.assert_allclose(prediction[:, 0], model.predict(inputs), rtol=1e-5, atol=1e-5)


def test_arrays_and_json_have_every_bit(case):
    with np.load(export(case, "npz"), allow_pickle=False) as file:
        arrays = dict(file)
    document = json.loads(export(case, "json").read_text())
    metadata = json.loads(str(arrays.pop("metadata")))
    assert metadata.items() <= document.items()
    dtype = {"f32": np.float32, "f64": np.float64}[document["precision"]]
    prefixes = [""] if len(document["networks"]) == 1 else [f"members.{k}." for k in range(len(document["networks"]))]
    for prefix, network in zip(prefixes, document["networks"], strict=True):
        for l, layer in enumerate(network):
            for name in ("weight", "bias"):
                array = arrays.pop(f"{prefix}layers.{l}.{name}")
                assert array.dtype == dtype
                np.testing.assert_array_equal(array, np.array(layer[name]), strict=False)
    assert not arrays
    tensors = case.folder.joinpath("model.safetensors").read_bytes()
    numbers = b"".join(np.asarray(layer[name], dtype).tobytes() for network in document["networks"] for layer in network for name in ("weight", "bias"))
    assert tensors.endswith(numbers)


def compiled(case, compiler, *options):
    """The functions of the C file, as a library."""
    if not shutil.which(compiler):
        pytest.skip(f"there is no {compiler}")
    source, library = export(case, "c"), case.folder / f"model-{compiler}{len(options)}.so"
    strict = "-std=c99 -ffp-contract=off -Wall -Wextra -Werror -pedantic -shared -fPIC".split()
    # clang warns of inline functions that a network has no use for, gcc does not
    strict += ["-Wno-unused-function"] * (compiler == "clang")
    subprocess.run([compiler, *strict, *options, source, "-o", library, "-lm"], check=True, capture_output=True, text=True)
    return ctypes.CDLL(str(library))


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("options", [["-O2", "-mfma"], ["-O0"]], ids=["fused", "library"])
def test_c_gives_the_same_bits(case, compiler, options):
    if "-mfma" in options and "fma" not in Path("/proc/cpuinfo").read_text().split():
        pytest.skip("this CPU has no fused multiply-add")
    library = compiled(case, compiler, *options)
    text = export(case, "c").read_text()
    columns = re.findall(r"^ \* (numbers|texts)\[\d+\]  ([^:\n]+)", text, re.MULTILINE)
    groups = {group: [name for of, name in columns if of == group] for group in ("numbers", "texts")}
    assert set(groups["numbers"] + groups["texts"]) <= set(case.cells[0])
    count = int(re.search(r"SUREFOOT_OUTPUTS (\d+)", text)[1])
    classes = re.search(r"SUREFOOT_CLASSES (\d+)", text)
    names = (ctypes.c_char_p * int(classes[1])).in_dll(library, "surefoot_classes") if classes else []
    for cells, expected in zip(case.cells, case.rows, strict=True):
        numbers = (ctypes.c_double * 100)(*[number(cells[name]) for name in groups["numbers"]])
        texts = (ctypes.c_char_p * 100)(*[cells[name].encode() for name in groups["texts"]])
        outputs = (ctypes.c_double * count)()
        assert library.surefoot_predict(numbers, texts, outputs) == 0
        if not classes:
            assert list(outputs) == list(map(float, expected))
            continue
        probabilities = (ctypes.c_double * len(names))()
        library.surefoot_probabilities(outputs, probabilities)
        assert names[library.surefoot_class(outputs)].decode() == expected[0]
        assert list(probabilities) == list(map(float, expected[1:]))


def with_torch():
    """PyTorch, and its part of safetensors."""
    reason = "there is no PyTorch: its wheels for Linux at PyPI need some GB of CUDA libraries"
    return pytest.importorskip("torch", reason=reason), pytest.importorskip("safetensors.torch", reason=reason)


def test_pytorch_predicts_the_same(case):
    torch, _ = with_torch()
    path = export(case, "pytorch")
    made = runpy.run_path(str(path))
    if not set(made["INPUTS"]) <= set(case.cells[0]) or any(np.isnan(number(row[name])) for row in case.cells for name in made["INPUTS"]):
        pytest.skip("the encoding of texts and missing cells is not part of the file")
    inputs = torch.tensor([[number(row[name]) for name in made["INPUTS"]] for row in case.cells], dtype=torch.float64)
    with torch.no_grad():
        outputs = made["load"]()(inputs).numpy()
    expected = np.array([[float(cell) for cell in row[1 if made["CLASSES"] else 0 :]] for row in case.rows])
    if outputs.shape[1] == 1 and made["CLASSES"]:
        outputs = np.hstack([1 - outputs, outputs])
    elif made["CLASSES"]:
        outputs = outputs / outputs.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_a_sequential_becomes_a_model_to_the_bit(precision, tmp_path):
    torch, safetensors = with_torch()
    nn, dtype = torch.nn, getattr(torch, precision)
    torch.manual_seed(1)
    network = nn.Sequential(nn.Linear(4, 7), nn.ReLU(), nn.Dropout(0.5), nn.Linear(7, 5), nn.Tanh(), nn.Linear(5, 3)).to(dtype)
    safetensors.save_file(network.state_dict(), tmp_path / "state.safetensors")
    run(*"import state.safetensors --activations relu,tanh,softmax --classes a,b,c --out model.safetensors".split(), folder=tmp_path)
    tensors = safetensors.load_file(tmp_path / "model.safetensors")
    for layer, place in enumerate([0, 3, 5]):
        for name in ("weight", "bias"):
            assert torch.equal(tensors[f"layers.{layer}.{name}"], network.state_dict()[f"{place}.{name}"])
    rows = torch.randn(50, 4, dtype=dtype)
    (tmp_path / "rows.csv").write_text("p,q,r,s\n" + "".join(",".join(map(repr, row)) + "\n" for row in rows.tolist()))
    out = run("predict", "model.safetensors", "rows.csv", "--probabilities", folder=tmp_path)
    got = np.array([[float(cell) for cell in line.split(",")[1:]] for line in out.splitlines()[1:]])
    expected = torch.softmax(network.eval()(rows), dim=1).detach().numpy()
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)
    # and back
    run("export", "model.safetensors", "--to", "pytorch", folder=tmp_path)
    again = runpy.run_path(str(tmp_path / "model.py"))["load"]()
    np.testing.assert_allclose(again(rows).detach().numpy(), expected, rtol=1e-6, atol=1e-7)


def test_the_estimators_make_onnx():
    import pandas as pd
    import surefoot

    rows = made_up(200, 1, False)
    table = pd.DataFrame({"size": [number(row["size"]) for row in rows], "place": [row["place"] or None for row in rows]})
    model = surefoot.Classifier(epochs=3).fit(table, [row["class"] for row in rows])
    label, probabilities = session(model.to_onnx()).run(
        None, {"size": table[["size"]].to_numpy(), "place": table[["place"]].fillna("").to_numpy(object)}
    )
    np.testing.assert_allclose(probabilities, model.predict_proba(table), rtol=0, atol=1e-5)
    np.testing.assert_array_equal(label, model.predict(table))
    numbers = np.random.RandomState(0).uniform(0.1, 0.9, size=(60, 4))
    autoencoder = surefoot.Autoencoder(hidden=2, epochs=3).fit(numbers)
    network = session(autoencoder.to_onnx())
    given = {column.name: numbers[:, [i]] for i, column in enumerate(network.get_inputs())} if len(network.get_inputs()) > 1 else {"X": numbers}
    (restored,) = network.run(None, given)
    np.testing.assert_allclose(restored, autoencoder.inverse_transform(autoencoder.transform(numbers)), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("classes", [0, 2, 3])
def test_a_perceptron_of_scikit_learn_becomes_ours_to_the_bit(classes, dtype, tmp_path):
    import surefoot
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    random = np.random.RandomState(2)
    inputs = random.normal(size=(80, 3)).astype(dtype)
    targets = random.randint(classes, size=80) if classes else inputs.sum(axis=1)
    made = (MLPClassifier if classes else MLPRegressor)(hidden_layer_sizes=(6, 4), max_iter=300, tol=0.1, random_state=0)
    theirs = made.fit(inputs, targets)
    ours = surefoot.from_sklearn(theirs)
    for name in ("coefs_", "intercepts_"):
        for got, expected in zip(getattr(ours, name), getattr(theirs, name), strict=True):
            assert got.dtype == dtype and got.tobytes() == expected.tobytes()
    predict = "predict_proba" if classes else "predict"
    np.testing.assert_allclose(getattr(ours, predict)(inputs), getattr(theirs, predict)(inputs), rtol=1e-5, atol=1e-6)
    # theirs stays as it is, whatever becomes of ours
    other, before = surefoot.from_sklearn(theirs), getattr(theirs, predict)(inputs)
    for parameters in (other.coefs_[0], other.intercepts_[0]):
        parameters += 1
    np.testing.assert_array_equal(getattr(theirs, predict)(inputs), before)
    ours.save(tmp_path / "model.safetensors")
    again = surefoot.load(tmp_path / "model.safetensors")
    # the last class alone: of two, the first is 1 - p, which the estimators take in precisions of their own
    last = [np.reshape(getattr(model, predict)(inputs), (80, -1))[:, -1] for model in (again, ours)]
    np.testing.assert_array_equal(*last)
    result = session(ours.to_onnx()).run(None, {"X": inputs.astype(np.float64)})[-1]
    np.testing.assert_allclose(np.ravel(result), np.ravel(getattr(theirs, predict)(inputs)), rtol=1e-5, atol=1e-5)


def test_only_perceptrons_of_scikit_learn_are_taken():
    import surefoot
    from sklearn.exceptions import NotFittedError
    from sklearn.linear_model import LinearRegression
    from sklearn.neural_network import MLPClassifier

    with pytest.raises(TypeError, match="got LinearRegression"):
        surefoot.from_sklearn(LinearRegression())
    with pytest.raises(NotFittedError):
        surefoot.from_sklearn(MLPClassifier())


def block(kind, having):
    """The block of the page about exports with this text."""
    page = (ROOT / "docs/export.md").read_text(encoding="utf-8")
    (found,) = [text for text in re.findall(rf"```{kind}\n(.*?)```", page, re.DOTALL) if having in text]
    return found


def test_the_page_about_exports_says_how_it_is_done(tmp_path, monkeypatch):
    pytest.importorskip("onnxruntime")
    monkeypatch.chdir(tmp_path)
    for name in ("houses.csv", "new-houses.csv"):
        shutil.copy(ROOT / "docs" / name, tmp_path)
    run(*"train houses.csv --target price --epochs 3 --report none --quiet --out houses.safetensors".split(), folder=tmp_path)
    run("export", "houses.safetensors", "--to", "onnx", folder=tmp_path)
    names = {}
    exec(block("python", "houses.onnx"), names)
    expected = run("predict", "houses.safetensors", "new-houses.csv", folder=tmp_path).split()[1:]
    np.testing.assert_allclose(names["prices"][:, 0], list(map(float, expected)), rtol=1e-5)
    run(*"train iris --hidden 16 --activation tanh --ensemble 1 --epochs 20 --report none --quiet --out iris.safetensors".split(), folder=tmp_path)
    run("export", "iris.safetensors", "--to", "c", folder=tmp_path)
    (tmp_path / "main.c").write_text(block("c", "iris.c"))
    subprocess.run("gcc -std=c99 -O2 -ffp-contract=off main.c -lm -o main".split(), cwd=tmp_path, check=True)
    assert subprocess.run("./main", capture_output=True, text=True).stdout == "setosa\n"


def test_the_page_shows_a_sequential_of_the_model_file(tmp_path, monkeypatch):
    torch, _ = with_torch()
    monkeypatch.chdir(tmp_path)
    run(*"train iris --hidden 16 --activation tanh --ensemble 1 --epochs 20 --report none --quiet --out iris.safetensors".split(), folder=tmp_path)
    names = {}
    exec(block("python", "nn.Sequential(nn.Linear(4, 16)"), names)
    tensors = names["load_file"]("iris.safetensors")
    assert torch.equal(names["network"][2].weight, tensors["layers.1.weight"])
