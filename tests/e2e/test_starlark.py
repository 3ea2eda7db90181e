"""`coypu starlark`: what it prints where, and its exit codes (spec/starlark.md §12)."""
import json
import signal
import subprocess
import time

from conftest import COYPU


def test_runs_a_file_and_prints_to_stderr(project):
    project.write({"a.star": "print('hi', 1)\n"})
    result = project.run("starlark", "a.star", code=0)
    assert (result.out, result.err) == ("", "hi 1\n")


def test_c_prints_the_value_of_a_sole_expression(project):
    assert project.run("starlark", "-c", "[1, 'a'] * 2", code=0).out == '[1, "a", 1, "a"]\n'
    assert project.run("starlark", "-c", "None", code=0).out == ""
    assert project.run("starlark", "-c", "x = 1", code=0).out == ""


def test_standard_input(project):
    done = subprocess.run([COYPU, "starlark", "-"], input="print(1 + 1)\n", capture_output=True, text=True,
                          cwd=project.root)
    assert (done.returncode, done.stderr) == (0, "2\n")


def test_static_errors_come_all_in_order_one_a_line(project):
    project.write({"a.star": "x = = 1\ny = foo\nreturn\n"})
    result = project.run("starlark", "a.star", code=1)
    assert result.err == ("a.star:1:5: expected expression, got '='\na.star:2:5: undefined: foo\n"
                          "a.star:3:1: return statement not within a function\n")
    project.write({"many.star": "undefined_name\n" * 60})
    lines = project.run("starlark", "--check", "many.star", code=1).err.splitlines()
    assert len(lines) == 51 and lines[-1] == "many.star: 10 more errors"


def test_check_runs_nothing(project):
    project.write({"a.star": "print(1 // 0)\n"})
    assert project.run("starlark", "--check", "a.star", code=0).err == ""


def test_traceback(project):
    project.write({"a.star": "def f(x):\n    return 1 // x\n\nf(0)\n"})
    result = project.run("starlark", "a.star", code=1)
    lines = result.err.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1] == "  a.star:4:2: in <toplevel>"
    assert lines[2] == "  a.star:2:14: in f"
    assert lines[3] == "a.star:2:14: floored division by zero"


def test_errors_as_json(project):
    project.write({"a.star": "x = = 1\ny = foo\n", "b.star": "def f():\n    fail('no')\nf()\n"})
    first, second = [json.loads(line) for line in
                     project.run("starlark", "--error-format", "json", "a.star", code=1).err.splitlines()]
    assert first == {"file": "a.star", "line": 1, "col": 5, "end_line": 1, "end_col": 6,
                     "message": "expected expression, got '='", "severity": "error", "backtrace": []}
    assert second["message"] == "undefined: foo"
    error = json.loads(project.run("starlark", "--error-format=json", "b.star", code=1).err)
    assert error["message"] == "fail: no" and (error["line"], error["col"]) == (2, 9)
    assert [frame["name"] for frame in error["backtrace"]][:2] == ["<toplevel>", "f"]


def test_load_is_relative_to_the_loading_file(project):
    project.write({"a.star": "load('lib/b.star', 'x')\nprint(x)\n",
                   "lib/b.star": "load('c.star', y='z')\nx = y + 1\n", "lib/c.star": "z = 41\n"})
    assert project.run("starlark", "a.star", code=0).err == "42\n"


def test_load_cycle_prints_the_chain(project):
    project.write({"a.star": "load('b.star', 'x')\n", "b.star": "load('c.star', 'x')\n",
                   "c.star": "load('b.star', 'x')\n"})
    err = project.run("starlark", "a.star", code=1).err
    assert "cycle in load: b.star -> c.star -> b.star" in err


def test_loaded_files_use_the_lib_dialect(project):
    project.write({"a.star": "load('b.star', 'x')\n", "b.star": "x = 1\nx = 2\n"})
    err = project.run("starlark", "a.star", code=1).err
    assert "b.star:2:1: cannot reassign global x declared at b.star:1:1" in err


def test_dialect_option(project):
    project.write({"a.star": "while False: pass\n"})
    assert project.run("starlark", "a.star", code=0).err == ""
    assert "does not support while" in project.run("starlark", "--dialect", "core", "a.star", code=1).err
    assert "--dialect is \"x\"" in project.run("starlark", "--dialect", "x", "a.star", code=2).err


def test_show_env(project):
    project.write({"a.star": "x = 'a'\ny = [1]\n"})
    assert project.run("starlark", "--show-env", "a.star", code=0).err == 'x = "a"\ny = [1]\n'


def test_exit_codes(project):
    project.write({"loop.star": "while True: pass\n"})
    project.run("starlark", "nothing.star", code=3)
    project.run("starlark", code=2)
    project.run("starlark", "-c", "1", "loop.star", code=2)
    project.run("starlark", "--max-steps", "1000", "loop.star", code=4)
    project.run("starlark", "--timeout", "0.05", "loop.star", code=4)
    project.run("starlark", "--max-memory", "10000000", "-c", "'a' * 1000000000", code=4)
    project.run("starlark", "-c", "(lambda f: f(f))(lambda f: f(f))", "--max-depth", "50", code=4)


def test_ctrl_c_ends_with_130(project):
    project.write({"loop.star": "print('on')\nwhile True: pass\n"})
    process = project.start("starlark", "loop.star")
    assert process.stderr.readline() == "on\n"
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130 and time.monotonic() - started < 10


def test_no_network_and_no_project(project):
    assert "undefined: http" in project.run("starlark", "-c", "http.get('x')", code=1).err
