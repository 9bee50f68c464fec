// A program that uses @gitbeaker/rest.

import assert from "node:assert/strict";
import { Gitlab } from "@gitbeaker/rest";

const api = new Gitlab({ host: process.env.GITLAB_URL, token: process.env.GITLAB_TOKEN });
const key =
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqt";

async function refused(status, text, call) {
  const error = await call().then(
    () => assert.fail(`not refused: ${text}`),
    (error) => error,
  );
  assert.equal(error.cause.response.status, status, String(error));
  assert.match(JSON.stringify(error.cause.description), text);
}

assert.equal((await api.Users.showCurrentUser()).username, "root");
const group = await api.Groups.create("platform", "platform");
const team = await api.Groups.create("team", "team", { parentId: group.id });
assert.equal((await api.Groups.show("platform/team")).id, team.id);
await refused(400, /has already been taken/, () => api.Groups.create("x", "platform"));

const project = await api.Projects.create({
  name: "app",
  namespaceId: team.id,
  initializeWithReadme: true,
});
assert.equal((await api.Projects.show("platform/team/app")).id, project.id);
await refused(400, /has already been taken/, () =>
  api.Projects.create({ name: "app", namespaceId: team.id }),
);

const actions = Array.from({ length: 120 }, (_, number) => ({
  action: "create",
  filePath: `dir/${String(number).padStart(3, "0")}.txt`,
  content: String(number),
}));
const commit = await api.Commits.create(project.id, "main", "add files", actions);
assert.equal(commit.stats.additions, 120);
const tree = await api.Repositories.allRepositoryTrees(project.id, {
  path: "dir",
  recursive: true,
});
assert.equal(tree.length, 120);

const file = await api.RepositoryFiles.show(project.id, "dir/007.txt", "main");
assert.equal(Buffer.from(file.content, "base64").toString(), "7");
assert.equal(file.last_commit_id, commit.id);
await api.RepositoryFiles.edit(project.id, "dir/007.txt", "main", "seven", "spell it", {
  lastCommitId: file.last_commit_id,
});
assert.equal(await api.RepositoryFiles.showRaw(project.id, "dir/007.txt", "main"), "seven");
await refused(400, /has changed since you started editing/, () =>
  api.RepositoryFiles.edit(project.id, "dir/007.txt", "main", "8", "late", {
    lastCommitId: file.last_commit_id,
  }),
);
await api.RepositoryFiles.remove(project.id, "dir/008.txt", "main", "drop it");

await api.Branches.create(project.id, "feature/x", "main");
assert.deepEqual(
  (await api.Branches.all(project.id)).map((branch) => branch.name),
  ["feature/x", "main"],
);
await api.Branches.remove(project.id, "feature/x");
await api.Tags.create(project.id, "v1", "main");
assert.equal((await api.Tags.all(project.id)).length, 1);

const deployKey = await api.DeployKeys.create(project.id, "ci", key, { canPush: true });
assert.equal((await api.DeployKeys.show(project.id, deployKey.id)).can_push, true);
await api.DeployKeys.remove(project.id, deployKey.id);

const hook = await api.ProjectHooks.add(project.id, "https://hooks.example.com/x", {
  pushEvents: true,
});
assert.equal((await api.ProjectHooks.all(project.id))[0].id, hook.id);
await api.ProjectHooks.remove(project.id, hook.id);

const token = await api.ProjectAccessTokens.create(
  project.id,
  "flux",
  ["read_repository"],
  "2026-12-31",
);
assert.match(token.token, /^glpat-/);
await api.ProjectAccessTokens.revoke(project.id, token.id);

const protection = await api.ProtectedBranches.protect(project.id, "release/*", {
  pushAccessLevel: 30,
});
assert.equal(protection.push_access_levels[0].access_level, 30);

assert.deepEqual(
  (await api.Projects.all({ search: "app" })).map((project) => project.path),
  ["app"],
);
await api.Projects.remove(project.id);
assert.equal((await api.Projects.show(project.id)).archived, true);
