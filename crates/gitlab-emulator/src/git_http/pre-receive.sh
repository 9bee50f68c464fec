#!/bin/sh
# Enforces the policy: one line per reference with rule and text. Force pushes can only be detected
# here, where the new objects can be read.
none=0000000000000000000000000000000000000000

is_forced() {
    [ "$1" != "$none" ] && [ "$2" != "$none" ] && ! git merge-base --is-ancestor "$1" "$2"
}

while read -r old new reference; do
    while read -r name rule text; do
        [ "$name" = "$reference" ] || continue
        if [ "$rule" = deny ] || { [ "$rule" = deny-forced ] && is_forced "$old" "$new"; }; then
            echo "GitLab: $text" >&2
            exit 1
        fi
    done < "$EMULATOR_POLICY"
done
