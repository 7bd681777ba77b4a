"""The command line: results on stdout, the rest on stderr, exit codes 0, 1 and 64."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from echoel_training.cli import cli

from test_dataset import GOOD
from test_rendering import synthesizer  # noqa: F401, a fixture


def run(*arguments, **options) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "echoel_training", *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    return subprocess.run(command, capture_output=True, text=True, env=environment, **options)


def test_every_command_has_help_with_an_example():
    assert {"render", "notes", "train", "export", "score", "cards", "reference", "fixtures"} <= set(cli.commands)
    for name in cli.commands:
        shown = CliRunner().invoke(cli, [name, "--help"])
        assert shown.exit_code == 0 and f"Example:\n    echoel_training {name} " in shown.output, name


def test_render_reports_what_it_made(tmp_path, synthesizer):  # noqa: F811
    catalogue = tmp_path / "one.toml"
    small = GOOD.replace("low_key = 36", "low_key = 60").replace("high_key = 84", "high_key = 61")
    catalogue.write_text(small.replace("[1.0, 2]", "[0.1]"))
    first = run("render", catalogue, "--out", tmp_path / "one.npz", "--json")
    assert first.returncode == 0 and first.stderr == ""
    report = json.loads(first.stdout)
    assert report["rendered"] and report["notes"] == 4
    assert report["instruments"][0]["heldOut"] == 2
    again = run("render", catalogue, "--out", tmp_path / "one.npz")
    assert again.returncode == 0 and "up to date" in again.stderr
    assert "strings: 4 notes, 2 held out" in again.stdout


def test_render_says_how_each_zone_is_tuned(tmp_path, synthesizer):  # noqa: F811
    catalogue = tmp_path / "one.toml"
    small = GOOD.replace("low_key = 36", "low_key = 62").replace("high_key = 84", "high_key = 63")
    catalogue.write_text(small.replace("[1.0, 2]", "[0.3]").replace("program = 48", "program = 48\nheld_out_zones = [1]"))
    shown = run("render", catalogue, "--out", tmp_path / "one.npz").stdout
    assert re.search(r"zone  0: keys 62–62 +[+-]\d+\.\d cents  inharmonicity 0.00e\+00\n", shown)
    assert re.search(r"zone  1: keys 63–63 .*held out\n", shown)


def test_zones_lists_the_recordings_of_a_program(synthesizer):  # noqa: F811
    rows = json.loads(run("zones", "--program", 56, "--json").stdout)["recordings"]
    assert [row["keys"] for row in rows[:4]] == [[0, 66], [67, 71], [72, 75], [76, 83]]
    assert rows[2]["rootKey"] == 60 and rows[2]["cents"] == -1200 and rows[2]["sampleRate"] == 44_100
    assert "tp_c4" in run("zones", "--program", 56).stdout


def test_notes_and_fixtures_report_their_files(tmp_path, synthesizer):  # noqa: F811
    made = run("notes", "--program", 56, "--keys", "60,64-65", "--seconds", 0.1, "--out", tmp_path / "n", "--json")
    assert made.returncode == 0
    assert [note["key"] for note in json.loads(made.stdout)["notes"]] == [60, 64, 65]
    made = run("fixtures", "--out", tmp_path / "f")
    assert made.returncode == 0 and len(made.stdout.split()) == len(list((tmp_path / "f").iterdir()))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sing"], "No such command"),
        (["render"], "CATALOGUE"),
        (["train", "data.npz"], "--out"),
        (["export", "--out", "x"], "either --checkpoint or --untrained"),
        (["export", "--checkpoint", "a.ckpt", "--untrained", "--out", "x"], "either --checkpoint or --untrained"),
        (["export", "--untrained", "--dataset", "a.npz", "--out", "x"], "--dataset goes with --checkpoint"),
        (["notes", "--program", 128, "--keys", 60, "--out", "x"], "--program"),
        (["notes", "--program", 56, "--keys", "60-", "--out", "x"], "--keys"),
        (["notes", "--program", 56, "--keys", "70-60", "--out", "x"], "70-60"),
        (["notes", "--program", 56, "--keys", "60", "--velocities", "0", "--out", "x"], "--velocities"),
    ],
)
def test_wrong_usage_exits_64(tmp_path, arguments, said):
    result = run(*arguments, cwd=tmp_path)
    assert result.returncode == 64 and result.stdout == "" and said in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_failure_exits_1_with_one_sentence(tmp_path):
    result = run("render", tmp_path / "none.toml")
    assert result.returncode == 1 and result.stdout == ""
    assert result.stderr.count("\n") == 1 and "there is no catalogue at" in result.stderr
    result = run("notes", "--program", 56, "--keys", 60, "--out", tmp_path / "x", "--soundfont", tmp_path / "none.sf2")
    assert result.returncode == 1 and "--soundfont" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train", "none.npz", "--out", "run"], "there is no dataset at none.npz"),
        (["train", "none.npz", "--out", "run", "--resume"], "no run/last.ckpt to resume"),
        (["score", "none.npz"], "there is no dataset at none.npz"),
        (["export", "--checkpoint", "none.ckpt", "--out", "x"], "there is no checkpoint at none.ckpt"),
    ],
)
def test_what_training_needs_is_named(tmp_path, arguments, said):
    result = run(*arguments, cwd=tmp_path)
    assert result.returncode == 1 and said in result.stderr and result.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
