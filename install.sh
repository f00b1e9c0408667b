#!/bin/sh
# Installs git-invisigoth for this user, or for all as root: program, manual pages, completions and examples. With
# INVISIGOTH_RELEASE_URL from a released archive, whose SHA-256 is checked before it is opened, else from the source that
# lies beside this script. Everything is in functions, called in braces on the last line: half a file does nothing.
set -eu

RUST_MINOR=88 # 1.88, as rust-version in Cargo.toml says
name=git-invisigoth

say() { printf '%s\n' "$*"; }
warn() { printf '%s\n' "$*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }

# fail ERROR HINT…
fail() {
    printf 'error: %s\n' "$1" >&2
    shift
    for hint in "$@"; do printf 'hint: %s\n' "$hint" >&2; done
    exit 1
}

misused() {
    printf 'error: %s\nhint: ./install.sh --help\n' "$1" >&2
    exit 2
}

usage() {
    cat <<'END'
Usage: ./install.sh [--demo] [--service] [--prefix DIR] [--profile PROFILE]
                    [--no-packages]
       ./install.sh --uninstall [--purge] [--prefix DIR]

  --demo             run the demo afterwards: no key, no network
  --service          afterwards make a service of the repository of the current folder
  --prefix DIR       install below DIR
  --profile PROFILE  cargo profile: release (default) or dev, which builds faster
  --no-packages      install no system packages; name what is missing instead
  --uninstall        remove exactly what was installed
  --purge            and your settings, caches and logs of it; never a repository

INVISIGOTH_RELEASE_URL   an archive to install instead of building: https://…, file:///…,
                         or http from this machine; its SHA-256 is read from the same
                         address with .sha256 behind it
INVISIGOTH_INSTALL_DIR   as --prefix

Without a prefix: as root /usr/local, else $XDG_BIN_HOME (~/.local/bin) and
$XDG_DATA_HOME (~/.local/share).
END
}

# xdg VALUE DEFAULT: the folder that a variable names, which counts only where it is absolute.
xdg() {
    case $1 in
    /*) printf '%s\n' "${1%/}" ;;
    *) printf '%s\n' "${HOME:?HOME is not set}/$2" ;;
    esac
}

# Says where everything goes: `bin`, `data`, `pages`, `manifest`.
set_places() {
    if [ -n "$prefix" ]; then
        case $prefix in /*) ;; *) prefix=$PWD/$prefix ;; esac
        [ "$prefix" = / ] || prefix=${prefix%/}
    elif [ "$(id -u)" -eq 0 ]; then
        prefix=/usr/local
    fi
    if [ -n "$prefix" ]; then
        bin=${prefix%/}/bin data=${prefix%/}/share pages=${prefix%/}/share/man/man1
    else
        bin=$(xdg "${XDG_BIN_HOME:-}" .local/bin)
        data=$(xdg "${XDG_DATA_HOME:-}" .local/share)
        # What `man` finds by ~/.local/bin in PATH, whatever XDG_DATA_HOME says.
        pages=$HOME/.local/share/man/man1
    fi
    # The manifest has a path a line.
    case $bin$data$pages in *"
"*) fail 'there is a line break in the name of the folder' ;; esac
    manifest=$data/$name/manifest
}

# Runs a command as root, where that needs no password.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif have sudo && sudo -n true 2>/dev/null; then
        sudo -n "$@"
    else
        return 1
    fi
}

apt_install() {
    if [ -n "$no_packages" ] || ! have apt-get; then return 1; fi
    as_root true || return 1
    say "installing $* with apt-get"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q "$@" >&2 && return 0
    # The lists may be old or missing, as in a fresh container.
    as_root apt-get -o Acquire::http::Timeout=30 update -q >&2 &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q "$@" >&2
}

# What a person types where we may not.
apt_line() {
    if have apt-get; then say "sudo apt-get install -y $*"; else say "install, by your system's packages: $*"; fi
}

# rust_is_new CARGO: true where it is 1.88 or newer.
rust_is_new() {
    version=$("$1" --version 2>/dev/null | cut -d ' ' -f 2) || return 1
    major=${version%%.*}
    rest=${version#*.}
    minor=${rest%%.*}
    case "$major$minor" in '' | *[!0-9]*) return 1 ;; esac
    [ "$major" -gt 1 ] || { [ "$major" -eq 1 ] && [ "$minor" -ge "$RUST_MINOR" ]; }
}

# Sets `cargo` to one that is new enough, and puts its folder first, so that it finds its own rustc.
find_cargo() {
    for cargo in "$(command -v cargo || true)" "${CARGO_HOME:-${HOME:-}/.cargo}/bin/cargo" /usr/bin/cargo; do
        if [ -x "$cargo" ] && rust_is_new "$cargo"; then
            PATH=$(dirname "$cargo"):$PATH
            return 0
        fi
    done
    return 1
}

# The version of rustc-web that apt offers: Debian 12 keeps a newer Rust there than in rustc.
apt_rust_is_new() {
    have apt-cache || return 1
    offered=$(apt-cache policy rustc-web 2>/dev/null | sed -n 's/^ *Candidate: *1\.\([0-9]*\)\..*/\1/p')
    [ -n "$offered" ] && [ "$offered" -ge "$RUST_MINOR" ]
}

need_rust() {
    if find_cargo; then return 0; fi
    found=$(cargo --version 2>/dev/null || echo none)
    # Whoever has rustup wants Rust from there and from nowhere else.
    if have rustup || [ -x "${CARGO_HOME:-${HOME:-}/.cargo}/bin/rustup" ]; then
        fail "Rust 1.$RUST_MINOR or newer is needed; found: $found" 'rustup update stable && rustup default stable' \
            'then ./install.sh again'
    fi
    if [ -z "$no_packages" ] && ! apt_rust_is_new; then as_root apt-get update -q >/dev/null 2>&1 || true; fi
    if apt_rust_is_new && apt_install rustc-web cargo-web && find_cargo; then return 0; fi
    if apt_rust_is_new; then
        fail "Rust 1.$RUST_MINOR or newer is needed; found: $found" \
            "$(apt_line rustc-web cargo-web)" 'then ./install.sh again'
    fi
    fail "Rust 1.$RUST_MINOR or newer is needed; found: $found" \
        "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh" 'then ./install.sh again'
}

need_tools() {
    missing=
    have git || missing=git
    if [ -n "$url" ]; then
        case $url in file:*) ;; *) have curl || have wget || missing="${missing:+$missing }curl ca-certificates" ;; esac
    elif ! have cc; then
        # A linker and a C compiler: the TLS library has parts in C.
        missing="${missing:+$missing }gcc libc6-dev"
    fi
    [ -n "$missing" ] || return 0
    # The list is ours: words without spaces.
    # shellcheck disable=SC2086
    apt_install $missing || fail "missing: $missing" "$(apt_line "$missing")" 'then ./install.sh again'
}

