//! A GitLab for tests: REST API v4 and git over HTTP on real bare repositories.
