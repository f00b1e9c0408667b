# lower TEXT: prints TEXT in lower case
lower() {
    printf '%s\n' "$1" | tr '[:upper:]' '[:lower:]'
}
