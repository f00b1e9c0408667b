//! Diagnoses: what code says of how it goes on, said by `tracing`, brought to the journal and to whoever listens.
//!
//! Owns the only subscriber. A diagnosis is about one of `level::TARGETS`; a span of `GOAL` says which goal all within it is
//! about. Filters before anything is worded.

use std::{fmt, sync::Arc};

use serde_json::{Map, Value};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id},
};
use tracing_subscriber::{
    Registry,
    filter::{LevelFilter, Targets},
    layer::{Context, Layer, SubscriberExt as _},
    registry::LookupSpan,
};

use crate::journal::{
    Journal,
    level::{Level, TARGETS, Wanted},
    line::Line,
};

/// The target of spans that say which goal all within them is about; they are always wanted.
pub const GOAL: &str = "goal";

/// Told of each diagnosis.
pub type Say = dyn Fn(Level, &str) + Send + Sync;

/// Where diagnoses go.
pub struct Listeners {
    /// What keeps them.
    pub journal: Option<Arc<Journal>>,
    /// Who hears them.
    pub say: Option<Box<Say>>,
}

/// Lets everything in this process that is `wanted` go to `listeners` from now on. Said once a process; later calls change
/// nothing.
pub fn listen(wanted: &Wanted, listeners: Listeners) {
    let layer = listeners.with_filter(targets(wanted));
    // A process whose subscriber somebody else set keeps it.
    let _ = tracing::subscriber::set_global_default(Registry::default().with(layer));
}

fn targets(wanted: &Wanted) -> Targets {
    let own = TARGETS.map(|target| (target, filter(wanted.all)));
    // Of what others say through the same crate nothing is known.
    let all = Targets::new().with_default(LevelFilter::OFF).with_targets(own);
    let all = all.with_target(GOAL, LevelFilter::ERROR);
    let named = wanted.of.iter().map(|(target, most)| (*target, filter(*most)));
    all.with_targets(named)
}

fn filter(most: Option<Level>) -> LevelFilter {
    match most {
        None => LevelFilter::OFF,
        Some(Level::Error) => LevelFilter::ERROR,
        Some(Level::Warn) => LevelFilter::WARN,
        Some(Level::Info) => LevelFilter::INFO,
        Some(Level::Debug) => LevelFilter::DEBUG,
        Some(Level::Trace) => LevelFilter::TRACE,
    }
}

fn level(about: &Metadata<'_>) -> Level {
    match *about.level() {
        tracing::Level::ERROR => Level::Error,
        tracing::Level::WARN => Level::Warn,
        tracing::Level::INFO => Level::Info,
        tracing::Level::DEBUG => Level::Debug,
        tracing::Level::TRACE => Level::Trace,
    }
}

/// The goal that a span is about.
struct About(String);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Listeners {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut said = Fields::default();
        attributes.record(&mut said);
        if let (Some(goal), Some(span)) = (said.goal, context.span(id)) {
            span.extensions_mut().insert(About(goal));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut said = Fields::default();
        event.record(&mut said);
        let about = event.metadata();
        let goal = said.goal.take().or_else(|| {
            let mut spans = context.event_scope(event)?;
            spans.find_map(|span| span.extensions().get::<About>().map(|about| about.0.clone()))
        });
        if let Some(say) = &self.say {
            say(level(about), &said.words(about.target(), goal.as_deref()));
        }
        if let Some(journal) = &self.journal {
            let mut fields = Map::new();
            fields.insert("target".to_owned(), about.target().into());
            fields.insert("message".to_owned(), said.message.into());
            fields.extend(said.rest);
            journal.diagnosis(Line {
                level: level(about),
                goal,
                event: "diagnosed".to_owned(),
                fields,
            });
        }
    }
}

/// The fields of an event or a span.
#[derive(Default)]
struct Fields {
    message: String,
    goal: Option<String>,
    rest: Map<String, Value>,
}

impl Fields {
    fn put(&mut self, field: &Field, value: Value) {
        let text = |value: Value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        match field.name() {
            "message" => self.message = text(value),
            "goal" => self.goal = Some(text(value)),
            name => {
                self.rest.insert(name.to_owned(), value);
            }
        }
    }

    fn words(&self, target: &str, goal: Option<&str>) -> String {
        let goal = goal.map(|goal| format!("{goal}: ")).unwrap_or_default();
        format!("{target}: {goal}{}{}", self.message, words(&self.rest))
    }
}

/// Words fields as ` key=value`, each with a space in front.
pub fn words(fields: &Map<String, Value>) -> String {
    let word = |(key, value): (&String, &Value)| match value {
        Value::String(text) if !text.is_empty() && !text.contains(char::is_whitespace) => format!(" {key}={text}"),
        value => format!(" {key}={value}"),
    };
    fields.iter().map(word).collect()
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}").into());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    fn heard(wanted: &str, speak: impl FnOnce()) -> Vec<String> {
        let all = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&all);
        let say: Box<Say> = Box::new(move |level, words| kept.lock().unwrap().push(format!("{level} {words}")));
        let listeners = Listeners {
            journal: None,
            say: Some(say),
        };
        let layer = listeners.with_filter(targets(&wanted.parse().unwrap()));
        tracing::subscriber::with_default(Registry::default().with(layer), speak);
        all.lock().unwrap().clone()
    }

    fn speak() {
        let goal = tracing::error_span!(target: GOAL, "goal", goal = %"goal-1");
        let _within = goal.enter();
        tracing::debug!(target: "git", "git status");
        tracing::info!(target: "provider", status = 429_u64, after = "2 s", "to be tried again");
        tracing::warn!("of another crate");
    }

    #[test]
    fn what_is_wanted_is_heard_with_its_goal() {
        let asked = r#"info provider: goal-1: to be tried again status=429 after="2 s""#;
        assert_eq!(heard("info", speak), [asked]);
        assert_eq!(heard("git=debug,run=info", speak), ["debug git: goal-1: git status"]);
        assert_eq!(heard("provider=trace", speak), [asked]);
        assert_eq!(heard("off", speak), [""; 0]);
    }
}
