"""`python -m garrison`: the command line, where no console script is installed."""

from __future__ import annotations

from garrison.cli import main

main()
