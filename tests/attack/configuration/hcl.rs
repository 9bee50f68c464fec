//! Configurations as HCL, for the command line.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::{Argument, Block, Configuration, Kind};

/// Returns the HCL of a configuration; `attributes` are those of a kind's schema.
pub(crate) fn render(
    configuration: &Configuration,
    attributes: impl Fn(Kind) -> BTreeSet<String>,
) -> String {
    let blocks = configuration.values();
    blocks
        .map(|block| render_block(block, &attributes(block.address.kind)))
        .collect()
}

fn render_block(block: &Block, attributes: &BTreeSet<String>) -> String {
    let (type_name, label) = (block.address.kind.type_name(), block.address.label);
    let mut text = format!("resource \"{type_name}\" \"b{label}\" {{\n");
    for (name, argument) in block.arguments_for(attributes) {
        let _ = writeln!(text, "  {name} = {}", render_argument(&argument));
    }
    if block.create_before_destroy {
        text.push_str("  lifecycle {\n    create_before_destroy = true\n  }\n");
    }
    text.push_str("}\n\n");
    text
}

fn render_argument(argument: &Argument) -> String {
    match argument {
        Argument::Text(text) => format!("{text:?}"),
        Argument::Flag(flag) => flag.to_string(),
        Argument::Empty => "{}".to_owned(),
        Argument::Id(address) => format!("{address}.id"),
        Argument::Set(elements) => {
            let elements: Vec<_> = elements.iter().map(render_argument).collect();
            format!("[{}]", elements.join(", "))
        }
    }
}
