//! Rendering: pages and their data become HTML by the embedded templates. Everything that a template prints is escaped, so that
//! whatever a goal, a diff or a model says stays text. Owns the words for ages and money, and where links lead.

use std::{error::Error as _, fmt::Write as _, sync::Arc};

use eyre::{Report, Result, WrapErr as _};
use minijinja::{AutoEscape, Environment, Error, UndefinedBehavior, Value, syntax::SyntaxConfig, value::Serde};
use serde::Serialize;

use crate::{
    fault::{Fault, Kind},
    letters,
    time::{Clock, Moment},
    web::pages::{Asked, Page, bar::Bar},
};

/// The templates, by name.
const TEMPLATES: &[(&str, &str)] = &[
    ("layout", include_str!("../../templates/web/layout.html.j2")),
    ("body", include_str!("../../templates/web/body.html.j2")),
    ("macros", include_str!("../../templates/web/macros.html.j2")),
    ("fault", include_str!("../../templates/web/fault.html.j2")),
    ("ask", include_str!("../../templates/web/ask.html.j2")),
    ("rows", "{% for line in tail %}{% include row %}\u{1e}{% endfor %}"),
    ("goals", include_str!("../../templates/web/goals.html.j2")),
    ("goal_parts", include_str!("../../templates/web/goal_parts.html.j2")),
    ("goal", include_str!("../../templates/web/goal.html.j2")),
    ("log", include_str!("../../templates/web/log.html.j2")),
    ("log_line", include_str!("../../templates/web/log_line.html.j2")),
    ("diff", include_str!("../../templates/web/diff.html.j2")),
    ("prompt", include_str!("../../templates/web/prompt.html.j2")),
    ("note", include_str!("../../templates/web/note.html.j2")),
    ("inbox", include_str!("../../templates/web/inbox.html.j2")),
    ("graph", include_str!("../../templates/web/graph.html.j2")),
    ("health", include_str!("../../templates/web/health.html.j2")),
    ("history", include_str!("../../templates/web/history.html.j2")),
    ("queue", include_str!("../../templates/web/queue.html.j2")),
    (
        "preconditions",
        include_str!("../../templates/web/preconditions.html.j2"),
    ),
    ("setup", include_str!("../../templates/web/setup.html.j2")),
];

/// Stands behind each of the lines that grow while they are told apart; no line has it.
const ROW_END: char = '\u{1e}';

/// Where a link leads: from the address of the page that it stands on, and the address it names, to what stands in `href`.
pub type Links = Arc<dyn Fn(&Asked, &str) -> String + Send + Sync>;

/// A page as it is sent.
#[derive(PartialEq, Eq, Debug)]
pub struct Shown {
    /// The HTTP status.
    pub status: u16,
    /// What stands in the title of the browser's tab.
    pub title: String,
    /// What stands between `<body>` and `</body>`, but for lines that grow.
    pub body: String,
    /// When it was made, as it stands in `body`.
    pub now: String,
    /// Lines that grow at their end, each with its number.
    pub rows: Vec<(usize, String)>,
    /// All of it.
    pub html: String,
}

/// Makes HTML.
pub struct Renderer {
    environment: Environment<'static>,
    clock: Arc<dyn Clock>,
    links: Links,
    /// True where a page keeps up with what happens, and has forms.
    is_live: bool,
}

/// What every template sees.
#[derive(Serialize)]
struct Context<'a> {
    /// What stands in the title.
    title: &'a str,
    /// The place in the menu.
    place: &'a str,
    /// The address of the page.
    here: String,
    /// The template of what is special to the page.
    template: String,
    /// Its data.
    page: &'a serde_json::Value,
    /// What stands above; absent where it could not be made.
    bar: Option<&'a Bar>,
    /// True where the page keeps up.
    live: bool,
    /// When it was made, RFC 3339 UTC.
    now: String,
    /// Lines that grow, and what the template of a line is called.
    tail: &'a [serde_json::Value],
    row: &'a str,
}

impl Renderer {
    /// Makes one whose pages keep up with what happens.
    ///
    /// # Errors
    /// Where a template of ours is wrong.
    pub fn live(clock: Arc<dyn Clock>) -> Result<Self> {
        Self::new(clock, Arc::new(|_, to| to.to_owned()), true)
    }

    /// Makes one of pages that stay as they are, whose links lead where `links` says.
    ///
    /// # Errors
    /// Where a template of ours is wrong.
    pub fn still(clock: Arc<dyn Clock>, links: Links) -> Result<Self> {
        Self::new(clock, links, false)
    }

