#!/usr/bin/env python3
"""Writes tests/starlark/bigint_cases.h: results of Python's ints for the big integer tests.

    python3 tools/generate_bigint_cases.py > tests/starlark/bigint_cases.h
"""

import random

random.seed(20240229)
EDGES = [0, 1, -1, 2**51 - 1, 2**51, -2**51, 2**63 - 1, -2**63, 2**63, 2**64 - 1, 2**64, -2**64,
         10**19, 2**127 - 1, -2**128, 10**40]


def pick():
    if random.random() < 0.5:
        return random.choice(EDGES)
    return random.choice([1, -1]) * random.getrandbits(random.choice([3, 60, 64, 65, 130, 300]))


print("// Made by tools/generate_bigint_cases.py.")
print("// clang-format off")
print("static const struct {")
print("    const char *a, *b, *sum, *difference, *product, *quotient, *remainder, *and, *or, *xor;")
print("    int order;")
print("} cases[] = {")
for _ in range(150):
    a, b = pick(), pick()
    q, r = (a // b, a % b) if b else ("", "")
    order = (a > b) - (a < b)
    fields = [a, b, a + b, a - b, a * b, q, r, a & b, a | b, a ^ b]
    print("    {" + ", ".join('"%s"' % f for f in fields) + ", %d}," % order)
print("};")
print("static const struct { const char *a; unsigned shift; const char *left, *right; } shifts[] = {")
for _ in range(60):
    a, n = pick(), random.choice([0, 1, 3, 63, 64, 65, 127, 200, 511])
    print('    {"%s", %d, "%s", "%s"},' % (a, n, a << n, a >> n))
print("};")
print("static const struct { const char *a; const char *hex; double value; } floats[] = {")
for _ in range(80):
    a = pick() << random.choice([0, 0, 1, 40, 200])
    print('    {"%s", "%s", %s},' % (a, "-%x" % -a if a < 0 else "%x" % a, float(a).hex()))
print("};")
