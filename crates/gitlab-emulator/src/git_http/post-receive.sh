#!/bin/sh
# Writes down which references git has moved.
cat > "$EMULATOR_RESULT"
