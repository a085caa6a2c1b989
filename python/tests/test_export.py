"""What `surefoot export` writes predicts as `surefoot predict` does, in the programs that it is for.

`onnx` and `onnxruntime`, and PyTorch with `safetensors`, are looked for; tests that need what is absent are skipped.
"""

import ctypes
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from export_cases import CASES, model_of
from table_cases import needs_command, run

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
    strict = "-std=c99 -ffp-contract=off -Wall -Wextra -Werror -pedantic -Wno-unused-function -shared -fPIC".split()
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
