# Changes the objects of a pipeline file, one after the other.

# Returns the path of the value at a JSON pointer.
def path_of($pointer):
  . as $object
  | reduce ($pointer | split("/") | .[1:][] | gsub("~1"; "/") | gsub("~0"; "~")) as $part ([];
      . as $path
      | ($object | getpath($path)) as $at
      | if ($at | type) == "array" and ($part | test("^[0-9]+$")) and ($part | tonumber) < ($at | length)
        then $path + [$part | tonumber]
        elif ($at | type) == "object" and ($at | has($part))
        then $path + [$part]
        else error("the pipeline has nothing at \($pointer)")
        end);

# Sets the values that the trigger passes.
def with_inputs:
  reduce ($ENV.INPUTS | fromjson | .[]) as $input (.;
    path_of($input.pointer) as $path | setpath($path; $ENV[$input.variable]));

# Gives the run a name of its own, however often the pipeline is started.
def with_own_name:
  .metadata.generateName = ((.metadata.name // .metadata.generateName // "run") | rtrimstr("-")) + "-"
  | del(.metadata.name);

# Adds environment variables to all steps, and keeps those of the user.
def with_env:
  (. // {}) | .env = (($ENV.RUN_ENV | fromjson) + (.env // []) | group_by(.name) | map(last));

# Runs the steps with the account of the runtime, unless the user names another one.
def with_account:
  .serviceAccountName = (.serviceAccountName // $ENV.ACCOUNT) | .podTemplate = (.podTemplate | with_env);

def with_template:
  if .apiVersion == "tekton.dev/v1beta1" then .spec = (.spec | with_account)
  else .spec.taskRunTemplate = ((.spec.taskRunTemplate // {}) | with_account)
  end;

def with_labels:
  .metadata.labels = (.metadata.labels // {}) + ($ENV.LABELS | fromjson);

(if .kind == "List" then .items[] else . end)
| .metadata.namespace = $ENV.NAMESPACE
| if .kind == "PipelineRun" then with_inputs | with_own_name | with_labels | with_template else . end
