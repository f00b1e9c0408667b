//! Live lines on a small terminal, drawn by what a terminal does with the bytes.
#![expect(clippy::string_slice, reason = "the bytes are cut where they were just found")]

use super::*;
use crate::time::{Moment, eta::Ends};

/// What stands on a terminal of 50 columns, and where the cursor is.
#[derive(Clone, Default)]
struct Screen(Arc<Mutex<(Vec<String>, usize)>>);

impl Screen {
    fn rows(&self) -> Vec<String> {
        let mut rows = locked(&self.0).0.clone();
        while rows.last().is_some_and(String::is_empty) {
            rows.pop();
        }
        rows
    }
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut to = locked(&self.0);
        let mut text = std::str::from_utf8(bytes).unwrap();
        while let Some(c) = text.chars().next() {
            let at = to.1;
            while to.0.len() <= at {
                to.0.push(String::new());
            }
            let after = &text[c.len_utf8()..];
            text = after;
            match c {
                '\n' => to.1 += 1,
                '\r' => {}
                '\u{1b}' => {
                    let end = after.find(|c: char| c.is_ascii_alphabetic()).unwrap();
                    let number = || after[1..end].parse::<usize>().unwrap();
                    match &after[end..=end] {
                        "A" => to.1 -= number(),
                        "J" => to.0.truncate(at),
                        other => assert_eq!(other, "K"),
                    }
                    text = &after[end + 1..];
                }
                c => {
                    // Whatever is written begins at the left edge.
                    let end = text.find(['\n', '\r', '\u{1b}']).unwrap_or(text.len());
                    to.0[at] = format!("{c}{}", &text[..end]);
                    text = &text[end..];
                }
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct At(i64);

impl Clock for At {
    fn now(&self) -> Moment {
        Moment(self.0)
    }
}

fn lines(screen: &Screen) -> Lines {
    let paint = Paint { on: false };
    let look = Look {
        paint,
        width: 50,
        unicode: true,
    };
    Lines::new(
        Box::new(screen.clone()),
        || Some((50, 8)),
        (look, paint),
        Arc::new(At(13_000)),
    )
}

fn goal(id: &str) -> GoalId {
    id.parse().unwrap()
}

fn at_work(goals: &[&str], step: &'static str, round: Option<u32>) -> UnderWay {
    UnderWay {
        goals: goals.iter().map(|id| goal(id)).collect(),
        step,
        round,
        since: Some(Moment(1000)),
        ends: None,
    }
}

#[test]
fn a_line_for_each_goal_is_redrawn_below_what_is_printed() {
    let screen = Screen::default();
    let lines = lines(&screen);
    lines.describe(&goal("goal-81c0"), "Tests for the slug of a title".into());
    let asking = at_work(&["goal-81c0"], "asking", Some(2));
    lines.show(&[asking.clone(), at_work(&["b"], "", None)]);
    let first = "asking   goal-81c0  Tests for the…  round 2, 12 s";
    assert_eq!(screen.rows(), [first, "working  b          12 s"]);
    let mut out = screen.clone();
    lines.beside(|| out.write_all(b"landed   x\n").unwrap());
    assert_eq!(screen.rows(), ["landed   x", first, "working  b          12 s"]);
    let together = at_work(&["a", "b", "c"], "landing", None);
    lines.show(&[asking, together]);
    assert_eq!(
        screen.rows().last().unwrap(),
        "landing  3 together  checking them merged, 12 s"
    );
    lines.show(&[]);
    assert_eq!(screen.rows(), ["landed   x"]);
}

#[test]
fn what_is_left_is_a_range_and_goes_when_it_is_over() {
    let screen = Screen::default();
    let lines = lines(&screen);
    let ends = |first: i64, last: i64| Ends {
        first: Moment(13_000 + first * 60_000),
        last: Moment(13_000 + last * 60_000),
    };
    let with = |one: UnderWay, ends| UnderWay {
        ends: Some(ends),
        ..one
    };
    let all = UnderWay {
        since: None,
        ..at_work(&[], UnderWay::LEFT, None)
    };
    lines.show(&[
        with(at_work(&["a"], "asking", Some(1)), ends(4, 9)),
        with(all.clone(), ends(-1, 30)),
    ]);
    let told = [
        "asking   a          round 1, 12 s, 4–9 min left",
        "left     all goals  up to 30 min",
    ];
    assert_eq!(screen.rows(), told);
    lines.show(&[
        with(at_work(&["a"], "asking", Some(1)), ends(-4, 0)),
        with(all, ends(-2, -1)),
    ]);
    assert_eq!(screen.rows(), ["asking   a          round 1, 12 s"]);
}

#[test]
fn lines_are_as_wide_as_the_terminal_at_most_and_fill_half_of_it() {
    let screen = Screen::default();
    let lines = lines(&screen);
    let ids: Vec<String> = (0..9).map(|n| format!("{n}{}", "ü".repeat(30))).collect();
    for id in &ids {
        lines.describe(&goal(id), "目標".repeat(40));
    }
    let all: Vec<UnderWay> = ids.iter().map(|id| at_work(&[id], "checking", Some(1))).collect();
    lines.show(&all);
    let rows = screen.rows();
    assert!(rows.iter().all(|row| columns(row) < 50), "{rows:?}");
    assert_eq!((rows.len(), rows[3].as_str()), (4, "…        6 more go on"));
}

#[test]
fn an_echoed_interrupt_tears_nothing() {
    let screen = Screen::default();
    let lines = lines(&screen);
    lines.show(&[at_work(&[], "checking", None)]);
    let mut out = screen.clone();
    out.write_all(b"^C\r").unwrap_or_default();
    lines.show(&[at_work(&["a"], "asking", None)]);
    assert_eq!(screen.rows(), ["asking   a          12 s"]);
    drop(lines);
}

#[test]
fn what_became_narrower_is_cleared_as_the_terminal_broke_it() {
    let frame = |columns: Size| Frame {
        out: Mutex::new(Box::new(io::sink())),
        state: Mutex::new(Drawn {
            next: Vec::new(),
            widths: vec![49, 12],
        }),
        size: columns,
    };
    assert_eq!(frame(|| Some((50, 8))).bytes(), "\r\u{1b}[2A\u{1b}[J");
    assert_eq!(frame(|| Some((20, 8))).bytes(), "\r\u{1b}[4A\u{1b}[J");
}
