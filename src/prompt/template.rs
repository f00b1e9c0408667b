//! Templates: the only user of minijinja. Values are data, never template source; nothing is read from disk, and a
//! template that does not end is stopped.
//!
//! Ours are compiled once in a process. A repository may have some of its own (`overrides`), of the same names.

pub mod builtin;
pub mod check;
pub mod overrides;
pub mod variables;

use std::{
    collections::BTreeMap,
    error::Error as _,
    fmt,
    sync::{Arc, LazyLock},
};

use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, syntax::SyntaxConfig, value::Serde};
use serde::Serialize;

use crate::{
    prompt::{Wording, template::overrides::FOLDER},
    secret::Redactor,
};

/// The start of the name under which a template of ours stays when a repository has its own.
pub const OURS: &str = "builtin/";

/// Most instructions of one rendering; a prompt takes some hundreds.
const FUEL: u64 = 1_000_000;

/// What is said of a template that uses them up.
const ENDLESS: &str = "it does not end: it was stopped after 1000000 steps";

/// One of the templates that are rendered; the others are parts of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Template {
    /// The standing orders.
    System,
    /// What the repository says: everything that stays between rounds.
    Context,
    /// A goal.
    Goal,
    /// A goal that asks for tests.
    TestGoal,
    /// What went wrong in a round.
    Repair,
    /// The standing orders of a program that works in a folder.
    Work,
    /// The standing orders of a model that works in a folder through us.
    Tools,
    /// A goal to work at in a folder.
    WorkGoal,
    /// What went wrong in a round of work in a folder.
    Rework,
    /// The standing orders of who plans.
    PlanSystem,
    /// What the repository and its backlog say to who plans.
    PlanContext,
    /// The order to plan.
    Plan,
    /// What was wrong with a plan, and the order again.
    PlanAgain,
}

impl Template {
    /// Every one, in the order of a goal's life.
    pub const ALL: [Self; 13] = [
        Self::System,
        Self::Context,
        Self::Goal,
        Self::TestGoal,
        Self::Repair,
        Self::Work,
        Self::Tools,
        Self::WorkGoal,
        Self::Rework,
        Self::PlanSystem,
        Self::PlanContext,
        Self::Plan,
        Self::PlanAgain,
    ];

    /// Returns its name, which is its path below the folder of templates.
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system.md.j2",
            Self::Context => "context.md.j2",
            Self::Goal => "goal.md.j2",
            Self::TestGoal => "test_goal.md.j2",
            Self::Repair => "repair.md.j2",
            Self::Work => "work.md.j2",
            Self::Tools => "tools.md.j2",
            Self::WorkGoal => "work_goal.md.j2",
            Self::Rework => "rework.md.j2",
            Self::PlanSystem => "plan_system.md.j2",
            Self::PlanContext => "plan_context.md.j2",
            Self::Plan => "plan.md.j2",
            Self::PlanAgain => "plan_again.md.j2",
        }
    }
}

/// What is wrong with a template, and where.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Flaw {
    /// The file in the repository, or `builtin/NAME` for one of ours.
    pub file: String,
    /// From 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// What is wrong: lower case, no full stop.
    pub what: String,
    /// The variable that there is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variable: Option<String>,
    /// Known names that are nearest to a wrong one; all that can stand there where none is near.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub near: Vec<&'static str>,
    /// The template that was rendered when it came up, where that is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rendering: Option<&'static str>,
}

impl Flaw {
    /// Makes one of a file as a whole.
    pub fn of_file(file: String, what: impl Into<String>) -> Self {
        Self {
            file,
            line: None,
            what: what.into(),
            variable: None,
            near: Vec::new(),
            rendering: None,
        }
    }

    /// True for a template that was stopped.
    pub fn is_endless(&self) -> bool {
        self.what == ENDLESS
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, " line {line}")?;
        }
        write!(f, ": {}", self.what)?;
        if let Some(rendering) = self.rendering {
            write!(f, ", in {rendering}")?;
        }
        let quoted: Vec<String> = self.near.iter().map(|name| format!("`{name}`")).collect();
        match quoted.split_last() {
            None => Ok(()),
            Some((only, [])) => write!(f, "; did you mean {only}?"),
            Some((last, [first])) => write!(f, "; did you mean {first} or {last}?"),
            Some(_) => write!(f, "; there are {}", quoted.join(", ")),
        }
    }
}

impl std::error::Error for Flaw {}

/// The templates that count: ours, but for those that the repository has of its own.
#[derive(Clone, Debug, Default)]
pub struct Templates {
    own: Arc<BTreeMap<&'static str, String>>,
    /// Where there are any of its own: both, compiled.
    compiled: Option<Arc<Environment<'static>>>,
}

