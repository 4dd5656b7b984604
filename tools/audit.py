"""Ask the public advisories for known flaws in everything that requirements.lock holds.

Silence is a failure, never a pass: where the advisory service does not answer, one line says that nothing was checked.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

__all__ = ["main", "report"]

_COMMAND = (
    *("-m", "pip_audit", "--requirement", "requirements.lock", "--require-hashes", "--disable-pip"),
    *("--format", "json", "--progress-spinner", "off"),
)
_SILENCE = "make audit: the advisory service cannot be reached from here; nothing was checked"


def report(printed: str) -> tuple[list[str], bool]:
    """Turn what pip-audit printed into lines for a person.

    Args:
        printed: Its JSON, or nothing when it gave up before it had any.

    Returns:
        The lines, and whether every package was checked and none has a known flaw.
    """
    try:
        packages: list[dict[str, Any]] = json.loads(printed)["dependencies"]
    except (ValueError, KeyError):
        return [_SILENCE], False
    checked = [package for package in packages if "vulns" in package]
    if not checked:
        return [_SILENCE], False
    skipped = [f"{package['name']}: not checked" for package in packages if "vulns" not in package]
    flaws = [_flaw(package, flaw) for package in checked for flaw in package["vulns"]]
    summary = f"packages: {len(checked)} checked, {len(skipped)} not checked, {len(flaws)} known flaws"
    return [*flaws, *skipped, summary], not (flaws or skipped)


def main(root: Path = Path()) -> int:
    """Audit the lock of the repository at `root`; 1 means a known flaw, or that not everything could be checked."""
    done = subprocess.run([sys.executable, *_COMMAND], cwd=root, check=False, text=True, capture_output=True)
    lines, clean = report(done.stdout)
    print("\n".join(lines))
    return 0 if clean else 1


def _flaw(package: dict[str, Any], flaw: dict[str, Any]) -> str:
    remedy = f"mended in {', '.join(flaw['fix_versions'])}" if flaw.get("fix_versions") else "not mended yet"
    return f"{package['name']} {package['version']}: {flaw['id']}, {remedy}"


if __name__ == "__main__":
    sys.exit(main())
