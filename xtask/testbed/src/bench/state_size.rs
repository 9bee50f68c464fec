//! P11: the size of an entity in the state.

use anyhow::Context as _;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use serde::Deserialize;

use super::configurations::product_with_entities;
use super::figure::{Figure, Value, number};
use super::metric::Metric;
use super::setup::Bench;

const ENTITIES: usize = 500;

pub(super) const METRIC: Metric = Metric {
    id: "P11",
    title: "state per manifest entity",
    conclusion: "This is what the provider adds to the state for each entity, besides Terraform's own framing. If the \
                 target is met, a thousand entities take less than half a megabyte. Manifests and secrets are not in \
                 the state.",
    measure,
};

fn measure(bench: &Bench) -> anyhow::Result<Figure> {
    let stack = bench.stack(&product_with_entities(ENTITIES))?;
    let state = stack.workspace.state_file().context("there is no state")?;
    let sizes = sizes(&state, |kind| kind != "nautes_product")?;
    let largest = largest(&sizes).context("no entity is in the state")?;
    let average = number(sizes.iter().copied().map(Size::total).sum()) / number(sizes.len());
    Ok(Figure::new(
        vec![Value::count(largest.total(), 450, " bytes")],
        format!(
            "the largest of {} entities: attributes {}, private data {} as compact JSON ({} in the file, in base64); \
             {average:.0} on average",
            sizes.len(),
            largest.attributes,
            largest.private_data,
            largest.private_in_file,
        ),
    ))
}

/// The size of a resource in bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Size {
    pub(super) attributes: usize,
    pub(super) private_data: usize,
    /// The private data as the state file encodes it.
    pub(super) private_in_file: usize,
}

impl Size {
    /// Returns the size of attributes and private data as compact JSON.
    pub(super) fn total(self) -> usize {
        self.attributes + self.private_data
    }

    fn measure(instance: &Instance) -> anyhow::Result<Self> {
        let private = instance.private.as_deref().unwrap_or_default();
        let document = BASE64
            .decode(private)
            .context("the private data is not base64")?;
        Ok(Self {
            attributes: instance.attributes.to_string().len(),
            private_data: document.len(),
            private_in_file: private.len(),
        })
    }
}

/// The part of a state file that is read here.
#[derive(Deserialize)]
struct State {
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
struct Resource {
    r#type: String,
    instances: Vec<Instance>,
}

#[derive(Deserialize)]
struct Instance {
    attributes: serde_json::Value,
    private: Option<String>,
}

/// Returns the sizes of the resources in a state file whose type `keep` accepts.
pub(super) fn sizes(state: &str, keep: impl Fn(&str) -> bool) -> anyhow::Result<Vec<Size>> {
    let state: State = serde_json::from_str(state).context("cannot read the state")?;
    let kept = state
        .resources
        .iter()
        .filter(|resource| keep(&resource.r#type));
    kept.flat_map(|resource| &resource.instances)
        .map(Size::measure)
        .collect()
}

/// Returns the size with the largest total.
pub(super) fn largest(sizes: &[Size]) -> Option<Size> {
    sizes.iter().copied().max_by_key(|size| size.total())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn attributes_and_private_data_of_the_wanted_types_are_measured() {
        let instance =
            json!({ "schema_version": 0, "attributes": { "name": "a" }, "private": "bm8=" });
        let state = json!({ "version": 4, "resources": [
            { "type": "nautes_product", "instances": [instance] },
            { "type": "nautes_project", "instances": [instance, instance] },
        ]});
        let size = Size {
            attributes: r#"{"name":"a"}"#.len(),
            private_data: "no".len(),
            private_in_file: "bm8=".len(),
        };
        let entities = sizes(&state.to_string(), |kind| kind != "nautes_product");
        assert_eq!(entities.unwrap(), [size, size]);
    }
}
