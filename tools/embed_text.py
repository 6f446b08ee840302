"""Turns text files into C++: embed_text.py OUT.cc HEADER FUNCTION FILE...

Writes the definition of trialward::FUNCTION, which HEADER declares: a function that returns
std::span<const NamedText>, one for each file, by its name. Beside embed.py, which is for pages and
knows their content types.
"""

import sys
from pathlib import Path

from embed import literal


def generate(header, function, files):
    """The text of the .cc file for these paths; raises ValueError."""
    namespace, name = function.rsplit("::", 1)
    arrays, rows, seen = [], [], set()
    for number, file in enumerate(sorted(files, key=lambda file: file.name)):
        if file.name in seen:
            raise ValueError(f"{file}: there is a second file of this name")
        seen.add(file.name)
        data = file.read_bytes()
        arrays.append(f"constexpr char kBytes{number}[] =\n{literal(data)};\n")
        rows.append(f'    {{"{file.name}", {{kBytes{number}, {len(data)}}}}},\n')
    if not rows:
        raise ValueError("no file is given")
    return (
        "// Written by tools/embed_text.py; do not edit.\n"
        f'#include "{header}"\n\n'
        f"namespace trialward::{namespace} {{\nnamespace {{\n\n"
        + "".join(arrays)
        + f"constexpr NamedText kTexts[] = {{\n{''.join(rows)}}};\n"
        + "\n}  // namespace\n\n"
        + f"std::span<const NamedText> {name}() {{ return kTexts; }}\n\n"
        + f"}}  // namespace trialward::{namespace}\n"
    )


def main():
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    try:
        text = generate(sys.argv[2], sys.argv[3], [Path(name) for name in sys.argv[4:]])
    except (OSError, ValueError) as error:
        sys.exit(f"embed_text.py: {error}")
    Path(sys.argv[1]).write_text(text, encoding="ascii")


if __name__ == "__main__":
    main()
