"""Random well-formed Starlark programs.

A Program builds expressions of a wanted type, so that most of them succeed and their values are worth printing.
Two in five programs are daring: they take a wrong type, a wrong count or an index out of range now and then, where
every implementation must fail.  Every program ends by itself: loops run over what is there already.

`without` names features to leave out, each a difference that another implementation is known to have
(README.md): "float_text", "unicode", …  The same seed and `without` give the same program.
"""
import random

KINDS = ["int", "float", "str", "list", "dict", "bool", "tuple", "set"]
STRINGS = ["", "a", "abc", "ABC def", " x y ", "a,b,,c", "0x1f", "12", "-7", "Zebra", "\\n", "a\\r\\nb\\n", "\\t\\\"q\\\"",
           "a\\\\b", "1e3", "aaa", "{}", "%", "a-b_c", "  ", "It's", "x=1;y=2"]
UNICODE = ["héß", "日本", "ÀB ç", "\\u00e9x", "ǆ"]
INTS = ["0", "1", "-1", "2", "3", "7", "-13", "255", "1000000", "2147483647", "-2147483648", "4503599627370496",
        "2251799813685248", "-2251799813685249", "9223372036854775807", "-9223372036854775808", "18446744073709551616",
        "123456789012345678901234567890", "-(1 << 100)", "0xff", "0o17", "0b101"]
FLOATS = ["0.0", "1.0", "-1.5", "0.1", "2.5", "1e6", "123456.789", "1e-5", "1e22", "1e100", "3.0e-7", "-0.0", "0.5", "-2.0"]


