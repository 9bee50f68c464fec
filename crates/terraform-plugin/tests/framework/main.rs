//! The framework as Terraform sees it, on a provider that keeps buckets in memory.
//!
//! What users of a provider rely on, and the tests that prove it; what takes a process is proven in `tests/process`.
//!
//! | promise | tests |
//! |---|---|
//! | everything is described, in Markdown | `metadata::everything_is_described_in_markdown` |
//! | what the provider sets cannot be set, and the error lies on its line | `validation::an_error_lies_on_the_attribute_at_fault` |
//! | a plan after an apply is empty | `lifecycle::an_object_is_created_read_updated_and_deleted`, `lifecycle::computed_parts_of_nested_elements_live_as_long_as_their_key` |
//! | an import by id or identity, and an empty plan | `lifecycle::an_object_is_imported_by_id_and_by_identity` |
//! | what is gone is planned anew | `lifecycle::what_is_gone_is_planned_for_creation` |
//! | what cannot be read is never taken for gone | `failures::a_failed_read_is_an_error_and_never_a_removal` |
//! | a failed creation leaves no state and goes on at the next apply | `failures::a_failed_creation_leaves_null_state_and_the_next_one_goes_on` |
//! | a failed update keeps what is true | `failures::a_failed_update_keeps_what_has_become_true` |
//! | a failed deletion keeps the object | `failures::a_failed_deletion_keeps_the_object` |
//! | a panic is a message, the prior state is kept, the provider goes on | `failures::a_panic_becomes_a_message_and_the_provider_goes_on` |
//! | an interrupt lets work come to a step's end | `failures::an_interrupt_ends_what_is_in_flight_and_spares_what_comes_later` |
//! | an unknown provider configuration is tolerated in a plan | `lifecycle::an_unknown_provider_configuration_is_tolerated_until_something_needs_it` |
//! | a write-only value is in no plan and no state, and refused where it would be stored | `lifecycle::a_write_only_value_reaches_the_provider_and_nothing_else` |
//! | numbers keep their digits, text its form; an unknown value makes no promise | `values::numbers_keep_every_digit_from_plan_to_refresh`, `values::text_that_a_cloud_decomposes_is_no_change`, `values::a_refined_unknown_is_planned_as_unknown` |
//! | log lines name the call and its subject, and hold no value | `logs::lines_name_what_they_are_about_and_hold_no_value` |

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the provider and the helpers exist for tests alone"
)]

mod actions;
mod bucket;
mod docs;
mod ephemeral_resources;
mod failures;
mod functions;
mod kinds;
mod lifecycle;
mod lists;
mod logs;
mod metadata;
mod validation;
mod values;
