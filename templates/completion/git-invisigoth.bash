# Completion of `git-invisigoth` and, by git's own completion, of `git invisigoth`. The program itself says what fits.

# $1: the place of the word to complete; then all words.
__git_invisigoth_fill() {
    local at=$1 value help cut
    shift
    local word=${*:at+1:1}
    COMPREPLY=()
    while IFS=$'\t' read -r value help; do
        COMPREPLY+=("$value")
    done < <(git-invisigoth complete "$at" -- "$@" 2>/dev/null)
    # Bash replaces only what stands behind the last `=` or `:`.
    cut=${word%"${word##*[=:]}"}
    COMPREPLY=("${COMPREPLY[@]#"$cut"}")
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=/] ]]; then
        compopt -o nospace 2>/dev/null
    fi
}

__git_invisigoth_alone() {
    local cur words cword
    if declare -F _get_comp_words_by_ref >/dev/null; then
        _get_comp_words_by_ref -n =: cur words cword
    else
        words=("${COMP_WORDS[@]}") cword=$COMP_CWORD
    fi
    __git_invisigoth_fill "$cword" "${words[@]}"
}

# Called by git's completion, also behind `git -C DIR` and aliases.
_git_invisigoth() {
    local at=${__git_cmd_idx:-1} place=("${__git_C_args[@]}")
    __git_invisigoth_fill $((cword - at + ${#place[@]})) git-invisigoth "${place[@]}" "${words[@]:at+1}"
}

complete -o bashdefault -o default -F __git_invisigoth_alone git-invisigoth
