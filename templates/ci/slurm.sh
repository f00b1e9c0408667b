#!/bin/sh
# The goals of @TARGET@ that can start, dealt to an array of @TASKS@. Made by `git invisigoth ci matrix --format slurm`; hand
# it to sbatch. Each task works in a clone of its own on the node, and takes it away at the end.
#SBATCH --job-name=invisigoth
#SBATCH --array=0-@LAST@
#SBATCH --output=invisigoth-%A_%a.log
set -eu

case $SLURM_ARRAY_TASK_ID in
@CASES@
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 143' TERM
export XDG_CACHE_HOME="$work/cache"
git clone --quiet --origin origin --branch @TARGET_SHELL@ @URL_SHELL@ "$work/clone"
cd "$work/clone"
status=0
git invisigoth run --remote origin -- "$@" || status=$?
# What was asked and paid for is kept, whatever came of it.
git invisigoth sync origin --attempts
exit "$status"
