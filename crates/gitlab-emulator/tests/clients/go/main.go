// Command check is a program that uses GitLab's own Go client.
package main

import (
	"bytes"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	gitlab "gitlab.com/gitlab-org/api/client-go"
)

const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqt"

func main() {
	log.SetFlags(log.Lshortfile)
	client, err := gitlab.NewClient(os.Getenv("GITLAB_TOKEN"), gitlab.WithBaseURL(os.Getenv("GITLAB_URL")))
	must(err)

	user, _, err := client.Users.CurrentUser()
	must(err)
	expect(user.Username == "root" && user.IsAdmin, user)

	group, _, err := client.Groups.CreateGroup(&gitlab.CreateGroupOptions{
		Name: gitlab.Ptr("platform"), Path: gitlab.Ptr("platform"),
	})
	must(err)
	_, _, err = client.Groups.CreateGroup(&gitlab.CreateGroupOptions{
		Name: gitlab.Ptr("other"), Path: gitlab.Ptr("platform"),
	})
	refused(err, http.StatusBadRequest, "has already been taken")

	project, _, err := client.Projects.CreateProject(&gitlab.CreateProjectOptions{
		Name: gitlab.Ptr("app"), NamespaceID: gitlab.Ptr(group.ID), InitializeWithReadme: gitlab.Ptr(true),
	})
	must(err)
	found, _, err := client.Projects.GetProject("platform/app", nil)
	must(err)
	expect(found.ID == project.ID && found.DefaultBranch == "main", found)

	commits(client, project)
	things(client, project)

	_, err = client.Projects.DeleteProject(project.ID, nil)
	must(err)
	marked, _, err := client.Projects.GetProject(project.ID, nil)
	must(err)
	expect(marked.MarkedForDeletionOn != nil, marked)
	_, err = client.Projects.DeleteProject(project.ID, nil)
	refused(err, http.StatusBadRequest, "already marked for deletion")
	_, err = client.Projects.DeleteProject(project.ID, &gitlab.DeleteProjectOptions{
		FullPath: gitlab.Ptr(marked.PathWithNamespace), PermanentlyRemove: gitlab.Ptr(true),
	})
	must(err)
	_, _, err = client.Projects.GetProject(project.ID, nil)
	refused(err, http.StatusNotFound, "Not Found")
}

func commits(client *gitlab.Client, project *gitlab.Project) {
	var actions []*gitlab.CommitActionOptions
	for number := range 120 {
		actions = append(actions, &gitlab.CommitActionOptions{
			Action:   gitlab.Ptr(gitlab.FileCreate),
			FilePath: gitlab.Ptr(fmt.Sprintf("dir/%03d.txt", number)),
			Content:  gitlab.Ptr(fmt.Sprint(number)),
		})
	}
	commit, _, err := client.Commits.CreateCommit(project.ID, &gitlab.CreateCommitOptions{
		Branch: gitlab.Ptr("main"), CommitMessage: gitlab.Ptr("add files"), Actions: actions,
	})
	must(err)
	expect(commit.Stats.Additions == 120, commit)

	seen := map[string]bool{}
	options := &gitlab.ListTreeOptions{
		ListOptions: gitlab.ListOptions{PerPage: 50}, Path: gitlab.Ptr("dir"), Recursive: gitlab.Ptr(true),
	}
	for {
		nodes, response, err := client.Repositories.ListTree(project.ID, options)
		must(err)
		for _, node := range nodes {
			seen[node.Path] = true
		}
		if response.NextPage == 0 {
			break
		}
		options.Page = response.NextPage
	}
	expect(len(seen) == 120, len(seen))

	file, _, err := client.RepositoryFiles.GetFile(project.ID, "dir/007.txt", &gitlab.GetFileOptions{Ref: gitlab.Ptr("main")})
	must(err)
	expect(file.LastCommitID == commit.ID && file.Content == "Nw==", file)
	_, _, err = client.RepositoryFiles.UpdateFile(project.ID, "dir/007.txt", &gitlab.UpdateFileOptions{
		Branch: gitlab.Ptr("main"), CommitMessage: gitlab.Ptr("spell it"), Content: gitlab.Ptr("seven"),
		LastCommitID: gitlab.Ptr(file.LastCommitID),
	})
	must(err)
	raw, _, err := client.RepositoryFiles.GetRawFile(project.ID, "dir/007.txt", &gitlab.GetRawFileOptions{Ref: gitlab.Ptr("main")})
	must(err)
	expect(bytes.Equal(raw, []byte("seven")), string(raw))
	_, _, err = client.RepositoryFiles.GetFile(project.ID, "nope", &gitlab.GetFileOptions{Ref: gitlab.Ptr("main")})
	refused(err, http.StatusNotFound, "Not Found")

	_, _, err = client.Branches.CreateBranch(project.ID, &gitlab.CreateBranchOptions{
		Branch: gitlab.Ptr("feature/x"), Ref: gitlab.Ptr("main"),
	})
	must(err)
	branches, _, err := client.Branches.ListBranches(project.ID, nil)
	must(err)
	expect(len(branches) == 2, branches)
	_, err = client.Branches.DeleteBranch(project.ID, "feature/x")
	must(err)
}

