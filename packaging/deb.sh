#!/bin/sh
# deb.sh BINARY FOLDER: makes a Debian package of a binary that is built, with cargo-deb, and prints its path. What is in it:
# [package.metadata.deb] in Cargo.toml, whose `target/release/` is where the pages and completions are made here.
set -eu

main() {
    binary=$1
    mkdir -p "$2"
    folder=$(CDPATH='' cd -- "$2" && pwd)
    root=$(CDPATH='' cd -- "$(dirname "$0")/.." && pwd)
    target=$(cd "$root" && cargo metadata --format-version 1 --no-deps --offline |
        sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
    [ -n "$target" ] || { echo 'error: cargo does not say where it builds' >&2; exit 1; }
    made=$target/release/deb
    rm -rf "$made"
    mkdir -p "$made/man"
    "$binary" man --install --dir "$made/man" >/dev/null
    for shell in bash zsh fish; do "$binary" completion "$shell" >"$made/$shell"; done
    # A manual page of a Debian package is compressed, without the time.
    gzip -9n "$made"/man/*.1
    cp "$binary" "$made/git-invisigoth"
    cd "$root"
    cargo deb --no-build --no-strip --output "$folder"
}

{ main "$@"; exit; }
