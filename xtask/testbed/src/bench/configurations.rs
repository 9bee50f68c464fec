//! The configurations that are applied.

/// The path of the product's configuration repository in GitLab.
pub(super) const CONFIG_REPOSITORY: &str = "bench/default.project";

/// The argument of an apply whose duration does not count.
pub(super) const QUICKLY: &str = "-parallelism=50";

/// A product with nothing in it.
pub(super) const PRODUCT: &str = r#"
resource "nautes_product" "bench" {
  name = "bench"
}
"#;

/// Returns a product with projects.
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

/// Returns a product with `entities` manifests: half of them environments, the others projects.
pub(super) fn product_with_entities(entities: usize) -> String {
    product_with_first_language(entities, "rust")
}

/// Returns [`product_with_entities`] with a language of its own for the first project.
pub(super) fn product_with_first_language(entities: usize, language: &str) -> String {
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

/// Returns a product with `entities` manifests: half of them projects, the others bindings that open one code
/// repository to one project each. The repository is not in the configuration.
pub(super) fn product_with_bindings(entities: usize, repository: &str) -> String {
    let bindings = entities / 2;
    let projects = product_with_projects(entities - bindings);
    format!(
        r#"{projects}
resource "nautes_code_repo_binding" "bench" {{
  count       = {bindings}
  product     = nautes_product.bench.id
  name        = "binding-${{count.index}}"
  code_repo   = "{repository}"
  projects    = [nautes_project.bench[count.index].id]
  permissions = "readonly"
}}
"#
    )
}

/// Returns a product with a code repository and nothing else.
pub(super) fn product_with_repository() -> String {
    format!(
        r#"{PRODUCT}
resource "nautes_code_repo" "bench" {{
  product = nautes_product.bench.id
  name    = "repository"
}}
"#
    )
}

/// Returns a product with `projects` projects and `repositories` code repositories in each, all of which have
/// an access token.
pub(super) fn product_with_repositories(projects: usize, repositories: usize) -> String {
    product_with_first_repository(projects, repositories, "")
}

/// Returns [`product_with_repositories`] with a description of its own for the first repository, which
/// pipelines run from if it has one.
pub(super) fn product_with_first_repository(
    projects: usize,
    repositories: usize,
    description: &str,
) -> String {
    let all = projects * repositories;
    let projects = product_with_projects(projects);
    format!(
        r#"{projects}
resource "nautes_code_repo" "bench" {{
  count            = {all}
  product          = nautes_product.bench.id
  project          = nautes_project.bench[floor(count.index / {repositories})].id
  name             = "repository-${{count.index}}"
  description      = count.index == 0 ? "{description}" : ""
  pipeline_runtime = count.index == 0 && "{description}" != ""
  access_token     = {{}}
}}
"#
    )
}

/// Returns a binding that opens the first repository of [`product_with_repositories`] to some projects.
pub(super) fn binding_of_first_repository(projects: &[usize]) -> String {
    let projects: Vec<_> = projects
        .iter()
        .map(|project| format!("nautes_project.bench[{project}].id"))
        .collect();
    format!(
        r#"
resource "nautes_code_repo_binding" "bench" {{
  product     = nautes_product.bench.id
  name        = "binding"
  code_repo   = nautes_code_repo.bench[0].id
  projects    = [{}]
  permissions = "readonly"
}}
"#,
        projects.join(", ")
    )
}

/// Returns a product with code repositories that belong to no project; the first of them is open to all others,
/// to clone and to push.
pub(super) fn product_with_open_repository(repositories: usize) -> String {
    format!(
        r#"{PRODUCT}
resource "nautes_code_repo" "bench" {{
  count        = {repositories}
  product      = nautes_product.bench.id
  name         = "repository-${{count.index}}"
  access_token = {{}}
}}

resource "nautes_code_repo_binding" "bench" {{
  for_each    = toset(["readonly", "readwrite"])
  product     = nautes_product.bench.id
  name        = each.key
  code_repo   = nautes_code_repo.bench[0].id
  permissions = each.key
}}
"#
    )
}

/// Returns entities of the floor: as many, as large, and with the same references as the projects of a product.
pub(super) fn floor_entities(resources: usize) -> String {
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

/// Returns resources of a type that has the attributes of `terraform_data`.
pub(super) fn data(resource_type: &str, resources: usize) -> String {
    format!(
        r#"
resource "{resource_type}" "bench" {{
  count            = {resources}
  input            = "item-${{count.index}}"
  triggers_replace = "once"
}}
"#
    )
}
