#!/usr/bin/env python3
"""Runs random programs here and in another implementation, and compares what they print.

    tests/starlark/differential/run.py --against starlark                the Go one
    tests/starlark/differential/run.py --against CMD --count 10000 --seed 7 --keep build/differences

A program is a list of statements, each in a function of its own; whether a statement fails counts, what the
error says does not, as the contract words errors itself.  Statements that fail end a run, so each program is
run once a part: its functions print as they go, and the first difference in that output is reported.
"""
import argparse
import os
import random
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
COYPU = os.environ.get("COYPU", str(ROOT / "build/release/coypu"))
STRINGS = ["", "a", "abc", "ABC def", " x y ", "a,b,,c", "0x1f", "12", "-7", "Zebra", "\\n", "\\t\\\"q\\\"", "héß", "a\\\\b", "1e3", "aaa"]
INTS = ["0", "1", "-1", "2", "3", "7", "-13", "255", "1000000", "2147483647", "-2147483648", "4503599627370496",
        "9223372036854775807", "-9223372036854775808", "123456789012345678901234567890", "0xff", "0o17", "0b101"]
FLOATS = ["0.0", "1.0", "-1.5", "0.1", "2.5", "1e6", "123456.789", "1e-5", "1e22", "1e100", "3.0e-7", "-0.0"]


