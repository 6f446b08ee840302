"""Proves that the simulation can fail: defects.py [NAME …]

Each patch of tests/simulate/defects/ plants one defect in the product. It is applied to a copy of
the source tree, the simulation is built there and run, and must break a promise within as many
seeds as the patch says; without a defect it must break none in 200. Prints a table, and exits 1 if
a defect was not found. The copy stays in build/defects, so that the next time is quicker.
"""

import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PATCHES = ROOT / "tests" / "simulate" / "defects"
WORK = ROOT / "build" / "defects"
TREE = WORK / "tree"
BUILD = WORK / "build"
SIMULATE = BUILD / "trialward_simulate"
COPIED = ["CMakeLists.txt", "cmake", "src", "studies", "tests", "tools", "web"]
RUN_SECONDS_MAX = 600
ROW = "{:28} {:>6} {:>6} {:>8}  {}"


def copy_tree():
    """Writes only files that differ, so that the build does no more than it must."""
    wanted = {}
    for name in COPIED:
        for path in [ROOT / name, *(ROOT / name).rglob("*")]:
            if path.is_file() and "__pycache__" not in path.parts:
                wanted[TREE / path.relative_to(ROOT)] = path.read_bytes()
    for path in TREE.rglob("*"):
        if path.is_file() and path not in wanted:
            path.unlink()
    for path, content in wanted.items():
        if not path.exists() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def build():
    if not (BUILD / "build.ninja").exists():
        run_quietly(["cmake", "-S", TREE, "-B", BUILD, "-G", "Ninja",
                     "-DCMAKE_BUILD_TYPE=Release"])
    run_quietly(["cmake", "--build", BUILD, "--target", "trialward_simulate"])


def run_quietly(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")


def simulate(seeds):
    """What it says, and how many seconds it took."""
    started = time.monotonic()
    done = subprocess.run([SIMULATE, "--seeds", str(seeds)], capture_output=True, text=True,
                          timeout=RUN_SECONDS_MAX)
    return done.returncode, done.stdout, time.monotonic() - started


def check(patch):
    """Whether the defect is found. Prints its row of the table."""
    seeds = int(re.search(r"^Found within (\d+) seeds\.$", patch.read_text(), re.MULTILINE)[1])
    copy_tree()
    subprocess.run(["patch", "-p1", "--quiet", "-d", TREE, "-i", patch], check=True)
    build()
    code, said, seconds = simulate(seeds)
    found = re.search(r"^seed (\d+)(?:, step (\d+))?: (.*)$", said, re.MULTILINE)
    if code == 0 or not found:
        print(ROW.format(patch.stem, "-", "-", f"{seconds:.1f}", f"NOT FOUND in {seeds} seeds"))
        return False
    print(ROW.format(patch.stem, found[1], found[2] or "-", f"{seconds:.1f}", found[3][:90]),
          flush=True)
    return True


def check_without():
    """No defect: the simulation must be content, or what it finds proves nothing."""
    copy_tree()
    build()
    code, said, seconds = simulate(200)
    print(ROW.format("none", "-", "-", f"{seconds:.1f}", said.splitlines()[0][:90]), flush=True)
    return code == 0


def main(names):
    patches = [PATCHES / f"{name}.patch" for name in names] or sorted(PATCHES.glob("*.patch"))
    print(ROW.format("defect", "seed", "step", "seconds", "what broke"), flush=True)
    good = check_without()
    for patch in patches:
        good = check(patch) and good
    copy_tree()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
