#!/bin/sh
# The command "microengine" of the image. What a compose file cannot say by itself is decided here, from what it passes on;
# with `docker run` and elsewhere none of it is set, and nothing is changed.
set -eu

# The address of the compose file's own Redis, unless another is named.
if [ -z "${REDIS_ADDR:-}" ] && [ -n "${REDIS_PASSWORD+set}" ]; then
  export REDIS_ADDR="redis://:${REDIS_PASSWORD}@redis:6379"
fi

# WALLET_DIR set and empty: the wallet is the sandbox's. Its ledger of play money is kept apart from a real one.
if [ -n "${WALLET_DIR+set}" ] && [ -z "$WALLET_DIR" ]; then
  export DATA_DIR="$DATA_DIR/sandbox"
  case "${1:-}" in
    producer | recover)
      # The sandbox makes the wallet while this starts. Without a sandbox there is no host of that name, and nothing to wait for.
      tries=0
      while [ ! -s /wallet/password ] && [ "$tries" -lt 90 ]; do
        if [ "$tries" -ge 10 ] && ! getent hosts sandbox >/dev/null; then break; fi
        tries=$((tries + 1))
        sleep 1
      done
      ;;
  esac
fi

# Only for the above.
unset REDIS_PASSWORD WALLET_DIR

exec node /app/src/main.ts "$@"
