#!/bin/sh
# Creates the pipeline run of the user. Everything that varies is in environment variables, whose values are only ever
# data.
set -eu
export HOME=/nautes/home
mkdir -p "$HOME"
cd /nautes/source

# A pipe would hide that its first command has failed.
kubectl create --dry-run=client --validate=false --output=json --filename="$PIPELINE_FILE" >"$HOME/file.json"
jq "$CHANGE_PROGRAM" "$HOME/file.json" >"$HOME/objects.json"
kubectl create --namespace="$NAMESPACE" --output=name --filename="$HOME/objects.json" >"$HOME/created"
cat "$HOME/created"
run=$(grep '^pipelinerun.tekton.dev/' "$HOME/created" | head -n 1)

# Finished runs that are more than wanted, or older.
kubectl get pipelineruns --namespace="$NAMESPACE" --selector="nautes.terraform/runtime=$RUNTIME" --output=json >"$HOME/runs.json"
jq --raw-output "$PRUNE_PROGRAM" "$HOME/runs.json" |
	while read -r old; do
		kubectl delete pipelinerun --namespace="$NAMESPACE" --ignore-not-found --wait=false -- "$old" || true
	done

[ -n "${STATUS_URL:-}" ] && [ -n "${COMMIT:-}" ] || exit 0
if [ -n "${GITLAB_CA:-}" ]; then
	printf '%s\n' "$GITLAB_CA" >"$HOME/ca.pem"
	export CURL_CA_BUNDLE="$HOME/ca.pem"
fi
report() {
	target=${DASHBOARD_URL:+"$DASHBOARD_URL/#/namespaces/$NAMESPACE/pipelineruns/${run#*/}"}
	# The token is not an argument, which other processes could see.
	printf 'header = "PRIVATE-TOKEN: %s"\n' "$(cat /nautes/report/token)" |
		curl --silent --show-error --fail --retry 5 --config - --output /dev/null \
			--data-urlencode "state=$1" --data-urlencode "name=$STATUS_NAME" \
			${target:+--data-urlencode "target_url=$target"} \
			"$STATUS_URL/$COMMIT" || echo "GitLab did not take the status $1 of the commit $COMMIT"
}
report running
while :; do
	if kubectl get --namespace="$NAMESPACE" --ignore-not-found --output=json "$run" >"$HOME/run.json"; then
		state=$(jq --raw-output "$STATE_PROGRAM" "$HOME/run.json")
		[ "$state" = running ] || break
	fi
	sleep 5
done
# A run that somebody has deleted has no state.
report "${state:-canceled}"
