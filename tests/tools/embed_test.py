"""What embed.py writes holds the files' bytes, and it refuses what it cannot serve."""

import gzip
import hashlib
import subprocess
from pathlib import Path

import embed
import pytest

SRC = Path(__file__).resolve().parents[2] / "src"
PRINT_FILES = """
#include <cstdio>
#include "api/web_files.h"
int main() {
  for (const auto& file : trialward::api::web_files()) {
    std::printf("%.*s|%.*s|%.*s|", int(file.path.size()), file.path.data(),
                int(file.content_type.size()), file.content_type.data(),
                int(file.etag.size()), file.etag.data());
    std::fwrite(file.bytes.data(), 1, file.bytes.size(), stdout);
    std::printf("|%zu|", file.bytes.size());
    for (unsigned char byte : file.gzip) std::printf("%02x", byte);
    std::printf("|%.*s\\n", int(file.gzip_etag.size()), file.gzip_etag.data());
  }
}
"""


def compiled_output(tmp_path, files, folders=()):
    (tmp_path / "files.cc").write_text(embed.generate(files, folders))
    (tmp_path / "main.cc").write_text(PRINT_FILES)
    subprocess.run(["g++", "-std=c++20", "-I", SRC, "-o", tmp_path / "show",
                    tmp_path / "files.cc", tmp_path / "main.cc"], check=True)
    return subprocess.run([tmp_path / "show"], check=True, capture_output=True).stdout


def test_every_byte_survives(tmp_path):
    every_byte = bytes(range(256)) + b'0??=\\"\n9' * 30
    (tmp_path / "a.png").write_bytes(every_byte)
    (tmp_path / "index.html").write_bytes(b"<p>")
    (tmp_path / "empty.css").write_bytes(b"")
    files = [tmp_path / name for name in ("index.html", "a.png", "empty.css")]
    assert compiled_output(tmp_path, files) == (
        b'/|text/html; charset=utf-8|"%s"|<p>|3|' % etag(b"<p>") + packed(b"<p>")
        + b'/a.png|image/png|"%s"|' % etag(every_byte) + every_byte
        + b"|%d|" % len(every_byte) + packed(every_byte)
        + b'/empty.css|text/css; charset=utf-8|"%s"||0|' % etag(b"") + packed(b""))


def packed(data):
    """What is printed of the compressed bytes: nothing of those that are no fewer."""
    small = gzip.compress(data, 9, mtime=0)
    hexadecimal = small.hex().encode() if len(small) < len(data) else b""
    return hexadecimal + b'|"%s-gzip"\n' % etag(data)


def test_a_folder_is_served_at_its_path(tmp_path):
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_bytes(b"<p>")
    (dist / "assets" / "a.js").write_bytes(b"1;" * 50)
    (tmp_path / "index.html").write_bytes(b"<h1>")
    output = compiled_output(tmp_path, [tmp_path / "index.html"], [("/p", dist)])
    assert [line.split(b"|")[0] for line in output.splitlines()] == [b"/", b"/p", b"/p/assets/a.js"]
    assert gzip.decompress(bytes.fromhex(output.split(b"|")[-2].decode())) == b"1;" * 50


def test_a_page_is_served_without_its_ending(tmp_path):
    files = [tmp_path / "index.html", tmp_path / "site.html", tmp_path / "site.js"]
    assert [path for path, _ in embed.paths_of(files)] == ["/", "/site", "/site.js"]


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(ValueError, match="nothing in it"):
        embed.generate([], [("/p", tmp_path)])


def etag(data):
    return hashlib.sha256(data).hexdigest()[:16].encode()


def test_no_file_at_all(tmp_path):
    assert compiled_output(tmp_path, []) == b""


def test_a_kind_without_content_type_is_refused(tmp_path):
    (tmp_path / "a.exe").write_bytes(b"")
    with pytest.raises(ValueError, match="no content type"):
        embed.generate([tmp_path / "a.exe"])


def test_two_files_of_one_name_are_refused(tmp_path):
    (tmp_path / "sub").mkdir()
    for file in (tmp_path / "a.js", tmp_path / "sub" / "a.js"):
        file.write_bytes(b"")
    with pytest.raises(ValueError, match="second file"):
        embed.generate([tmp_path / "a.js", tmp_path / "sub" / "a.js"])
