"""Golden files: what people read, compared word for word.  COYPU_UPDATE_GOLDEN=1 rewrites them."""
import os
import re
from pathlib import Path

FOLDER = Path(__file__).with_name("golden")

# What differs from run to run; each is replaced by a text of the same width, so that columns stay aligned.
CHANGING = [
    (r"\d{8}-\d{6}-[0-9a-f]{6}", lambda m: "RUN-ID".ljust(len(m[0]), "_")),
    (r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?Z?", lambda m: "TIME".ljust(len(m[0]), "_")),
    (r" +\b(\d+m)?\d+(\.\d+)?m?s\b *", " TOOK "),
    (r" +TOOK +", " TOOK "),
    (r"/tmp/[^\s│]*", "PATH"),
]


def check(name, text):
    for pattern, shown in CHANGING:
        text = re.sub(pattern, shown, text)
    text = re.sub(r"(│ [a-z_ ]+ TOOK █* *│\n)+", "│ STEPS │\n", text)
    text = "\n".join(re.sub(r" +│$", " │", line).rstrip() for line in text.splitlines()) + "\n"
    path = FOLDER / f"{name}.txt"
    if os.environ.get("COYPU_UPDATE_GOLDEN"):
        FOLDER.mkdir(exist_ok=True)
        path.write_text(text)
    assert text == path.read_text(), f"differs from {path}; COYPU_UPDATE_GOLDEN=1 rewrites it\n{text}"