impl Templates {
    /// Makes them of what the repository has, by built-in name, and says what of it cannot be read as a template.
    pub fn new(own: BTreeMap<&'static str, String>) -> (Self, Vec<Flaw>) {
        let mut templates = Self {
            own: Arc::new(own),
            compiled: None,
        };
        let mut flaws = Vec::new();
        if !templates.own.is_empty() {
            match templates.compile(&mut flaws) {
                Ok(compiled) => templates.compiled = Some(Arc::new(compiled)),
                Err(error) => flaws.push(templates.flaw(Template::System, &error)),
            }
        }
        (templates, flaws)
    }

    fn compile(&self, flaws: &mut Vec<Flaw>) -> Result<Environment<'static>, Error> {
        let mut both = ours()?;
        for ours in &builtin::ALL {
            both.add_template_owned(format!("{OURS}{}", ours.name), ours.source)?;
        }
        for (name, source) in self.own.iter() {
            if let Err(error) = both.add_template_owned(*name, source.clone()) {
                flaws.push(self.flaw(Template::System, &error));
            }
        }
        Ok(both)
    }

    /// Returns the names of the repository's own, sorted.
    pub fn own(&self) -> Vec<&'static str> {
        self.own.keys().copied().collect()
    }

    /// Returns the repository's own, by name.
    pub fn sources(&self) -> &BTreeMap<&'static str, String> {
        &self.own
    }

    /// Returns how text is made with them.
    pub fn wording<'a>(&'a self, redactor: &'a Redactor) -> Wording<'a> {
        Wording {
            templates: self,
            redactor,
        }
    }

    /// Returns the source that counts for `name`; empty where there is no such template.
    pub fn source(&self, name: &str) -> &str {
        match self.own.get(name) {
            Some(source) => source,
            None => builtin::find(name).map_or("", |ours| ours.source),
        }
    }

    /// Renders with `values`, whose every field the template may use. Output is not escaped.
    ///
    /// # Errors
    /// Where a template uses a name that `values` does not have, or does not end.
    pub fn render(&self, template: Template, values: impl Serialize) -> Result<String, Box<Flaw>> {
        #[cfg(test)]
        tests::record(template, &values);
        let known = match &self.compiled {
            Some(compiled) => Ok(compiled.as_ref()),
            None => COMPILED.as_ref(),
        };
        let known = known.map_err(|error| Box::new(self.flaw(template, error)))?;
        let found = known.get_template(template.name());
        let rendered = found.and_then(|found| found.render(Serde(values)));
        rendered.map_err(|error| Box::new(self.flaw(template, &error)))
    }

    /// Returns the names that an own template takes from its values, or from nowhere, on whichever branch; sorted.
    pub fn taken(&self, name: &str) -> Vec<String> {
        let Some(known) = &self.compiled else { return Vec::new() };
        let Ok(found) = known.get_template(name) else {
            return Vec::new();
        };
        let globals: Vec<&str> = known.globals().map(|(name, _)| name).collect();
        let mut taken: Vec<String> = found.undeclared_variables(false).into_iter().collect();
        taken.retain(|name| !globals.contains(&name.as_str()));
        taken.sort_unstable();
        taken
    }

    /// Words an error: the innermost place is the one to look at.
    fn flaw(&self, template: Template, error: &Error) -> Flaw {
        let mut innermost = error;
        let mut cause = error.source();
        while let Some(next) = cause {
            if let Some(inner) = next.downcast_ref::<Error>()
                && inner.name().is_some()
            {
                innermost = inner;
            }
            cause = next.source();
        }
        let name = innermost.name().unwrap_or(template.name());
        let detail = innermost.detail().unwrap_or_default();
        let what = match innermost.kind() {
            ErrorKind::OutOfFuel => ENDLESS.to_owned(),
            kind if detail.is_empty() => kind.to_string(),
            ErrorKind::UndefinedError => detail.to_owned(),
            kind => format!("{kind}: {detail}"),
        };
        let missing = missing(detail);
        Flaw {
            file: match self.own.contains_key(name) {
                true => format!("{FOLDER}{name}"),
                false => format!("{OURS}{}", name.trim_start_matches(OURS)),
            },
            line: innermost.line(),
            what,
            near: missing.map_or_else(Vec::new, |missing| variables::near(template, missing)),
            variable: missing.map(str::to_owned),
            rendering: (name != template.name() && innermost.kind() != ErrorKind::SyntaxError)
                .then_some(template.name()),
        }
    }
}

/// Returns the expression of which minijinja says that it is undefined.
fn missing(detail: &str) -> Option<&str> {
    let (before, _) = detail.split_once("` is undefined")?;
    before.rsplit('`').next()
}

static COMPILED: LazyLock<Result<Environment<'static>, Error>> = LazyLock::new(ours);

fn ours() -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_fuel(Some(FUEL));
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build()?;
    environment.set_syntax(syntax);
    for ours in &builtin::ALL {
        environment.add_template(ours.name, ours.source)?;
    }
    Ok(environment)
}

#[cfg(test)]
mod tests;
