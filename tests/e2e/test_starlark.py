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


def test_recursion_over_several_functions_is_folded(project):
    project.write({"a.star": "def a(n):\n    return b(n + 1)\ndef b(n):\n    return a(n + 1)\na(0)\n"})
    lines = project.run("starlark", "--max-depth", "100", "a.star", code=4).err.splitlines()
    assert lines == ["Traceback (most recent call last):", "  a.star:5:2: in <toplevel>", "  a.star:2:13: in a",
                     "  a.star:4:13: in b", "  … 96 more", "  a.star:2:13: in a",
                     "a.star:2:13: stack overflow: more than 100 nested calls"]
    error = json.loads(project.run("starlark", "--max-depth", "100", "--error-format", "json", "a.star", code=4).err)
    assert [(frame["name"], frame["more"]) for frame in error["backtrace"]] == [
        ("<toplevel>", 0), ("a", 0), ("b", 96), ("a", 0)]
    assert error["message"] == "stack overflow: more than 100 nested calls"


def test_disassemble_runs_nothing(project):
    project.write({"a.star": "def f(x):\n    return x + 1\nprint(f(1))\n"})
    result = project.run("starlark", "--disassemble", "a.star", code=0)
    assert result.err == "" and "f" in result.out and "ADD_INT" in result.out and "RETURN" in result.out
    assert project.run("starlark", "--disassemble", "-c", "1 +", code=1).out == ""


def test_profile_names_the_functions(project):
    project.write({"a.star": "def slow():\n    n = 0\n    for i in range(300000):\n        n += i\n    return n\nslow()\n"})
    project.run("starlark", "--profile", "out.txt", "a.star", code=0)
    text = (project.root / "out.txt").read_text()
    assert "slow" in text and "a.star" in text
    # It is also written when the program fails, and a place that cannot be written is told.
    project.write({"b.star": "1 // 0\n"})
    project.run("starlark", "--profile", "failed.txt", "b.star", code=1)
    assert (project.root / "failed.txt").exists()
    assert "nowhere/out.txt" in project.run("starlark", "--profile", "nowhere/out.txt", "a.star").err


def test_options_of_wrong_form_are_wrong_usage(project):
    for option, value in (("--max-steps", "-1"), ("--max-steps", "x"), ("--max-memory", "1k"), ("--max-depth", "1.5"),
                          ("--timeout", "soon"), ("--timeout", "-1"), ("--error-format", "xml"), ("--dialect", "")):
        error = project.run("starlark", option, value, "-c", "1", code=2).err
        assert option in error, error
    project.run("starlark", "--no-such-option", "-c", "1", code=2)


def test_limits_of_zero_are_none(project):
    zero = ["--max-steps", "0", "--max-memory", "0", "--timeout", "0", "--max-depth", "0"]
    assert project.run("starlark", *zero, "-c", "len([x for x in range(100000)])", code=0).out == "100000\n"


def test_memory_limit_counts_the_source_too(project):
    project.write({"big.star": "x = [\n" + "    {'id': 1, 'name': 'a' + 'b'},\n" * 20000 + "]\n",
                   "loads.star": "load('big.star', 'x')\n"})
    result = project.run("starlark", "--max-memory", "200000", "big.star", code=4)
    assert result.err == "big.star:1:1: memory limit of 200000 bytes exceeded\n"
    result = project.run("starlark", "--max-memory", "200000", "loads.star", code=4)
    assert result.err.splitlines()[-1] == "loads.star:1:6: cannot load big.star: memory limit of 200000 bytes exceeded"
    project.run("starlark", "--max-memory", "100000000", "loads.star", code=0)