# It works without, so that is said and no error.
want_bubblewrap() {
    if have bwrap || [ "$(uname -s)" != Linux ]; then return 0; fi
    apt_install bubblewrap || warn "note: checks are not fenced in before bubblewrap is there: $(apt_line bubblewrap)"
}

# is_loopback URL: true for http to this machine itself, which nobody else can answer.
is_loopback() {
    authority=${1#http://}
    authority=${authority%%/*}
    case $authority in
    localhost | 127.0.0.1 | '[::1]') return 0 ;;
    localhost:* | 127.0.0.1:* | '[::1]':*) ;;
    *) return 1 ;;
    esac
    # Only a port may follow: in http://127.0.0.1:80@example.org the machine is another.
    case ${authority##*:} in '' | *[!0-9]*) return 1 ;; esac
    case $authority in '['*) ;; *:*:*) return 1 ;; esac
}

# fetch URL FILE
fetch() {
    case $1 in
    file:///*) cp "${1#file://}" "$2" && return 0 ;;
    https://*)
        if have curl; then
            curl --proto '=https' --tlsv1.2 -fsSL --connect-timeout 30 --retry 2 -o "$2" "$1" && return 0
        else
            wget -q -O "$2" "$1" && return 0
        fi
        ;;
    http://*)
        is_loopback "$1" || fail "$1: plain http only from this machine: anybody on the way could change it" \
            'use the https address'
        if have curl; then
            curl --proto '=http' --noproxy '*' -fsS -o "$2" "$1" && return 0
        else
            http_proxy='' wget -q -O "$2" "$1" && return 0
        fi
        ;;
    *) fail "INVISIGOTH_RELEASE_URL is neither https:// nor file:///: $1" ;;
    esac
    fail "cannot fetch $1" 'without INVISIGOTH_RELEASE_URL it is built from source'
}

# sha256 FILE
sha256() {
    if have sha256sum; then
        sha256sum <"$1"
    elif have shasum; then
        shasum -a 256 <"$1"
    else
        openssl dgst -sha256 -r <"$1"
    fi | cut -d ' ' -f 1
}

# Sets `from` to the folder of the opened archive.
open_release() {
    say "fetching $url"
    fetch "$url" "$work/archive"
    fetch "$url.sha256" "$work/sha256"
    wanted=$(sed -n '1s/^\([0-9A-Fa-f]\{64\}\)\([^0-9A-Fa-f].*\)\{0,1\}$/\1/p' "$work/sha256" | tr A-F a-f)
    [ -n "$wanted" ] || fail "there is no SHA-256 in $url.sha256" 'nothing was changed'
    found=$(sha256 "$work/archive")
    if [ "$found" != "$wanted" ]; then
        fail "the SHA-256 of $url is $found, and should be $wanted" \
            'nothing was opened or changed; fetch it again, and if it stays so, do not install it'
    fi
    mkdir "$work/release"
    tar -xzof "$work/archive" -C "$work/release" || fail "$url is no .tar.gz archive"
    for from in "$work/release" "$work/release"/*; do
        if [ -f "$from/$name" ]; then
            built=$from/$name
            return 0
        fi
    done
    fail "there is no $name in $url"
}

# Sets `from` to the source, and `built` to what cargo makes of it.
build() {
    from=$here
    say "building with $("$cargo" --version)"
    "$cargo" build --locked --profile "$profile" --bin "$name" --manifest-path "$from/Cargo.toml"
    target=$("$cargo" metadata --format-version 1 --no-deps --offline --manifest-path "$from/Cargo.toml" |
        sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
    case $profile in dev) built=$target/debug/$name ;; *) built=$target/$profile/$name ;; esac
    [ -x "$built" ] || fail "cargo did not build $built"
}

# make_dir DIR: makes it and what is missing above, and notes each for --uninstall.
make_dir() {
    if [ -d "$1" ]; then return 0; fi
    make_dir "$(dirname "$1")"
    mkdir "$1"
    printf '%s/\n' "$1" >>"$work/made"
}

# stage FILE TO MODE: puts it beside its place, whence it only needs to be renamed: a running program keeps its file.
stage() {
    make_dir "$(dirname "$2")"
    [ ! -d "$2" ] || fail "$2 is a folder" 'nothing was changed'
    printf '%s\n' "$2" >>"$work/staged"
    cp "$1" "$2.new.$$"
    chmod "$3" "$2.new.$$"
}

stage_all() {
    stage "$built" "$bin/$name" 755
    staged=$bin/$name.new.$$
    if ! version=$("$staged" --version); then
        fail "$built does not run on this machine ($(uname -sm))" 'nothing was changed' \
            'another release may, such as one for musl; without INVISIGOTH_RELEASE_URL it is built from source'
    fi
    "$staged" man --install --dir "$work/man" >/dev/null
    for shell in bash zsh fish; do "$staged" completion "$shell" >"$work/$shell"; done

    for page in "$work"/man/*.1; do stage "$page" "$pages/${page##*/}" 644; done
    stage "$work/bash" "$data/bash-completion/completions/$name" 644
    stage "$work/zsh" "$data/zsh/site-functions/_$name" 644
    stage "$work/fish" "$data/fish/vendor_conf.d/$name.fish" 644
    for file in invisigoth.toml.example .env.example; do
        stage "$from/$file" "$data/doc/$name/$file" 644
    done
    stage "$from/install.sh" "$data/$name/install.sh" 755
    make_dir "$(dirname "$manifest")"
}

# write_manifest FILE…: those lines, once each.
write_manifest() {
    LC_ALL=C sort -u "$@" >"$manifest.new.$$"
    mv -f "$manifest.new.$$" "$manifest"
}

# Renames what was staged. The manifest has all of old and new meanwhile: whenever this is killed, --uninstall knows all.
put_in_place() {
    : >"$work/old"
    [ ! -f "$manifest" ] || cp "$manifest" "$work/old"
    write_manifest "$work/staged" "$work/made" "$work/old"
    : >"$work/placed"
    while IFS= read -r file; do mv -f "$file.new.$$" "$file"; done <"$work/staged"
    # What an older version installed and this one does not; its folders stay known.
    while IFS= read -r old; do
        case $old in
        */) [ ! -d "$old" ] || printf '%s\n' "$old" >>"$work/made" ;;
        *) grep -qxF -e "$old" "$work/staged" || rm -f -- "$old" ;;
        esac
    done <"$work/old"
    write_manifest "$work/staged" "$work/made"
}

