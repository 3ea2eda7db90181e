"""The counts that checks report equal a slow reference in Python, over random small tables."""
import math
import random
import re

SEED = 20261121
TABLES = 15
NAN, INF = math.nan, math.inf


def key(x):
    """DuckDB's order of doubles: NaN is equal to itself and greater than all others."""
    return (1, 0.0) if x is not None and math.isnan(x) else (0, x)


def literal(x):
    if x is None:
        return "NULL"
    if isinstance(x, str):
        return "'" + x.replace("'", "''") + "'"
    return f"'{x}'::DOUBLE" if isinstance(x, float) and not math.isfinite(x) else repr(x)


def repeated(values):
    """(values that occur more than once, rows that have one)."""
    counts = {}
    for v in values:
        v = "nan" if isinstance(v, float) and math.isnan(v) else v
        counts[v] = counts.get(v, 0) + 1
    often = [n for n in counts.values() if n > 1]
    return (len(often), sum(often)) if often else None


def steps(values, most):
    order = sorted((v for v in values if v is not None), key=key)
    count = 0
    for a, b in zip(order, order[1:]):
        gap = b - a
        count += 1 if math.isnan(gap) or gap > most else 0
    return count


def overlaps(rows):
    order = sorted(((a, b) for a, b in rows if a is not None and b is not None))
    return sum(any(order[j][1] > order[i][0] or order[j][0] == order[i][0] for j in range(i)) for i in range(len(order)))


# check, function of the rows (x DOUBLE, i INTEGER, j INTEGER, s VARCHAR): the wrong rows, or (values, rows), or a pair to print
CHECKS = {
    "not_null(x)": lambda t: sum(r[0] is None for r in t),
    "not_empty(s)": lambda t: sum(r[3] is None or not r[3].strip() for r in t),
    "unique(x)": lambda t: repeated([r[0] for r in t]),
    "unique(s)": lambda t: repeated([r[3] for r in t]),
    "composite_unique('i, j')": lambda t: repeated([(r[1], r[2]) for r in t]),
    "compare(x, >=, 1)": lambda t: sum(r[0] is not None and not key(r[0]) >= key(1) for r in t),
    "compare(x, <, 2)": lambda t: sum(r[0] is not None and not key(r[0]) < key(2) for r in t),
    "compare(x, !=, 2)": lambda t: sum(r[0] is not None and r[0] == 2 for r in t),
    "between(x, 0, 2)": lambda t: sum(r[0] is not None and not key(0) <= key(r[0]) <= key(2) for r in t),
    "in_list(s, 'a, b')": lambda t: sum(r[3] is not None and r[3] not in ("a", "b") for r in t),
    "not_in(s, 'a, b')": lambda t: sum(r[3] in ("a", "b") for r in t),
    "like(s, a%)": lambda t: sum(r[3] is not None and not r[3].startswith("a") for r in t),
    "not_like(s, a%)": lambda t: sum(r[3] is not None and r[3].startswith("a") for r in t),
    "matches(s, [ab]+)": lambda t: sum(r[3] is not None and not re.fullmatch("[ab]+", r[3]) for r in t),
    "valid_type(s, INTEGER)": lambda t: sum(r[3] is not None and not re.fullmatch(r"\s*\d+\s*", r[3]) for r in t),
    "length_between(s, 1, 2)": lambda t: sum(r[3] is not None and not 1 <= len(r[3]) <= 2 for r in t),
    "length_eq(s, 1)": lambda t: sum(r[3] is not None and len(r[3]) != 1 for r in t),
    "references(i, raw.other, id)": lambda t: sum(r[1] is not None and r[1] not in (0, 1, 2) for r in t),
    "sequential(i)": lambda t: steps([r[1] for r in t], 1),
    "sequential_step(i, 2)": lambda t: steps([r[1] for r in t], 2),
    "no_overlap(i, j)": lambda t: overlaps([(r[1], r[2]) for r in t]),
    "no_nan(x)": lambda t: sum(r[0] is not None and math.isnan(r[0]) for r in t),
    "finite(x)": lambda t: sum(r[0] is not None and not math.isfinite(r[0]) for r in t),
    "required_if(s, i > 1)": lambda t: sum(r[1] is not None and r[1] > 1 and r[3] is None for r in t),
    "check(sum, i + j < 4)": lambda t: sum(r[1] is not None and r[2] is not None and not r[1] + r[2] < 4 for r in t),
}


def random_rows(rng):
    doubles = [None, 0.0, 1.0, 1.5, 2.0, -3.0, NAN, INF, -INF]
    integers = [None, 0, 1, 2, 3, 5, 9]
    texts = [None, "", " ", "a", "b", "ab", "abc", "7", "12", "it's"]
    return [(rng.choice(doubles), rng.choice(integers), rng.choice(integers), rng.choice(texts)) for _ in range(rng.randrange(1, 9))]


def counts_of(message):
    """The numbers that a message reports: wrong rows, or repeated values and their rows."""
    groups = re.search(r"is not unique: (\d+) values? occurs? more than once, in (\d+) rows", message)
    if groups:
        return int(groups[1]), int(groups[2])
    return int(re.search(r" in (\d+) of \d+ rows?", message)[1])


def test_counts_equal_a_slow_reference(project):
    rng = random.Random(SEED)
    header = "".join(f"-- @constraint: {check}\n" for check in CHECKS)
    tables = {}
    files = {"models/raw/other.sql": "SELECT * FROM (VALUES (0), (1), (2), (NULL)) v(id)"}
    for number in range(TABLES):
        rows = tables[f"mart.t{number}"] = random_rows(rng)
        values = ", ".join("(" + ", ".join(literal(x) for x in row) + ")" for row in rows)
        files[f"models/mart/t{number}.sql"] = (
            header + "SELECT x::DOUBLE AS x, i::INTEGER AS i, j::INTEGER AS j, s::VARCHAR AS s\n"
            f"FROM (VALUES {values}) v(x, i, j, s)\nWHERE (SELECT count(*) FROM raw.other) > 0")
    project.write(files)
    models = project.run_json(code=None).models
    for target, rows in tables.items():
        failed = {}
        for error in models[target]["errors"]:
            check, message = re.search(r"@constraint: (.*) failed: (.*)", error).groups()
            failed[check] = counts_of(message)
        expected = {check: wrong for check, reference in CHECKS.items() if (wrong := reference(rows))}
        assert failed == expected, f"seed {SEED}, {target}: {rows}"