class Program:
    def __init__(self, seed, without=()):
        self.random = random.Random(seed)
        self.without = frozenset(without)
        self.names = {}
        self.daring = self.chance(40)

    # ---- choices -------------------------------------------------------------------------------------

    def pick(self, options):
        return self.random.choice(options)

    def chance(self, percent):
        return self.random.randrange(100) < percent

    def has(self, feature):
        return self.daring if feature == "risky" else feature not in self.without

    def one_of(self, *makers):
        """Calls one of the makers; a maker may be (feature, maker), "risky" being one that may well fail."""
        usable = [m for m in makers if not isinstance(m, tuple) or self.has(m[0])]
        chosen = self.pick(usable)
        return chosen[1]() if isinstance(chosen, tuple) else chosen()

    def small(self):
        return str(self.random.randrange(-4, 6))

    def kinds(self):
        return [kind for kind in KINDS if self.has(kind)]

    # ---- expressions ---------------------------------------------------------------------------------

    def expr(self, kind, depth):
        if self.daring and self.chance(1):
            kind = self.pick([k for k in self.kinds() if k != "float" or self.has("float_text")])
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
            return '"%s"' % self.pick(STRINGS + (UNICODE if self.has("unicode") else []))
        if kind == "bool":
            return self.pick(["True", "False"])
        items = [self.pick([self.pick(INTS), self.leaf("str")]) for _ in range(self.random.randrange(5))]
        if kind == "list":
            return "[%s]" % ", ".join(items)
        if kind == "tuple":
            return "(%s)" % "".join(item + ", " for item in items) if items else "()"
        if kind == "set":
            return "set([%s])" % ", ".join(items)
        return "dict([%s])" % ", ".join("(%s, %s)" % (item, self.pick(INTS)) for item in items)

    def any(self, depth):
        return self.expr(self.pick([k for k in self.kinds() if k != "set"]), depth)

    def printable(self, depth):
        """Something whose text is the same everywhere."""
        kinds = ["int", "str", "bool", "list", "tuple", "dict"] + (["float"] if self.has("float_text") else [])
        return self.expr(self.pick(kinds), depth)

    def bounds(self, d):
        """start, end of a search method."""
        if not self.has("search_bounds"):
            return ""
        return self.pick(["", ", " + self.small(), ", %s, %s" % (self.small(), self.small())] + [", None, " + self.small()])

    def slice(self):
        part = lambda: self.pick(["", self.small(), self.small()] + (["None"] if self.has("none_slices") else []))
        step = self.pick(["", "", ":", ":1", ":2", ":-1", ":-2"] + ([":None"] if self.has("none_slices") else []) + ([":0"] if self.chance(10) else []))
        return "[%s:%s%s]" % (part(), part(), step)

    def make_int(self, d):
        e = lambda kind: self.expr(kind, d)
        return self.one_of(
            lambda: "(%s %s %s)" % (e("int"), self.pick("+ - * + - * & | ^".split()), e("int")),
            lambda: "(%s %s %s)" % (e("int"), self.pick(["//", "%"]), self.divisor("int")),
            ("shift_left", lambda: "(%s << %d)" % (e("int"), self.random.randrange(70))),
            lambda: "(%s >> %d)" % (e("int"), self.random.randrange(70)),
            lambda: "len(%s)" % e(self.pick(["str", "list", "dict", "tuple", "set"])),
            lambda: "(%s if %s else %s)" % (e("int"), e("bool"), e("int")),
            lambda: "-%s" % e("int"), lambda: "~%s" % e("int"), lambda: "abs(%s)" % e("int"),
            lambda: "%s.%s(%s%s)" % (e("str"), self.pick(["find", "rfind", "count"] + (["index", "rindex"] if self.daring else [])), e("str"), self.bounds(d)),
            lambda: "int(%s)" % e("float"), ("hash", lambda: "hash(%s)" % e("str")),
            lambda: "%s.get(%s, %s)" % (e("dict"), e("int"), e("int")),
            lambda: "%s(%s, %s)" % (self.pick(["min", "max"]), e("int"), e("int")),
            lambda: "%s([%s, %s, %s], key = lambda v: %s)" % (self.pick(["min", "max"]), e("int"), e("int"), e("int"), self.pick(["-v", "v % 3", "v * v"])),
            ("risky", lambda: "int(%s, %s)" % (self.pick(['"0x1F"', '"-0b11"', '"0o17"', '"12"', '"+5"', '"zz"', '"z"', '"-7f"']), self.pick(["0", "16", "36", "8", "2", "10"]))),
            lambda: "int(%s)" % self.pick(['"0x1F", 0', '"-0b11", 0', '"0o17", 0', '"12"', '"+5"', '"z", 36', '"-7f", 16']),
            ("risky", lambda: "int(%s)" % self.pick(['"12"', '"-0"', '"+7"', '" 1"', '"1_"', '""', '"123456789012345678901"', "True", "1.9", "-1.9"])),
            ("risky", lambda: "%s[%s]" % (e(self.pick(["list", "tuple"])), self.small())),
            lambda: "(%s + [%s])[-1]" % (e("list"), e("int")),
            ("risky", lambda: "%s.index(%s)" % (e("list"), e("int"))), ("risky", lambda: "ord(%s[0])" % e("str")),
            lambda: "len(range(%s, %s, %s))" % (self.small(), self.small(), self.pick(["1", "2", "-1", "3"])),
            ("risky", lambda: "range(%s, 20, %s)[%s]" % (self.small(), self.pick(["1", "2", "7"]), self.small())),
            lambda: "(lambda p, q = %s: p * q - 1)(%s)" % (e("int"), e("int")),
            ("risky", lambda: "({%s: %s, %s: 5}[%s])" % (e("int"), e("int"), '"k"', self.pick(['"k"', e("int")]))),
        )

    def divisor(self, kind):
        if self.daring:
            return self.expr(kind, 1)
        return "(%s)" % self.pick([n for n in (INTS if kind == "int" else FLOATS) if n not in ("0", "0.0", "-0.0")])

    def make_float(self, d):
        e = lambda kind: self.expr(kind, d)
        return self.one_of(
            lambda: "(%s %s %s)" % (e("float"), self.pick("+-*"), e(self.pick(["float", "int"]))),
            lambda: "(%s %s %s)" % (e("int"), self.pick("+-*"), e("float")),
            lambda: "(%s %s %s)" % (e(self.pick(["float", "int"])), self.pick(["/", "//", "%"]), self.divisor("float")),
            lambda: "(%s / %s)" % (e("int"), self.divisor("int")), lambda: "float(%s)" % e("int"), lambda: "-%s" % e("float"),
            lambda: "max(%s, %s)" % (e("float"), e("int")),
            lambda: "float(%s)" % self.pick(['"1e3"', '"1.5"', '".5"', '"+7"', '"1E-2"']),
            ("risky", lambda: "float(%s)" % self.pick(['"1e3"', '"nan"', '"-Inf"', '"1.5"', '"x"', '".5"', '"1e400"', '"+7"'])),
            lambda: "abs(%s)" % e("float"),
        )

    def make_str(self, d):
        e = lambda kind: self.expr(kind, d)
        p = lambda: self.printable(d)
        return self.one_of(
            lambda: "(%s + %s)" % (e("str"), e("str")), lambda: "(%s * %s)" % (e("str"), self.small()),
            lambda: "%s.%s()" % (e("str"), self.pick("lower upper strip lstrip rstrip title capitalize".split())),
            lambda: "%s.replace(%s, %s%s)" % (e("str"), e("str"), e("str"), self.pick(["", "", ", 1", ", 0"] + ([", -1"] if self.has("negative_counts") else []))),
            lambda: e("str") + self.slice(), ("risky", lambda: "%s[%s]" % (e("str"), self.small())),
            lambda: "str(%s)" % p(), lambda: "repr(%s)" % p(),
            lambda: "%s.join([%s, %s])" % (e("str"), e("str"), e("str")),
            lambda: "%s.join([str(x) for x in %s])" % (e("str"), e("tuple")),
            lambda: '"%%s|%%r|%%d" %% (%s, %s, %s)' % (p(), p(), e("int")),
            ("risky", lambda: '"%s" %% (%s,)' % (self.pick(["%s", "%d", "%r%%", "x", "%s%s", "%z", "%", "%(k)s", "%x"] + (["%c"] if self.has("percent_char") else [])), self.pick([p(), e("int")]))),
            ("percent_names", lambda: '"%%(a)s/%%(b)r" %% {"a": %s, "b": %s}' % (p(), p())),
            lambda: '"{}-{!r}-{x}".format(%s, %s, x = %s)' % (p(), p(), p()),
            lambda: '"%s".format(%s, %s)' % (self.pick(["{0}{1}{0}", "{}{}", "{{{}}}", "{1!r}", "{!s}"]), p(), p()),
            ("risky", lambda: '"%s".format(%s, %s)' % (self.pick(["{2}", "{}{0}", "{", "}", "{a}", "{:x}", "{!z}", "{a.b}", "{0[1]}"]), p(), p())),
            lambda: '"%%%s" %% %s' % (self.pick("xXod"), e("int")), ("float_text", lambda: '"%%%s" %% %s' % (self.pick("efg"), e("float"))),
            lambda: "%s.%s(%s)" % (e("str"), self.pick(["removeprefix", "removesuffix"]), e("str")), lambda: "type(%s)" % self.any(d),
            lambda: "%s.%s(%s)" % (e("str"), self.pick(["strip", "lstrip", "rstrip"]), self.pick(['" a"', '"abc"', '"\\n "', '"xyz,"'])),
            ("json", lambda: "json.encode(%s)" % self.json_value(d)),
            lambda: "chr(%s)" % self.pick(["65", "97", "48", "0x1F4A9"] + (["-1", "0x110000"] if self.daring else []) if self.has("unicode") else ["65", "97", "48"]),
            lambda: "(%s if %s else %s)" % (e("str"), e("bool"), e("str")), lambda: "(%s or %s)" % (e("str"), e("str")),
            lambda: "(lambda *a, **k: str(a) + str(k))(%s, z = %s)" % (p(), p()),
        )

    def json_value(self, d):
        # Integers that any implementation reads back as such, when it cannot read all.
        e = lambda kind: self.expr(kind, d) if kind != "int" or self.has("json_big") else self.small()
        return self.one_of(lambda: e("int"), lambda: e("str"), lambda: "None", lambda: e("bool"), lambda: "[%s, %s]" % (e("int"), e("str")),
                           ("json_key_order", lambda: "{%s: %s, \"b\": [None, True]}" % (e("str"), e("int"))), lambda: "(1, {\"k\": (%s,)})" % e("int"),
                           lambda: "json.decode(json.encode({\"q\": [%s, %s]}))" % (e("str"), e("int")),
                           lambda: "json.decode(%s)" % self.pick(['"[1, null, true]"', "'{\"a\": {\"b\": []}}'", '"\\"x\\""']),
                           ("risky", lambda: "json.decode(%s)" % self.pick(['"[1,]"', '"nul"', '"1 2"', '""', '"01"'])),
                           ("float_text", lambda: e("float")))

    def make_bool(self, d):
        e = lambda kind: self.expr(kind, d)
        kind = self.pick(["int", "float", "str", "list", "tuple"])
        return self.one_of(
            lambda: "(%s %s %s)" % (e(kind), self.pick("== != < > <= >=".split() if kind in ("int", "float", "str") or self.daring else ["==", "!="]), e(kind)),
            lambda: "(%s %s %s)" % (self.any(d), self.pick(["==", "!="]), self.any(d)),
            lambda: "(%s %s %s)" % (e("int"), self.pick(["<", "==", ">=", "!="]), e("float")), lambda: "(not %s)" % self.any(d),
            lambda: "(%s %s %s)" % (e("str"), self.pick(["in", "not in"]), e(self.pick(["str", "list", "dict", "set", "tuple"]))),
            lambda: "(%s in range(%s, %s, %s))" % (e("int"), self.small(), self.small(), self.pick(["1", "2", "-1"])),
            lambda: "bool(%s and %s or %s)" % (e("bool"), self.any(d), e("bool")),
            lambda: "%s.%s()" % (e("str"), self.pick("isalnum isalpha isdigit islower isupper isspace istitle".split())),
            lambda: "%s.%s(%s)" % (e("str"), self.pick(["startswith", "endswith"]), self.pick([e("str"), "(%s, %s)" % (e("str"), e("str"))])),
            lambda: "%s(%s)" % (self.pick(["any", "all"]), e("list")),
            ("set_order", lambda: "(%s %s %s)" % (e("set"), self.pick(["<", "<=", ">", ">="]), e("set"))),
            lambda: "(%s %s %s)" % (e("set"), self.pick(["==", "!="]), e("set")),
            lambda: "hasattr(%s, %s)" % (self.any(d), self.pick(['"append"', '"keys"', '"upper"', '"nope"'])),
            lambda: "(%s == %s)" % (e("dict"), e("dict")),
        )

    def make_list(self, d):
        e = lambda kind: self.expr(kind, d)
        separator = self.pick(["", '","', '"a"', '" ", 1', '",", 2', '"aa"', '"b", 0', '","' + ", -1", "None, 1"])
        return self.one_of(
            lambda: "[%s]" % ", ".join(self.printable(d) for _ in range(self.random.randrange(4))),
            lambda: "(%s + %s)" % (e("list"), e("list")), lambda: "(%s * %s)" % (e("list"), self.small()),
            lambda: e("list") + self.slice(),
            lambda: "list(range(%s, %s, %s))" % (self.small(), self.small(), self.pick(["1", "2", "-1", "-3"])),
            lambda: "list(range(%s)%s)" % (self.pick(["0", "5", "9"]), self.slice()),
            lambda: "[(x, x) for x in %s]" % e("list"), ("risky", lambda: "[x * 2 for x in %s]" % e("list")), lambda: "[(x, y) for x in %s if x for y in %s]" % (e("list"), e("tuple")),
            lambda: "[x for x in [[x] for x in %s]]" % e("list"),
            lambda: "[[y for y in range(x)] for x in [%s, 2, 3] if x %% 2 == 1]" % self.pick("01234"),
            lambda: "[i + %s for i, _ in enumerate(%s)]" % (e("int"), e("list")),
            lambda: "[k for k in %s]" % e("dict"), lambda: "[(k, v) for k, v in %s.items()]" % e("dict"),
            lambda: "[a for a, b in zip(%s, %s) if a != b]" % (e("list"), e("list")),
            lambda: "sorted([%s, %s, %s], reverse = %s)" % (e("int"), e("int"), e("int"), e("bool")),
            ("float_text", lambda: "sorted([%s, %s, %s])" % (e("int"), e("float"), e("int"))),
            lambda: "sorted(%s, key = str)" % e("list"), lambda: "sorted(%s, key = lambda v: (type(v), str(v)), reverse = True)" % e("list"),
            lambda: "sorted([(%s, %s), (%s, %s)])" % (e("int"), e("str"), e("int"), e("str")),
            lambda: "sorted(%s.split())" % e("str"), lambda: "reversed(%s)" % e("list"),
            lambda: "%s.%s(%s)" % (e("str"), self.pick(["split", "rsplit"]), separator),
            lambda: "%s.splitlines(%s)" % (e("str"), self.pick(["", "True", "False"])),
            lambda: "list(%s.%s(%s))" % (e("str"), self.pick(["partition", "rpartition"]), self.pick(['"b"', '","', '"a"'] + (['""'] if self.daring else []))),
            ("elems", lambda: "list(%s.%s())" % (e("str"), self.pick(["elems", "codepoints"]))),
            lambda: "%s.%s()" % (e("dict"), self.pick(["keys", "items", "values"])),
            lambda: "list(enumerate(%s, %s))" % (e("list"), self.small()),
            lambda: "list(zip(%s, %s, %s))" % (e("list"), e("tuple"), e("list")), lambda: "list(%s)" % e("set"),
            lambda: "(lambda n: [n, n])(%s)" % self.printable(d),
            ("json", lambda: "json.decode(json.encode([%s, %s]))" % (e("int") if self.has("json_big") else self.small(), e("str"))),
        )

    def make_tuple(self, d):
        e = lambda kind: self.expr(kind, d)
        p = lambda: self.printable(d)
        return self.one_of(
            lambda: "(%s, %s)" % (p(), p()), lambda: "tuple(%s)" % e("list"), lambda: "(%s, (%s, ()))" % (p(), p()),
            lambda: "(%s + %s)" % (e("tuple"), e("tuple")), lambda: e("tuple") + self.slice(), lambda: "(%s * %s)" % (e("tuple"), self.small()),
            ("partition_tuple", lambda: "%s.partition(%s)" % (e("str"), self.pick(['"a"', '","']))),
        )

    def make_dict(self, d):
        e = lambda kind: self.expr(kind, d)
        p = lambda: self.printable(d)
        return self.one_of(
            lambda: "dict([(%s, %s), (%s, %s)])" % (e("str"), p(), e("int"), p()),
            lambda: '{"a": %s, "b": %s, "c": %s}' % (p(), p(), p()), lambda: "{%s: %s, %s: %s}" % (e("str"), p(), e("int"), p()),
            lambda: "{k: v for k, v in %s.items()}" % e("dict"), lambda: "{str(x): x for x in %s}" % e("list"),
            lambda: "{x: [y for y in range(3) if y != x] for x in range(%s)}" % self.pick("0123"),
            lambda: "{k: v for k, v in %s.items() if not str(k).startswith(%s)}" % (e("dict"), e("str")),
            ("risky", lambda: "{v: k for k, v in enumerate(%s)}" % e("tuple")),
            lambda: "(%s | %s)" % (e("dict"), e("dict")), lambda: "dict(%s, a = %s)" % (e("dict"), p()), lambda: "dict(zip(%s, %s))" % (self.leaf("tuple"), e("list")),
        )

    def make_set(self, d):
        e = lambda kind: self.expr(kind, d)
        return self.one_of(
            lambda: "set([%s, %s])" % (e("int"), e("str")), lambda: "(%s %s %s)" % (e("set"), self.pick(["|", "-", "|", "^"]), e("set")),
            lambda: "set(%s.keys())" % e("dict"), ("risky", lambda: "set(%s)" % e("list")), lambda: "set(range(%s, %s))" % (self.small(), self.small()),
            lambda: "%s.%s(%s)" % (e("set"), self.pick(["union", "difference", "symmetric_difference"]), self.pick([e("set"), self.leaf("list"), self.leaf("tuple")])),
            lambda: ("(%s & %s)" if self.has("and_order") else "set(sorted(%s & %s, key = str))") % (e("set"), e("set")),
        )

    # ---- statements ----------------------------------------------------------------------------------

    def show(self, pad, kind, name):
        if kind == "float" and not self.has("float_text"):
            return "%sprint(%s == %s, %s < 1, int(%s * 8) if %s < 1e15 and %s > -1e15 else None)\n" % (pad, *[name] * 6)
        return "%sprint(repr(%s))\n" % (pad, name)

    def assign(self, indent):
        pad = "    " * indent
        kind = self.pick(self.kinds())
        name = "%s%d" % (kind[0] + kind[1], self.random.randrange(3))
        line = "%s%s = %s\n" % (pad, name, self.expr(kind, 2))
        if indent == 1:
            known = self.names.setdefault(kind, [])
            if name not in known:
                known.append(name)
        return line + self.show(pad, kind, name)

    def augmented(self, pad):
        kind = self.pick(["int", "str", "list", "set", "dict"])
        known = self.names.get(kind)
        if not known:
            return "%spass\n" % pad
        name = self.pick(known)
        op = {"int": "+= -= *= &= |= ^=".split() + (["//=", "%="] if self.daring else []), "str": ["+="], "list": ["+="], "set": ["|=", "-="], "dict": ["|="]}[kind]
        return "%s%s %s %s\n%s" % (pad, name, self.pick(op), self.expr(kind, 1), self.show(pad, kind, name))

    def mutate(self, pad):
        kind = self.pick(["list", "dict", "set"])
        known = self.names.get(kind)
        if not known:
            return "%spass\n" % pad
        name = self.pick(known)
        p = lambda: self.printable(1)
        call = {
            "list": lambda: self.pick([".append(%s)" % p(), ".extend(%s)" % self.expr("list", 1), ".insert(%s, %s)" % (self.small(), p()), ".clear()"]
                                      + ([".pop(%s)" % self.pick(["", "0", "5"] + (["-1"] if self.has("negative_pop") else [])), ".remove(%s)" % p(), "[%s] = %s" % (self.small(), p()), "[0] += 1"] if self.daring else [])),
            "dict": lambda: self.pick([".update(%s)" % self.expr("dict", 1), "[%s] = %s" % (self.expr("str", 1), p()), ".setdefault(%s, %s)" % (self.expr("int", 1), p()),
                                       ".pop(%s, None)" % self.expr("str", 1), ".update([(\"a\", %s)], b = 2)" % p(), '["a"] = %s' % p(), ".clear()"]
                                      + ([".popitem()"] if self.has("popitem") and self.daring else [])),
            "set": lambda: self.pick([".add(%s)" % self.expr("int", 1), ".discard(%s)" % self.expr("str", 1), ".clear()"]
                                     + ([".remove(%s)" % self.expr("int", 1)] + ([".pop()"] if self.has("set_pop") else []) if self.daring else [])),
        }[kind]()
        return "%s%s%s\n%sprint(%s)\n" % (pad, name, call, pad, name)

    def unpack(self, pad):
        names, values = self.pick([("u0, u1", "(%s, %s)"), ("[u0, u1]", "[%s, %s]"), ("(u0, (u1, _))", "(%s, (%s, 1))"), ("u0, u1", "%s, %s")] + ([("u0, u1, _", "[%s, %s]")] if self.daring else []))
        return "%s%s = %s\n%sprint(u0, u1)\n" % (pad, names, values % (self.printable(1), self.printable(1)), pad)

    def function(self, pad):
        f = "f%d" % self.random.randrange(3)
        head = self.pick(["a, b = %s, *c, **d" % self.printable(1), "a, *, b = %s, **d" % self.printable(1), "a, b = 1, *c, k = 2, **d"])
        extra = self.pick(["", ", *%s" % self.expr("tuple", 1), ', **{"q": %s}' % self.printable(1)])
        if head.startswith("a, *,"):
            extra = extra if extra.startswith(", **") else ""
        return ("%(pad)sdef %(f)s(%(head)s):\n%(pad)s    return (a, b, d)\n%(pad)sprint(%(f)s(%(arg)s, k = %(key)s%(extra)s))\n"
                % {"pad": pad, "f": f, "head": head, "arg": self.printable(1), "key": self.printable(1), "extra": extra})

    def closure(self, pad):
        start, step = self.expr("int", 1), self.pick(["1", "2", "-3"])
        kind = self.random.randrange(3)
        if kind == 0:
            return ("%(p)sdef counter(n):\n%(p)s    state = [n]\n%(p)s    def step(by = %(s)s):\n%(p)s        state[0] += by\n%(p)s        return state[0]\n"
                    "%(p)s    return step\n%(p)sc = counter(%(n)s)\n%(p)sprint(c(), c(10), c(by = 5))\n") % {"p": pad, "s": step, "n": start}
        if kind == 1:
            return "%sadders = [lambda v, n = n: v + n for n in range(3)]\n%sprint([g(%s) for g in adders])\n" % (pad, pad, start)
        return ("%(p)sdef outer(x):\n%(p)s    def inner(y):\n%(p)s        def deepest(z):\n%(p)s            return (x, y, z)\n%(p)s        return deepest\n"
                "%(p)s    return inner\n%(p)sprint(outer(%(a)s)(%(b)s)(3))\n") % {"p": pad, "a": self.printable(1), "b": self.printable(1)}

    def loop(self, indent, depth):
        pad = "    " * indent
        head = self.pick(["x in %s" % self.expr("list", 2), "x in %s" % self.expr("tuple", 1), "x in range(%s)" % self.pick("0123"),
                          "x, y in %s.items()" % self.expr("dict", 1), "x, y in enumerate(%s)" % self.expr("list", 1),
                          "x, y in zip(%s, %s)" % (self.expr("list", 1), self.expr("tuple", 1)), "x in %s" % self.expr("dict", 1)])
        guard = self.pick(["", "", "%s    if not x:\n%s        continue\n" % (pad, pad), "%s    if x == 1:\n%s        break\n" % (pad, pad)])
        return "%sfor %s:\n%s%s" % (pad, head, guard, self.statement(indent + 1, depth - 1))

    def failing(self, pad):
        """What must fail everywhere."""
        line = self.pick(["fail(\"stop\", 1)", "[1, 2][7]", "{}[\"k\"]", "1 // 0", "\"a\" + 1", "[] < 1", "len(3)", "int(\"x\")", "(lambda a: a)()", "None.x",
                          "\"abc\".nope()", "[v for v in 5]", "{[]: 1}", "1 < \"a\"", "dict([(1, 2, 3)])", "\"%d\" % \"x\"", "sorted([1, \"a\"])", "chr(-1)",
                          "range(1, 2, 0)", "(1, 2)[0:1:0]", "\"a\" * \"b\"", "[1].index(2)", "max([])", "\"x\".join([1])", "1 % 0", "5 << -1",
                          "[q.append(1) for q in [(1,)]]", "zip(1)", "enumerate(None)", "{\"a\": 1}.pop(\"b\")", "[].pop()"])
        return "%sprint(%s)\n" % (pad, line)

    def mutating_loop(self, pad):
        return self.pick(["%sl = [1, 2]\n%sfor v in l:\n%s    l.append(v)\n" % (pad, pad, pad), "%sd = {1: 2}\n%sfor v in d:\n%s    d[3] = v\n" % (pad, pad, pad),
                          "%sl = [1, 2]\n%sfor v in list(l):\n%s    l.append(v)\n%sprint(l)\n" % (pad, pad, pad, pad),
                          "%sd = {1: 2, 3: 4}\n%sfor k, v in d.items():\n%s    d.pop(k)\n%sprint(d)\n" % (pad, pad, pad, pad)])

    def statement(self, indent, depth):
        pad = "    " * indent
        choice = self.random.randrange(100)
        if depth > 0 and choice >= 86:
            if choice < 92:
                middle = "%selif %s:\n%s" % (pad, self.expr("bool", 1), self.statement(indent + 1, depth - 1)) if self.chance(30) else ""
                return "%sif %s:\n%s%s%selse:\n%s" % (pad, self.expr("bool", 2), self.statement(indent + 1, depth - 1), middle, pad,
                                                     self.statement(indent + 1, depth - 1))
            return self.loop(indent, depth)
        if choice < 44:
            return self.assign(indent)
        if choice < 52:
            return self.mutate(pad)
        if choice < 57:
            return self.augmented(pad)
        if choice < 61:
            return self.unpack(pad)
        if choice < 65:
            return self.function(pad)
        if choice < 68:
            return self.closure(pad)
        if choice < 70 and self.daring:
            return self.failing(pad) if choice < 69 else self.mutating_loop(pad)
        return "%sprint(%s)\n" % (pad, self.printable(3))

    def text(self):
        self.names = {}
        body = "".join(self.statement(1, 2) for _ in range(12))
        return "def main():\n%s\nmain()\n" % body
