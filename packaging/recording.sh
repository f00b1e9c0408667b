#!/usr/bin/env bash
# Makes the recording at the top of README.md anew: recording.sh BINARY OUT. A short session in a scratch repository, with
# scripted replies, played in a terminal of 80 columns. Needs git, asciinema, and npm with its registry for svg-term-cli.
set -euo pipefail

if [ "$#" != 2 ] || [ ! -x "$1" ]; then
    echo "usage: $0 BINARY OUT.svg" >&2
    exit 2
fi
binary=$(realpath "$1")
out=$(realpath -m "$2")
demo=$(realpath "$(dirname "$0")/../templates/demo")
for tool in git asciinema npm; do
    command -v "$tool" >/dev/null || { echo "$tool is missing: install the package $tool" >&2; exit 1; }
done

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
npm install --silent --no-fund --no-audit --prefix "$place/npm" svg-term-cli@2.1.1 >/dev/null

# A machine of its own: nothing of the user's settings, and no name of a folder of theirs.
mkdir -p "$place/home" "$place/bin"
cp "$binary" "$place/bin/git-invisigoth"
export HOME=$place/home PATH=$place/bin:$PATH LC_ALL=C.UTF-8 TERM=xterm-256color
export GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=You GIT_AUTHOR_EMAIL=you@example.org
export GIT_COMMITTER_NAME=You GIT_COMMITTER_EMAIL=you@example.org GIT_PAGER=cat
unset XDG_CONFIG_HOME XDG_CACHE_HOME XDG_STATE_HOME XDG_DATA_HOME

# The demo's project, without what it would plan.
git init --quiet --initial-branch=main "$HOME/textkit"
cd "$HOME/textkit"
cp -r "$demo/README.md" "$demo/lib" "$demo/tests" "$demo/invisigoth.toml" .
git add --all
git commit --quiet --message 'Start'
git invisigoth init --yes >/dev/null 2>&1

# Who answers: the demo's replies, by goal and round, after as long as a quick model takes.
cat >"$place/answer.sh" <<'ANSWER'
last=$(cat | grep -o 'Goal: [a-z]* (round [0-9]*' | tail -n 1)
set -- ${last#Goal: }
sleep 1.5
for file in "$REPLIES/$1.md" "$REPLIES/$1_${3#round }.md"; do
    [ ! -e "$file" ] || exec cat "$file"
done
ANSWER
git config invisigoth.llm.provider mock
git config invisigoth.llm.command "REPLIES='$demo/replies' sh '$place/answer.sh'"

# What is played: each line is shown as if typed, then run.
cat >"$place/session" <<'SESSION'
# scripted replies: no key, no network
git invisigoth add --id slug "Slug from a title"
git invisigoth add --id shorten --needs slug "Shorten a slug"
git invisigoth add --id link --needs shorten "Link to a post"
git invisigoth run
git log --oneline --graph -6
SESSION
cat >"$place/play.sh" <<'PLAY'
while IFS= read -r line; do
    printf '\033[1;32m$\033[0m '
    sleep 0.6
    for word in $line; do
        printf '%s ' "$word"
        sleep 0.12
    done
    printf '\n'
    eval "$line"
    sleep 0.4
done <"$1"
printf '\033[1;32m$\033[0m '
sleep 5
PLAY

asciinema rec --quiet --overwrite --idle-time-limit 4 \
    --command "stty cols 80 rows 22; bash -f '$place/play.sh' '$place/session'" "$place/cast"
# The terminal that it was recorded in does not count. Two columns more are drawn, or the last one shows in the next frame.
sed -i '1s/"width": [0-9]*, "height": [0-9]*/"width": 80, "height": 22/' "$place/cast"
mkdir -p "$(dirname "$out")"
"$place/npm/node_modules/.bin/svg-term" --in "$place/cast" --out "$out" --width 82 --height 22 --window --no-cursor
# Who wants no movement sees how it ends.
last=$(grep -o 'translateX(-[0-9]*px)' "$out" | tail -n 1)
still="@media (prefers-reduced-motion:reduce){g[style]{animation:none!important;transform:$last}}</style>"
sed -i "s|</style>|$still|" "$out"
if grep -q -e "$place" -e "$(hostname)" "$out"; then
    echo "$out names a folder of this machine" >&2
    exit 1
fi
echo "$out: $(stat -c %s "$out") bytes"
