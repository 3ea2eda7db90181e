#!/usr/bin/env python3
"""Holds the tree to its layers (ARCHITECTURE.md): who may include whom, no include cycles, no unknown folder.

Also the place for other properties of the text itself: banned functions, header guards, pasted paths.
Prints one line a finding and exits 1 when there is one.
"""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# folder -> the folders it may include, besides itself
LAYERS = {
    "base": [],
    "starlark": ["base"],
    "http": ["base"],
    "lake": ["base"],
    "state": ["base"],
    "sql": ["lake", "base"],
    "project": ["sql", "lake", "base"],
    "modules": ["starlark", "http", "lake", "state", "base"],
    "lib": ["modules", "starlark", "http", "lake", "state", "base"],
    "model": ["lib", "sql", "project", "lake", "state", "base"],
    "plan": ["model", "sql", "project", "lake", "state", "base"],
    "write": ["plan", "model", "sql", "lake", "base"],
    "run": ["write", "plan", "model", "lib", "sql", "project", "lake", "state", "base"],
    "inspect": ["plan", "model", "lib", "sql", "project", "lake", "state", "base"],
    "cli": ["run", "inspect", "plan", "model", "lib", "modules", "sql", "project", "state", "lake", "http", "starlark", "base"],
}
# header of a folder that only these folders include, though the layer would allow more
ONLY_WITHIN = {"starlark": {"starlark.h", "standard.h", "syntax.h"}}
LIBRARY_HEADERS = {"duckdb.h": "lake", "curl/curl.h": "http", "sqlite3.h": "state", "gmp.h": "starlark",
                   "libxml/parser.h": "modules"}
BANNED = re.compile(r"(?<![\w.>])(strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|gets|system|strncpy)\s*\(")
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.M)


def findings():
    includes = {}
    for path in sorted((ROOT / "src").rglob("*.[ch]")):
        name = path.relative_to(ROOT / "src").as_posix()
        folder = name.split("/")[0]
        text = path.read_text()
        if folder not in LAYERS:
            yield f"src/{name}: folder {folder} has no layer in tools/check_layers.py"
            continue
        includes[name] = []
        for kind, target in INCLUDE.findall(text):
            if kind == "<":
                owner = LIBRARY_HEADERS.get(target)
                if owner and owner != folder:
                    yield f"src/{name}: includes <{target}>, which only {owner}/ may"
                continue
            if target.startswith(".") or "/" not in target:
                yield f'src/{name}: write "folder/{target}", not "{target}"'
                continue
            used = target.split("/")[0]
            if used != folder and used not in LAYERS[folder]:
                yield f"src/{name}: {folder}/ may not include {used}/ ({target})"
            if used != folder and used in ONLY_WITHIN and target.split("/")[1] not in ONLY_WITHIN[used]:
                yield f"src/{name}: {target} is internal to {used}/"
            includes[name].append(target)
        code = re.sub(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"", "", text, flags=re.S)
        for match in BANNED.finditer(code):
            yield f"src/{name}:{code.count(chr(10), 0, match.start()) + 1}: {match.group(1)} is banned"
        if path.suffix == ".h":
            guard = name.upper().replace("/", "_").replace(".", "_")
            if f"#ifndef {guard}\n" not in text:
                yield f"src/{name}: header guard is not {guard}"
    yield from cycles(includes)


def cycles(includes):
    state = {}

    def visit(name, trail):
        state[name] = "open"
        for target in includes.get(name, []):
            if state.get(target) == "open":
                yield "include cycle: " + " -> ".join(trail[trail.index(target):] + [target])
            elif target not in state and target in includes:
                yield from visit(target, trail + [target])
        state[name] = "done"

    for name in includes:
        if name not in state:
            yield from visit(name, [name])


def main():
    found = list(findings())
    for line in found:
        print(line)
    if found:
        print(f"{len(found)} finding(s)")
        return 1
    print("layers: ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
