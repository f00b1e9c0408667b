//! The line of one goal at the end of its work: state, id, what it is, how its checks went, commit.

use crate::{
    check::{CheckRow, Stage},
    letters::columns,
    schedule::State,
    ui::{
        colour::Style,
        look::{ID, Look, pad},
    },
};

/// Width of the state's column, its gap included.
const STATE: usize = 9;
/// Width of a description where there is room for little.
const DESCRIPTION: std::ops::RangeInclusive<usize> = 19..=40;
/// Width of the longest usual text about checks: `lint ok  test 1 of 7 failed, repaired, ok 7`.
const CHECKS: usize = 43;
/// Width of a short commit id, its gap included.
const COMMIT: usize = 9;

/// Columns of a table whose rows come one after the other. Grows with the ids that it sees.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Columns {
    id: usize,
}

impl Default for Columns {
    fn default() -> Self {
        Self { id: 9 }
    }
}

/// What a row tells.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The goal's state.
    pub state: State,
    /// Its id.
    pub id: &'a str,
    /// Its first line.
    pub description: &'a str,
    /// How its checks went, or why it did not land.
    pub about: &'a str,
    /// The short commit id; empty for none.
    pub commit: &'a str,
}

impl Columns {
    /// Makes room for `id`.
    pub fn widen(&mut self, id: &str) {
        self.id = self.id.max(columns(id)).min(ID);
    }

    /// Returns the line, without line break.
    pub fn line(&mut self, look: &Look, row: &Row<'_>) -> String {
        self.widen(row.id);
        let fixed = STATE + self.id + 2 + 2 + COMMIT;
        let free = look.width.saturating_sub(fixed);
        let description = free
            .saturating_sub(CHECKS)
            .clamp(*DESCRIPTION.start(), *DESCRIPTION.end());
        let gap = if row.state.word().len() < STATE { "" } else { " " };
        let head = format!(
            "{}{gap}{}  {}",
            look.word(Style::of(row.state), row.state.word(), STATE),
            look.cell(row.id, self.id),
            look.cell(row.description, description)
        );
        if row.commit.is_empty() {
            return format!("{head}  {}", look.cut(row.about, usize::MAX))
                .trim_end()
                .to_owned();
        }
        let about = pad(row.about, free.saturating_sub(description).min(CHECKS));
        format!("{head}  {about}  {}", look.paint.paint(Style::Dim, row.commit))
    }
}

/// Words the checks of an attempt: the last round's, and what earlier rounds failed on.
///
/// `rounds` are the checks of each round that came so far, the passing one last.
pub fn checks(rounds: &[Vec<CheckRow>]) -> String {
    let Some((last, earlier)) = rounds.split_last() else {
        return String::new();
    };
    let shown = last.iter().filter(|row| row.stage != Stage::Setup);
    shown.map(|row| check(row, earlier)).collect::<Vec<_>>().join("  ")
}

fn check(row: &CheckRow, earlier: &[Vec<CheckRow>]) -> String {
    let word = row.stage.word();
    let number = row.tests.map(|n| format!(" {n}")).unwrap_or_default();
    let now = if row.exit == 0 {
        format!("ok{number}")
    } else {
        "known red".to_owned()
    };
    let same = |other: &&CheckRow| other.stage == row.stage && other.cmd == row.cmd && other.exit != 0;
    match earlier.iter().rev().flatten().find(same) {
        None => format!("{word} {now}"),
        Some(broken) => format!("{word} {}, repaired, {now}", failed(broken)),
    }
}

/// Words one failed check: `1 of 7 failed`, or `failed`.
fn failed(row: &CheckRow) -> String {
    match (row.failed, row.tests) {
        (Some(failed), Some(tests)) => format!("{failed} of {tests} failed"),
        _ => "failed".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::colour::Paint;

    fn row(stage: Stage, exit: i32, tests: Option<usize>, failed: Option<usize>) -> CheckRow {
        CheckRow {
            stage,
            cmd: stage.word().to_owned(),
            exit,
            seconds: 0.1,
            tests,
            failed,
        }
    }

    const WIDE: Look = Look {
        paint: Paint { on: false },
        width: 96,
        unicode: true,
    };

    #[test]
    fn a_repaired_check_says_what_failed_before() {
        let setup = row(Stage::Setup, 0, None, None);
        let lint = row(Stage::Lint, 0, None, None);
        let bad = vec![setup.clone(), lint.clone(), row(Stage::Test, 1, Some(7), Some(1))];
        let good = vec![setup, lint, row(Stage::Test, 0, Some(7), None)];
        assert_eq!(checks(std::slice::from_ref(&good)), "lint ok  test ok 7");
        assert_eq!(
            checks(&[bad, good.clone()]),
            "lint ok  test 1 of 7 failed, repaired, ok 7"
        );
        let unlinted = vec![row(Stage::Lint, 2, None, None)];
        assert_eq!(checks(&[unlinted, good]), "lint failed, repaired, ok  test ok 7");
        assert_eq!(checks(&[vec![row(Stage::Test, 1, Some(3), Some(1))]]), "test known red");
    }

    #[test]
    fn rows_are_aligned() {
        let mut columns = Columns::default();
        let rows = [
            (
                State::Landed,
                "goal-3f2a",
                "Slug from a title",
                "lint ok  test ok 4",
                "1c9e04b",
            ),
            (
                State::Landed,
                "goal-81c0",
                "Tests for a slug that goes on and on and on",
                "lint ok  test 1 of 7 failed, repaired, ok 7",
                "77ab310",
            ),
            (
                State::Failed,
                "goal-e901",
                "Faster index",
                "3 rounds, test: 2 new failures; main untouched",
                "",
            ),
        ];
        let lines = rows.map(|(state, id, description, about, commit)| {
            columns.line(
                &WIDE,
                &Row {
                    state,
                    id,
                    description,
                    about,
                    commit,
                },
            )
        });
        assert_eq!(
            lines,
            [
                "landed   goal-3f2a  Slug from a title       lint ok  test ok 4                           1c9e04b",
                "landed   goal-81c0  Tests for a slug that…  lint ok  test 1 of 7 failed, repaired, ok 7  77ab310",
                "failed   goal-e901  Faster index            3 rounds, test: 2 new failures; main untouched",
            ]
        );
    }
}
