#!/bin/sh
# Shows git-invisigoth improve itself, once, on a clone of this repository: a scripted model teaches its command line two words,
# a ratchet counts the words that it understands, the new program is built, tried and swapped in, and it is the new program
# that lands the second goal. Ends with 0 where all of that came true.
#
#   benches/evolve_self.sh [FOLDER]     # a new folder; a temporary one where absent
#
# CARGO_TARGET_DIR is shared by all builds (default: target/evolve here); the first build of it takes minutes.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
work=${1:-$(mktemp -d)}
mkdir -p "$work/bin" "$work/home"
work=$(cd "$work" && pwd)
CARGO_HOME=${CARGO_HOME:-$HOME/.cargo} RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup}
CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$top/target/evolve}
HOME=$work/home GIT_CONFIG_NOSYSTEM=1
export CARGO_HOME RUSTUP_HOME CARGO_TARGET_DIR HOME GIT_CONFIG_NOSYSTEM
tool=$work/bin/git-invisigoth

git clone -q --no-local "$top" "$work/repo"
cd "$work/repo"
git config user.name "Evolve"
git config user.email evolve@example.invalid
git checkout -q -B main
cargo build -q --locked
cp "$CARGO_TARGET_DIR/debug/git-invisigoth" "$tool"

# The ratchet's script is part of the base. It says how many of these words the program understands.
cat > benches/words.sh <<'SCRIPT'
known=0
for word in list ls status st drop rm; do
    "$1" help "$word" > /dev/null 2>&1 && known=$((known + 1))
done
echo "$known"
SCRIPT
git add benches/words.sh
git commit -qm "Count the words that the command line understands"

own() { git config "invisigoth.$1" "$2"; }
# shellcheck disable=SC2016 # the slot's shell expands it
build='cargo build -q --locked && mkdir -p out && cp "$CARGO_TARGET_DIR/debug/git-invisigoth" out/'
own check.sandbox none # its builds share a folder outside of the slots
own check.setup '[]'
own check.lint '[]'
own check.test 'cargo build -q --locked'
git config --add invisigoth.check.env CARGO_TARGET_DIR
git config --add invisigoth.check.env CARGO_HOME
git config --add invisigoth.check.env RUSTUP_HOME
own evolve.build "$build"
own evolve.binary out/git-invisigoth
own evolve.metric.words.cmd "$build && sh benches/words.sh out/git-invisigoth"
own evolve.metric.words.better higher
own llm.provider mock
own llm.script "$work/script.json"
cat > "$work/script.json" <<'SCRIPT'
{"goals": {
  "word-ls": ["src/cli/args.rs\n<<<<<<< SEARCH\n    /// List goals, one a line\n    List(List),\n=======\n    /// List goals, one a line\n    #[command(alias = \"ls\")]\n    List(List),\n>>>>>>> REPLACE\n"],
  "word-st": ["src/cli/args.rs\n<<<<<<< SEARCH\n    Status(status::Status),\n=======\n    #[command(alias = \"st\")]\n    Status(status::Status),\n>>>>>>> REPLACE\n"]
}}
SCRIPT

"$tool" init --yes > /dev/null
"$tool" add --id word-ls --file src/cli/args.rs "Understand ls as list" > /dev/null
"$tool" add --id word-st --file src/cli/args.rs "Understand st as status" > /dev/null
before=$(cksum < "$tool")
! "$tool" help ls > /dev/null 2>&1 || { echo "ls is understood already" >&2; exit 1; }

echo "evolving in $work/repo: the model is a script, the rest is real"
"$tool" evolve --dry-run --goal word-ls word-st
"$tool" evolve --goal word-ls word-st 2>&1 | tee "$work/said.txt"
echo
"$tool" evolve log

fail() { echo "evolve_self: $1" >&2; exit 1; }
[ "$before" != "$(cksum < "$tool")" ] || fail "the installed program is the old one"
"$tool" ls > /dev/null || fail "the installed program does not understand ls"
"$tool" st > /dev/null || fail "the installed program does not understand st"
[ "$(git rev-list --count --first-parent --grep='^Landed: word-' main)" = 2 ] || fail "two goals should have landed"
swapped=$(grep -n -m1 "$tool goes on" "$work/said.txt" | cut -d: -f1)
second=$(grep -n -m1 'working  word-st' "$work/said.txt" | cut -d: -f1)
[ "${swapped:-0}" -gt 0 ] || fail "no new program went on"
[ "${second:-0}" -gt "$swapped" ] || fail "the old program was at work at word-st"
"$tool" verify > /dev/null || fail "verify finds what landed wrong"
echo "it improved its own source twice; the new program landed the second goal, and verify holds"
