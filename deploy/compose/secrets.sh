#!/bin/sh
# Draw the secrets of the compose file, once; each is readable by the processes that need it and by nobody else.
# Run as root, where it gives them to the users of the containers. Keep a copy of secrets/root elsewhere.
set -eu
umask 077
cd "$(dirname "$0")"
mkdir -p secrets
chmod 711 secrets
draw() {
    [ -s "secrets/$1" ] || head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n' >"secrets/$1"
    chown "$2" "secrets/$1"
    chmod "$3" "secrets/$1"
}
draw operator 999:999 400
draw root 10001:10001 400
draw counters 10001:10001 400
# These two are PostgreSQL's as well: its user makes the roles.
draw garrison 10001:999 440
draw tasks 10001:999 440
digest=$(sha256sum <secrets/counters | cut -d' ' -f1)
printf '%s\n' 'user default off' \
    "user garrison on #$digest ~garrison:* resetchannels -@all +evalsha +eval +script|load +time +get +set +ping" >secrets/counters.acl
chown 999:999 secrets/counters.acl
chmod 400 secrets/counters.acl
