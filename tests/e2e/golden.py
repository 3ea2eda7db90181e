"""Golden files: what people read, compared word for word.  COYPU_UPDATE_GOLDEN=1 rewrites them."""
import os
import re
from pathlib import Path

FOLDER = Path(__file__).with_name("golden")

# What differs from run to run.  Columns are as wide as their widest cell, so spaces are not compared.
CHANGING = [
    (r"\d{8}-\d{6}-[0-9a-f]{6}", "RUN-ID"),
    (r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?Z?", "TIME"),
    (r"(?<=[ (])(\d+m)?\d+(\.\d+)?m?s\b", "TOOK"),
    (r"/tmp/[^\s│]*", "PATH"),
    (r"(not )?\S*…", "…"),
    (r"  +", "  "),
    (r" *│$", " │"),
    (r"(│ [a-z_ ]+ TOOK *█* │\n)+", "│ STEPS │\n"),
]


def check(name, text):
    for pattern, shown in CHANGING:
        text = re.sub(pattern, shown, text, flags=re.M)
    path = FOLDER / f"{name}.txt"
    if os.environ.get("COYPU_UPDATE_GOLDEN"):
        FOLDER.mkdir(exist_ok=True)
        path.write_text(text)
    assert text == path.read_text(), f"differs from {path}; COYPU_UPDATE_GOLDEN=1 rewrites it\n{text}"
