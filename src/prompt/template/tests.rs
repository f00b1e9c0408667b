//! Templates against hostile values and hostile sources; the table of variables against what is rendered, and the page
//! made of it.

use std::{cell::RefCell, collections::BTreeSet, fmt::Write as _, fs, path::Path};

use serde_json::{Value, json};

use super::*;
use crate::{
    goal::Goal,
    path::RepoPath,
    prompt::{
        self, Context, Way, plan,
        repair::{self, Feedback, Trouble},
        template::{builtin::Ours, variables::Kind},
        tests::{blessing, ours},
    },
    reply::Format,
    snapshot::{MapSnapshot, Mode},
};

thread_local! {
    /// What was rendered with which values, in this thread.
    static RENDERED: RefCell<Vec<(Template, Value)>> = const { RefCell::new(Vec::new()) };
}

/// Keeps what is rendered.
pub(super) fn record(template: Template, values: &impl Serialize) {
    let values = serde_json::to_value(values).unwrap();
    RENDERED.with_borrow_mut(|rendered| rendered.push((template, values)));
}

fn own(files: &[(&str, &str)]) -> overrides::Found {
    let mut snapshot = MapSnapshot::default();
    for (name, source) in files {
        let path = RepoPath::parse(format!("{FOLDER}{name}")).unwrap();
        snapshot = snapshot.with(path, Mode::File, *source);
    }
    overrides::read(&snapshot).unwrap()
}

/// What the checks say of a repository with this one template.
fn says(name: &str, source: &str) -> Vec<String> {
    let found = own(&[(name, source)]);
    let flaws = match found.flaws.is_empty() {
        true => check::samples(&found.templates).flaws,
        false => found.flaws,
    };
    flaws.iter().map(ToString::to_string).collect()
}

#[test]
fn a_name_that_nobody_gave_is_an_error() {
    for source in [
        "{{ absent }}",
        "{% if absent %}{% endif %}",
        "{{ trouble.absent }}",
        "{% for x in absent %}{% endfor %}",
    ] {
        let said = says("rework.md.j2", source);
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].contains("absent` is undefined"), "{said:?}");
    }
    for template in Template::ALL {
        let flaw = Templates::default().render(template, json!({})).unwrap_err();
        assert!(flaw.what.contains("undefined"), "{flaw}");
    }
}

#[test]
fn values_are_neither_escaped_nor_rendered() {
    let hostile = "<b> & {{ 7 * 7 }} {% raw %} {# gone? #}";
    let found = own(&[("plan_system.md.j2", "{{ master }}\n")]);
    let values = json!({ "master": hostile });
    assert_eq!(
        found.templates.render(Template::PlanSystem, values).unwrap(),
        format!("{hostile}\n")
    );
}

#[test]
fn a_template_of_the_repository_takes_the_place_of_ours_and_may_build_on_it() {
    let source = "{% extends \"builtin/goal.md.j2\" %}\n{% block orders %}\nBe brief.\n{% endblock %}\n";
    let found = own(&[("goal.md.j2", source)]);
    assert_eq!(found.templates.own(), ["goal.md.j2"]);
    assert_eq!(check::samples(&found.templates).flaws, []);
    let values = variables::samples(Template::Goal).pop().unwrap();
    let (theirs, plain) = (
        found.templates.render(Template::Goal, &values).unwrap(),
        Templates::default().render(Template::Goal, &values).unwrap(),
    );
    assert!(
        theirs.contains("\nBe brief.\n") && !plain.contains("Be brief."),
        "{theirs}"
    );
    assert!(plain.contains("Do this and nothing else.") && !theirs.contains("Do this and nothing else."));
    // What is built on it has its own orders still.
    let tests = found.templates.render(Template::TestGoal, &values).unwrap();
    assert!(tests.contains("Write tests only;"), "{tests}");
}

