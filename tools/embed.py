"""Turns files into C++: embed.py OUT.cc FILE...

Writes the definition of trialward::api::web_files() (src/api/web_files.h). index.html is served
at /, any other file at /NAME. A kind of file that has no line in CONTENT_TYPES is an error, and so
are two files of one name.
"""

import hashlib
import sys
from pathlib import Path

CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
BYTES_A_LINE = 64


def literal(data):
    """The bytes as a C++ string literal over several lines. Octal escapes have a fixed length, so
    no byte can run into the next one; "?" is escaped because of trigraphs."""
    plain = set(range(0x20, 0x7F)) - set(b'"\\?')
    lines = []
    for start in range(0, len(data), BYTES_A_LINE):
        part = data[start : start + BYTES_A_LINE]
        text = "".join(chr(byte) if byte in plain else f"\\{byte:03o}" for byte in part)
        lines.append(f'    "{text}"')
    return "\n".join(lines) or '    ""'


def generate(files):
    """The text of the .cc file for these paths; raises ValueError."""
    arrays, rows = [], []
    seen = set()
    for number, file in enumerate(sorted(files, key=lambda file: file.name)):
        if file.suffix not in CONTENT_TYPES:
            raise ValueError(f"{file}: no content type is known for '{file.suffix}'")
        if file.name in seen:
            raise ValueError(f"{file}: there is a second file of this name")
        seen.add(file.name)
        data = file.read_bytes()
        path = "/" if file.name == "index.html" else f"/{file.name}"
        etag = hashlib.sha256(data).hexdigest()[:16]
        arrays.append(f"constexpr char kBytes{number}[] =\n{literal(data)};\n")
        rows.append(
            f'    {{"{path}", "{CONTENT_TYPES[file.suffix]}",\n'
            f'     {{kBytes{number}, {len(data)}}}, "\\"{etag}\\""}},\n'
        )
    table = f"constexpr WebFile kFiles[] = {{\n{''.join(rows)}}};\n" if rows else ""
    return (
        "// Written by tools/embed.py; do not edit.\n"
        '#include "api/web_files.h"\n\n'
        "namespace trialward::api {\nnamespace {\n\n"
        + "".join(arrays)
        + table
        + "\n}  // namespace\n\n"
        + f"std::span<const WebFile> web_files() {{ return {'kFiles' if rows else '{}'}; }}\n\n"
        + "}  // namespace trialward::api\n"
    )


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    try:
        text = generate([Path(name) for name in sys.argv[2:]])
    except (OSError, ValueError) as error:
        sys.exit(f"embed.py: {error}")
    Path(sys.argv[1]).write_text(text, encoding="ascii")


if __name__ == "__main__":
    main()
