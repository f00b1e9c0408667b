#!/bin/sh
# Hooks beside those of pre-commit, lefthook and husky: theirs and ours both run, ours stop a commit, and what was there
# before comes back byte for byte. Needs what tests/peer/install.sh installs.
#
#   tests/peer/hooks.sh BINARY
set -eu

binary=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
root=$(cd "$(dirname "$0")/../.." && pwd)
peers=${INVISIGOTH_PEERS:-${CARGO_TARGET_DIR:-$root/target}/peers}
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
mkdir "$here/bin" "$here/home"
ln -s "$binary" "$here/bin/git-invisigoth"
export PATH="$here/bin:$peers/bin:$PATH" HOME="$here/home" GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@example.com
unset CI HUSKY LEFTHOOK XDG_CONFIG_HOME XDG_CACHE_HOME

fail() {
    echo "FAILED: $peer: $*" >&2
    exit 1
}

begin() { # PEER
    peer=$1
    mkdir "$here/$peer"
    cd "$here/$peer"
    git init --quiet --initial-branch main
    printf '[check]\ntest = ["true"]\n' >invisigoth.toml
    git add --all
    git commit --quiet --message start
    git invisigoth init --yes --quiet >/dev/null
}

# What is staged and broken is stopped by ours; what is whole meets theirs, too.
both_run() {
    echo 'nothing = 1' >>invisigoth.toml
    ! git commit --all --message broken >"$here/said" 2>&1 || fail 'broken settings were committed'
    grep -q '^error: invisigoth.toml, line 3' "$here/said" || fail "ours did not say why: $(cat "$here/said")"
    git checkout --quiet HEAD invisigoth.toml
    date >whole
    git add whole
    git commit --message whole >"$here/said" 2>&1 || fail "$(cat "$here/said")"
    grep -q THEIRS "$here/said" || fail "theirs did not run: $(cat "$here/said")"
}

restored() {
    git invisigoth hooks uninstall >/dev/null
    cmp "$here/before" .git/hooks/pre-commit || fail 'their hook is not as it was'
    for name in post-merge post-rewrite pre-push; do
        [ ! -e ".git/hooks/$name" ] || fail "$name was left"
    done
}

begin pre-commit
cat >.pre-commit-config.yaml <<'END_OF_CONFIG'
repos:
- repo: local
  hooks:
  - {id: theirs, name: theirs, entry: echo THEIRS, language: system, verbose: true}
END_OF_CONFIG
git add --all
git commit --quiet --message config
pre-commit install >/dev/null
cp .git/hooks/pre-commit "$here/before"
git invisigoth hooks install >/dev/null
both_run
restored
echo "$peer: both run, and it is as it was"

begin lefthook
printf 'pre-commit:\n  commands:\n    theirs:\n      run: echo THEIRS\n' >lefthook.yml
git add --all
git commit --quiet --message config
lefthook install >/dev/null
cp .git/hooks/pre-commit "$here/before"
git invisigoth hooks install >/dev/null
both_run
restored
echo "$peer: both run, and it is as it was"

begin husky
printf '{"private":true}\n' >package.json
mkdir .husky
"$peers/bin/husky"
echo 'echo THEIRS' >.husky/pre-commit
git add --all
git commit --quiet --message config 2>/dev/null
status=0
git invisigoth hooks install >/dev/null 2>"$here/said" || status=$?
[ "$status" = 5 ] || fail "installing beside it ends with $status"
[ -z "$(git status --short)" ] || fail 'something was written into its folder'
grep -q 'put this line into .husky/pre-commit:' "$here/said" || fail "$(cat "$here/said")"
# As a person does who follows the hint.
sed -n '/into .husky\/pre-commit:/{n;s/^ *//;p}' "$here/said" >>.husky/pre-commit
both_run
echo "$peer: nothing was written into its folder, and with the line that is named both run"
