//! The log of a goal: what runs said of it and what its checks printed, in the order of time, numbered from 1.
//!
//! Lines are only ever added, so a stream sends those that came. A page shows a thousand; earlier ones are asked for.

use std::fmt::Write as _;

use eyre::Result;
use serde::Serialize;
use serde_json::Value;

use crate::{
    commands::{logs, show},
    engine::{output::Part, session::Session},
    id::GoalId,
    journal::{level::Level, reading::Kept},
    time::Moment,
    verdict::ansi::{self, Reader, Span},
    web::pages::{
        Asked, Page,
        goal::{self, Head},
        lines::Tail,
    },
};

/// Lines of a page, at least, where there are so many.
const MOST: usize = 1000;
/// A page that grows begins at a multiple of this, so that it stays the same for some time but for its lines.
const STEP: usize = 250;
/// Most lines of a failing check above the log, and how many of them before the one that tells of it.
const FAILING: usize = 40;
const AROUND: usize = 3;

/// A line.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// Its number, from 1.
    pub n: usize,
    /// Where it comes from: `run` said it, a check `begin`s or `end`s, or printed it: `out`.
    pub kind: &'static str,
    /// How much it matters.
    pub level: Level,
    /// When; absent of what checks print.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Its text.
    pub spans: Vec<Span>,
}

#[derive(Serialize)]
struct Log {
    head: Head,
    is_empty: bool,
    /// True where lines are added while somebody looks on.
    grows: bool,
    /// How many lines are shown of those that were found.
    shown: usize,
    /// How many lines hold what is searched.
    found: Option<usize>,
    q: String,
    /// The number of the first line that is shown.
    first: usize,
    /// Where earlier lines are; absent where there are none.
    earlier: Option<String>,
    /// Where the end is; absent where it is shown.
    newest: Option<String>,
    /// The check that failed last, where nothing passed since.
    failing: Option<Failing>,
    /// The file with all of it.
    raw: String,
}

#[derive(Serialize)]
struct Failing {
    stage: &'static str,
    cmd: String,
    exit: i32,
    attempt: u32,
    round: u32,
    lines: Vec<Vec<Span>>,
    /// The first line that tells of it, and where it is shown.
    n: usize,
    to: String,
}

/// Makes the page.
///
/// # Errors
/// As `show`, and when journals cannot be read.
pub fn page(session: &Session, id: &GoalId, asked: &Asked) -> Result<Page> {
    let outcome = goal::found(show::run(session, id))?;
    let read = logs::about(session, id)?;
    let (lines, starts) = lines(&read);
    let total = lines.len();
    let q = asked.get("q").unwrap_or_default().to_owned();
    let before = asked.get("before").and_then(|n| n.parse::<usize>().ok());
    let found: Option<Vec<&Line>> = (!q.is_empty()).then(|| search(&lines, &q));
    let end = before.map_or(total, |before| before.saturating_sub(1).min(total));
    let shown: Vec<&Line> = match &found {
        Some(found) => found.iter().rev().take(MOST).rev().copied().collect(),
        None => lines
            .iter()
            .take(end)
            .skip(end.saturating_sub(MOST) / STEP * STEP)
            .collect(),
    };
    let first = shown.first().map_or(0, |line| line.n);
    let is_tail = found.is_none() && end == total;
    let here = Asked {
        query: Default::default(),
        ..asked.clone()
    };
    let data = Log {
        head: goal::head(&outcome, "log"),
        is_empty: shown.is_empty(),
        grows: is_tail,
        shown: if found.is_some() { shown.len() } else { 0 },
        found: found.as_ref().map(Vec::len),
        first,
        earlier: (found.is_none() && first > 1).then(|| here.with("before", &first.to_string()).address()),
        newest: (!is_tail).then(|| here.address()),
        failing: failing(&read.output, &lines, &starts, &here),
        raw: here.below("raw").address(),
        q,
    };
    let items: Vec<Value> = shown.iter().map(serde_json::to_value).collect::<Result<_, _>>()?;
    Ok(Page {
        tail: Some(Tail {
            template: "log_line",
            first,
            items,
            grows: is_tail,
        }),
        ..goal::of(id, "log", data)?
    })
}

/// Returns all of it as plain text.
///
/// # Errors
/// As `page`.
pub fn raw(session: &Session, id: &GoalId) -> Result<Vec<u8>> {
    goal::found(show::run(session, id))?;
    let (lines, _) = lines(&logs::about(session, id)?);
    let mut text = String::new();
    for line in lines {
        if let Some(at) = &line.at {
            text.push_str(at);
            text.push_str("  ");
        }
        text.push_str(&ansi::plain(&line.spans));
        text.push('\n');
    }
    Ok(text.into_bytes())
}

/// Returns what changes whenever a line may have come: how large the files are.
pub fn mark(session: &Session, id: &GoalId) -> String {
    let grown = logs::grown(session, id);
    format!("{grown:?}")
}

