"""`surefoot serve` answers what `surefoot predict` writes, whatever the form of the rows.

`openapi-spec-validator` is looked for; its test is skipped where it is absent.
"""

import csv
import io
import json
import re
import shutil
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest

from export_cases import CASES, model_of
from table_cases import COMMAND, ROOT, needs_command, run

pytestmark = needs_command


@contextmanager
def service(folder, *arguments, port=0):
    process = subprocess.Popen(
        [COMMAND, "serve", *arguments, "--port", str(port)], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process.stdout.readline().strip()
    finally:
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=20)
        assert process.returncode == 0, said


def ask(url, body, kind, **headers):
    request = urllib.request.Request(url, body.encode(), {"Content-Type": kind, **headers})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def as_csv(cells):
    text = io.StringIO()
    writer = csv.DictWriter(text, cells[0])
    writer.writeheader()
    writer.writerows(cells)
    return text.getvalue()


def as_json(text):
    """A cell as a program would send it: a number where its text follows from its value, null for nothing."""
    if text == "":
        return None
    return json.loads(text) if re.fullmatch(r"-?(0|[1-9]\d{0,14}|\d{1,9}\.\d*[1-9])", text) else text


@pytest.mark.parametrize("name", CASES)
def test_rows_are_answered_as_the_command_predicts_them(name, tmp_path):
    case = model_of(name, tmp_path)
    query = "?probabilities=true" if any(column.startswith("probability_") for column in case.header) else ""
    case.cells, case.rows = case.cells[:400], case.rows[:400]
    with service(tmp_path, "model.safetensors") as url:
        status, answer = ask(f"{url}/predict{query}", as_csv(case.cells), "text/csv")
        assert (status, list(csv.reader(answer.splitlines()))) == (200, [case.header, *case.rows])
        records = [{name: as_json(cell) for name, cell in row.items()} for row in case.cells]
        status, answer = ask(f"{url}/predict{query}", json.dumps(records), "application/json", Accept="text/csv")
        assert (status, list(csv.reader(answer.splitlines()))) == (200, [case.header, *case.rows])

        # one row alone, as JSON, and its values in the order that the schema tells
        schema = json.loads(urllib.request.urlopen(f"{url}/schema").read())
        names = schema["components"]["schemas"]["Record"]["required"]
        for row, expected in zip(records[:5], case.rows, strict=False):
            for body in (row, [[row[name] for name in names]]):
                status, answer = ask(f"{url}/predict{query}", json.dumps(body), "application/json")
                [predicted] = json.loads(answer)["predictions"]
                value = predicted["prediction"]
                cells = list(value.values()) if isinstance(value, dict) else [value]
                cells += predicted.get("probabilities", {}).values()
                assert status == 200
                assert [cell if isinstance(cell, str) else float(cell) for cell in cells] == [
                    cell if isinstance(mine, str) else float(cell) for cell, mine in zip(expected, cells, strict=True)
                ]


def test_the_schema_is_openapi(tmp_path):
    validator = pytest.importorskip("openapi_spec_validator")
    jsonschema = pytest.importorskip("jsonschema")
    for name in ("all kinds, classes", "patches"):
        folder = tmp_path / name
        folder.mkdir()
        case = model_of(name, folder)
        with service(folder, "model.safetensors") as url:
            schema = json.loads(urllib.request.urlopen(f"{url}/schema").read())
            validator.validate(schema)
            of = {"$defs": schema["components"]["schemas"]} | schema["components"]["schemas"]["Predictions"]
            records = [{name: as_json(cell) for name, cell in row.items()} for row in case.cells[:20]]
            jsonschema.validate(records[0], schema["components"]["schemas"]["Record"])
            jsonschema.validate(json.loads(ask(f"{url}/predict", json.dumps(records), "application/json")[1]), of)


def test_unseen_values_are_told_and_refused_where_that_is_asked(tmp_path):
    model_of("all kinds, classes", tmp_path)
    row = {"size": 80, "rooms": 3, "stamp": 1_750_000_000, "place": "Moon", "code": 7, "garden": "yes", "grade": 2, "seen": "2026-11-01"}
    with service(tmp_path, "model.safetensors") as url:
        status, answer = ask(f"{url}/predict", json.dumps([row, row]), "application/json")
        unseen = json.loads(answer)["unseen"]
        assert status == 200
        assert unseen[0] == {"column": "place", "value": "Moon", "rows": 2, "read_as": None}
        assert unseen[1]["column"] == "code" and unseen[1]["read_as"] == "007"
    with service(tmp_path, "model.safetensors", "--strict") as url:
        status, answer = ask(f"{url}/predict", json.dumps(row), "application/json")
        assert status == 400 and "`Moon`" in json.loads(answer)["error"]
        status, _ = ask(f"{url}/predict", json.dumps(row | {"place": "north"}), "application/json")
        assert status == 200, "a code that lost its zeros is known"


def test_a_port_that_is_taken_is_said(tmp_path):
    run("train", "xor", "--epochs", "1", "--report", "none", "--quiet", "--no-check", "--out", "m.safetensors", folder=tmp_path)
    with service(tmp_path, "m.safetensors") as url:
        port = url.rsplit(":")[-1]
        done = subprocess.run([COMMAND, "serve", "m.safetensors", "--port", port], cwd=tmp_path, capture_output=True, text=True, timeout=20)
        assert done.returncode == 2
        assert f"cannot listen at 127.0.0.1:{port}" in done.stderr and "--port" in done.stderr


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl")
def test_the_commands_of_the_page_do_what_it_says(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    page = (ROOT / "docs/serve.md").read_text().replace("8080", str(port))
    [block] = re.findall(r"```console\n(.*?)```", page, re.DOTALL)
    commands = [part.split("\n", 1) for part in re.split(r"^\$ ", block, flags=re.MULTILINE) if part]
    assert len(commands) >= 5
    serving = None
    try:
        for command, shown in commands:
            command = command.replace("surefoot ", f"{COMMAND} ", 1) if command.startswith("surefoot ") else command
            if command.endswith(" &"):
                serving = subprocess.Popen(command[:-2].split(), cwd=tmp_path, stdout=subprocess.PIPE, text=True)
                assert serving.stdout.readline() == shown
                continue
            done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, timeout=60)
            assert (done.returncode, done.stdout.strip()) == (0, shown.strip()), done.stderr
    finally:
        if serving:
            serving.terminate()
            assert serving.wait(20) == 0
