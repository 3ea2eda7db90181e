"""The command line itself: help, misuse, exit codes."""
import json

import pytest


def test_no_arguments_print_help_and_succeed(project):
    result = project.run(code=0)
    assert "usage: coypu COMMAND" in result.out
    assert result.err == ""


def test_every_command_has_help(project):
    listing = project.run("--help", code=0).out
    commands = [line.split()[0] for line in listing.split("commands:\n")[1].split("\n\n")[0].splitlines()]
    assert {"init", "run", "validate", "query", "sql", "version", "starlark"} <= set(commands)
    for command in commands:
        assert f"usage: coypu {command}" in project.run(command, "--help", code=0).out


def test_unknown_command_suggests_and_exits_2(project):
    result = project.run("versoin", code=2)
    assert result.err == 'error: there is no command "versoin"\n  hint: did you mean `coypu version`?\n'


def test_unknown_option_suggests_and_exits_2(project):
    result = project.run("query", "--limti", "3", "raw.x", code=2)
    assert "query has no option --limti" in result.err and "did you mean --limit?" in result.err


def test_extra_argument_exits_2(project):
    assert "does not take the argument" in project.run("version", "extra", code=2).err


@pytest.mark.parametrize("command", ["run", "sandbox", "describe", "history", "query", "lineage", "impact", "edit", "new", "validate"])
def test_an_empty_argument_exits_2(project, command):
    project.write({"models/raw/a.sql": "SELECT 1 AS id"})
    result = project.run(command, "", code=2)
    assert f"error: {command} takes no empty argument\n  hint: usage: coypu {command} " in result.err and result.out == ""
    assert not (project.root / "lake.sqlite").exists()


def test_version_is_json_when_asked(project):
    answer = json.loads(project.run("--json", "version", code=0).out)
    assert answer["schema_version"] == 1 and answer["version"] and answer["duckdb_version"] == "1.5.5"


def test_outside_a_project_exits_2(tmp_path, project):
    (tmp_path / "empty").mkdir()
    project.root = tmp_path / "empty"
    result = project.run("run", code=2)
    assert "no project" in result.err and "coypu init" in result.err