func things(client *gitlab.Client, project *gitlab.Project) {
	deployKey, _, err := client.DeployKeys.AddDeployKey(project.ID, &gitlab.AddDeployKeyOptions{
		Title: gitlab.Ptr("ci"), Key: gitlab.Ptr(key), CanPush: gitlab.Ptr(true),
	})
	must(err)
	expect(deployKey.CanPush && strings.HasPrefix(deployKey.FingerprintSHA256, "SHA256:"), deployKey)
	_, err = client.DeployKeys.DeleteDeployKey(project.ID, deployKey.ID)
	must(err)

	hook, _, err := client.Projects.AddProjectHook(project.ID, &gitlab.AddProjectHookOptions{
		URL: gitlab.Ptr("https://hooks.example.com/x"), Token: gitlab.Ptr("secret"), PushEvents: gitlab.Ptr(true),
		CustomHeaders: &[]*gitlab.HookCustomHeader{{Key: "X-Key", Value: "hidden"}},
	})
	must(err)
	expect(hook.PushEvents && hook.EnableSSLVerification && len(hook.CustomHeaders) == 1, hook)
	_, err = client.Projects.DeleteProjectHook(project.ID, hook.ID)
	must(err)

	expires := gitlab.ISOTime(time.Now().AddDate(0, 1, 0))
	token, _, err := client.ProjectAccessTokens.CreateProjectAccessToken(project.ID, &gitlab.CreateProjectAccessTokenOptions{
		Name: gitlab.Ptr("flux"), Scopes: &[]string{"read_repository"}, ExpiresAt: &expires,
		AccessLevel: gitlab.Ptr(gitlab.DeveloperPermissions),
	})
	must(err)
	expect(strings.HasPrefix(token.Token, "glpat-") && token.AccessLevel == gitlab.DeveloperPermissions, token)
	rotated, _, err := client.ProjectAccessTokens.RotateProjectAccessToken(project.ID, token.ID, nil)
	must(err)
	expect(rotated.ID != token.ID && rotated.Token != token.Token, rotated)

	_, _, err = client.ProtectedBranches.ProtectRepositoryBranches(project.ID, &gitlab.ProtectRepositoryBranchesOptions{
		Name: gitlab.Ptr("release/*"), PushAccessLevel: gitlab.Ptr(gitlab.DeveloperPermissions),
	})
	must(err)
	_, _, err = client.ProtectedBranches.ProtectRepositoryBranches(project.ID, &gitlab.ProtectRepositoryBranchesOptions{
		Name: gitlab.Ptr("release/*"),
	})
	refused(err, http.StatusConflict, "already exists")
}

func must(err error) {
	if err != nil {
		log.Output(2, err.Error())
		os.Exit(1)
	}
}

func expect(holds bool, shown any) {
	if !holds {
		log.Output(2, fmt.Sprintf("not as expected: %+v", shown))
		os.Exit(1)
	}
}

func refused(err error, status int, text string) {
	response, ok := err.(*gitlab.ErrorResponse)
	if err == gitlab.ErrNotFound && status == http.StatusNotFound {
		return
	}
	if !ok || response.Response.StatusCode != status || !strings.Contains(err.Error(), text) {
		log.Output(2, fmt.Sprintf("not refused with %d %q: %v", status, text, err))
		os.Exit(1)
	}
}
