//! `nautes_pipeline_runtime`: runs pipelines on events.

mod checks;
mod delete;
mod hooks;
mod manifest;
mod model;
mod pipeline;
mod plan;
mod read;
mod references;
mod resource;
mod save;

pub(crate) use self::resource::PipelineRuntimeResource;
