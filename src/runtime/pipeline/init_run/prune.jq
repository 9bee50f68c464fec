# Prints the names of finished runs that are to be deleted: all but the newest, and those that are too old. The runs that
# start pipelines and those of the user count each for themselves.
($ENV.KEEP_RUNS | tonumber) as $keep
| ($ENV.KEEP_SECONDS | tonumber) as $age
| [.items[] | select(.status.completionTime != null)]
| group_by(.metadata.labels["nautes.terraform/init-run"] // "")[]
| sort_by(.status.completionTime) | reverse | to_entries[]
| select(.key >= $keep or (.value.status.completionTime | fromdate) < now - $age)
| .value.metadata.name