#[test]
fn what_is_wrong_is_named_with_file_line_and_what_was_meant() {
    let large = "x".repeat(64 * 1024 + 1);
    let range = "{% for a in range(90000) %}{% for b in range(90000) %}x{% endfor %}{% endfor %}";
    for (name, source, expected) in [
        (
            "plan.md.j2",
            "a\nb\n{{ brif }}\n",
            ".invisigoth/templates/plan.md.j2 line 3: `brif` is undefined; did you mean `brief`?",
        ),
        (
            "plan.md.j2",
            "{% if count == 3 and not brief %}\n{{ zzzzz }}\n{% endif %}",
            ".invisigoth/templates/plan.md.j2 line 2: `zzzzz` is undefined; did you mean `brief` or `count`?",
        ),
        (
            "rework.md.j2",
            "{{ trouble.txt }}",
            ".invisigoth/templates/rework.md.j2 line 1: `trouble.txt` is undefined; did you mean `text`?",
        ),
        (
            "blocks.md.j2",
            "{% macro block(it) %}{{ it.name }}{% endmacro %}{% macro text(it) %}{% endmacro %}",
            ".invisigoth/templates/blocks.md.j2 line 1: `it.name` is undefined, in context.md.j2; \
             there are `path`, `fence`, `text`, `left_out`",
        ),
        (
            "goal.md.j2",
            "{% if id %}\n",
            ".invisigoth/templates/goal.md.j2 line 1: syntax error: unexpected end of input, expected end of block",
        ),
        (
            "gaol.md.j2",
            "",
            ".invisigoth/templates/gaol.md.j2: no template has this name; did you mean `goal.md.j2`?",
        ),
        (
            "plan.md.j2",
            &large,
            ".invisigoth/templates/plan.md.j2: it has more than 64 KiB",
        ),
        (
            "plan.md.j2",
            range,
            ".invisigoth/templates/plan.md.j2 line 1: it does not end: it was stopped after 1000000 steps",
        ),
        (
            "plan.md.j2",
            "{% include \"/etc/passwd\" %}",
            ".invisigoth/templates/plan.md.j2 line 1: template not found: tried to include non-existing template '/etc/passwd'",
        ),
    ] {
        assert_eq!(says(name, source), [expected], "{name}");
    }
    for endless in [
        "{% include \"plan.md.j2\" %}",
        "{% extends \"plan.md.j2\" %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    ] {
        assert_eq!(says("plan.md.j2", endless).len(), 1, "{endless}");
    }
}

#[test]
fn unknown_names_are_found_on_branches_that_no_sample_takes() {
    let rare = |tag: &str| {
        says(
            "goal.md.j2",
            &format!("{{% if round > 100 %}}\nid\n{tag}\n{{% endif %}}"),
        )
    };
    assert_eq!(
        rare("{{ id }} descripton {{ descripton }}"),
        [".invisigoth/templates/goal.md.j2 line 3: `descripton` is undefined; did you mean `description`?"]
    );
    for fine in [
        "{{ request }}{% for it in files %}{{ loop.index }}{{ it }}{% endfor %}",
        "{% set x = range(3) %}{{ x }}{% include \"builtin/plan.md.j2\" %}",
        "{% if later is defined %}{{ later }}{% endif %}",
        "{{ later | default(\"\") }}",
        "{% from \"blocks.md.j2\" import block %}{{ block({\"a\": id}) }}",
        "{% macro m(it) %}{{ it }}{{ caller() }}{% endmacro %}{% call m(1) %}x{% endcall %}",
    ] {
        assert_eq!(rare(fine), [""; 0], "{fine}");
    }
    // Whatever ours take is in the table: a repository that copies one has nothing to mend.
    let copies: Vec<(&str, &str)> = builtin::ALL.iter().map(|ours| (ours.name, ours.source)).collect();
    let found = own(&copies);
    assert_eq!((found.flaws, check::samples(&found.templates).flaws), (vec![], vec![]));
}

