"""`garrison blocks` shuts networks out and lets them in again."""

from __future__ import annotations

import pytest

from garrison.model.units import HOUR
from tests.cli.conftest import Cli

pytestmark = pytest.mark.usefixtures("policy")


def test_a_network_is_shut_out_listed_and_let_in_again(cli: Cli) -> None:
    said = cli("blocks", "add", "198.51.100.0/24", "--reason", "scrapes").out
    listed = cli("blocks", "list").out.splitlines()

    assert said == "198.51.100.0/24 is shut out until it is lifted\n"
    assert [line.split()[0] for line in listed] == ["NETWORK", "198.51.100.0/24"]
    assert listed[1].split()[-3:] == ["lifted", "operator:console", "scrapes"]
    assert cli("blocks", "lift", "198.51.100.0/24").out == "198.51.100.0/24 may come in again\n"
    assert cli("blocks", "list", "--json").json == []
    codes = [line.split()[3] for line in cli("audit", "tail").out.splitlines()[1:]]
    assert codes == ["address_blocked", "address_unblocked"]


def test_a_block_may_have_an_end(cli: Cli) -> None:
    cli("blocks", "add", "2001:db8::7", "--for", "1h")

    (block,) = cli("blocks", "list", "--json").json
    assert (block["network"], block["until"] - block["at"], block["by"]) == ("2001:db8::7", HOUR, "operator:console")


def test_blocked_again_it_has_the_later_end(cli: Cli) -> None:
    for life in ("1h", "2h"):
        cli("blocks", "add", "192.0.2.1", "--for", life)

    (block,) = cli("blocks", "list", "--json").json
    assert block["until"] - block["at"] == 2 * HOUR


@pytest.mark.parametrize("network", ["0.0.0.0/0", "::/0", "example.com", "10.0.0.1/8", ""])
def test_what_is_no_network_or_everybody_is_an_error(cli: Cli, network: str) -> None:
    """To shut everybody out is to switch the service off, and seldom what was meant."""
    assert cli("blocks", "add", network, code=2).err.startswith("garrison: ")
    assert cli("blocks", "list", "--json").json == []


def test_what_is_not_shut_out_cannot_be_let_in(cli: Cli) -> None:
    ran = cli("blocks", "lift", "192.0.2.9", code=1)

    assert ran.err == "garrison: 192.0.2.9 is not shut out; garrison blocks list shows what is\n"
