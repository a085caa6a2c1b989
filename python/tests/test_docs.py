"""Every example of the documentation runs: the Python blocks of the pages, and the notebook.

The blocks of a page share one namespace and run from top to bottom, in an empty working directory. A block whose first
line is `# scikit-learn >= 1.9` is left out with an older one.
"""

import json
import re
import sys
from pathlib import Path

import pytest
import sklearn

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "docs/from-scikit-learn.md", ROOT / "python/README.md"]
NOTEBOOK = ROOT / "docs/tour.ipynb"
SKLEARN = tuple(int(part) for part in sklearn.__version__.split(".")[:2])

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NEEDS = re.compile(r"# scikit-learn >= (\d+)\.(\d+)\n")


def blocks(page):
    """The Python blocks of a page, each with empty lines before it, so that errors name the line of the page."""
    text = page.read_text(encoding="utf-8")
    for found in BLOCK.finditer(text):
        needs = NEEDS.match(found[1])
        if needs is None or SKLEARN >= (int(needs[1]), int(needs[2])):
            yield "\n" * text.count("\n", 0, found.start(1)) + found[1]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_examples_of_a_page_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = list(blocks(page))
    assert found, f"no Python in {page.name}"
    namespace = {"__name__": "__main__"}
    for block in found:
        exec(compile(block, page, "exec"), namespace)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_block_of_a_page_is_left_open(page):
    """A fence that is indented or misspelt would take its example out of the test above."""
    fences = re.findall(r"^ *```.*$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(fences) % 2 == 0
    for opening, closing in zip(fences[::2], fences[1::2], strict=True):
        assert re.fullmatch(r"```(python|console|text|toml|)", opening), opening
        assert closing == "```"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_of_a_page_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    for number, link in re.findall(r"\[(\d+)\]\((https://github.com/scikit-learn/[^)]*)\)", text):
        assert link == f"https://github.com/scikit-learn/scikit-learn/issues/{number}"
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert (page.parent / link).exists(), link


def test_the_notebook_is_valid_and_has_no_output():
    nbformat = pytest.importorskip("nbformat")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook.cells)


def test_the_notebook_runs(tmp_path, monkeypatch):
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    # The kernel is this Python, whatever kernels the user has.
    folder = tmp_path / "jupyter/kernels/surefoot-tour"
    folder.mkdir(parents=True)
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (folder / "kernel.json").write_text(json.dumps({"argv": command, "display_name": "tour", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))

    notebook = nbformat.read(NOTEBOOK, as_version=4)
    where = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="surefoot-tour", resources=where).execute()
    shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    pages = [output["data"]["text/html"].lower() for output in shown if "text/html" in output.get("data", {})]
    # the report of the fit, and both gradient checks
    for words in ("out-of-fold", "gradient check passed", "gradient check failed"):
        assert any(words in page for page in pages), words
    assert not any(output.get("name") == "stderr" for output in shown), "warnings in the tour"
