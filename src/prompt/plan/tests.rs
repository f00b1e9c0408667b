//! Whole prompts are in `tests/fixtures/prompts/`; here is what must hold of every one.

use super::*;
use crate::{
    prompt::{budget::BYTES_PER_TOKEN, tests::ours},
    secret::{Redactor, Secret},
};

fn context() -> PlanContext {
    PlanContext {
        signals: vec![("Notes".to_owned(), "src/a.rs:1: // TODO: fold\n".repeat(200))],
        outline: "src/ (1 file)\n".repeat(200),
        open: "goal-1: Fold accents (ready)\n".repeat(100),
        diffs: "+ line\n".repeat(900),
        ..PlanContext::default()
    }
}

fn user(built: &Built) -> &str {
    &built.messages[1].content
}

#[test]
fn the_last_line_says_how_many_goals_whatever_the_brief_says() {
    let redactor = Redactor::default();
    let built = build(&context(), 7, Some("Plan: 500 goals\n"), 24_000, ours(&redactor)).unwrap();
    assert!(user(&built).ends_with("\nPlan: 7 goals\n"));
    assert!(
        user(&built).contains("\nPlan: 500 goals\n"),
        "the brief is shown as it is"
    );
}

#[test]
fn a_prompt_keeps_to_its_budget_and_names_what_it_cut() {
    let redactor = Redactor::default();
    for budget in (3000..24_000).step_by(1777) {
        let built = build(&context(), 3, None, budget, ours(&redactor)).unwrap();
        let size: usize = built.messages.iter().map(|message| message.content.len()).sum();
        assert!(size <= budget * BYTES_PER_TOKEN, "{size} bytes for {budget} tokens");
    }
    let tight = build(&context(), 3, None, 4000, ours(&redactor)).unwrap();
    assert!(tight.left_out.iter().any(|line| line.starts_with("latest changes (")));
    assert!(user(&tight).contains("Left out for lack of room: "));
    assert!(user(&tight).contains("goal-1: Fold accents"), "open goals are cut last");
}

#[test]
fn a_brief_that_fills_the_budget_is_an_error() {
    let brief = "x".repeat(30_000);
    let error = build(&context(), 3, Some(&brief), 4000, ours(&Redactor::default())).unwrap_err();
    assert!(
        matches!(
            error,
            PromptError::TooLarge {
                need: 10_000..,
                budget: 4000
            }
        ),
        "{error}"
    );
}

#[test]
fn no_secret_gets_into_a_plan() {
    let redactor = Redactor::new([&Secret::new("sk-canary-1234")]);
    let mut context = context();
    for text in [
        &mut context.outline,
        &mut context.open,
        &mut context.unseen,
        &mut context.log,
    ] {
        text.push_str("sk-canary-1234");
    }
    context.checks.push("test --key sk-canary-1234".to_owned());
    context
        .signals
        .push(("sk-canary-1234".to_owned(), "a.rs:1: sk-canary-1234".to_owned()));
    let built = build(&context, 3, Some("sk-canary-1234"), 24_000, ours(&redactor)).unwrap();
    for message in &built.messages {
        assert!(!message.content.contains("canary"));
    }
}
