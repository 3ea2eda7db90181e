#!/usr/bin/env python3
"""Compares `coypu starlark` with other interpreters: CPU time less start-up, and peak memory.

    ./dev bench starlark                                        ours alone
    ./dev bench starlark --against starlark --against python3   beside others
    ./dev bench starlark sorting sets --against "starlark-rust --dialect extended"

Every program of this folder is valid in all dialects, in the Go and Rust implementations, and in Python.
A command whose program is called python… gets a json object in front, as its module has other names.
What the programs print must agree.  A ratio is ours / theirs: below 1 we are faster.  Times are the least
of --runs runs, taken in turns, since the least is what a busy machine disturbs least.
"""
import argparse
import json
import math
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
COYPU = os.environ.get("COYPU", str(FOLDER.parent.parent / "build/release/coypu"))
PYTHON_PRELUDE = '''
import json as _json
import sys as _sys
getattr(_sys, "set_int_max_str_digits", lambda n: None)(0)
class json:
    decode = staticmethod(_json.loads)
    encode = staticmethod(lambda x: _json.dumps(x, ensure_ascii=False, separators=(",", ":"), sort_keys=True))
'''
# What the Rust one says after each program.
SUMMARY = re.compile(r"\d+ files, \d+ errors|$")


class Interpreter:
    def __init__(self, command, label=None):
        self.command = shlex.split(command)
        name = Path(self.command[0]).name
        self.label = label or name
        self.is_python = name.startswith(("python", "pypy"))

    def run(self, source, folder):
        """CPU seconds, peak MB and output of one run; None when the program fails."""
        path = Path(folder) / "program.star"
        path.write_text((PYTHON_PRELUDE if self.is_python else "") + source)
        with tempfile.TemporaryFile() as output:
            process = subprocess.Popen([*self.command, str(path)], stdin=subprocess.DEVNULL, stdout=output, stderr=output)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            output.seek(0)
            lines = output.read().decode(errors="replace").splitlines()
            text = "\n".join(line for line in lines if not SUMMARY.match(line)).strip()
        if process.returncode != 0:
            print(f"{self.label} failed: {text[-300:]}", file=sys.stderr)
            return None
        return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, text


def measure(interpreters, source, runs):
    """The least time and memory of each interpreter, and whether the outputs agree."""
    best = [None] * len(interpreters)
    outputs = set()
    with tempfile.TemporaryDirectory(prefix="coypu-bench.") as folder:
        for _ in range(runs):
            for i, interpreter in enumerate(interpreters):
                figure = interpreter.run(source, folder)
                if figure is None:
                    continue
                outputs.add(figure[2])
                best[i] = figure[:2] if best[i] is None else tuple(map(min, best[i], figure[:2]))
    if len(outputs) > 1:
        sys.exit(f"the interpreters disagree: {sorted(outputs)}")
    return best


def mean(ratios):
    return math.exp(sum(map(math.log, ratios)) / len(ratios)) if ratios else float("nan")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="programs; all when none is named")
    parser.add_argument("--against", action="append", default=[], metavar="CMD", help="another interpreter, run as CMD FILE")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="one object a program")
    options = parser.parse_args()
    programs = {path.stem: path for path in sorted(FOLDER.glob("*.star"))}
    for name in options.names:
        if name not in programs:
            sys.exit(f"no program {name}; there are: {', '.join(programs)}")
    interpreters = [Interpreter(f"{shlex.quote(COYPU)} starlark", "coypu"), *map(Interpreter, options.against)]
    others = interpreters[1:]

    start = measure(interpreters, "", max(options.runs, 5))
    if None in start:
        sys.exit("an interpreter cannot run an empty program")
    if not options.json:
        print("start-up: " + ", ".join(f"{i.label} {s[0] * 1000:.1f} ms" for i, s in zip(interpreters, start)))
        print(f"{'program':16} {'cpu s':>7} {'MB':>6}" + "".join(f" {'/ ' + o.label:>18} {'MB':>6}" for o in others))
    ratios = [[] for _ in others]
    for name in options.names or programs:
        figures = measure(interpreters, programs[name].read_text(), options.runs)
        if figures[0] is None:
            sys.exit(f"{name} failed")
        # A clock tick below zero is noise.
        cpu = [f and max(f[0] - s[0], 0.001) for f, s in zip(figures, start)]
        line = f"{name:16} {cpu[0]:7.3f} {figures[0][1]:6.0f}"
        row = {"name": name, "cpu_s": cpu[0], "rss_mb": figures[0][1], "against": {}}
        for i, other in enumerate(others):
            if cpu[i + 1] is None:
                line += f" {'-':>18} {'-':>6}"
                continue
            ratios[i].append(cpu[0] / cpu[i + 1])
            line += f" {ratios[i][-1]:18.3f} {figures[i + 1][1]:6.0f}"
            row["against"][other.label] = {"ratio": ratios[i][-1], "cpu_s": cpu[i + 1], "rss_mb": figures[i + 1][1]}
        print(json.dumps(row) if options.json else line, flush=True)
    if others and not options.json:
        print(f"{'geometric mean':31}" + "".join(f" {mean(r):18.3f} {'':6}" for r in ratios))


if __name__ == "__main__":
    main()
