//! P11: how large an entity is in the state.

use anyhow::Context as _;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use serde::Deserialize;

use super::bench_bed::Bench;
use super::bodies;
use super::figure::{Figure, Value, number};
use super::metric::Metric;

const ENTITIES: usize = 500;

pub(super) const METRIC: Metric = Metric {
    id: "P11",
    title: "state per manifest entity",
    conclusion: "This is what the provider puts into the state for each entity, besides the framing of \
                 Terraform: if the target is kept, less than half a megabyte for a thousand. Manifests and \
                 secrets are not in it.",
    measure,
};

fn measure(bench: &Bench) -> anyhow::Result<Figure> {
    let bed = bench.bed(&bodies::product_with_entities(ENTITIES))?;
    let state = bed.workspace.state_file().context("there is no state")?;
    let sizes = sizes_of_entities(&state)?;
    let largest = sizes
        .iter()
        .max_by_key(|size| size.documents())
        .context("no entity is in the state")?;
    let average = number(sizes.iter().copied().map(Size::documents).sum()) / number(sizes.len());
    Ok(Figure::new(
        vec![Value::count(largest.documents(), 450, " bytes")],
        format!(
            "the largest of {} entities: attributes {}, private data {} as compact JSON ({} in the file, which has it \
             in base64); {average:.0} on average",
            sizes.len(),
            largest.attributes,
            largest.private_data,
            largest.private_in_file,
        ),
    ))
}

/// How many bytes a resource takes.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Size {
    attributes: usize,
    private_data: usize,
    /// The private data as the state file has it.
    private_in_file: usize,
}

impl Size {
    fn documents(self) -> usize {
        self.attributes + self.private_data
    }

    fn of(instance: &Instance) -> anyhow::Result<Self> {
        let private = instance.private.as_deref().unwrap_or_default();
        let document = BASE64
            .decode(private)
            .context("the private data is not in base64")?;
        Ok(Self {
            attributes: instance.attributes.to_string().len(),
            private_data: document.len(),
            private_in_file: private.len(),
        })
    }
}

/// A state file, as far as it matters here.
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

/// The size of each resource that is not a product.
fn sizes_of_entities(state: &str) -> anyhow::Result<Vec<Size>> {
    let state: State = serde_json::from_str(state).context("cannot read the state")?;
    let entities = state
        .resources
        .iter()
        .filter(|resource| resource.r#type != "nautes_product");
    entities
        .flat_map(|resource| &resource.instances)
        .map(Size::of)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn attributes_and_private_data_of_entities_count() {
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
        assert_eq!(sizes_of_entities(&state.to_string()).unwrap(), [size, size]);
    }
}
