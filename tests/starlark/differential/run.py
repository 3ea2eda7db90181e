#!/usr/bin/env python3
"""Runs random programs here and in other implementations, and compares what they print.

    tests/starlark/differential/run.py --against starlark                                        the Go one
    tests/starlark/differential/run.py --against "starlark-rust --dialect extended" --count 10000 --keep build/differences

A program prints as it goes and mostly runs to its end; whether it fails, and what it printed before, must agree.
What the error says does not count, as the contract words errors itself.

Differences that the contract wants are in known.py: by feature, which then is not generated for that
implementation, or by a rule that explains a single difference.  They are told apart in the summary.
"""
import argparse
import concurrent.futures
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import known
from generate import Program

ROOT = Path(__file__).resolve().parents[3]
COYPU = os.environ.get("COYPU", str(ROOT / "build/release/coypu"))
OURS = [COYPU, "starlark", "--dialect", "core"]
# Where an error's text begins, in any of them.
ERROR = re.compile(r"Traceback |error: |Error: ")
RUST_SUMMARY = re.compile(r"\d+ files, \d+ errors")
LINES_MAX = 300


def execute(command, path):
    """The lines printed before any error and how it ended; and the last line of all, an error's message."""
    try:
        done = subprocess.run([*command, str(path)], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    except subprocess.TimeoutExpired:
        return ["<timeout>"], ""
    lines = []
    for stream in (done.stdout, done.stderr):  # one of them has what the program prints
        for line in stream.decode("utf-8", errors="surrogateescape").split("\n"):
            if ERROR.match(line) or line.startswith(f"{path}:"):
                break
            if line and not RUST_SUMMARY.match(line):
                lines.append(line)
    end = {0: "<ok>", 1: "<failed>"}.get(done.returncode, f"<exit {done.returncode}>")
    last = done.stderr.decode("utf-8", errors="replace").strip().rpartition("\n")[2]
    return [*lines[:LINES_MAX], end], last


def difference(ours, theirs):
    """The first line where they differ, and both."""
    for i in range(max(len(ours), len(theirs))):
        a = ours[i] if i < len(ours) else "<end>"
        b = theirs[i] if i < len(theirs) else "<end>"
        if a != b:
            return i + 1, a, b
    return None


def compare(seed, theirs, implementation, folder):
    text = Program(seed, implementation.without).text()
    path = Path(folder) / f"program-{seed}.star"
    path.write_text(text)
    try:
        ours, message = execute(OURS, path)
        return text, message, difference(ours, execute(theirs, path)[0])
    finally:
        path.unlink()


def run_against(command, options):
    theirs = shlex.split(command)
    implementation = known.implementation_of(theirs)
    seeds = range(options.seed, options.seed + options.count)
    unexplained = 0
    explained = {}
    with tempfile.TemporaryDirectory(prefix="coypu-differential.") as folder, \
            concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for seed, (text, message, found) in zip(seeds, pool.map(lambda s: compare(s, theirs, implementation, folder), seeds)):
            if found is None:
                continue
            line, ours, other = found
            reason = implementation.explain(known.Difference(text, ours, other, message))
            if reason:
                explained[reason] = explained.get(reason, 0) + 1
                continue
            unexplained += 1
            print(f"seed {seed} line {line}: ours   {ours[:300]}\n{'':13} theirs {other[:300]}", flush=True)
            if options.keep:
                options.keep.mkdir(parents=True, exist_ok=True)
                (options.keep / f"{implementation.name}-{seed}.star").write_text(text)
    print(f"{implementation.name}: {options.count} programs, {unexplained} differences, {sum(explained.values())} explained")
    for reason, count in sorted(explained.items()):
        print(f"  {count:6} {reason}")
    return unexplained


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", action="append", required=True, metavar="CMD")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--keep", type=Path, help="folder for programs that differ")
    options = parser.parse_args()
    return 1 if sum([run_against(command, options) for command in options.against]) else 0


if __name__ == "__main__":
    sys.exit(main())
