//! What is written to the log.

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::Attributes;
use tracing::{Dispatch, Event, Id, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};

/// Collects everything that any crate logs.
#[derive(Clone, Default)]
pub(in crate::backends) struct Log(Arc<Mutex<Vec<(Level, String)>>>);

impl Log {
    /// Runs something and collects what it logs in this thread.
    pub(in crate::backends) fn during<T>(&self, run: impl FnOnce() -> T) -> T {
        // While there is one subscriber alone, a line that another thread reaches first is judged by that
        // thread's, which has none, and is never seen again.
        let _second = Dispatch::new(tracing_subscriber::registry());
        let subscriber = tracing_subscriber::registry().with(self.clone());
        tracing::subscriber::with_default(subscriber, run)
    }

    /// Returns all lines.
    pub(in crate::backends) fn text(&self) -> String {
        let lines = self.0.lock().unwrap();
        let texts: Vec<_> = lines.iter().map(|(_, text)| text.as_str()).collect();
        texts.join("\n")
    }

    /// Returns the lines of a level.
    pub(in crate::backends) fn lines(&self, level: Level) -> Vec<String> {
        let lines = self.0.lock().unwrap().clone().into_iter();
        lines
            .filter(|(of, _)| *of == level)
            .map(|(_, text)| text)
            .collect()
    }

    fn push(&self, level: Level, record: impl FnOnce(&mut Text)) {
        let mut text = Text(String::new());
        record(&mut text);
        self.0.lock().unwrap().push((level, text.0));
    }
}

impl<S: Subscriber> Layer<S> for Log {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let level = *attributes.metadata().level();
        self.push(level, |text| attributes.record(text));
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        self.push(*event.metadata().level(), |text| event.record(text));
    }
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, "{field}={value:?} ");
    }
}