# §14.4: each ends by its limit, with an error that names it; what does not end is stopped by project.run.
LIMITS = ["--max-steps", "20000000", "--max-memory", "100000000", "--timeout", "5"]
HOSTILE = {
    "'a' * (1 << 40)": (1, "excessive repeat"),
    "list(range(1 << 62))": (4, "limit"),
    "sorted(range(1 << 62))": (4, "limit"),
    "[x for x in range(1 << 62)]": (4, "limit"),
    "len(set(range(1 << 62)))": (4, "limit"),
    "max(range(1 << 62))": (4, "step limit of 20000000 exceeded"),
    "all(range(1, 1 << 62))": (4, "step limit of 20000000 exceeded"),
    "(1 << 61) in list(range(1 << 30))": (4, "limit"),
    "[0] * (1 << 29) == [1]": (4, "limit"),
    "','.join(['x' * 1000] * 1000000)": (4, "memory limit of 100000000 bytes exceeded"),
    "('x' * 50000000).replace('', 'yy')": (4, "limit"),
    "'%s%s' % (('x' * 60000000), 'y' * 60000000)": (4, "memory limit of 100000000 bytes exceeded"),
    "json.encode(['x' * 100000] * 10000)": (4, "memory limit of 100000000 bytes exceeded"),
    "json.decode('[' * 1000000)": (1, "nesting deeper than 10000"),
    "json.decode('[' + '1,' * 20000000 + '1]')": (4, "memory limit of 100000000 bytes exceeded"),
    "repr([['x' * 1000] * 1000] * 1000)": (4, "memory limit of 100000000 bytes exceeded"),
}


def test_hostile_expressions_end_at_a_limit(project):
    for program, (code, message) in HOSTILE.items():
        result = project.run("starlark", *LIMITS, "-c", program, code=code)
        assert message in result.err.splitlines()[-1], (program, result.err)


PROGRAMS = {
    "doubled string": ("s = 'x'\nwhile True:\n    s += s\n", 4, "memory limit of 100000000 bytes exceeded"),
    "doubled list": ("l = [1]\nwhile True:\n    l += l\n", 4, "memory limit of 100000000 bytes exceeded"),
    "endless loop": ("while True:\n    pass\n", 4, "step limit of 20000000 exceeded"),
    "endless comprehension": ("[0 for a in range(1 << 40) for b in range(1 << 40) if a < 0]\n", 4, "step limit"),
    "squared int": ("x = 3\nwhile True:\n    x = x * x\n", 4, "limit"),
    "shifted int": ("x = 1\nwhile True:\n    x = x << 511\n", 4, "limit"),
    "text of a big int": ("x = 3\nfor i in range(18):\n    x = x * x\nstr(x)\n", 0, ""),
    "recursion": ("def f(n):\n    return f(n + 1)\nf(0)\n", 4, "stack overflow: more than 10000 nested calls"),
    "recursion in sorted": ("def f(x):\n    return sorted([1, 2], key=f)\nf(1)\n", 4, "stack overflow"),
    "recursion in a comprehension": ("def f(x):\n    return [f(y) for y in [x]]\nf(1)\n", 4, "stack overflow"),
    "deep repr": ("x = []\nfor i in range(1000000):\n    x = [x]\nlen(repr(x))\n", 1, "stack overflow: maximum recursion depth exceeded in repr"),
    "deep comparison": ("x = []\ny = []\nfor i in range(100000):\n    x = [x]\n    y = [y]\nx == y\n", 1, "maximum recursion depth exceeded in comparison"),
    "deep hash": ("x = ()\nfor i in range(1000000):\n    x = (x,)\n{x: 1}\n", 1, "maximum recursion depth exceeded in hash"),
    "deep JSON": ("x = []\nfor i in range(1000000):\n    x = [x]\njson.encode(x)\n", 1, "maximum recursion depth exceeded in json.encode"),
    "cycle compared": ("x = [1]\ny = [1]\nx.append(x)\ny.append(y)\nx == y\n", 1, "maximum recursion depth exceeded in comparison"),
    "cycle as JSON": ("x = [1]\nx.append(x)\njson.encode(x)\n", 1, "at list index 1"),
    "deep brackets": ("x = " + "[" * 1000000 + "]" * 1000000 + "\n", 1, "expression is nested too deeply"),
    "deep parentheses": ("x = " + "(" * 100000 + "1" + ")" * 100000 + "\n", 1, "expression is nested too deeply"),
    "deep minus": ("x = " + "-" * 1000000 + "1\n", 1, "expression is nested too deeply"),
    "deep not": ("x = " + "not " * 100000 + "1\n", 1, "expression is nested too deeply"),
    "long sum": ("x = 1" + " + 1" * 100000 + "\n", 1, "expression is nested too deeply"),
    "deep suites": ("".join(" " * i + "if 1:\n" for i in range(2000)) + " " * 2000 + "x = 1\n", 1, "suites are nested too deeply"),
    "long int": ("x = " + "9" * 100000 + "\nprint(len(str(x)))\n", 0, "100000"),
    "long float": ("x = 0." + "1" * 1000000 + "e1\n", 0, ""),
    "long hex": ("x = 0x" + "f" * 1000000 + "\n", 0, ""),
    "long string": ("x = '" + "x" * 5000000 + "'\nprint(len(x))\n", 0, "5000000"),
    "long name": ("x" * 1000000 + " = 1\n", 0, ""),
    "many names": ("".join(f"x{i} = {i}\n" for i in range(70000)), 0, ""),
    "colliding keys": ("d = {}\nfor i in range(200000):\n    d[i * (1 << 32)] = i\nprint(len(d))\n", 0, "200000"),
    "colliding floats": ("d = {}\nfor i in range(100000):\n    d[i * 1.0 / (1 << 20)] = i\nprint(len(d))\n", 0, "100000"),
}


