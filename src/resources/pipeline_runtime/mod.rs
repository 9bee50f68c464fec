//! `nautes_pipeline_runtime`: runs pipelines on events.

mod checks;
mod data_source;
mod delete;
mod hooks;
mod list;
mod manifest;
mod model;
mod pipeline;
mod plan;
mod read;
mod references;
mod resource;
mod save;

pub(crate) use self::data_source::PipelineRuntimeDataSource;
pub(crate) use self::list::PipelineRuntimeList;
pub(crate) use self::resource::PipelineRuntimeResource;
