#!/bin/sh
# Runs every tests/*_test.sh against lib/*.sh and reports as TAP does.
cd "$(dirname "$0")/.." || exit 1
count=0
failed=0

# check WHAT WANTED GOT
check() {
    count=$((count + 1))
    if [ "$2" = "$3" ]; then
        echo "ok $count - $1"
    else
        failed=$((failed + 1))
        echo "not ok $count - $1"
        echo "#   wanted: $2"
        echo "#   got:    $3"
    fi
}

for file in lib/*.sh tests/*_test.sh; do
    . "./$file"
done
echo "1..$count"
[ "$failed" -eq 0 ]
