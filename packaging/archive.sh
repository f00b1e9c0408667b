#!/bin/sh
# archive.sh BINARY TARGET FOLDER: packs what install.sh installs, as git-invisigoth-VERSION-TARGET.tar.gz with its SHA-256
# beside it, and prints its name. The same files give the same bytes, whenever and by whomever they are packed.
set -eu

main() {
    binary=$1 target=$2 folder=$3
    root=$(CDPATH='' cd -- "$(dirname "$0")/.." && pwd)
    version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -n 1)
    name=git-invisigoth-$version-$target
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' HUP TERM

    mkdir "$work/$name"
    cp "$binary" "$work/$name/git-invisigoth"
    for file in install.sh invisigoth.toml.example .env.example README.md CHANGELOG.md LICENSE-MIT LICENSE-APACHE; do
        cp "$root/$file" "$work/$name/$file"
    done
    chmod 644 "$work/$name"/* "$work/$name"/.env.example
    chmod 755 "$work/$name" "$work/$name/git-invisigoth" "$work/$name/install.sh"

    mkdir -p "$folder"
    # No pipe: it would end well where tar does not.
    tar -C "$work" --sort=name --mtime="@${SOURCE_DATE_EPOCH:-0}" --owner=0 --group=0 --numeric-owner --format=ustar \
        -cf "$work/$name.tar" "$name"
    gzip -n <"$work/$name.tar" >"$folder/$name.tar.gz"
    (cd "$folder" && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
    printf '%s\n' "$name.tar.gz"
}

{ main "$@"; exit; }
