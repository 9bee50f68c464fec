#!/bin/sh
# Clones the revision of the pipelines. Everything that varies is in environment variables.
set -eu
umask 077
ssh_folder=/nautes/home/.ssh
mkdir -p "$ssh_folder"
cp /nautes/ssh/ssh-privatekey "$ssh_folder/key"
cp /nautes/ssh/known_hosts "$ssh_folder/known_hosts"
export GIT_TERMINAL_PROMPT=0
export GIT_SSH_COMMAND="ssh -F /dev/null -i $ssh_folder/key -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes -o UserKnownHostsFile=$ssh_folder/known_hosts"
git init --quiet /nautes/source
cd /nautes/source
git fetch --quiet --depth=1 -- "$PIPELINE_URL" "${PIPELINE_REVISION:-HEAD}"
git checkout --quiet --detach FETCH_HEAD
rm -r "$ssh_folder"
