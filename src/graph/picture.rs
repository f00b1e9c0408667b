//! Picture: a laid out part of the backlog as what stands in an SVG: boxes with their words, and lines as paths. A template
//! writes it, which escapes all text.
//!
//! What goals say is put on one line and cut to its box here, however long it is and whatever is in it.

use std::{collections::HashSet, fmt::Write as _};

use serde::Serialize;

use crate::{
    graph::{
        layered::{self, HEIGHT, Line, Point, WIDTH},
        part::{Part, Shown},
    },
    id::GoalId,
    letters::{columns, cut, head, one_line},
    schedule::State,
};

/// What is left free around the drawing.
const MARGIN: i64 = 12;
/// How many columns of letters fit into a box, and beside the state.
const COLUMNS: usize = 30;
const ID: usize = 17;
/// Most columns of what the tip over a box says of a goal.
const TIP: usize = 300;
/// How long the head of an arrow is.
const HEAD: i64 = 6;
const ELLIPSIS: &str = "…";

/// A goal as a box.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Box {
    /// The goal.
    pub goal: GoalId,
    /// Its state.
    pub state: State,
    /// Where its left side is.
    pub x: i64,
    /// Where its top is.
    pub y: i64,
    /// Its id, cut to what fits beside the state.
    pub id: String,
    /// What it is about, on at most two lines.
    pub about: Vec<String>,
    /// How many goals that it needs landed and are not drawn.
    pub landed: usize,
    /// True where it needs what is no open goal.
    pub is_lost: bool,
    /// All of it in a sentence, for a tip and for who does not see the box.
    pub tip: String,
}

/// What leads from a goal to those that need it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Path {
    /// True where goals need each other in a circle.
    pub circle: bool,
    /// The way, as SVG writes it.
    pub d: String,
    /// The heads of its arrows, likewise.
    pub heads: String,
}

/// What stands in the SVG.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Picture {
    /// How wide all is.
    pub width: i64,
    /// How high all is.
    pub height: i64,
    /// How wide a box is.
    pub box_width: i64,
    /// How high a box is.
    pub box_height: i64,
    /// The goals, in the order to read them: each after what it needs.
    pub boxes: Vec<Box>,
    /// What leads where.
    pub paths: Vec<Path>,
}

/// Draws `part`.
pub fn picture(part: &Part) -> Picture {
    let drawing = layered::draw(&part.lines());
    let moved = |point: Point| Point {
        x: point.x + MARGIN,
        y: point.y + MARGIN,
    };
    let boxed = |node: &usize| {
        let place = moved(*drawing.places.get(*node)?);
        Some(boxed(part.goals.get(*node)?, place))
    };
    Picture {
        width: drawing.width.max(WIDTH) + 2 * MARGIN,
        height: drawing.height + 2 * MARGIN,
        box_width: WIDTH,
        box_height: HEIGHT,
        boxes: drawing.sequence.iter().filter_map(boxed).collect(),
        paths: drawing.lines.iter().map(|line| path(line, moved)).collect(),
    }
}

/// Writes a line as curves between columns and straight pieces past boxes, with an arrow's head where it ends.
fn path(line: &Line, moved: impl Fn(Point) -> Point) -> Path {
    let mut d = String::new();
    let mut last: Option<Point> = None;
    for (from, to) in &line.runs {
        let (a, b) = (moved(*from), moved(*to));
        if last != Some(a) {
            let _ = write!(d, "M{} {}", a.x, a.y);
        }
        if a.y == b.y {
            let _ = write!(d, "H{}", b.x);
        } else {
            let middle = a.x + (b.x - a.x) / 2;
            let _ = write!(d, "C{middle} {} {middle} {} {} {}", a.y, b.y, b.x, b.y);
        }
        last = Some(b);
    }
    let begins: HashSet<Point> = line.runs.iter().map(|(from, _)| *from).collect();
    let mut heads = String::new();
    for (_, end) in line.runs.iter().filter(|(_, end)| !begins.contains(end)) {
        let (end, half) = (moved(*end), HEAD / 2 + 1);
        let _ = write!(heads, "M{} {}l-{HEAD}-{half}v{}z", end.x, end.y, 2 * half);
    }
    Path {
        circle: line.is_circle,
        d,
        heads,
    }
}

