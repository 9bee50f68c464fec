#!/bin/sh
# Records the references that git has moved.
cat > "$EMULATOR_RESULT"
