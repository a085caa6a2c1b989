"""What `surefoot export` writes predicts as `surefoot predict` does, in the programs that it is for.

`onnx` and `onnxruntime`, and PyTorch with `safetensors`, are looked for; tests that need what is absent are skipped.
"""

import json

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