fn boxed(shown: &Shown, place: Point) -> Box {
    let marks = 4 * (usize::from(shown.landed > 0) + usize::from(!shown.lost.is_empty()));
    Box {
        x: place.x,
        y: place.y,
        id: cut(shown.goal.as_str(), ID.saturating_sub(marks), ELLIPSIS),
        about: two_lines(&shown.description),
        landed: shown.landed,
        is_lost: !shown.lost.is_empty(),
        tip: tip(shown),
        goal: shown.goal.clone(),
        state: shown.state,
    }
}

fn tip(shown: &Shown) -> String {
    let about = cut(&shown.description, TIP, ELLIPSIS);
    let mut tip = format!("{}, {}: {about}", shown.goal, shown.state);
    match shown.landed {
        0 => {}
        1 => tip.push_str("; one goal that it needs landed"),
        landed => {
            let _ = write!(tip, "; {landed} goals that it needs landed");
        }
    }
    if !shown.lost.is_empty() {
        let lost: Vec<&str> = shown.lost.iter().map(GoalId::as_str).collect();
        tip.push_str("; it needs what is no open goal: ");
        tip.push_str(&cut(&lost.join(", "), TIP, ELLIPSIS));
    }
    one_line(&tip)
}

/// Breaks a description between words where that is possible, and cuts it after two lines.
fn two_lines(description: &str) -> Vec<String> {
    // More cannot be shown, however long it is.
    let text = one_line(head(description, 4 * COLUMNS));
    if columns(&text) <= COLUMNS {
        return if text.is_empty() { Vec::new() } else { vec![text] };
    }
    let fits = head(&text, COLUMNS);
    let first = match text.strip_prefix(fits) {
        Some(rest) if rest.starts_with(char::is_whitespace) => fits,
        _ => fits.rsplit_once(char::is_whitespace).map_or(fits, |(first, _)| first),
    };
    let rest = text.strip_prefix(first).unwrap_or_default();
    vec![first.trim_end().to_owned(), cut(rest, COLUMNS, ELLIPSIS)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(description: &str) -> Shown {
        Shown {
            goal: "goal-7e90".parse().unwrap(),
            state: State::Failed,
            description: description.to_owned(),
            needs: Vec::new(),
            landed: 0,
            others: Vec::new(),
            lost: Vec::new(),
            lines: Vec::new(),
        }
    }

    fn part(goals: Vec<Shown>) -> Part {
        Part {
            goals,
            ..Part::default()
        }
    }

    #[test]
    fn words_break_between_words_and_are_cut_to_their_box() {
        assert_eq!(two_lines("Parse TOML dates"), ["Parse TOML dates"]);
        assert_eq!(two_lines(" \n"), Vec::<String>::new());
        let text = "Retry on 429 with the time that the server says, and no sooner than that";
        assert_eq!(
            two_lines(text),
            ["Retry on 429 with the time", "that the server says, and no…"]
        );
        let long = "x".repeat(10_000);
        assert_eq!(two_lines(&long), ["x".repeat(30), format!("{}…", "x".repeat(29))]);
        for text in [
            "目標".repeat(5_000),
            format!("</svg>\u{202e}\u{7}{}", "\u{301}".repeat(10_000)),
        ] {
            let drawn = picture(&part(vec![shown(&text)]));
            assert!(
                drawn.boxes[0].about.iter().all(|line| columns(line) <= COLUMNS),
                "{text:.20}"
            );
            assert!(!drawn.boxes[0].tip.contains(['\u{202e}', '\u{7}']));
            assert!(columns(&drawn.boxes[0].tip) <= TIP + 40);
        }
    }

    #[test]
    fn a_line_goes_from_side_to_side_and_its_head_stands_at_the_end() {
        let second = Shown {
            lines: vec![0],
            landed: 2,
            lost: vec!["no".parse().unwrap()],
            ..shown("b")
        };
        let drawn = picture(&part(vec![shown("a"), second]));
        let middle = MARGIN + HEIGHT / 2;
        let (from, to) = (MARGIN + WIDTH, MARGIN + WIDTH + 56);
        assert_eq!(drawn.paths[0].d, format!("M{from} {middle}H{to}"));
        assert_eq!(drawn.paths[0].heads, format!("M{to} {middle}l-6-4v8z"));
        assert_eq!(
            drawn.boxes[1].tip,
            "goal-7e90, failed: b; 2 goals that it needs landed; it needs what is no open goal: no"
        );
        assert_eq!((drawn.boxes[1].landed, drawn.boxes[1].is_lost), (2, true));
    }
}
