# A private PostgreSQL cluster of the machine's own packages (15 or newer), for tests: source this, then
#   private_postgres PORT   makes and starts it, sets PRIVATE_POSTGRES_URL to a new, empty database; fails when there is none
#   end_private_postgres    stops and removes it
as_postgres() { if [ "$(id -u)" = 0 ]; then (cd / && setpriv --reuid=65534 --regid=65534 --clear-groups "$@"); else "$@"; fi; }

private_postgres() {
  PRIVATE_POSTGRES_BIN=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
  [ -n "$PRIVATE_POSTGRES_BIN" ] && [ -x "$PRIVATE_POSTGRES_BIN/initdb" ] || return 1
  PRIVATE_POSTGRES_DIR=$(mktemp -d)
  [ "$(id -u)" = 0 ] && chown 65534:65534 "$PRIVATE_POSTGRES_DIR"
  as_postgres "$PRIVATE_POSTGRES_BIN/initdb" -D "$PRIVATE_POSTGRES_DIR/data" -U app --auth=trust -E UTF8 --no-locale >/dev/null || return 1
  as_postgres "$PRIVATE_POSTGRES_BIN/pg_ctl" -D "$PRIVATE_POSTGRES_DIR/data" -w -l "$PRIVATE_POSTGRES_DIR/log" -o "-p $1 -c listen_addresses=127.0.0.1 -c unix_socket_directories=$PRIVATE_POSTGRES_DIR" start >/dev/null || { cat "$PRIVATE_POSTGRES_DIR/log" >&2; return 1; }
  as_postgres "$PRIVATE_POSTGRES_BIN/createdb" -h "$PRIVATE_POSTGRES_DIR" -p "$1" -U app loadstone || return 1
  PRIVATE_POSTGRES_URL="postgresql://app@127.0.0.1:$1/loadstone"
}

end_private_postgres() {
  as_postgres "$PRIVATE_POSTGRES_BIN/pg_ctl" -D "$PRIVATE_POSTGRES_DIR/data" -m fast stop >/dev/null
  rm -rf "$PRIVATE_POSTGRES_DIR"
}
