//! The framework, driven like Terraform does, with a provider that keeps buckets in memory.
//!
//! The guarantees to users of a provider, and the tests of each. `tests/process` tests those of the process.
//!
//! | guarantee | tests |
//! |---|---|
//! | everything has a description in Markdown | `metadata::everything_is_described_in_markdown` |
//! | computed attributes cannot be set, and the error names the attribute | `validation::an_error_names_the_attribute_that_caused_it` |
//! | a plan after an apply is empty | `lifecycle::an_object_is_created_read_updated_and_deleted`, `lifecycle::computed_attributes_of_map_elements_are_stable_by_key`, `lifecycle::computed_attributes_of_list_elements_follow_them_to_another_position` |
//! | objects are imported by id or identity, and the plan is then empty | `lifecycle::an_object_is_imported_by_id_and_by_identity` |
//! | a refresh without changes changes nothing in the state | `refresh` |
//! | a missing object is planned for creation | `lifecycle::a_missing_object_is_planned_for_creation` |
//! | an unreadable object is an error and never treated as missing | `failures::a_failed_read_is_an_error_and_removes_nothing` |
//! | a failed creation stores nothing, and the next apply resumes it | `failures::a_failed_creation_stores_nothing_and_the_next_one_resumes` |
//! | a failed update stores the recorded state | `failures::a_failed_update_stores_the_recorded_state` |
//! | a failed deletion keeps the object | `failures::a_failed_deletion_keeps_the_object` |
//! | the deletion of a replacement has the private data of its object | `replacement` |
//! | every operation sees the private data that the last plan of its object wrote | `private_state` |
//! | a panic is an error, the prior state is kept, and the provider continues | `failures::a_panic_is_an_error_and_the_provider_continues` |
//! | an interrupt lets operations finish their current step | `failures::an_interrupt_ends_operations_in_flight_but_not_later_ones` |
//! | a plan with an unknown provider configuration succeeds | `lifecycle::an_unknown_provider_configuration_is_an_error_only_where_a_client_is_required` |
//! | a write-only value is in no plan and no state, and an error if the client would store it | `lifecycle::a_write_only_value_reaches_the_provider_and_is_never_stored` |
//! | numbers keep their digits and strings their form; unknown values have no refinements | `values::numbers_keep_every_digit_in_plan_apply_and_refresh`, `values::a_string_in_another_normalisation_form_is_no_change`, `values::a_refined_unknown_is_planned_as_unknown` |
//! | log lines name the RPC and type, and contain no values | `logs::log_lines_name_the_rpc_and_type_and_contain_no_values` |

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the provider and the helpers exist for tests alone"
)]

mod actions;
mod bucket;
mod docs;
mod driver;
mod ephemeral_resources;
mod failures;
mod functions;
mod identity;
mod kinds;
mod lifecycle;
mod lists;
mod logs;
mod metadata;
mod private_state;
mod refresh;
mod replacement;
mod validation;
mod values;
