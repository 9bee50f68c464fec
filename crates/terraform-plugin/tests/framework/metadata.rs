use terraform_plugin::context::Context;
use terraform_plugin::data_source::DataSource;
use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::list_resource::{ListResource, Listing};
use terraform_plugin::model::{Model, PlanOf};
use terraform_plugin::protocol::tfplugin6 as tf;
use terraform_plugin::protocol::tfplugin6::provider_server::Provider as _;
use terraform_plugin::provider::{ConfigureContext, Provider, Registry};
use terraform_plugin::resource::{NoIdentity, Operation, Resource};
use terraform_plugin::service::ProviderService;
use tonic::{Code, Request};

use crate::bucket::{BUCKET, CloudProvider};

#[tokio::test]
async fn different_kinds_can_use_the_same_name() {
    let service = ProviderService::new(CloudProvider::default());
    let schema = service
        .get_provider_schema(Request::new(tf::get_provider_schema::Request {}))
        .await
        .unwrap()
        .into_inner();
    assert!(schema.resource_schemas.contains_key(BUCKET));
    assert!(schema.data_source_schemas.contains_key(BUCKET));
    assert!(schema.functions.contains_key(BUCKET));
    assert!(schema.ephemeral_resource_schemas.contains_key(BUCKET));
    assert!(schema.list_resource_schemas.contains_key(BUCKET));
    assert!(schema.action_schemas[BUCKET].schema.is_some());
    let metadata = service
        .get_metadata(Request::new(tf::get_metadata::Request {}))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(metadata.resources[0].type_name, BUCKET);
    assert_eq!(metadata.data_sources[0].type_name, BUCKET);
    let functions: Vec<_> = metadata.functions.iter().map(|f| &f.name).collect();
    assert_eq!(functions, [BUCKET, "join"]);
    assert_eq!(metadata.ephemeral_resources[0].type_name, BUCKET);
    assert_eq!(metadata.list_resources[0].type_name, BUCKET);
    assert_eq!(metadata.actions[0].type_name, BUCKET);
}

#[tokio::test]
async fn both_rpcs_return_the_same_functions() {
    let service = ProviderService::new(CloudProvider::default());
    let schema = service
        .get_provider_schema(Request::new(tf::get_provider_schema::Request {}))
        .await
        .unwrap();
    let functions = service
        .get_functions(Request::new(tf::get_functions::Request {}))
        .await
        .unwrap();
    let functions = functions.into_inner().functions;
    assert_eq!(functions, schema.into_inner().functions);
    let join = &functions["join"];
    assert_eq!(join.parameters.len(), 1);
    assert!(join.parameters[0].allow_null_value && !join.parameters[0].allow_unknown_values);
    let parts = join.variadic_parameter.as_ref().unwrap();
    assert_eq!(
        (parts.name.as_str(), &parts.r#type[..]),
        ("parts", &br#""string""#[..])
    );
}

#[tokio::test]
async fn kinds_without_a_result_have_no_computed_attributes() {
    let service = ProviderService::new(CloudProvider::default());
    let schema = service
        .get_provider_schema(Request::new(tf::get_provider_schema::Request {}))
        .await
        .unwrap()
        .into_inner();
    let action = schema.action_schemas[BUCKET].schema.as_ref().unwrap();
    let list = &schema.list_resource_schemas[BUCKET];
    for schema in [action, list] {
        let attributes = &schema.block.as_ref().unwrap().attributes;
        assert!(
            attributes
                .iter()
                .all(|a| !a.computed && a.required != a.optional)
        );
    }
}

#[tokio::test]
async fn everything_is_described_in_markdown() {
    let service = ProviderService::new(CloudProvider::default());
    let schema = service
        .get_provider_schema(Request::new(tf::get_provider_schema::Request {}))
        .await
        .unwrap()
        .into_inner();
    let markdown = i32::from(tf::StringKind::Markdown);
    let described = |text: &str, kind: i32| !text.is_empty() && kind == markdown;
    let actions = schema.action_schemas.values().flat_map(|a| &a.schema);
    let schemas = schema
        .resource_schemas
        .values()
        .chain(schema.data_source_schemas.values())
        .chain(schema.ephemeral_resource_schemas.values())
        .chain(schema.list_resource_schemas.values())
        .chain(schema.provider.iter())
        .chain(actions);
    for block in schemas.map(|schema| schema.block.as_ref().unwrap()) {
        assert!(described(&block.description, block.description_kind));
        let mut attributes: Vec<_> = block.attributes.iter().collect();
        while let Some(attribute) = attributes.pop() {
            let name = &attribute.name;
            assert!(
                described(&attribute.description, attribute.description_kind),
                "{name}"
            );
            attributes.extend(attribute.nested_type.iter().flat_map(|o| &o.attributes));
        }
    }
    for function in schema.functions.values() {
        assert!(described(&function.description, function.description_kind));
        let parameters = function.parameters.iter();
        for parameter in parameters.chain(&function.variadic_parameter) {
            assert!(described(
                &parameter.description,
                parameter.description_kind
            ));
        }
    }
}

/// A provider with a data source, and with a list resource that has no identity.
#[derive(Default)]
struct Small {
    lists: bool,
    /// Whether everything is registered again.
    twice: bool,
}

/// A small provider.
#[derive(Model)]
struct Nothing {}

/// A thing.
#[derive(Model)]
struct Thing {
    /// Name of the thing.
    name: String,
}

struct ThingKind;

impl DataSource for ThingKind {
    type Client = ();
    type Data = Thing;
    const TYPE_NAME: &'static str = "small_thing";
    const DESCRIPTION: &'static str = "Reads a thing.";
    const REQUIRED: &'static [&'static str] = &["name"];
    const OPTIONAL: &'static [&'static str] = &[];

    async fn read(&self, _: &mut Context<()>, config: PlanOf<Thing>) -> Result<Thing, Diagnostics> {
        let name = config.name.require_known("name")?.clone();
        Ok(Thing { name })
    }
}