# remove_folders FILE: those of its lines that are folders, the inner ones first, where nothing is in them.
remove_folders() {
    sed -n '/\/$/p' "$1" | LC_ALL=C sort -r | while IFS= read -r dir; do
        rmdir -- "$dir" 2>/dev/null || true
    done
}

# Takes back what was not finished.
# shellcheck disable=SC2317 # by trap
clean_up() {
    if [ -s "$work/staged" ]; then
        while IFS= read -r file; do rm -f -- "$file.new.$$"; done <"$work/staged"
        rm -f -- "$manifest.new.$$"
    fi
    [ -e "$work/placed" ] || remove_folders "$work/made"
    rm -rf "$work"
}

begin() {
    work=$(mktemp -d)
    trap clean_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' HUP TERM
    : >"$work/made"
    : >"$work/staged"
}

check_path() {
    case ":$user_path:" in
    *":$bin:"*)
        found=$(PATH=$user_path command -v "$name" || true)
        [ "$found" = "$bin/$name" ] || warn "note: $found comes first on PATH, and is not what was installed"
        ;;
    *) warn "note: $bin is not on PATH, so git does not find it yet: export PATH=\"$bin:\$PATH\"" ;;
    esac
}

install() {
    if [ -z "$url" ] && ! grep -qs "^name = \"$name\"" "$here/Cargo.toml"; then
        fail 'there is no source beside this script, and INVISIGOTH_RELEASE_URL names no archive' \
            'run ./install.sh in a clone, or give it the address of a release'
    fi
    need_tools
    [ -n "$url" ] || need_rust
    want_bubblewrap
    begin
    if [ -n "$url" ]; then open_release; else build; fi
    [ "$(id -u)" -ne 0 ] || umask 022
    stage_all
    put_in_place
    say "installed $version in $bin"
    say "examples  $data/doc/$name"
    say "remove    sh $data/$name/install.sh --uninstall${given:+ --prefix \"$prefix\"}"
    [ -z "$demo" ] || "$bin/$name" demo
    check_path
    [ -z "$service" ] || "$bin/$name" service install
}

