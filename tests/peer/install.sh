#!/bin/sh
# Installs the programs that `cargo test --test peer` talks to into a virtual environment of Python, which is no part of
# the repository: target/peers, or the folder that INVISIGOTH_PEERS names. Versions and hashes: requirements.txt.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
to=${INVISIGOTH_PEERS:-${CARGO_TARGET_DIR:-$here/../../target}/peers}

python3 -m venv "$to"
"$to/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: --require-hashes -r "$here/requirements.txt"
