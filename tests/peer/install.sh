#!/bin/sh
# Installs the programs that `cargo test --test peer` talks to into a virtual environment of Python, which is no part of
# the repository: target/peers, or the folder that INVISIGOTH_PEERS names. Versions and hashes: requirements.txt, and
# codex/package-lock.json.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
to=${INVISIGOTH_PEERS:-${CARGO_TARGET_DIR:-$here/../../target}/peers}

python3 -m venv "$to"
"$to/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: --require-hashes -r "$here/requirements.txt"

mkdir -p "$to/codex"
cp "$here/codex/package.json" "$here/codex/package-lock.json" "$to/codex/"
npm ci --prefix "$to/codex" --ignore-scripts --no-audit --no-fund --loglevel error
ln -sf ../codex/node_modules/.bin/codex "$to/bin/codex"
