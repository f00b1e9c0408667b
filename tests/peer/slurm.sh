#!/bin/sh
# Slurm for real: starts a cluster of one node as plain processes in a temporary folder, hands it what `ci matrix --format
# slurm` prints, wave by wave, and sees that each goal landed once. Needs Debian's slurmctld, slurmd, slurm-client and munge.
#
#   tests/peer/slurm.sh BINARY [GOALS [TASKS]]
set -eu

binary=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
goals=${2:-20}
tasks=${3:-4}
here=$(mktemp -d)
host=$(hostname -s)
user=$(id -un)
port=$((20000 + $$ % 20000))
began=$(date +%s)
pids=

say() { printf '%4s s  %s\n' "$(($(date +%s) - began))" "$*"; }
fail() {
    say "FAILED: $*"
    cat "$here"/*.log "$here"/logs/* 2>/dev/null || true
    exit 1
}
end() {
    for pid in $pids; do kill "$pid" 2>/dev/null || :; done
    for pid in $pids; do wait "$pid" 2>/dev/null || :; done
    rm -rf "$here"
}
trap end EXIT
trap 'exit 143' TERM INT

start() { # NAME COMMAND...
    name=$1
    shift
    "$@" >"$here/$name.log" 2>&1 &
    pids="$! $pids"
}

chmod 755 "$here"
mkdir -p "$here/munge" "$here/state" "$here/spool" "$here/logs" "$here/bin" "$here/home"
chmod 700 "$here/munge"
(umask 077 && head -c 128 /dev/urandom >"$here/munge/key")
start munged munged --foreground --force --key-file "$here/munge/key" --socket "$here/munge.socket" \
    --pid-file "$here/munge/pid" --log-file "$here/munge/log" --seed-file "$here/munge/seed"
cat >"$here/slurm.conf" <<END
ClusterName=invisigoth
SlurmctldHost=$host(127.0.0.1)
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
AuthInfo=socket=$here/munge.socket
CredType=cred/munge
SlurmctldPort=$port
SlurmdPort=$((port + 1))
StateSaveLocation=$here/state
SlurmdSpoolDir=$here/spool
SlurmctldPidFile=$here/slurmctld.pid
SlurmdPidFile=$here/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SchedulerParameters=sched_min_interval=0,batch_sched_delay=0
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SlurmdParameters=config_overrides
NodeName=$host NodeAddr=127.0.0.1 CPUs=$tasks Sockets=$tasks CoresPerSocket=1 ThreadsPerCore=1 RealMemory=1000 State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP
END
export SLURM_CONF="$here/slurm.conf"
start slurmctld slurmctld -D -c
start slurmd slurmd -D -c
tries=0
until sinfo --noheader --states idle --format %n 2>/dev/null | grep -q .; do
    tries=$((tries + 1))
    [ "$tries" -lt 300 ] || fail 'the cluster does not start'
    sleep 0.1
done
say "a cluster of one node with $tasks processors is up: $(sinfo --version)"

# What tasks inherit: our binary, scripted replies, nobody's settings.
ln -s "$binary" "$here/bin/git-invisigoth"
export PATH="$here/bin:$PATH" HOME="$here/home" GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@example.com
export INVISIGOTH_LLM_PROVIDER=mock INVISIGOTH_LLM_SCRIPT="$here/script.json"
git init --quiet --bare --initial-branch main "$here/origin.git"
git clone --quiet "$here/origin.git" "$here/clone" 2>/dev/null
cd "$here/clone"
git checkout --quiet -b main
cat >check.sh <<'END'
for file in g*.txt; do
    [ "$file" = 'g*.txt' ] || [ "$(cat "$file")" = "${file%.txt}" ] || exit 1
done
END
printf '[check]\ntest = ["sh check.sh"]\n' >invisigoth.toml
git add --all
git commit --quiet --message start
git invisigoth init --yes --quiet >/dev/null
script=
n=1
while [ "$n" -le "$goals" ]; do
    id=$(printf 'g%02d' "$n")
    # The last fifth waits for the first goals, and so for a second wave.
    if [ "$n" -gt $((goals * 4 / 5)) ]; then
        needs=$(printf 'g%02d' $((n - goals * 4 / 5)))
        git invisigoth add --quiet --id "$id" --needs "$needs" "Goal $id" >/dev/null
    else
        git invisigoth add --quiet --id "$id" "Goal $id" >/dev/null
    fi
    script="$script${script:+,}\"$id\":[\"File: $id.txt\\n\`\`\`\`text\\n$id\\n\`\`\`\`\\n\"]"
    n=$((n + 1))
done
printf '{"goals":{%s}}\n' "$script" >"$here/script.json"
git commit --quiet --all --message goals
git push --quiet origin main
say "$goals goals are in the backlog of a bare repository"

landed() { git log --first-parent --format='%(trailers:key=Landed,valueonly)' main | sed -n 's/ .*//p'; }

wave=1
while git invisigoth ci matrix --format slurm --remote origin --tasks "$tasks" --exit-code \
    --quiet >"$here/wave.sh"; do
    [ "$wave" -le 5 ] || fail 'it does not come to an end'
    array=$(sed -n 's/^#SBATCH --array=//p' "$here/wave.sh")
    sbatch --wait --quiet --output "$here/logs/$wave-%a" "$here/wave.sh" || fail "wave $wave, array $array"
    git fetch --quiet origin
    git merge --quiet --ff-only origin/main
    say "wave $wave, array $array: $(landed | wc -l) goals landed"
    wave=$((wave + 1))
done

landed | sort >"$here/landed"
[ "$(wc -l <"$here/landed")" = "$goals" ] || fail "$(wc -l <"$here/landed") landings of $goals goals"
[ "$(sort -u "$here/landed" | wc -l)" = "$goals" ] || fail 'a goal landed twice'
[ "$(git ls-files 'g*.txt' | wc -l)" = "$goals" ] || fail 'work is missing'
git fetch --quiet origin refs/notes/invisigoth:refs/notes/invisigoth-there refs/invisigoth/attempts:refs/invisigoth/there
records=$(git notes --ref invisigoth-there list | wc -l)
[ "$records" = "$goals" ] || fail "$records records"
calls=$(git ls-tree -r --name-only refs/invisigoth/there | grep -c '\.000\.json$')
[ "$calls" = "$goals" ] || fail "$calls calls are kept"
git -C "$here/origin.git" fsck --strict >/dev/null 2>&1 || fail 'the bare repository is damaged'
[ -z "$(git ls-remote origin 'refs/invisigoth/claims/*')" ] || fail 'a claim was left'
say "each of $goals goals landed once, with its record and its calls; $((wave - 1)) waves of up to $tasks tasks"