/// Puts both sources together, and says at which line each part of the output begins.
fn lines(read: &logs::Outcome) -> (Vec<Line>, Vec<usize>) {
    let mut lines: Vec<Line> = Vec::new();
    let mut starts = Vec::with_capacity(read.output.len());
    let mut said = read.lines.iter().peekable();
    let put = |lines: &mut Vec<Line>, (kind, level): (&'static str, Level), at, spans| {
        let n = lines.len() + 1;
        lines.push(Line {
            n,
            kind,
            level,
            at,
            spans,
        });
        n
    };
    for part in &read.output {
        let at = Moment::from_rfc3339(&part.at);
        while let Some(line) = said.next_if(|line| at.is_none_or(|at| line.at <= at)) {
            put(
                &mut lines,
                ("run", line.level),
                Some(line.at.rfc3339_millis()),
                words(line),
            );
        }
        let begins = format!(
            "$ {}  ({}, attempt {}, round {})",
            part.cmd,
            part.stage.word(),
            part.attempt,
            part.round
        );
        starts.push(put(
            &mut lines,
            ("begin", Level::Info),
            Some(part.at.clone()),
            plain(&begins),
        ));
        let mut reader = Reader::default();
        for line in &part.lines {
            put(&mut lines, ("out", Level::Info), None, reader.line(line));
        }
        if let (Some(exit), Some(seconds)) = (part.exit, part.seconds) {
            let level = if exit == 0 { Level::Info } else { Level::Error };
            let ends = match exit {
                0 => format!("passed in {seconds:.1} s"),
                124 => format!("ran over its limit after {seconds:.1} s"),
                code => format!("failed with exit code {code} after {seconds:.1} s"),
            };
            put(&mut lines, ("end", level), None, plain(&ends));
        }
    }
    for line in said {
        put(
            &mut lines,
            ("run", line.level),
            Some(line.at.rfc3339_millis()),
            words(line),
        );
    }
    (lines, starts)
}

fn plain(text: &str) -> Vec<Span> {
    Reader::default().line(&text.replace('\n', " "))
}

/// Words a line of the journal: what happened, and its fields.
fn words(line: &Kept) -> Vec<Span> {
    let mut words = line.event.clone();
    for (key, value) in &line.fields {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Array(rows) if key == "checks" => rows.iter().filter_map(check).collect::<Vec<_>>().join(", "),
            other => other.to_string(),
        };
        let _ = match key.as_str() {
            "why" | "description" | "line" => write!(words, ": {text}"),
            "checks" => write!(words, "  {text}"),
            _ => write!(words, "  {key} {text}"),
        };
    }
    plain(&words)
}

fn check(row: &Value) -> Option<String> {
    let (stage, exit) = (row.get("stage")?.as_str()?, row.get("exit")?.as_i64()?);
    Some(match exit {
        0 => format!("{stage} ok"),
        code => format!("{stage} exit {code}"),
    })
}

fn search<'l>(lines: &'l [Line], q: &str) -> Vec<&'l Line> {
    let needle = q.to_lowercase();
    let holds = |line: &&Line| ansi::plain(&line.spans).to_lowercase().contains(&needle);
    lines.iter().filter(holds).collect()
}

/// Says which check failed last, unless the same attempt passed since.
fn failing(parts: &[Part], lines: &[Line], starts: &[usize], here: &Asked) -> Option<Failing> {
    let (part, start) = parts.last().zip(starts.last())?;
    let exit = part.exit.filter(|exit| *exit != 0)?;
    let of_it: Vec<&Line> = lines.iter().skip(*start).take(part.lines.len()).collect();
    let told = of_it
        .iter()
        .position(|line| tells_of_failure(&ansi::plain(&line.spans)));
    // Where no line tells, the end does.
    let at = told.unwrap_or_else(|| of_it.len().saturating_sub(FAILING / 2));
    let n = of_it.get(at).map_or(*start, |line| line.n);
    let shown = of_it.iter().skip(at.saturating_sub(AROUND)).take(FAILING);
    // With what stands around it, where it is far from the end.
    let is_shown = lines.len() - n.min(lines.len()) < MOST;
    let to = match is_shown {
        true => here.address(),
        false => here.with("before", &(n + MOST / 2).to_string()).address(),
    };
    Some(Failing {
        stage: part.stage.word(),
        cmd: part.cmd.clone(),
        exit,
        attempt: part.attempt,
        round: part.round,
        lines: shown.map(|line| line.spans.clone()).collect(),
        n,
        to: format!("{to}#L{n}"),
    })
}

/// True for a line by which runners and compilers tell of a failure.
fn tells_of_failure(line: &str) -> bool {
    let line = line.trim_start();
    let starts = [
        "error",
        "Error",
        "ERROR",
        "FAIL",
        "fail",
        "not ok",
        "--- FAIL",
        "E   ",
        "panicked",
        "Traceback",
        "fatal",
        "✗",
        "✖",
        "●",
        "AssertionError",
    ];
    starts.iter().any(|start| line.starts_with(start)) || line.contains("FAILED") || line.contains(" panicked at ")
}