#[test]
fn names_limits_and_kinds_of_files_are_held() {
    let path = |name: &str| RepoPath::parse(name).unwrap();
    let said = |snapshot: MapSnapshot| -> Vec<String> {
        let found = overrides::read(&snapshot).unwrap();
        found.flaws.iter().map(ToString::to_string).collect()
    };
    let snapshot = MapSnapshot::default()
        .with(path(".invisigoth/templates/goal.md.j2"), Mode::Symlink, "../../secret")
        .with(path(".invisigoth/templates/plan.md.j2"), Mode::File, *b"\xff")
        .with(path(".invisigoth/templates/format/own.md.j2"), Mode::File, "")
        .with(path(".invisigoth/templates/old/goal.md.j2"), Mode::File, "");
    let all = said(snapshot);
    assert_eq!(all.len(), 4, "{all:?}");
    assert!(all[0].starts_with(".invisigoth/templates/format/own.md.j2: no template has this name"));
    assert_eq!(
        all[1],
        ".invisigoth/templates/goal.md.j2: it is no file, and links are not followed"
    );
    assert!(all[2].starts_with(".invisigoth/templates/old: no template has this name; there are `system.md.j2`"));
    assert_eq!(all[3], ".invisigoth/templates/plan.md.j2: it is not UTF-8");
    let linked = MapSnapshot::default().with(path(".invisigoth"), Mode::Symlink, "elsewhere");
    assert_eq!(
        said(linked),
        [".invisigoth: it is no folder, and links are not followed"]
    );
    assert_eq!(said(MapSnapshot::default()), [""; 0]);
}

#[test]
fn ours_render_with_every_sample() {
    let checked = check::samples(&Templates::default());
    assert_eq!(checked.flaws, []);
    assert!(checked.renderings > 200, "{}", checked.renderings);
}

/// Renders everything that there is, with little and with much.
fn render_everything() {
    let redactor = Redactor::default();
    let wording = ours(&redactor);
    let goal = Goal {
        id: Some("goal-1".parse().unwrap()),
        description: "Say hello".to_owned(),
        acceptance: vec!["it does".to_owned()],
        ..Goal::default()
    };
    let text = ("a.md".to_owned(), "text\n".to_owned());
    let full = Context {
        rules: vec![text.clone()],
        files: vec![("a.rs".to_owned(), Some("x\n".to_owned())), ("b.rs".to_owned(), None)],
        outline: "a".to_owned(),
        log: "b".to_owned(),
        diffs: "c".to_owned(),
        dependencies: vec![("goal-0".parse().unwrap(), "First".to_owned(), "diff\n".to_owned())],
        failures: Some("why".to_owned()),
        ..Context::default()
    };
    for context in [Context::default(), full] {
        for (way, test_goal) in [
            (Way::Edit, false),
            (Way::Edit, true),
            (Way::Work, false),
            (Way::Tools, false),
        ] {
            let context = Context {
                way,
                test_goal,
                ..context.clone()
            };
            prompt::first::build(&goal, &context, (1, 3), 9000, wording).unwrap();
        }
    }
    let failed = Trouble::Failed {
        output: "no".to_owned(),
        taken_back: true,
    };
    for trouble in [Trouble::Refused("no".to_owned()), failed, Trouble::Needed(Vec::new())] {
        repair::rework(&goal, (2, 3), &trouble, 9000, wording).unwrap();
        let files = vec![("a.rs".to_owned(), Some("x\n".to_owned())), ("b.rs".to_owned(), None)];
        repair::message(&goal, (2, 3), &Feedback { trouble, files }, 9000, wording).unwrap();
    }
    let full = plan::PlanContext {
        rules: vec![text.clone()],
        readme: Some(text.clone()),
        signals: vec![text],
        outline: "a".to_owned(),
        unseen: "b".to_owned(),
        checks: vec!["true".to_owned()],
        log: "c".to_owned(),
        diffs: "d".to_owned(),
        landed: "e".to_owned(),
        rejected: "f".to_owned(),
        failures: "g".to_owned(),
        open: "h".to_owned(),
        ..plan::PlanContext::default()
    };
    for context in [plan::PlanContext::default(), full] {
        plan::build(&context, 3, Some("more tests"), 9000, wording).unwrap();
    }
    plan::again(&["no".to_owned()], 3, wording).unwrap();
}

