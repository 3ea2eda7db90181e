"""The differences between implementations that the contract of our interpreter wants, with its section.

A feature that an implementation lacks, or has otherwise, is not generated for it.  A rule explains single
differences, where leaving out the feature would leave out too much.
"""
from pathlib import Path


class Difference:
    def __init__(self, text, ours, theirs, message):
        self.text = text        # the program
        self.ours = ours        # the first line that differs
        self.theirs = theirs
        self.message = message  # of our error, when there was one

    def has(self, *parts):
        return all(part in self.text for part in parts)


class Implementation:
    def __init__(self, name, features=None, rules=()):
        self.name = name
        self.features = features or {}  # feature of generate.py: the difference
        self.rules = rules              # the difference, and what recognises it

    @property
    def without(self):
        return tuple(self.features)

    def explain(self, difference):
        for reason, recognises in self.rules:
            if recognises(difference):
                return reason
        return None


# go.starlark.net/cmd/starlark of September 2026
GO = Implementation("go", {
    "and_order": "§6 set & set: the order is nobody's promise; ours is the left operand's",
}, [
    ("§9 splitlines: splits at \\n, \\r\\n and \\r; theirs only at \\n", lambda d: d.has(".splitlines(", "\\r")),
    ("§9 rsplit(sep) looks from the right, which overlapping separators show; theirs from the left without a max",
     lambda d: d.has('.rsplit("aa")')),
    ("§8 hash(): the polynomial is over UTF-16 units; theirs takes a character beyond U+FFFF as one", lambda d: d.has("hash(", "0x1F4A9")),
    ("§9 symmetric_difference takes what it is given as a set; theirs toggles at each of equal elements", lambda d: d.has(".symmetric_difference(")),
    ("§6 x in range is a question of elements for every x; theirs refuses all but ints",
     lambda d: d.has(" in range(") and d.theirs == "<failed>"),
    ("§6 an unhashable key on the left of `in` is an error; theirs finds it absent",
     lambda d: d.ours == "<failed>" and "unhashable type" in d.message and d.has(" in ")),
    ("§10 json.encode: invalid UTF-8 becomes the character U+FFFD; theirs its escape, which is the same text",
     lambda d: d.has("json.encode(") and "\\ufffd" in d.theirs),
    ("§6 update() of a dict that is iterated over is an error; theirs finds an empty update harmless",
     lambda d: d.message.endswith("cannot update hash table during iteration")),
    ("§6 bytes that are no character stay as they are when case changes; theirs become U+FFFD",
     lambda d: "\ufffd" in d.theirs or (d.has(".elems()") and any(f".{case}()" in d.text for case in ("upper", "lower", "title", "capitalize")))),
])

# crate starlark_bin 0.14.2
RUST = Implementation("rust", {
    "float_text": "§6 float text: ours switches to the exponent at 1e+06 and writes every digit that counts",
    "unicode": "§6 strings: ours are bytes, theirs code points",
    "hash": "§8 hash(): ours is the polynomial over UTF-16 units, theirs another one",
    "set_order": "§6 ordered: sets have the subset order; theirs have none",
    "search_bounds": "§9 find(sub, start, end): the bounds clamp like slices and may be None; theirs otherwise",
    "none_slices": "§6 x[a:b:c]: None allowed; theirs refuses it",
    "percent_names": "§7 %(name)s; theirs lacks it",
    "percent_char": "§7 %c; theirs lacks it",
    "negative_counts": "§9 replace(old, new, count=-1): theirs refuses -1",
    "shift_left": "§6 int: unbounded; theirs loses bits of 32-bit ints shifted left",
    "elems": "§9 elems() gives strings of one byte; theirs gives numbers",
    "json_big": "§10 numbers without fraction are ints of any size; theirs become floats",
    "and_order": "§6 set & set: the order is nobody's promise; ours is the left operand's",
    "set_pop": "§9 set.pop() takes the first element; theirs takes the last",
    "negative_pop": "§9 list.pop(i): an index from the end is fine; theirs refuses it",
    "json_key_order": "§10 encode: keys come out sorted; theirs keep their order",
}, [
    ("§6 what enumerate, zip and items() give is a list, free of its source; theirs still iterates over the source",
     lambda d: d.theirs == "<failed>" and (d.has(" in enumerate(") or d.has(" in zip(") or d.has(".items():"))),
    ("§6 comparison of int with float is exact; theirs rounds the int",
     lambda d: {d.ours, d.theirs} == {"True", "False"} and (d.has("float(") or d.has("fl0") or d.has("fl1"))),
    ("§6 a cycle prints as [...] or {...} at the list or dict that closes it; theirs at a tuple, too",
     lambda d: "..." in d.ours and "..." in d.theirs),
    ("§10 json.encode: the keys of a dict must be strings; theirs takes ints",
     lambda d: d.message.endswith("key, want string")),
    ("§9 a dict on the right of % may go unused, as names are looked up in it; theirs counts it as an argument",
     lambda d: d.theirs == "<failed>" and d.has(' % (dict(')),
    ("§8 int(): an underscore is junk; theirs allows it", lambda d: d.ours == "<failed>" and d.message.endswith(": 1_")),
])

OTHER = Implementation("other")


def implementation_of(command):
    program = Path(command[0]).name
    return RUST if "rust" in program else GO if "starlark" in program else OTHER
