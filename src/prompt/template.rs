//! Templates: the only user of minijinja. Values are data, never template source.

use minijinja::{AutoEscape, Environment, Error, UndefinedBehavior, syntax::SyntaxConfig, value::Serde};
use serde::Serialize;

/// One of the embedded templates.
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

/// A template that does not fit its values, in minijinja's words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadTemplate(pub String);

const SOURCES: [(&str, &str); 19] = [
    ("system.md.j2", include_str!("../../templates/prompt/system.md.j2")),
    ("context.md.j2", include_str!("../../templates/prompt/context.md.j2")),
    ("goal.md.j2", include_str!("../../templates/prompt/goal.md.j2")),
    (
        "test_goal.md.j2",
        include_str!("../../templates/prompt/test_goal.md.j2"),
    ),
    ("repair.md.j2", include_str!("../../templates/prompt/repair.md.j2")),
    (
        "format/search-replace.md.j2",
        include_str!("../../templates/prompt/format/search-replace.md.j2"),
    ),
    (
        "format/udiff.md.j2",
        include_str!("../../templates/prompt/format/udiff.md.j2"),
    ),
    (
        "format/whole.md.j2",
        include_str!("../../templates/prompt/format/whole.md.j2"),
    ),
    (
        "format/apply-patch.md.j2",
        include_str!("../../templates/prompt/format/apply-patch.md.j2"),
    ),
    (
        "format/str-replace.md.j2",
        include_str!("../../templates/prompt/format/str-replace.md.j2"),
    ),
    ("work.md.j2", include_str!("../../templates/prompt/work.md.j2")),
    ("tools.md.j2", include_str!("../../templates/prompt/tools.md.j2")),
    (
        "work_goal.md.j2",
        include_str!("../../templates/prompt/work_goal.md.j2"),
    ),
    ("rework.md.j2", include_str!("../../templates/prompt/rework.md.j2")),
    ("blocks.md.j2", include_str!("../../templates/prompt/blocks.md.j2")),
    (
        "plan_system.md.j2",
        include_str!("../../templates/prompt/plan_system.md.j2"),
    ),
    (
        "plan_context.md.j2",
        include_str!("../../templates/prompt/plan_context.md.j2"),
    ),
    ("plan.md.j2", include_str!("../../templates/prompt/plan.md.j2")),
    (
        "plan_again.md.j2",
        include_str!("../../templates/prompt/plan_again.md.j2"),
    ),
];

impl Template {
    fn name(self) -> &'static str {
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

    /// Renders with `values`, whose every field the template may use. Output is not escaped.
    ///
    /// # Errors
    /// A name in the template that `values` does not have.
    pub fn render(self, values: impl Serialize) -> Result<String, BadTemplate> {
        let rendered = environment().and_then(|known| known.get_template(self.name())?.render(Serde(values)));
        rendered.map_err(|error| BadTemplate(error.to_string()))
    }
}

fn environment() -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build()?;
    environment.set_syntax(syntax);
    for (name, source) in SOURCES {
        environment.add_template(name, source)?;
    }
    Ok(environment)
}

#[cfg(test)]
mod tests {
    use minijinja::ErrorKind;
    use serde_json::{Value, json};

    use super::*;

    fn render(source: &str, values: Value) -> Result<String, Error> {
        environment()?.render_str(source, Serde(values))
    }

    #[test]
    fn a_name_that_nobody_gave_is_an_error() {
        for source in [
            "{{ absent }}",
            "{% if absent %}{% endif %}",
            "{{ given.absent }}",
            "{% for x in absent %}{% endfor %}",
        ] {
            let error = render(source, json!({ "given": {} })).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UndefinedError, "{source}");
        }
        for template in [
            Template::System,
            Template::Context,
            Template::Goal,
            Template::TestGoal,
            Template::Repair,
            Template::Work,
            Template::Tools,
            Template::WorkGoal,
            Template::Rework,
            Template::PlanSystem,
            Template::PlanContext,
            Template::Plan,
            Template::PlanAgain,
        ] {
            let error = template.render(json!({})).unwrap_err();
            assert!(error.0.contains("undefined"), "{error}");
        }
    }

    #[test]
    fn values_are_neither_escaped_nor_rendered() {
        let hostile = "<b> & {{ 7 * 7 }} {% raw %} {# gone? #}";
        assert_eq!(
            render("{{ it }}\n", json!({ "it": hostile })).unwrap(),
            format!("{hostile}\n")
        );
    }
}
