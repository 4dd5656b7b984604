"""What the parts of a cluster read: passwords made once, and settings written anew at each start."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

__all__ = ["FRONT", "policy", "proxy", "secret", "server_of_counters", "server_of_records"]

FRONT = "127.0.0.2"
"""Where nginx's requests come from. Not 127.0.0.1: whoever asks a worker directly must not be believed (forwarded)."""

_RECORDS = """\
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
max_connections = 100
password_encryption = scram-sha-256
"""

_COUNTERS = """\
bind 127.0.0.1
port {port}
dir "{folder}"
save ""
appendonly yes
appendfsync no
maxmemory 64mb
maxmemory-policy noeviction
user default off
user garrison on #{digest} ~garrison:* resetchannels -@all +evalsha +eval +script|load +time +get +set +ping
"""

_ENVIRONMENT = """\

# Below is the cluster's own; everything above is the example's policy. Written anew at each start.
[environments.staging]
hosts = ["127.0.0.1", "localhost"]
workers = {workers}
secrets = {{ root = "file:{secrets}/root" }}
forwarded = {{ peers = ["{front}/32"] }}

[environments.staging.stores]
records = "postgresql://garrison@127.0.0.1:{records}/garrison"
password = "file:{secrets}/garrison"
counters = "redis://garrison@127.0.0.1:{counters}"
counters_password = "file:{secrets}/counters"
"""

_PROXY = """\
daemon off;
worker_processes 1;
pid "{folder}/pid";
error_log stderr warn;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    server_tokens off;
    client_body_temp_path "{folder}/body";
    proxy_temp_path "{folder}/proxy";
    fastcgi_temp_path "{folder}/fastcgi";
    uwsgi_temp_path "{folder}/uwsgi";
    scgi_temp_path "{folder}/scgi";
    upstream tasks {{
{servers}
        keepalive 64;
        # Before the worker closes it after 5 s: what is sent at that moment is lost, and may not be repeated.
        keepalive_timeout 3s;
    }}
    server {{
        listen 127.0.0.1:{port};
        client_header_timeout 10s;
        client_max_body_size 2m;
        location / {{
            proxy_pass http://tasks;
            proxy_http_version 1.1;
            proxy_bind {front};
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
            # A worker that died or stands still costs one try; what may have changed something is not tried again.
            proxy_next_upstream error timeout;
            proxy_connect_timeout 1s;
            proxy_read_timeout 5s;
        }}
    }}
}}
"""


def secret(folder: Path, name: str) -> str:
    """Give a password of 32 random bytes, made at the first start and readable by its owner alone."""
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / name
    if not path.exists():
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
    return path.read_text("ascii").strip()


def server_of_records(port: int) -> str:
    """Write the settings of PostgreSQL: TCP on loopback alone, a password for everybody."""
    return _RECORDS.format(port=port)


def server_of_counters(port: int, folder: Path, password: str) -> str:
    """Write the settings of Valkey: one user, who may do what counting takes.

    Every count is the kernel's before it is acknowledged, so that a killed server loses none. With `everysec` it would
    wait while the disk is busy, for up to two seconds.
    """
    return _COUNTERS.format(port=port, folder=folder, digest=sha256(password.encode("ascii")).hexdigest())


def policy(example: str, secrets: Path, *, workers: int, records: int, counters: int) -> str:
    """Write the policy: the example's own, its environments replaced by one that fits these ports."""
    shared = example.partition("\n[environments.")[0]
    fitted = _ENVIRONMENT.format(secrets=secrets, workers=workers, records=records, counters=counters, front=FRONT)
    return f"{shared}\n{fitted}"


def proxy(port: int, folder: Path, workers: Sequence[int]) -> str:
    """Write the settings of nginx: every request to the next worker that answers.

    Each worker is there twice: one that failed is left out for a second, but not when all of them are.
    """
    places = [f"127.0.0.1:{each}" for each in workers]
    lines = [f"server {each} max_fails=1 fail_timeout=1s;" for each in places]
    lines += [f"server {each} max_fails=0 backup;" for each in places]
    servers = "\n".join(f"        {line}" for line in lines)
    return _PROXY.format(port=port, folder=folder, servers=servers, front=FRONT)
