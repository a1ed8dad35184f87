"""Compare the lock file with the advisories that are known: ``python -m models.setup.audit``.

Every advisory that docs/security.md does not name is a line, and makes the exit code 1. Without a
way to the advisory service one line says so, and the exit code is 0: work goes on offline.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[2]
_SERVICE = "https://api.osv.dev/v1/query"
# pip-audit ends with the same code whether it found something, was not answered, or cannot read
# the lock file; it writes a report in the first case alone.
_NOT_ANSWERED = re.compile(
    r"requests\.exceptions\.|\b(?:Connection|Service)Error\b|Could not connect"
)


def audit(lock: Path, security: Path, service: str = _SERVICE) -> int:
    """Print what is known against the packages of a lock file, and return the exit code.

    Args:
        lock: The lock file, with hashes.
        security: The text that explains advisories; one whose number stands there is passed over.
        service: Address of the advisory service.
    """
    asked = subprocess.run(
        [
            *(sys.executable, "-m", "pip_audit", "--require-hashes", "-r", str(lock)),
            *("--disable-pip", "--vulnerability-service", "osv", "--osv-url", service),
            *("--format", "json", "--progress-spinner", "off"),
        ],
        capture_output=True,
        text=True,
    )
    if not asked.stdout:
        if _NOT_ANSWERED.search(asked.stderr):
            _say(f"The advisory service did not answer; {lock.name} was not compared with it.")
            return 0
        _say(f"{lock.name} cannot be compared: {asked.stderr.strip()}")
        return 1
    packages = json.loads(asked.stdout)["dependencies"]
    unexplained = list(_unexplained(packages, security.read_text(encoding="utf-8")))
    for line in unexplained:
        _say(f"{lock.name}: {line}; {security.name} does not explain it")
    _say(f"{len(packages)} packages, {len(unexplained)} unexplained advisories")
    return 1 if unexplained else 0


def _unexplained(packages: list[dict[str, Any]], explained: str) -> Iterator[str]:
    for package in packages:
        for advisory in package.get("vulns", ()):
            numbers = [advisory["id"], *advisory["aliases"]]
            if not any(re.search(rf"\b{re.escape(number)}\b", explained) for number in numbers):
                fixed = ", ".join(advisory["fix_versions"]) or "no release"
                yield f"{package['name']} {package['version']}: {numbers[0]}, fixed in {fixed}"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(audit(_ROOT / "requirements.lock", _ROOT / "docs" / "security.md"))