struct MisspeltArguments;

impl DataSource for MisspeltArguments {
    type Client = ();
    type Data = Thing;
    const TYPE_NAME: &'static str = "small-thing";
    const DESCRIPTION: &'static str = "Reads a thing.";
    const REQUIRED: &'static [&'static str] = &["name"];
    const OPTIONAL: &'static [&'static str] = &["nam", "name"];
    const OMITTED: &'static [&'static str] = &["note"];

    async fn read(&self, _: &mut Context<()>, _: PlanOf<Thing>) -> Result<Thing, Diagnostics> {
        Err(Diagnostics::default())
    }
}

impl Resource for ThingKind {
    type Client = ();
    type State = Thing;
    type Identity = NoIdentity;
    const TYPE_NAME: &'static str = "small_thing";

    async fn create(&self, _: &mut Operation<()>, planned: Thing) -> Result<Thing, Diagnostics> {
        Ok(planned)
    }

    async fn read(
        &self,
        _: &mut Operation<()>,
        state: Thing,
    ) -> Result<Option<Thing>, Diagnostics> {
        Ok(Some(state))
    }

    async fn update(
        &self,
        _: &mut Operation<()>,
        _: Thing,
        planned: Thing,
    ) -> Result<Thing, Diagnostics> {
        Ok(planned)
    }

    async fn delete(&self, _: &mut Operation<()>, _: Thing) -> Result<(), Diagnostics> {
        Ok(())
    }
}

impl ListResource for ThingKind {
    type Resource = Self;
    type Config = Thing;

    async fn list(&self, _: &mut Listing<Self>, _: Thing) -> Result<(), Diagnostics> {
        Ok(())
    }
}

impl Provider for Small {
    type Config = Nothing;
    type Client = ();

    async fn configure(&self, _: Nothing, _: &mut ConfigureContext) -> Result<(), Diagnostics> {
        Ok(())
    }

    fn register(&self, registry: &mut Registry<()>) {
        registry.data_source(ThingKind);
        if self.lists {
            registry.resource(ThingKind).list_resource(ThingKind);
        }
        if self.twice {
            registry
                .data_source(ThingKind)
                .data_source(MisspeltArguments);
        }
    }
}

#[tokio::test]
async fn rpcs_of_kinds_that_the_provider_lacks_are_unimplemented() {
    let service = ProviderService::new(Small::default());
    let functions = service
        .get_functions(Request::new(tf::get_functions::Request {}))
        .await
        .unwrap();
    assert!(functions.into_inner().functions.is_empty());
    let called = service
        .call_function(Request::new(tf::call_function::Request::default()))
        .await;
    assert_eq!(called.unwrap_err().code(), Code::Unimplemented);
    let opened = service
        .open_ephemeral_resource(Request::new(tf::open_ephemeral_resource::Request::default()))
        .await;
    assert_eq!(opened.unwrap_err().code(), Code::Unimplemented);
    let listed = service
        .list_resource(Request::new(tf::list_resource::Request::default()))
        .await;
    assert_eq!(listed.err().unwrap().code(), Code::Unimplemented);
    let invoked = service
        .invoke_action(Request::new(tf::invoke_action::Request::default()))
        .await;
    assert_eq!(invoked.err().unwrap().code(), Code::Unimplemented);
}

#[tokio::test]
async fn an_unknown_type_name_is_reported() {
    let service = ProviderService::new(CloudProvider::default());
    let request = tf::validate_action_config::Request {
        type_name: "cloud_other".to_owned(),
        ..Default::default()
    };
    let answered = service.validate_action_config(Request::new(request)).await;
    let diagnostics = answered.unwrap().into_inner().diagnostics;
    assert!(diagnostics[0].detail.contains("no action cloud_other"));
}

#[test]
fn a_list_resource_requires_a_resource_with_an_identity() {
    let faults = ProviderService::new(Small {
        lists: true,
        ..Small::default()
    })
    .schema_faults();
    let texts: Vec<_> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        ["list resource small_thing: the provider has no resource of this name with an identity"]
    );
    assert!(
        ProviderService::new(CloudProvider::default())
            .schema_faults()
            .is_empty()
    );
}

#[test]
fn names_and_arguments_are_registered_once_and_exist() {
    let small = Small {
        twice: true,
        ..Small::default()
    };
    let faults = ProviderService::new(small).schema_faults();
    let texts: Vec<_> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "data source small-thing: names consist of a-z, 0-9 and _ and do not start with a digit",
            "data source small-thing: OPTIONAL names nam, which is not an attribute",
            "data source small-thing: REQUIRED and OPTIONAL both name name",
            "data source small-thing: OMITTED names note, which is not an attribute",
            "data source small_thing: it is registered more than once",
        ]
    );
}