    fn new(clock: Arc<dyn Clock>, links: Links, is_live: bool) -> Result<Self> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?;
        environment.set_syntax(syntax);
        environment.add_filter("short", |id: &str| id.chars().take(10).collect::<String>());
        environment.add_filter("usd", usd);
        environment.add_filter("grouped", letters::grouped);
        environment.add_filter("mark", mark);
        environment.add_filter("span", |range: Vec<u64>| span(&range));
        environment.add_filter("lasting", lasting);
        environment.add_filter("verb", |command: &str| {
            command.split(' ').nth(2).unwrap_or_default().to_owned()
        });
        environment.add_filter("part", |part: &str| crate::web::pages::encoded(part));
        for (name, source) in TEMPLATES {
            environment
                .add_template(name, source)
                .wrap_err_with(|| format!("reading the template {name}"))?;
        }
        Ok(Self {
            environment,
            clock,
            links,
            is_live,
        })
    }

    /// Renders a page, without the bar where that could not be made.
    ///
    /// # Errors
    /// Where its template uses what its data does not have.
    pub fn page(&self, asked: &Asked, bar: Option<&Bar>, page: &Page) -> Result<Shown> {
        self.shown(200, asked, bar, page)
    }

    /// Renders what went wrong instead of a page.
    pub fn failed(&self, asked: &Asked, fault: &Fault) -> Shown {
        let status = match fault.kind {
            Kind::Usage => 404,
            Kind::Busy => 503,
            _ => 500,
        };
        let page = Page::new("Nothing to show", "fault", fault);
        let shown = page.and_then(|page| self.shown(status, asked, None, &Page { place: "-", ..page }));
        shown.unwrap_or_else(|error| Shown {
            status: 500,
            title: "error".to_owned(),
            body: String::new(),
            now: String::new(),
            rows: Vec::new(),
            // Of a template of ours; nothing of a goal is in it.
            html: format!(
                "<!doctype html><title>error</title><p>error: {}",
                plain(&format!("{error:#}"))
            ),
        })
    }

    fn shown(&self, status: u16, asked: &Asked, bar: Option<&Bar>, page: &Page) -> Result<Shown> {
        let now = self.clock.now();
        let lines = page.tail.as_ref().map_or(&[][..], |tail| &tail.items);
        let context = |tail| Context {
            title: &page.title,
            place: page.place,
            here: asked.address(),
            template: page.template.to_owned(),
            page: &page.data,
            bar,
            // What somebody types into must not change below their hands.
            live: self.is_live && page.template != "ask",
            now: now.rfc3339(),
            tail,
            row: page.tail.as_ref().map_or("", |tail| tail.template),
        };
        let whole = self.text("body", asked, now, Serde(&context(lines)))?;
        let html = Whole {
            context: context(&[]),
            body: Text(&whole),
        };
        let html = self.text("layout", asked, now, Serde(&html))?;
        let (body, rows) = match page.tail.as_ref().filter(|tail| tail.grows) {
            None => (whole, Vec::new()),
            Some(tail) => {
                let rows = self.text("rows", asked, now, Serde(&context(lines)))?;
                let rows = rows.split_terminator(ROW_END).map(|row| row.trim().to_owned());
                let body = self.text("body", asked, now, Serde(&context(&[])))?;
                (body, (tail.first..).zip(rows).collect())
            }
        };
        Ok(Shown {
            status,
            title: page.title.clone(),
            body,
            now: now.rfc3339(),
            rows,
            html,
        })
    }

    fn text(&self, name: &str, asked: &Asked, now: Moment, context: impl Into<Value>) -> Result<String> {
        let mut environment = self.environment.clone();
        let (links, here) = (Arc::clone(&self.links), asked.clone());
        environment.add_function("link", move |to: &str| {
            Value::from_safe_string(plain(&links(&here, to)))
        });
        environment.add_filter("age", move |at: &str| age(at, now));
        let template = environment.get_template(name)?;
        let text = template.render(context).map_err(|error| worded(&error))?;
        Ok(text)
    }
}

#[derive(Serialize)]
struct Whole<'a> {
    #[serde(flatten)]
    context: Context<'a>,
    body: Text<'a>,
}

#[derive(Serialize)]
struct Text<'a>(&'a str);

/// Words an error of a template with its innermost cause, where the place is.
fn worded(error: &Error) -> Report {
    let mut words = format!("a template of ours: {error}");
    let mut cause = error.source();
    while let Some(next) = cause {
        let _ = write!(words, "; {next}");
        cause = next.source();
    }
    eyre::eyre!(words)
}

/// Escapes text, for an attribute or between tags. Slashes stay: links are read by people.
fn plain(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&#39;")
}

/// Words dollars: cents, and more digits where they are few; `unknown` where nobody knows.
fn usd(dollars: Option<f64>) -> String {
    match dollars {
        None => "unknown".to_owned(),
        Some(dollars) if dollars > 0.0 && dollars < 0.01 => format!("${dollars:.4}"),
        Some(dollars) => format!("${dollars:.2}"),
    }
}

/// Words how long ago it was; empty where it is no time.
fn age(at: &str, now: Moment) -> String {
    let Some(at) = Moment::from_rfc3339(at) else {
        return String::new();
    };
    let seconds = now.since(at).as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// Words a range of seconds: `2–4 min`; empty where it is none.
fn span(range: &[u64]) -> String {
    let [least, most] = range else {
        return String::new();
    };
    let (size, unit) = match most {
        0..60 => (1, "s"),
        60..7_200 => (60, "min"),
        _ => (3_600, "h"),
    };
    match (least / size, most.div_ceil(size)) {
        (0, most) => format!("up to {most} {unit}"),
        (least, most) if least == most => format!("{most} {unit}"),
        (least, most) => format!("{least}–{most} {unit}"),
    }
}

/// Words how long something takes.
fn lasting(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
    }
}

/// Returns the sign of a state, which stands before its word.
fn mark(state: &str) -> &'static str {
    match state {
        "running" => "▶",
        "candidate" => "◆",
        "ready" => "○",
        "blocked" => "◔",
        "held" => "⚑",
        "proposed" => "?",
        "failed" => "✖",
        "parked" => "▣",
        "rejected" => "⊘",
        "landed" => "✔",
        _ => "·",
    }
}
