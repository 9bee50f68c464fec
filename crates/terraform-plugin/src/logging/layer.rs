//! The `tracing` layer that writes events as log lines.

use std::fmt;

use time::OffsetDateTime;
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, Scope};

use super::fields::Fields;
use super::line::{LineHeader, render};

/// Writes each event of the enabled level and targets as one line of hclog JSON.
pub struct HclogLayer<W> {
    level: Level,
    targets: &'static [&'static str],
    write: W,
}

impl<W: Fn(&[u8])> HclogLayer<W> {
    /// Returns a layer that passes whole lines to `write`: events up to `level` from the crates in `targets` and from
    /// this framework.
    pub fn new(level: Level, targets: &'static [&'static str], write: W) -> Self {
        Self {
            level,
            targets,
            write,
        }
    }
}

impl<W> HclogLayer<W> {
    fn is_enabled(&self, metadata: &Metadata<'_>) -> bool {
        let crate_name = metadata.target().split("::").next().unwrap_or_default();
        *metadata.level() <= self.level
            && (crate_name == env!("CARGO_CRATE_NAME") || self.targets.contains(&crate_name))
    }
}

impl<W> fmt::Debug for HclogLayer<W> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("HclogLayer")
            .field("level", &self.level)
            .field("targets", &self.targets)
            .finish_non_exhaustive()
    }
}

impl<S, W> Layer<S> for HclogLayer<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: Fn(&[u8]) + 'static,
{
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.is_enabled(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::from_level(self.level))
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut fields = Fields::default();
            attributes.record(&mut fields);
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            record.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut all = Fields::default();
        for span in context
            .event_scope(event)
            .into_iter()
            .flat_map(Scope::from_root)
        {
            if let Some(fields) = span.extensions().get::<Fields>() {
                all.values.extend(fields.values.clone());
            }
        }
        event.record(&mut all);
        let metadata = event.metadata();
        let caller = metadata
            .file()
            .zip(metadata.line())
            .map(|(file, line)| format!("{file}:{line}"));
        let line = render(
            &LineHeader {
                level: level_name(*metadata.level()),
                message: &all.message,
                time: OffsetDateTime::now_utc(),
                module: &metadata.target().replace("::", "."),
                caller: caller.as_deref(),
            },
            &all.values,
        );
        (self.write)(&line);
    }
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use serde_json::Value;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    /// Returns the lines that `action` logs at `level`.
    fn logged(level: Level, action: impl FnOnce()) -> Vec<Value> {
        // `tracing` has one maximum level per process, for all subscribers.
        static ONE_SUBSCRIBER: Mutex<()> = Mutex::new(());
        let _alone = ONE_SUBSCRIBER.lock().unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&lines);
        let layer = HclogLayer::new(level, &["cloud"], move |line: &[u8]| {
            sink.lock()
                .unwrap()
                .push(serde_json::from_slice(line).unwrap());
        });
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), action);
        Arc::into_inner(lines).unwrap().into_inner().unwrap()
    }

    #[test]
    fn fields_of_spans_and_events_are_merged() {
        let lines = logged(Level::DEBUG, || {
            let rpc = tracing::info_span!(
                "rpc",
                tf_rpc = "ReadResource",
                tf_resource_type = tracing::field::Empty
            );
            rpc.record("tf_resource_type", "cloud_server");
            rpc.in_scope(|| {
                tracing::info_span!("step", step = 1).in_scope(|| {
                    tracing::warn!(target: "cloud::api", step = 2, "slow by {} s", 3);
                });
            });
        });
        let [line] = lines.as_slice() else {
            panic!("one line, not {lines:?}")
        };
        assert_eq!(line["@level"], "warn");
        assert_eq!(line["@message"], "slow by 3 s");
        assert_eq!(line["@module"], "cloud.api");
        assert_eq!(line["tf_rpc"], "ReadResource");
        assert_eq!(line["tf_resource_type"], "cloud_server");
        assert_eq!(line["step"], 2);
    }

    #[test]
    fn other_crates_and_finer_levels_are_not_logged() {
        let lines = logged(Level::INFO, || {
            tracing::info!(target: "cloud", "kept");
            tracing::debug!(target: "cloud", "too fine");
            tracing::error!(target: "h2::codec", "authorization header");
            tracing::error!(target: "cloudy", "another crate");
        });
        let messages: Vec<_> = lines.iter().map(|line| &line["@message"]).collect();
        assert_eq!(messages, ["kept"]);
    }

    #[test]
    fn the_fixed_fields_cannot_be_overwritten() {
        let lines = logged(Level::INFO, || tracing::info!("@level" = 7, "hello"));
        assert_eq!(lines[0]["@level"], "info");
        assert_eq!(lines[0]["level"], 7);
    }

    #[test]
    fn errors_are_written_with_their_causes() {
        #[derive(Debug, thiserror::Error)]
        #[error("reading the file")]
        struct Outer(#[source] io::Error);
        let error = Outer(io::Error::other("disk on fire"));
        let lines = logged(Level::INFO, || {
            tracing::error!(
                error = &error as &(dyn std::error::Error + 'static),
                ratio = f64::NAN
            );
        });
        assert_eq!(lines[0]["error"], "reading the file: disk on fire");
        assert_eq!(lines[0]["ratio"], "NaN");
    }
}
