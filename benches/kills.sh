#!/usr/bin/env bash
# Nightly: every failure at every hit of every point, and SIGKILL at 2,000 system calls. Ends with 0 where nothing was lost,
# done twice or left behind; else the test names scene, place and what is wrong. Needs strace; takes hours.
#
#   benches/kills.sh [KILLS]
set -euo pipefail
cd "$(dirname "$0")/.."
command -v strace >/dev/null || { echo 'strace is missing' >&2; exit 1; }
export INVISIGOTH_KILLS=${1:-2000} INVISIGOTH_FAULTS=all
began=$SECONDS
cargo test --locked --test peer faults:: -- --nocapture
echo "$INVISIGOTH_KILLS kills at system calls and all failures at all points: nothing wrong, $((SECONDS - began)) s"