class Program:
    """Builds expressions of a wanted type most of the time, so that most of them succeed."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.names = {}

    def pick(self, options):
        return self.random.choice(options)

    def chance(self, percent):
        return self.random.randrange(100) < percent

    def expr(self, kind, depth):
        if self.chance(1):  # now and then the wrong type: both must fail
            kind = self.pick(["int", "float", "str", "list", "dict", "bool", "tuple", "set"])
        known = self.names.get(kind, [])
        if known and self.chance(35):
            return self.pick(known)
        if depth <= 0:
            return self.leaf(kind)
        return getattr(self, "make_" + kind)(depth - 1)

    def leaf(self, kind):
        if kind == "int":
            return "(%s)" % self.pick(INTS)
        if kind == "float":
            return "(%s)" % self.pick(FLOATS)
        if kind == "str":
            return '"%s"' % self.pick(STRINGS)
        if kind == "bool":
            return self.pick(["True", "False"])
        items = [self.pick([self.pick(INTS), self.leaf("str")]) for _ in range(self.random.randrange(4))]
        if kind == "list":
            return "[%s]" % ", ".join(items)
        if kind == "tuple":
            return "(%s)" % "".join(item + ", " for item in items) if items else "()"
        if kind == "set":
            return "set([%s])" % ", ".join(items)
        return "dict([%s])" % ", ".join("(%s, %s)" % (item, self.pick(INTS)) for item in items)

    def small(self):
        return str(self.random.randrange(-4, 6))

    def any(self, depth):
        return self.expr(self.pick(["int", "str", "float", "list", "tuple", "bool", "dict"]), depth)

    def make_int(self, d):
        e = lambda kind: self.expr(kind, d)
        return self.pick([
            lambda: "(%s %s %s)" % (e("int"), self.pick("+ - * + - * // % & | ^".split()), e("int")),
            lambda: "(%s << %d)" % (e("int"), self.random.randrange(70)),
            lambda: "(%s >> %d)" % (e("int"), self.random.randrange(70)),
            lambda: "len(%s)" % e(self.pick(["str", "list", "dict", "tuple", "set"])),
            lambda: "(%s if %s else %s)" % (e("int"), e("bool"), e("int")),
            lambda: "-%s" % e("int"), lambda: "~%s" % e("int"), lambda: "abs(%s)" % e("int"),
            lambda: "%s.find(%s)" % (e("str"), e("str")), lambda: "%s.rfind(%s, %s)" % (e("str"), e("str"), self.small()),
            lambda: "%s.count(%s)" % (e("str"), e("str")), lambda: "int(%s)" % e("float"), lambda: "hash(%s)" % e("str"),
            lambda: "%s.get(%s, %s)" % (e("dict"), e("int"), e("int")), lambda: "min(%s, %s)" % (e("int"), e("int")),
            lambda: "int(%s, 0)" % self.pick(['"0x1F"', '"-0b11"', '"0o17"', '"12"', '"+5"', '"zz"']),
        ])()

    def make_float(self, d):
        e = lambda kind: self.expr(kind, d)
        return self.pick([
            lambda: "(%s %s %s)" % (e("float"), self.pick("+ - * / // %".split()), e(self.pick(["float", "int"]))),
            lambda: "(%s / %s)" % (e("int"), e("int")), lambda: "float(%s)" % e("int"), lambda: "-%s" % e("float"),
            lambda: "max(%s, %s)" % (e("float"), e("int")),
        ])()

    def make_str(self, d):
        e = lambda kind: self.expr(kind, d)
        method = self.pick("lower upper strip lstrip rstrip title capitalize".split())
        return self.pick([
            lambda: "(%s + %s)" % (e("str"), e("str")), lambda: "(%s * %s)" % (e("str"), self.small()),
            lambda: "%s.%s()" % (e("str"), method), lambda: "%s.replace(%s, %s)" % (e("str"), e("str"), e("str")),
            lambda: "%s[%s:%s]" % (e("str"), self.small(), self.small()), lambda: "%s[::%s]" % (e("str"), self.pick(["-1", "2", "-2"])),
            lambda: "str(%s)" % self.any(d), lambda: "repr(%s)" % self.any(d), lambda: "%s.join([%s, %s])" % (e("str"), e("str"), e("str")),
            lambda: '"%%s|%%r|%%d" %% (%s, %s, %s)' % (self.any(d), self.any(d), e("int")),
            lambda: '"{}-{!r}-{x}".format(%s, %s, x=%s)' % (self.any(d), self.any(d), self.any(d)),
            lambda: '"%%%s" %% %s' % (self.pick("xXo"), e("int")), lambda: '"%%%s" %% %s' % (self.pick("efg"), e("float")),
            lambda: "%s.removeprefix(%s)" % (e("str"), e("str")), lambda: "type(%s)" % self.any(d),
            lambda: "%s.strip(%s)" % (e("str"), e("str")), lambda: "json.encode(%s)" % e(self.pick(["list", "str", "int"])),
        ])()

    def make_bool(self, d):
        e = lambda kind: self.expr(kind, d)
        kind = self.pick(["int", "float", "str", "list", "tuple"])
        return self.pick([
            lambda: "(%s %s %s)" % (e(kind), self.pick("== != < > <= >=".split()), e(kind)),
            lambda: "(%s %s %s)" % (self.any(d), self.pick(["==", "!="]), self.any(d)),
            lambda: "(%s %s %s)" % (e("int"), self.pick(["<", "=="]), e("float")), lambda: "(not %s)" % self.any(d),
            lambda: "(%s in %s)" % (e("str"), e(self.pick(["str", "list", "dict", "set"]))),
            lambda: "bool(%s and %s or %s)" % (e("bool"), self.any(d), e("bool")),
            lambda: "%s.%s()" % (e("str"), self.pick("isalnum isalpha isdigit islower isupper isspace istitle".split())),
            lambda: "%s.%s(%s)" % (e("str"), self.pick(["startswith", "endswith"]), e("str")),
            lambda: "%s(%s)" % (self.pick(["any", "all"]), e("list")),
        ])()

    def make_list(self, d):
        e = lambda kind: self.expr(kind, d)
        return self.pick([
            lambda: "[%s]" % ", ".join(self.any(d) for _ in range(self.random.randrange(4))),
            lambda: "(%s + %s)" % (e("list"), e("list")), lambda: "(%s * %s)" % (e("list"), self.small()),
            lambda: "%s[%s:%s]" % (e("list"), self.small(), self.small()), lambda: "list(range(%s, %s, %s))" % (self.small(), self.small(), self.pick(["1", "2", "-1"])),
            lambda: "[x * 2 for x in %s]" % e("list"), lambda: "[(x, y) for x in %s if x for y in %s]" % (e("list"), e("tuple")),
            lambda: "sorted([%s, %s, %s], reverse = %s)" % (e("int"), e("float"), e("int"), e("bool")),
            lambda: "sorted(%s, key = str)" % e("list"), lambda: "reversed(%s)" % e("list"),
            lambda: "%s.split(%s)" % (e("str"), self.pick(["", '","', '"a"', '" ", 1'])), lambda: "%s.rsplit(\",\", 1)" % e("str"),
            lambda: "list(%s.partition(\"b\"))" % e("str"), lambda: "list(%s.elems())" % e("str"), lambda: "list(%s.codepoints())" % e("str"),
            lambda: "%s.keys()" % e("dict"), lambda: "%s.items()" % e("dict"), lambda: "list(enumerate(%s, %s))" % (e("list"), self.small()),
            lambda: "zip(%s, %s)" % (e("list"), e("tuple")), lambda: "list(%s)" % e("set"),
        ])()

    def make_tuple(self, d):
        e = lambda kind: self.expr(kind, d)
        return self.pick([
            lambda: "(%s, %s)" % (self.any(d), self.any(d)), lambda: "tuple(%s)" % e("list"),
            lambda: "(%s + %s)" % (e("tuple"), e("tuple")), lambda: "%s[%s:]" % (e("tuple"), self.small()),
        ])()

    def make_dict(self, d):
        e = lambda kind: self.expr(kind, d)
        return self.pick([
            lambda: "dict([(%s, %s), (%s, %s)])" % (e("str"), self.any(d), e("int"), self.any(d)),
            lambda: "{k: v for k, v in %s.items()}" % e("dict"), lambda: "{str(x): x for x in %s}" % e("list"),
            lambda: "(%s | %s)" % (e("dict"), e("dict")), lambda: "dict(%s, a = %s)" % (e("dict"), self.any(d)),
        ])()

    def make_set(self, d):
        e = lambda kind: self.expr(kind, d)
        return self.pick([
            lambda: "set([%s, %s])" % (e("int"), e("str")), lambda: "(%s | %s)" % (e("set"), e("set")),
            lambda: "(%s - %s)" % (e("set"), e("set")), lambda: "set(%s.keys())" % e("dict"),
            lambda: "%s.union(%s)" % (e("set"), e("list")),
        ])()

    def statement(self, indent, depth):
        pad = "    " * indent
        kinds = ["int", "float", "str", "list", "dict", "bool", "tuple", "set"]
        choice = self.random.randrange(12 if depth > 0 else 8)
        if choice < 6:
            kind = self.pick(kinds)
            name = "%s%d" % (kind[0] + kind[1], self.random.randrange(3))
            line = "%s%s = %s\n" % (pad, name, self.expr(kind, 2))
            if indent == 1:
                self.names.setdefault(kind, []).append(name)
            return line + "%sprint(repr(%s))\n" % (pad, name)
        if choice == 6 and self.names.get("list"):
            name = self.pick(self.names["list"])
            line = self.pick(["append(%s)" % self.any(1), "extend(%s)" % self.expr("list", 1), "insert(%s, %s)" % (self.small(), self.any(1)), "clear()"])
            return "%s%s.%s\n%sprint(%s)\n" % (pad, name, line, pad, name)
        if choice == 7 and self.names.get("dict"):
            name = self.pick(self.names["dict"])
            line = self.pick([".update(%s)" % self.expr("dict", 1), "[%s] = %s" % (self.expr("str", 1), self.any(1)), ".setdefault(%s, %s)" % (self.expr("int", 1), self.any(1))])
            return "%s%s%s\n%sprint(%s)\n" % (pad, name, line, pad, name)
        if choice == 8:
            return "%sif %s:\n%s%selse:\n%s" % (pad, self.expr("bool", 2), self.statement(indent + 1, depth - 1), pad, self.statement(indent + 1, depth - 1))
        if choice == 9:
            return "%sfor x in %s:\n%s" % (pad, self.expr("list", 2), self.statement(indent + 1, depth - 1))
        if choice == 10:
            f = "f%d" % self.random.randrange(3)
            return "%sdef %s(a, b = %s, *c, **d):\n%s    return (a, b, c, d)\n%sprint(%s(%s, k = %s, *%s))\n" % (
                pad, f, self.any(1), pad, pad, f, self.any(1), self.any(1), self.expr("tuple", 1))
        return "%sprint(%s)\n" % (pad, self.any(3))

    def text(self):
        parts = []
        for i in range(6):
            self.names = {}
            body = "".join(self.statement(1, 2) for _ in range(6))
            parts.append("def part%d():\n%s" % (i, body))
        return parts


def execute(command, path):
    done = subprocess.run([*command, str(path)], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    text = (done.stdout + done.stderr).decode("utf-8", errors="surrogateescape")
    lines = text.split("Traceback (most recent call last)")[0].splitlines()
    lines = ["<static error>" if line.startswith(f"{path}:") else line for line in lines][:200]
    if done.returncode not in (0, 1):
        return [*lines, f"<exit {done.returncode}>"]
    return [*lines, "<ok>" if done.returncode == 0 else "<failed>"]


def difference(ours, theirs):
    for i in range(max(len(ours), len(theirs))):
        a = ours[i] if i < len(ours) else "<end>"
        b = theirs[i] if i < len(theirs) else "<end>"
        if a != b:
            return f"line {i + 1}: ours {a[:300]}\n             theirs {b[:300]}"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", required=True, metavar="CMD")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder for programs that differ")
    options = parser.parse_args()
    theirs = shlex.split(options.against)
    found = 0
    with tempfile.TemporaryDirectory(prefix="coypu-differential.") as folder:
        for seed in range(options.seed, options.seed + options.count):
            parts = Program(seed).text()
            for i, part in enumerate(parts):
                path = Path(folder) / "program.star"
                path.write_text(part + "part%d()\n" % i)
                what = difference(execute([COYPU, "starlark", "--dialect", "core"], path), execute(theirs, path))
                if what is None:
                    continue
                found += 1
                print(f"seed {seed} part {i}: {what}", flush=True)
                if options.keep:
                    options.keep.mkdir(parents=True, exist_ok=True)
                    (options.keep / f"{seed}-{i}.star").write_text(path.read_text())
    print(f"{options.count} programs of {len(parts)} parts, {found} differences")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
