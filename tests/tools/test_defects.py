"""The defects that the simulation must find are patches of the source: each still has its place."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("defect", sorted((ROOT / "tests/simulate/defects").glob("*.patch")),
                         ids=lambda path: path.stem)
def test_a_defect_can_be_planted(defect):
    done = subprocess.run(["patch", "-p1", "--dry-run", "--force", "-i", defect], cwd=ROOT,
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