def test_hostile_programs_end_at_a_limit(project):
    for name, (program, code, message) in PROGRAMS.items():
        project.write({"p.star": program})
        result = project.run("starlark", *LIMITS, "p.star", code=code)
        last = (result.err.splitlines() or [""])[-1]
        assert message in last, (name, result.err[-500:])
    (project.root / "bad.star").write_bytes(b"x = '\xff'\ny\xc3 = 1\n")
    result = project.run("starlark", "bad.star", code=1)
    lines = result.err.splitlines()
    assert lines[0] == "bad.star:1:6: invalid UTF-8: byte 0xFF" and "bad.star:2:2: invalid UTF-8: byte 0xC3" in lines


def test_time_limit_is_kept_by_work_that_cannot_be_stopped(project):
    long_work = {"text": "x = 3\nfor i in range(26):\n    x = x * x\nstr(x)\n",
                 "product": "x = 3\nwhile True:\n    x = x * x\n",
                 "quotient": "x = 3\nfor i in range(24):\n    x = x * x\n    y = x\n    z = x * y\n    z // y\n" * 9,
                 "number": "int('9' * 40000000)\n",
                 "JSON": "json.decode('[' + '1,' * 100000000 + '1]')\n"}
    for name, program in long_work.items():
        project.write({"p.star": program})
        result = project.run("starlark", "--timeout", "0.5", "p.star", code=4)
        assert result.err.splitlines()[-1].endswith("time limit of 0.500 seconds exceeded"), (name, result.err)


def test_time_limit_is_kept_within_long_builtins(project):
    long_builtins = {"comparison": "s = [1] * 3000000\nt = [1] * 3000000\nwhile s == t:\n    pass\n",
                     "dict comparison": "s = {i: i for i in range(200000)}\nt = dict(s)\nwhile s == t:\n    pass\n",
                     "hash": "s = tuple(range(3000000))\nwhile True:\n    {s: 1}\n",
                     "repeat": "while True:\n    'ab' * 100000000\n",
                     "repr": "s = [[i] for i in range(300000)]\nwhile True:\n    repr(s)\n",
                     "float": "s = '0.' + '1' * 10000000\nwhile True:\n    float(s)\n",
                     "prefixes": "t = tuple(['b'] * 1000000)\nwhile True:\n    'a'.startswith(t)\n",
                     "sort": "l = [str((i * 7919) % 100003) for i in range(100000)]\nwhile True:\n    sorted(l)\n",
                     "join": "l = ['abc'] * 1000000\nwhile True:\n    ','.join(l)\n",
                     "JSON": "s = json.encode([{'a': i} for i in range(100000)])\nwhile True:\n    json.decode(s)\n",
                     "time": "s = '2006' * 1000000\nt = time.from_timestamp(0)\nwhile True:\n    t.format(s)\n"}
    for name, program in long_builtins.items():
        project.write({"p.star": program})
        result = project.run("starlark", "--timeout", "0.5", "p.star", code=4)
        assert result.err.splitlines()[-1].endswith("time limit of 0.500 seconds exceeded"), (name, result.err)
