"""A fleet on one machine, to try things on: `make cluster`, and the tests of what breaks."""

from __future__ import annotations

from tools.cluster.cluster import PORTS, ROOT, Cluster, free_ports
from tools.cluster.part import ClusterError, Part, until

__all__ = ["PORTS", "ROOT", "Cluster", "ClusterError", "Part", "free_ports", "until"]
