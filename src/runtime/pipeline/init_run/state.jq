# Prints the state of a run as GitLab calls it.
[.status.conditions[]? | select(.type == "Succeeded")][0]
| if .status == "True" then "success"
  elif .status == "False" and (.reason // "" | startswith("Cancelled")) then "canceled"
  elif .status == "False" then "failed"
  else "running"
  end
