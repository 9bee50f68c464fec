use std::collections::BTreeSet;

use protox::prost_reflect::{
    Cardinality, DescriptorPool, FieldDescriptor, Kind, MessageDescriptor, ServiceDescriptor,
};

use super::*;

/// Fields of the protocol in the notation of Terraform's documentation tables: one message a line,
/// `name:type[*|?]=number`, `*` repeated, `?` explicitly optional.
const FIELDS: &str = include_str!("../../../proto/tfplugin6.fields");

/// RPCs that do not take `<Name>.Request` and answer `<Name>.Response`.
const IRREGULAR: [&str; 5] = [
    "InvokeAction(InvokeAction.Request) -> stream InvokeAction.Event",
    "ListResource(ListResource.Request) -> stream ListResource.Event",
    "ReadStateBytes(ReadStateBytes.Request) -> stream ReadStateBytes.Response",
    "ValidateStateStoreConfig(ValidateStateStore.Request) -> ValidateStateStore.Response",
    "WriteStateBytes(stream WriteStateBytes.RequestChunk) -> WriteStateBytes.Response",
];

fn pool() -> DescriptorPool {
    DescriptorPool::from_file_descriptor_set(descriptors().unwrap()).unwrap()
}

#[test]
fn committed_code_is_what_the_protocol_files_generate() {
    let fresh = tempfile::tempdir().unwrap();
    generate(fresh.path()).unwrap();
    for file in ["tfplugin6.rs", "plugin.rs"] {
        let expected = std::fs::read_to_string(fresh.path().join(file)).unwrap();
        let found = std::fs::read_to_string(committed().join(file)).unwrap();
        assert!(
            found == expected,
            "{file} is stale: run `cargo xtask proto`"
        );
    }
}

#[test]
fn messages_have_exactly_the_fields_of_the_table() {
    let pool = pool();
    let mut found = BTreeSet::new();
    for message in pool
        .all_messages()
        .filter(|message| message.package_name() == "tfplugin6")
    {
        if !message.is_map_entry() {
            found.extend(message.fields().map(|field| field_line(&message, &field)));
        }
    }
    for enumeration in pool
        .all_enums()
        .filter(|it| it.package_name() == "tfplugin6")
    {
        let name = short(enumeration.full_name());
        found.extend(
            enumeration
                .values()
                .map(|value| format!("{name} {}={}", value.name(), value.number())),
        );
    }

    let mut expected = BTreeSet::new();
    for line in FIELDS.lines() {
        let (name, fields) = line.split_once(": ").unwrap();
        let name = name.trim_end_matches(" (enum)");
        expected.extend(fields.split(", ").map(|field| format!("{name} {field}")));
    }

    assert_eq!(missing(&expected, &found), Vec::<&String>::new(), "missing");
    assert_eq!(missing(&found, &expected), Vec::<&String>::new(), "extra");
}

#[test]
fn service_has_the_36_rpcs_of_minor_version_11() {
    let pool = pool();
    let service = pool.get_service_by_name("tfplugin6.Provider").unwrap();
    let lines = rpc_lines(&service);
    let irregular: Vec<_> = lines
        .iter()
        .filter(|line| {
            let name = line.split('(').next().unwrap();
            **line != format!("{name}({name}.Request) -> {name}.Response")
        })
        .collect();
    assert_eq!(lines.len(), 36);
    assert_eq!(irregular, IRREGULAR.iter().collect::<Vec<_>>());
}

fn missing<'a>(wanted: &'a BTreeSet<String>, have: &'a BTreeSet<String>) -> Vec<&'a String> {
    wanted.difference(have).collect()
}

fn rpc_lines(service: &ServiceDescriptor) -> BTreeSet<String> {
    service
        .methods()
        .map(|method| {
            let stream = |streaming: bool| if streaming { "stream " } else { "" };
            format!(
                "{}({}{}) -> {}{}",
                method.name(),
                stream(method.is_client_streaming()),
                short(method.input().full_name()),
                stream(method.is_server_streaming()),
                short(method.output().full_name()),
            )
        })
        .collect()
}

fn field_line(message: &MessageDescriptor, field: &FieldDescriptor) -> String {
    let optional = field.field_descriptor_proto().proto3_optional();
    let mark = match field.cardinality() {
        _ if field.is_map() => "",
        Cardinality::Repeated => "*",
        _ if optional => "?",
        _ => "",
    };
    let oneof = match field.containing_oneof() {
        Some(oneof) if !optional => format!(" (oneof {})", oneof.name()),
        _ => String::new(),
    };
    format!(
        "{} {}:{}{mark}={}{oneof}",
        short(message.full_name()),
        field.name(),
        type_name(&field.kind()),
        field.number()
    )
}

/// A type as the table writes it: scalars by keyword, our own messages by their last name.
fn type_name(kind: &Kind) -> String {
    match kind {
        Kind::Message(entry) if entry.is_map_entry() => format!(
            "map<{},{}>",
            type_name(&entry.map_entry_key_field().kind()),
            type_name(&entry.map_entry_value_field().kind())
        ),
        Kind::Message(message) if message.package_name() == "tfplugin6" => message.name().into(),
        Kind::Message(message) => message.full_name().into(),
        Kind::Enum(enumeration) => enumeration.name().into(),
        scalar => format!("{scalar:?}"),
    }
}

fn short(full_name: &str) -> &str {
    full_name.strip_prefix("tfplugin6.").unwrap_or(full_name)
}
