use terraform_plugin::docs::{Example, Page, pages};
use terraform_plugin::service::ProviderService;

use crate::bucket::CloudProvider;

fn rendered() -> Vec<Page> {
    let examples = |folder: &str| {
        let file_name = match folder {
            "functions/join" => "function.tf",
            "list-resources/cloud_bucket" => "list-resource.tfquery.hcl",
            "actions/cloud_bucket" => "action.tf",
            "ephemeral-resources/cloud_bucket" => "ephemeral-resource.tf",
            _ => return Vec::new(),
        };
        vec![Example {
            file_name: file_name.to_owned(),
            text: format!("# {folder}\n"),
        }]
    };
    pages(
        &ProviderService::new(CloudProvider::default()),
        "cloud",
        &examples,
    )
}

fn page(path: &str) -> String {
    let found = rendered().into_iter().find(|page| page.path == path);
    found.unwrap().text
}

#[test]
fn everything_has_a_page_in_the_directory_of_its_kind() {
    let paths: Vec<_> = rendered().into_iter().map(|page| page.path).collect();
    let expected = [
        "index.md",
        "resources/bucket.md",
        "data-sources/bucket.md",
        "ephemeral-resources/bucket.md",
        "list-resources/bucket.md",
        "actions/bucket.md",
        "functions/cloud_bucket.md",
        "functions/join.md",
    ];
    assert_eq!(paths, expected);
}

#[test]
fn a_page_of_a_kind_with_a_schema_shows_examples_and_arguments() {
    let expected = r#"---
page_title: "cloud_bucket Ephemeral Resource - cloud"
subcategory: ""
description: |-
  A session on a bucket.
---

# cloud_bucket (Ephemeral Resource)

A session on a bucket.

## Example Usage

```terraform
# ephemeral-resources/cloud_bucket
```

## Schema

### Required

- `bucket` (String) Name of the bucket.

### Optional

- `right` (String) Permission of the session. Default: `"read"`.

### Read-Only

- `token` (String, Sensitive) Password of the session.
"#;
    assert_eq!(page("ephemeral-resources/bucket.md"), expected);
    assert!(page("list-resources/bucket.md").contains("# cloud_bucket (List Resource)"));
    assert!(page("list-resources/bucket.md").contains("# list-resources/cloud_bucket"));
    assert!(page("actions/bucket.md").contains("# cloud_bucket (Action)"));
    assert!(page("actions/bucket.md").contains("`password_wo` (String, Write-only)"));
}

#[test]
fn a_page_of_a_function_shows_its_signature_and_arguments() {
    let expected = r#"---
page_title: "join function - cloud"
subcategory: ""
description: |-
  Joins texts
---

# function: join

Joins texts with a separator between them.

## Example Usage

```terraform
# functions/join
```

## Signature

```text
join(separator string, parts string...) string
```

## Arguments

1. `separator` (String, Nullable) Text between the parts; a comma if null.
1. `parts` (Variadic, String) Parts to join.
"#;
    assert_eq!(page("functions/join.md"), expected);
    let signature = "cloud_bucket(value list of string) bool";
    assert!(page("functions/cloud_bucket.md").contains(signature));
}

#[test]
fn the_page_of_the_provider_shows_its_guide_with_the_files_that_it_names() {
    let examples = |folder: &str| {
        let example = |file_name: &str, text: &str| Example {
            file_name: file_name.to_owned(),
            text: text.to_owned(),
        };
        if folder != "provider" {
            return Vec::new();
        }
        vec![
            example(
                "guide.md",
                "## Access\n\n{{codefile \"hcl\" \"policy.hcl\"}}\n",
            ),
            example("policy.hcl", "path \"a\" {}\n"),
            example("provider.tf", "provider \"cloud\" {}\n"),
        ]
    };
    let service = ProviderService::new(CloudProvider::default());
    let pages = pages(&service, "cloud", &examples);
    let index = pages.into_iter().find(|page| page.path == "index.md");
    let expected = "## Example Usage

```terraform
provider \"cloud\" {}
```

## Access

```hcl
path \"a\" {}
```

## Schema
";
    let text = index.unwrap().text;
    assert!(text.contains(expected), "{text}");
}