/// True where a value is what the table says.
fn fits(kind: Kind, value: &Value) -> bool {
    let texts = |value: &Value| value.as_array().is_some_and(|all| all.iter().all(Value::is_string));
    let record = |record: &variables::Record, value: &Value| {
        let names: BTreeSet<&str> = record.fields.iter().map(|(name, _)| *name).collect();
        let Some(fields) = value.as_object() else { return false };
        fields.values().all(Value::is_string) && fields.keys().map(String::as_str).collect::<BTreeSet<_>>() == names
    };
    match kind {
        Kind::Text => value.is_string(),
        Kind::Word(words) => value.as_str().is_some_and(|word| words.contains(&word)),
        Kind::Flag => value.is_boolean(),
        Kind::Number => value.is_u64(),
        Kind::Texts => texts(value),
        Kind::SomeTexts => texts(value) && value.as_array().is_some_and(|all| !all.is_empty()),
        Kind::One(of) => record(of, value),
        Kind::Maybe(of) => value.is_null() || record(of, value),
        Kind::Many(of) => value.as_array().is_some_and(|all| all.iter().all(|it| record(of, it))),
    }
}

#[test]
fn the_table_of_variables_is_what_templates_are_given() {
    RENDERED.take();
    render_everything();
    let rendered = RENDERED.take();
    for template in Template::ALL {
        let table: BTreeSet<&str> = variables::of(template).map(|row| row.name).collect();
        let given = rendered.iter().filter(|(of, _)| *of == template);
        let mut count = 0;
        for (_, values) in given {
            let names: BTreeSet<&str> = values.as_object().unwrap().keys().map(String::as_str).collect();
            let name = template.name();
            assert_eq!(
                names, table,
                "{name}: left is given, right is in `variables::VARIABLES`"
            );
            for row in variables::of(template) {
                let value = &values[row.name];
                assert!(
                    fits(row.kind, value),
                    "{name}: {} is not {}: {value}",
                    row.name,
                    row.kind.words()
                );
            }
            count += 1;
        }
        assert!(count > 0, "{} was not rendered", template.name());
    }
    let formats = Format::ALL.into_iter().filter(|format| *format != Format::Auto);
    let row = variables::of(Template::System)
        .find(|row| row.name == "format")
        .unwrap();
    for format in formats {
        assert!(fits(row.kind, &json!(format.word())), "{format}");
    }
}

/// The page about templates.
fn page() -> String {
    let mut page = include_str!("head.md").to_owned();
    for Ours { name, about, .. } in &builtin::ALL {
        let users: Vec<&str> = builtin::users(name).iter().map(|user| user.name()).collect();
        let _ = writeln!(page, "\n## {name}\n{about}");
        if users.first().is_some_and(|user| user != name) {
            let _ = writeln!(
                page,
                "Part of `{}`; these are the variables that all of them have.",
                users.join("`, `")
            );
        }
        let rows = variables::of_name(name);
        if rows.is_empty() {
            continue;
        }
        page.push_str("\n| variable | holds | meaning |\n|---|---|---|\n");
        for row in rows {
            let _ = writeln!(page, "| `{}` | {} | {} |", row.name, row.kind.words(), row.meaning);
        }
    }
    for record in [&variables::BLOCK] {
        let _ = writeln!(page, "\n## A {}\n| field | meaning |\n|---|---|", record.name);
        for (name, meaning) in record.fields {
            let _ = writeln!(page, "| `{name}` | {meaning} |");
        }
    }
    page
}

#[test]
fn the_page_about_templates_is_made_of_the_table() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/templates.md");
    let now = page();
    if blessing() {
        fs::write(&file, &now).unwrap();
    }
    assert!(
        fs::read_to_string(&file).unwrap_or_default() == now,
        "docs/templates.md is old: `INVISIGOTH_BLESS=1 cargo test --lib prompt` writes it"
    );
}
