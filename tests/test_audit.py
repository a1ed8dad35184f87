"""What `make lint` says of the packages in the lock file."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from models.setup.audit import audit
from tests.free_port import free_port

pytest.importorskip("pip_audit", reason="pip-audit is not installed: pip install -e '.[dev]'")

NUMBER, ALIAS = "GHSA-aaaa-bbbb-cccc", "CVE-2026-99999"
ADVISORY = {
    "id": NUMBER,
    "aliases": [ALIAS],
    "summary": "It can be told to do harm.",
    "affected": [
        {
            "package": {"name": "harmful", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1"}]}],
        }
    ],
}


class Service(BaseHTTPRequestHandler):
    """Answers as the advisory service does: it knows of one package."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        known = {"vulns": [ADVISORY]} if asked["package"]["name"] == "harmful" else {}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(known).encode())

    def log_message(self, *_: object) -> None:
        """Be quiet."""


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Service) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def security(tmp_path: Path) -> Path:
    return _written(tmp_path / "security.md", "Nothing is known.")


def _written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def _lock(folder: Path, *packages: str) -> Path:
    lines = [f"{name}==1.0 --hash=sha256:{'0' * 64}\n" for name in packages]
    return _written(folder / "requirements.lock", "".join(lines))


def test_an_advisory_that_nobody_explained_fails(
    service: str, security: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit(_lock(tmp_path, "harmless", "harmful"), security, service) == 1
    said = capsys.readouterr().out
    assert f"harmful 1.0: {ALIAS}, fixed in 1.1; security.md does not explain it" in said


@pytest.mark.parametrize("number", [NUMBER, ALIAS])
def test_an_advisory_that_is_explained_passes(
    service: str, security: Path, tmp_path: Path, number: str
) -> None:
    _written(security, f"- {number}: needs a server that we never start.")
    assert audit(_lock(tmp_path, "harmful"), security, service) == 0


def test_packages_that_nothing_is_known_against_pass(
    service: str, security: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit(_lock(tmp_path, "harmless"), security, service) == 0
    assert capsys.readouterr().out == "1 packages, 0 unexplained advisories\n"


def test_without_a_way_to_the_service_one_line_says_so(
    security: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    assert audit(_lock(tmp_path, "harmless"), security, nowhere) == 0
    said = capsys.readouterr().out
    assert "did not answer" in said
    assert len(said.splitlines()) == 1


def test_a_lock_file_without_hashes_fails(
    service: str, security: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = _written(tmp_path / "requirements.lock", "harmless==1.0\n")
    assert audit(lock, security, service) == 1
    assert "cannot be compared" in capsys.readouterr().out
