"""The reference decoder for LiteRT equals the ONNX one."""

import sys

import pytest

from echoel_training import TrainingError, litert


def test_a_converter_that_fails_is_named(tmp_path, monkeypatch):
    (tmp_path / "convert.py").write_text("raise SystemExit('no such operator')\n")
    monkeypatch.setattr(litert, "_FOLDER", tmp_path)
    with pytest.raises(TrainingError, match="no such operator"):
        litert._convert(sys.executable, tmp_path / "a", tmp_path / "b", tmp_path / "c")


def test_it_differs_by_a_ten_thousandth_at_most(tmp_path):
    if not (litert._FOLDER / ".venv/.requirements").is_file():
        pytest.skip("litert-torch is not installed: python -m echoel_training litert --out FILE installs it")
    out = tmp_path / "decoder.tflite"
    assert litert.export_litert(out) <= litert.MAXIMUM_DIFFERENCE
    assert out.read_bytes()[4:8] == b"TFL3"
