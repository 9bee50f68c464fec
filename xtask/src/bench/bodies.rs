//! The configurations that are applied.

/// The path of the product's configuration repository in GitLab.
pub(super) const CONFIGURATION_REPOSITORY: &str = "bench/default.project";

/// The file of the first project in it.
pub(super) const FIRST_PROJECT_MANIFEST: &str = "projects/project-0/project-0.yaml";

/// A product with nothing in it.
pub(super) const PRODUCT: &str = r#"
resource "nautes_product" "bench" {
  name = "bench"
}
"#;

/// A product with projects alone.
pub(super) fn product_with_projects(projects: usize) -> String {
    format!(
        r#"{PRODUCT}
resource "nautes_project" "bench" {{
  count   = {projects}
  product = nautes_product.bench.id
  name    = "project-${{count.index}}"
}}
"#
    )
}

/// A product with `entities` manifests in it, one half of them environments and the other projects.
pub(super) fn product_with_entities(entities: usize) -> String {
    product_with_one_in(entities, "rust")
}

/// The same with a language of its own for the first project.
pub(super) fn product_with_one_in(entities: usize, language: &str) -> String {
    let environments = entities / 2;
    let projects = entities - environments;
    format!(
        r#"{PRODUCT}
resource "nautes_environment" "bench" {{
  count    = {environments}
  product  = nautes_product.bench.id
  name     = "environment-${{count.index}}"
  cluster  = "deployment-${{count.index}}"
  env_type = "test"
}}

resource "nautes_project" "bench" {{
  count    = {projects}
  product  = nautes_product.bench.id
  name     = "project-${{count.index}}"
  language = count.index == 0 ? "{language}" : "rust"
}}
"#
    )
}

/// A product with `projects` projects and `repositories` code repositories in each, which have all
/// credentials.
pub(super) fn product_with_repositories(projects: usize, repositories: usize) -> String {
    let all = projects * repositories;
    let projects = product_with_projects(projects);
    format!(
        r#"{projects}
resource "nautes_code_repo" "bench" {{
  count        = {all}
  product      = nautes_product.bench.id
  project      = nautes_project.bench[floor(count.index / {repositories})].id
  name         = "repository-${{count.index}}"
  access_token = {{}}
}}
"#
    )
}

/// Resources of the floor: as many, as large, and referring to one of them as those of a product do.
pub(super) fn floor(resources: usize) -> String {
    let others = resources.saturating_sub(1);
    format!(
        r#"
resource "floor_entity" "owner" {{
  owner = "nobody"
  name  = "bench"
}}

resource "floor_entity" "bench" {{
  count = {others}
  owner = floor_entity.owner.id
  name  = "project-${{count.index}}"
}}
"#
    )
}
