"""Turns files into C++: embed.py OUT.cc FILE... [PATH=FOLDER]...

Writes the definition of trialward::api::web_files() (src/api/web_files.h). index.html is served
at /, any other page NAME.html at /NAME and any other file under its whole name; what is in a
FOLDER at PATH/…, its index.html at PATH itself. What gzip makes smaller is there compressed, too.
A kind of file that has no line in CONTENT_TYPES is an error, and so are two files of one path.
"""

import gzip
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
    ".webmanifest": "application/manifest+json",
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


def paths_of(files, folders=()):
    """Every file with the path that it is served at, in the order of the paths; raises ValueError.
    `folders` are pairs of a path and the folder that is served there."""
    found = []
    for file in files:
        name = file.stem if file.suffix == ".html" else file.name
        found.append(("/" if file.name == "index.html" else f"/{name}", file))
    for prefix, folder in folders:
        inside = [file for file in folder.rglob("*") if file.is_file()]
        if not inside:
            raise ValueError(f"{folder}: there is nothing in it")
        for file in inside:
            name = file.relative_to(folder).as_posix()
            found.append((prefix if name == "index.html" else f"{prefix}/{name}", file))
    seen = set()
    for path, file in found:
        if file.suffix not in CONTENT_TYPES:
            raise ValueError(f"{file}: no content type is known for '{file.suffix}'")
        if path in seen:
            raise ValueError(f"{file}: there is a second file of this name")
        seen.add(path)
    return sorted(found)


def generate(files, folders=()):
    """The text of the .cc file for these files; raises ValueError."""
    arrays, rows = [], []
    for number, (path, file) in enumerate(paths_of(files, folders)):
        data = file.read_bytes()
        etag = hashlib.sha256(data).hexdigest()[:16]
        # Without the time, so that the same file is always the same bytes.
        packed = gzip.compress(data, 9, mtime=0)
        if len(packed) >= len(data):
            packed = b""
        arrays.append(f"constexpr char kBytes{number}[] =\n{literal(data)};\n")
        arrays.append(f"constexpr char kGzip{number}[] =\n{literal(packed)};\n")
        rows.append(
            f'    {{"{path}", "{CONTENT_TYPES[file.suffix]}",\n'
            f'     {{kBytes{number}, {len(data)}}}, {{kGzip{number}, {len(packed)}}},\n'
            f'     "\\"{etag}\\"", "\\"{etag}-gzip\\""}},\n'
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
    files = [Path(name) for name in sys.argv[2:] if "=" not in name]
    folders = [name.split("=", 1) for name in sys.argv[2:] if "=" in name]
    try:
        text = generate(files, [(path, Path(folder)) for path, folder in folders])
    except (OSError, ValueError) as error:
        sys.exit(f"embed.py: {error}")
    Path(sys.argv[1]).write_text(text, encoding="ascii")


if __name__ == "__main__":
    main()
