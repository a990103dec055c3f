#!/usr/bin/env bash
# Makes the files in docker/secrets that compose.yml hands to the containers. What is there already stays as it is.
# The argument `cluster` chooses three nodes of EventStoreDB instead of one; docker/.env keeps the choice for compose.
set -euo pipefail
cd "$(dirname "$0")"
mkdir -p secrets
# The containers read the files as other users; the folder keeps everybody else on this machine out.
chmod 700 secrets
umask 022

random() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }
keep() { # keep <file> <content>
  [ -s "secrets/$1" ] || printf '%s' "$2" >"secrets/$1"
}

keep secret-key "$(random)"
keep admin-password "$(random | cut -c1-24)"
keep postgres-password "$(random)"
keep redis-password "$(random)"
keep database-url "postgres://odst:$(cat secrets/postgres-password)@postgres:5432/odst"
keep redis-url "redis://:$(cat secrets/redis-password)@redis:6379/0"
if [ "${1:-single}" = cluster ]; then
  keep eventstoredb-url 'esdb://eventstoredb-1:2113,eventstoredb-2:2113,eventstoredb-3:2113?tls=false'
else
  keep eventstoredb-url 'esdb://eventstoredb:2113?tls=false'
fi
[ -s .env ] || printf 'COMPOSE_PROJECT_NAME=odst\nCOMPOSE_PROFILES=%s\n' "${1:-single}" >.env
echo "The secrets are in docker/secrets. Password of the account admin: $(cat secrets/admin-password)"
