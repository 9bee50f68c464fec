"""What a program with python-gitlab does, from an empty instance to an empty one."""

import base64
import os
import time

import gitlab
import requests

URL = os.environ["GITLAB_URL"]
TOKEN = os.environ["GITLAB_TOKEN"]
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqt"


def refused(error, status, text, call):
    """Asserts that a call is refused as GitLab refuses it."""
    try:
        call()
    except error as reason:
        assert reason.response_code == status, reason
        assert text in str(reason), reason
    else:
        raise AssertionError(f"not refused: {text}")


gl = gitlab.Gitlab(URL, private_token=TOKEN)
gl.auth()
assert gl.user.username == "root"
assert gl.version()[0].startswith("19.")
assert gl.personal_access_tokens.get("self").active

# Groups
group = gl.groups.create({"name": "platform", "path": "platform"})
child = gl.groups.create({"name": "team", "path": "team", "parent_id": group.id})
assert gl.groups.get("platform/team").id == child.id
refused(
    gitlab.GitlabCreateError, 400, "has already been taken",
    lambda: gl.groups.create({"name": "other", "path": "platform"}),
)
group.description = "teams"
group.save()
assert gl.groups.get(group.id).description == "teams"
assert [one.id for one in group.subgroups.list(get_all=True)] == [child.id]

# Projects and commits
project = gl.projects.create(
    {"name": "app", "namespace_id": child.id, "initialize_with_readme": True}
)
assert gl.projects.get("platform/team/app").id == project.id
commit = project.commits.create(
    {
        "branch": "main",
        "commit_message": "add files",
        "actions": [
            {"action": "create", "file_path": f"dir/{number:03}.txt", "content": str(number)}
            for number in range(150)
        ],
    }
)
assert commit.stats["additions"] == 150
tree = project.repository_tree(path="dir", recursive=True, get_all=True)
assert len(tree) == 150
keyset = project.repository_tree(
    path="dir", pagination="keyset", order_by="id", per_page=40, get_all=True
)
assert [entry["path"] for entry in keyset] == [entry["path"] for entry in tree]

file = project.files.get(file_path="dir/007.txt", ref="main")
assert file.decode() == b"7" and file.last_commit_id == commit.id
file.content = "seven"
file.save(branch="main", commit_message="spell it", last_commit_id=file.last_commit_id)
assert project.files.raw(file_path="dir/007.txt", ref="main") == b"seven"
assert project.files.head("dir/007.txt", "main")["X-Gitlab-Size"] == "5"
project.files.create(
    {
        "file_path": "binary", "branch": "main", "commit_message": "add bytes",
        "content": base64.b64encode(bytes(range(256))).decode(), "encoding": "base64",
    }
)
blob = next(entry for entry in project.repository_tree(get_all=True) if entry["name"] == "binary")
assert project.repository_raw_blob(blob["id"]) == bytes(range(256))
project.files.delete(file_path="binary", branch="main", commit_message="drop bytes")
refused(
    gitlab.GitlabGetError, 404, "404 File Not Found",
    lambda: project.files.get(file_path="binary", ref="main"),
)
refused(
    gitlab.GitlabCreateError, 400, "A file with this name already exists",
    lambda: project.files.create(
        {"file_path": "README.md", "branch": "main", "commit_message": "c", "content": ""}
    ),
)
assert project.repository_archive(format="tar.gz")[:2] == b"\x1f\x8b"
messages = [one.title for one in project.commits.list(ref_name="main", iterator=True)]
assert messages == ["drop bytes", "add bytes", "spell it", "add files", "Initial commit"]
comparison = project.repository_compare(commit.parent_ids[0], commit.id)
assert len(comparison["diffs"]) == 150

# Branches, tags, protection
branch = project.branches.create({"branch": "feature/x", "ref": "main"})
assert project.branches.get("feature/x").commit["id"] == branch.commit["id"]
project.tags.create({"tag_name": "v1", "ref": "main", "message": "first"})
assert project.tags.get("v1").message == "first"
protection = project.protectedbranches.create(
    {"name": "release/*", "push_access_level": gitlab.const.AccessLevel.DEVELOPER}
)
assert project.protectedbranches.get("release/*").push_access_levels[0]["access_level"] == 30
protection.delete()
branch.delete()

# Keys, tokens, hooks, members
key = project.keys.create({"title": "ci", "key": KEY, "can_push": True})
assert project.keys.get(key.id).can_push
key.delete()
token = project.access_tokens.create(
    {"name": "flux", "scopes": ["read_repository"], "access_level": 30}
)
rotated = project.access_tokens.rotate(token.id)
assert rotated["token"] != token.token
project.access_tokens.delete(rotated["id"])
hook = project.hooks.create({"url": "https://hooks.example.com/x", "push_events": True})
hook.enable_ssl_verification = False
hook.save()
assert project.hooks.get(hook.id).enable_ssl_verification is False
hook.delete()
user = gl.users.create(
    {"username": "ann", "name": "Ann", "email": "ann@example.com", "force_random_password": True}
)
member = project.members.create(
    {"user_id": user.id, "access_level": gitlab.const.AccessLevel.DEVELOPER}
)
assert [one.id for one in project.members.list(get_all=True) if one.username == "ann"] == [user.id]
assert project.members_all.get(user.id).access_level == 30
refused(
    gitlab.GitlabCreateError, 409, "Member already exists",
    lambda: project.members.create({"user_id": user.id, "access_level": 30}),
)
member.delete()
deploy = group.deploytokens.create({"name": "argo", "scopes": ["read_repository"]})
assert deploy.token.startswith("gldt-")
deploy.delete()

# The client waits as long as it is told, and tries again.
fault = {"path": "/version", "times": 1, "failure": {"throttled": {"retry_after": 1}}}
headers = {"PRIVATE-TOKEN": TOKEN}
requests.post(f"{URL}/-/emulator/faults", json=fault, headers=headers).raise_for_status()
started = time.monotonic()
fresh = gitlab.Gitlab(URL, private_token=TOKEN)
assert fresh.version()[0].startswith("19.")
assert time.monotonic() - started >= 1

# Lists
assert {one.path for one in gl.projects.list(iterator=True)} == {"app"}
assert len(child.projects.list(get_all=True)) == 1
assert gl.projects.list(iterator=True, per_page=1).total == 1
assert len(list(gl.projects.list(pagination="keyset", order_by="id", iterator=True))) == 1

# Removal
project.delete()
marked = gl.projects.get(project.id)
assert marked.marked_for_deletion_on
gl.http_delete(
    f"/projects/{project.id}", permanently_remove="true", full_path=marked.path_with_namespace
)
refused(gitlab.GitlabGetError, 404, "404 Project Not Found", lambda: gl.projects.get(project.id))
group.delete()
refused(
    gitlab.GitlabDeleteError, 400, "already marked for deletion", lambda: group.delete(),
)
