"""No secret, no registry's address and no machine's path gets past the search, and ordinary text does.

Every example is put together here, so that this file passes the search itself.
"""

from __future__ import annotations

import subprocess
from binascii import crc32
from pathlib import Path

import pytest

from garrison.model.ids import BASE62, base62
from tools import tracked

ROOT = "/srv/checkout"
REPOSITORY = Path(__file__).parents[2]


def finds(text: str, path: str = "src/garrison/a.py") -> list[tuple[int, str]]:
    return [(find.line, find.rule) for find in tracked.search(path, text.encode(), ROOT)]


def key(alphabet: str = BASE62) -> str:
    """A well-formed API key with the right checksum in the given order of letters."""
    start = "grsn" + "_sk_live_" + "0123456789ab" + "_" + "S" * 43
    return start + base62(crc32(start.encode()), 6).translate(str.maketrans(BASE62, alphabet))


@pytest.mark.parametrize(
    ("parts", "rule"),
    [
        (("see pypi", ".org/simple"), "the address of a registry"),
        (("https://files.python", "hosted.org/x"), "the address of a registry"),
        (("https://registry.npm", "js.org/x"), "the address of a registry"),
        (("http://deb.debian", ".org/debian"), "the address of a registry"),
        (("pip install --index", "-url https://mirror.example/simple"), "the address of a registry"),
        (("--extra-index", "-url=file:///x"), "the address of a registry"),
        (("open('/ro", "ot/x')"), "a path of a machine"),
        (("/ho", "me/someone/x"), "a path of a machine"),
        (("file:///Us", "ers/someone/x"), "a path of a machine"),
        (("C:\\Us", "ers\\someone"), "a path of a machine"),
        (("/wo", "rk/main"), "a path of a machine"),
        (("/srv/check", "out/src"), "the place of this checkout"),
        (("-----BEGIN PRIV", "ATE KEY-----"), "a private key"),
        (("-----BEGIN RSA PRIV", "ATE KEY-----"), "a private key"),
        (("-----BEGIN OPENSSH PRIV", "ATE KEY-----"), "a private key"),
        (("eyJhbGciOiJIUzI1NiJ9", ".eyJzdWIiOiJhbGljZSJ9." + "s" * 43), "a signed token"),
        (("AKIA", "ABCDEFGHIJKLMNOP"), "an AWS key"),
        (("ghp", "_" + "a" * 36), "a GitHub token"),
        (("github_pat", "_" + "a" * 82), "a GitHub token"),
        (("glpat", "-" + "a" * 20), "a GitLab token"),
        (("xoxb", "-1234567890-abc"), "a Slack token"),
        (("sk_live", "_" + "a" * 24), "a Stripe key"),
        (("AIza", "a" * 35), "a Google key"),
        (("npm", "_" + "a" * 36), "a package registry's token"),
        (("SG", "." + "a" * 22 + "." + "b" * 43), "a SendGrid key"),
    ],
)
def test_finds(parts: tuple[str, str], rule: str) -> None:
    assert finds("first line\n" + "".join(parts) + "\n") == [(2, rule)]


def test_finds_an_api_key_of_ours() -> None:
    assert finds(f'KEY = "{key()}"') == [(1, "an API key of ours, its checksum right")]


def test_finds_an_api_key_in_the_other_order_of_letters() -> None:
    """Whoever writes base62 with lower case first has leaked a key all the same."""
    assert finds(key("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")) != []


def test_an_example_key_with_a_wrong_checksum_is_no_secret() -> None:
    wrong = key()[:-1] + ("A" if key()[-1] != "A" else "B")

    assert finds(wrong) == []


def test_an_address_in_a_lock_file_is_found_whatever_its_host() -> None:
    """A mirror inside a company is as telling as a public one."""
    text = "a==1 @ https://mirror.example/a-1.whl\n"

    assert finds(text, "requirements.lock") == [(1, "an address in a lock file")]
    assert finds(text, "web/package-lock.json") == [(1, "an address in a lock file")]
    assert finds(text, "README.md") == []


def test_vectors_may_hold_keys_and_tests_may_hold_tokens() -> None:
    """The examples of the RFCs are public; nothing else is exempt."""
    pem = "-----BEGIN PRIV" + "ATE KEY-----"
    token = "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiJhbGljZSJ9." + "s" * 43

    assert finds(pem + key(), "tests/vectors/rfc.txt") == []
    assert finds(token, "tests/tokens/test_jws.py") == []
    assert finds(pem, "tests/tokens/test_jws.py") != []


@pytest.mark.parametrize(
    "text",
    [
        "https://api.example.com/users/7",
        "/etc/passwd",
        "../../root/x",
        "the root/x of it",
        "/users/{id}",
        "-----BEGIN PUBLIC KEY-----",
        "sk_live_short",
        "X-API-Key: grsn_sk_live_...",
        "eyJ.eyJ.x",
        "/work/{id}",
    ],
)
def test_leaves_ordinary_text_alone(text: str) -> None:
    assert finds(text) == []


def test_a_checkout_at_the_top_of_the_machine_accuses_no_route() -> None:
    assert list(tracked.search("docs/a.md", b"GET /app/tasks", "/app")) == []
    assert finds("docs/srv/checkout/a.md") == []


def test_searches_what_git_tracks_and_prints_no_secret(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / "good.txt").write_text("fine\n")
    (tmp_path / "bad.txt").write_text(key())
    subprocess.run(["git", "-C", tmp_path, "add", "good.txt"], check=True)

    assert tracked.main(tmp_path) == 0

    subprocess.run(["git", "-C", tmp_path, "add", "bad.txt"], check=True)

    assert tracked.main(tmp_path) == 1
    printed = capsys.readouterr().out
    assert "bad.txt:1: an API key of ours" in printed
    assert key() not in printed


@pytest.mark.parametrize("name", ["tools/tracked.py", "tests/tools/test_tracked.py"])
def test_the_search_does_not_find_itself(name: str) -> None:
    assert list(tracked.search(name, (REPOSITORY / name).read_bytes(), str(REPOSITORY))) == []
