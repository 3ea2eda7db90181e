#!/usr/bin/env python3
"""Writes src/starlark/unicode_table.h: classes and simple case mappings of every code point.

    python3 tools/generate_unicode.py > src/starlark/unicode_table.h

The data is the unicodedata module's (its version is written into the table).  A code point finds its
record through two steps: block number -> row of the second table -> record.  Python gives full case
mappings; where one has several characters the simple mapping is the title case if that is one
character, else the character itself (UnicodeData.txt says the same), with the one exception of
U+0130, whose simple lower case is "i".
"""

import sys
import unicodedata

SHIFT = 7
WHITE_SPACE = {0x85, 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000}
WHITE_SPACE |= set(range(9, 14)) | {32} | set(range(0x2000, 0x200B))
LETTER, DIGIT, SPACE, UPPER, LOWER, TITLE, PRINT = (1 << i for i in range(7))


def simple(char, full):
    if len(full) == 1:
        return ord(full)
    title = char.title()
    return ord(title) if len(title) == 1 else ord(char)


def record(code):
    char = chr(code)
    category = unicodedata.category(char)
    flags = 0
    flags |= LETTER if category[0] == "L" else 0
    flags |= DIGIT if category == "Nd" else 0
    flags |= SPACE if code in WHITE_SPACE else 0
    flags |= UPPER if category == "Lu" else 0
    flags |= LOWER if category == "Ll" else 0
    flags |= TITLE if category == "Lt" else 0
    flags |= PRINT if category[0] in "LMNPS" or code == 32 else 0
    if 0xD800 <= code <= 0xDFFF:
        return (0, 0, 0, 0)
    lower = ord("i") if code == 0x130 else simple(char, char.lower())
    upper = simple(char, char.upper())
    title = char.title()
    title = ord(title) if len(title) == 1 else upper
    return (flags, upper - code, lower - code, title - code)


def rows_of(numbers, width):
    for start in range(0, len(numbers), width):
        yield "    " + ", ".join(str(n) for n in numbers[start:start + width]) + ","


def main():
    records, record_index = [], {}
    codes = []
    for code in range(0x110000):
        item = record(code)
        if item not in record_index:
            record_index[item] = len(records)
            records.append(item)
        codes.append(record_index[item])
    assert len(records) <= 256, len(records)
    blocks, block_index, first = [], {}, []
    for start in range(0, 0x110000, 1 << SHIFT):
        block = tuple(codes[start:start + (1 << SHIFT)])
        if block not in block_index:
            block_index[block] = len(blocks)
            blocks.append(block)
        first.append(block_index[block])
    assert len(blocks) <= 65536
    out = sys.stdout
    out.write("#ifndef STARLARK_UNICODE_TABLE_H\n#define STARLARK_UNICODE_TABLE_H\n\n")
    out.write("// Made by tools/generate_unicode.py from Unicode %s.  Included by unicode.c alone.\n"
              % unicodedata.unidata_version)
    out.write("// clang-format off\n\n")
    out.write("enum { BLOCK_SHIFT = %d };\n\n" % SHIFT)
    out.write("static const struct unicode_record records[%d] = {\n" % len(records))
    for item in records:
        out.write("    {%d, %d, %d, %d},\n" % item)
    out.write("};\n\nstatic const uint16_t block_of[%d] = {\n" % len(first))
    out.write("\n".join(rows_of(first, 24)))
    out.write("\n};\n\nstatic const uint8_t record_of[%d][%d] = {\n" % (len(blocks), 1 << SHIFT))
    for block in blocks:
        out.write("    {\n" + "\n".join("    " + r for r in rows_of(block, 32)) + "\n    },\n")
    out.write("};\n\n#endif\n")


if __name__ == "__main__":
    main()