# A unit that still starts the program: once that is gone, nobody can type the command that takes the unit away.
check_services() {
    for unit in ${HOME:+"$(xdg "${XDG_CONFIG_HOME:-}" .config)/systemd/user/"*} /etc/systemd/system/*; do
        case ${unit##*/} in *"$name"*) ;; *) continue ;; esac
        if grep -qsF "$bin/$name" "$unit"; then
            fail "a service still starts it: $unit" 'git invisigoth service uninstall' 'nothing was removed'
        fi
    done
}

uninstall() {
    if [ -f "$manifest" ]; then
        check_services
        begin
        cp "$manifest" "$work/old"
        : >"$work/placed"
        sed '/^\//!d; /\/$/d' "$work/old" >"$work/files"
        while IFS= read -r file; do rm -f -- "$file"; done <"$work/files"
        rm -f -- "$manifest"
        remove_folders "$work/old"
        say "removed $(grep -c . "$work/files") files that it had installed"
    else
        say "nothing to remove: there is no $manifest"
    fi
    for dir in ${HOME:+"$(xdg "${XDG_CONFIG_HOME:-}" .config)/invisigoth"} \
        ${HOME:+"$(xdg "${XDG_STATE_HOME:-}" .local/state)/invisigoth"} \
        ${HOME:+"$(xdg "${XDG_CACHE_HOME:-}" .cache)/invisigoth"}; do
        if [ -e "$dir" ] || [ -L "$dir" ]; then
            if [ -n "$purge" ]; then purge_dir "$dir"; else say "kept      $dir (--purge removes it)"; fi
        fi
    done
    say 'kept      your repositories, with their memory/, refs and notes'
}

# purge_dir DIR: removes a folder of ours, unless somebody keeps a repository in it. Those in slots are thrown away anyhow.
purge_dir() {
    repository=$(find "$1" \( -name .git -o -name HEAD \) ! -path '*/slots/*' -print 2>/dev/null | head -n 1)
    if [ -n "$repository" ]; then
        warn "kept      $1: there is a repository in it, $repository"
        return 0
    fi
    # Caches of some tools cannot be written, not even by their owner. A link goes, what it leads to stays.
    [ -L "$1" ] || chmod -R u+w "$1" 2>/dev/null || true
    rm -rf -- "$1"
    say "removed   $1"
}

main() {
    user_path=$PATH
    url=${INVISIGOTH_RELEASE_URL:-}
    prefix=${INVISIGOTH_INSTALL_DIR:-}
    demo='' service='' remove='' purge='' no_packages='' profile=release
    while [ $# -gt 0 ]; do
        case $1 in
        --demo) demo=1 ;;
        --service) service=1 ;;
        --uninstall) remove=1 ;;
        --purge) purge=1 ;;
        --no-packages) no_packages=1 ;;
        --prefix | --profile)
            [ -n "${2:-}" ] || misused "$1 needs a value"
            if [ "$1" = --prefix ]; then prefix=$2; else profile=$2; fi
            shift
            ;;
        --prefix=?*) prefix=${1#*=} ;;
        --profile=?*) profile=${1#*=} ;;
        -h | --help)
            usage
            return 0
            ;;
        *) misused "unknown argument: $1" ;;
        esac
        shift
    done
    [ -z "$purge" ] || [ -n "$remove" ] || misused '--purge goes with --uninstall'
    [ -z "$remove" ] || [ -z "$demo$service" ] || misused '--uninstall goes alone'
    given=${prefix:+1}
    set_places
    here=$(CDPATH='' cd -- "$(dirname "$0")" && pwd)
    if [ -n "$remove" ]; then uninstall; else install; fi
}

# In braces: no beginning of this line is a command.
{ main "$@"; exit; }
