//! Live lines: what goes on now, redrawn in place below all that was printed. Only on a terminal; decides nothing about when.
//!
//! The cursor always rests at the start of the line below them, so that a `^C` which the terminal echoes, or an end on the
//! spot, leaves nothing torn.

use std::{
    collections::BTreeMap,
    fmt,
    io::{self, Write},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle, TermLike};

use crate::{
    event::UnderWay,
    id::GoalId,
    letters::columns,
    time::Clock,
    ui::{
        colour::{Paint, Style},
        look::{ID, Look, age, pad},
    },
};

/// Width of the first word, its gap included, as in the lines of goals that ended.
const WORD: usize = 9;
/// Least width of an id's column, as there.
const LEAST: usize = 9;
/// Less of a description says nothing.
const DESCRIPTION: usize = 8;
/// How often ages are told anew.
const EVERY: Duration = Duration::from_secs(1);

/// Tells the columns and lines of the terminal as they are now.
pub type Size = fn() -> Option<(usize, usize)>;

/// Lines that are redrawn in place.
pub struct Lines {
    bar: ProgressBar,
    every: Option<Duration>,
    ticks: AtomicBool,
    shown: Arc<Mutex<Shown>>,
}

/// What goes on, and how to word it.
struct Shown {
    under_way: Vec<UnderWay>,
    descriptions: BTreeMap<GoalId, String>,
    look: Look,
    paint: Paint,
    clock: Arc<dyn Clock>,
}

impl Lines {
    /// Draws on `out`, a terminal of `size`; words lines for `look`, painted by `paint`, with ages by `clock`.
    pub fn new(out: Box<dyn Write + Send>, size: Size, (look, paint): (Look, Paint), clock: Arc<dyn Clock>) -> Self {
        let shown = Arc::new(Mutex::new(Shown {
            under_way: Vec::new(),
            descriptions: BTreeMap::new(),
            look,
            paint,
            clock,
        }));
        let frame = Frame {
            out: Mutex::new(out),
            state: Mutex::default(),
            size,
        };
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::term_like(Box::new(frame)));
        let text = Arc::clone(&shown);
        let write = move |_: &ProgressState, to: &mut dyn fmt::Write| {
            let (columns, lines) = size().unwrap_or((80, 24));
            let text = locked(&text).text(columns, lines);
            // Into a buffer, which takes everything.
            let _ = to.write_str(&text);
        };
        // A template of one name is right.
        if let Ok(style) = ProgressStyle::with_template("{lines}") {
            bar.set_style(style.with_key("lines", write));
        }
        Self {
            bar,
            every: None,
            ticks: AtomicBool::new(false),
            shown,
        }
    }

    /// Tells ages anew every second, from the first time that something is shown.
    #[must_use]
    pub fn ticking(mut self) -> Self {
        self.every = Some(EVERY);
        self
    }

    /// Remembers what a goal is about.
    pub fn describe(&self, goal: &GoalId, description: String) {
        locked(&self.shown).descriptions.insert(goal.clone(), description);
    }

    /// Shows `under_way`, and nothing else from now on.
    pub fn show(&self, under_way: &[UnderWay]) {
        let mut shown = locked(&self.shown);
        if shown.under_way == under_way {
            return;
        }
        shown.under_way = under_way.to_vec();
        drop(shown);
        self.bar.force_draw();
        if let Some(every) = self.every.filter(|_| !self.ticks.swap(true, Ordering::SeqCst)) {
            self.bar.enable_steady_tick(every);
        }
    }

    /// Takes the lines away, lets `print` have the terminal, and draws them again below.
    pub fn beside<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }
}

impl Shown {
    fn text(&self, width: usize, height: usize) -> String {
        // Half a screen stays for what was printed.
        let most = (height / 2).max(1);
        let now = self.clock.now();
        let is_told =
            |one: &&UnderWay| one.step != UnderWay::LEFT || one.ends.and_then(|ends| ends.left(now)).is_some();
        let under_way: Vec<&UnderWay> = self.under_way.iter().filter(is_told).collect();
        let fits = if under_way.len() > most { most - 1 } else { most };
        let ids = under_way.iter().flat_map(|one| &one.goals);
        let id = ids.map(|id| columns(id.as_str())).max().unwrap_or(0);
        let id = id.clamp(LEAST, ID);
        let mut lines: Vec<String> = under_way
            .iter()
            .take(fits)
            .map(|one| self.line(one, id, width))
            .collect();
        if let Some(more) = under_way.len().checked_sub(fits).filter(|more| *more > 0) {
            lines.push(format!("{}{} more go on", pad(self.look.ellipsis(), WORD), more));
        }
        lines.join("\n")
    }

    fn line(&self, one: &UnderWay, id: usize, width: usize) -> String {
        let (word, what, description) = self.parts(one);
        let since = one.since.map(|since| age(self.clock.now().since(since)));
        let round = one.round.map(|round| format!("round {round}"));
        let left = one.ends.and_then(|ends| ends.left(self.clock.now()));
        let left = left.map(|eta| match one.step {
            UnderWay::LEFT => self.look.about(eta),
            _ => self.look.left(eta),
        });
        let merged = (one.goals.len() > 1).then(|| "checking them merged".to_owned());
        let about = [merged, round, since, left]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(", ");
        // The last column stays free: some terminals go on in the next line as soon as it is written to.
        let room = width.saturating_sub(WORD + 1);
        // How many they are is never cut.
        let what = if one.goals.len() > 1 {
            pad(&what, id)
        } else {
            self.look.cell(&what, id)
        };
        let left = room.saturating_sub(columns(&what) + columns(&about) + 4);
        let rest = if left < DESCRIPTION || description.is_empty() {
            format!("{what}  {about}")
        } else {
            format!("{what}  {}  {about}", self.look.cell(&description, left.min(40)))
        };
        let word = self.paint.paint(Style::Live, &pad(word, WORD));
        format!("{word}{}", self.look.cut(&rest, room))
    }

    /// Returns the word, what it is about, and a description.
    fn parts(&self, one: &UnderWay) -> (&'static str, String, String) {
        let word = if one.step.is_empty() { "working" } else { one.step };
        match one.goals.as_slice() {
            [] if word == "checking" => (word, "the base".to_owned(), String::new()),
            [] if word == UnderWay::LEFT => (word, "all goals".to_owned(), String::new()),
            [] => (word, String::new(), String::new()),
            [goal] => {
                let description = self.descriptions.get(goal).cloned().unwrap_or_default();
                (word, goal.to_string(), description)
            }
            several => {
                let names: Vec<&str> = several.iter().map(GoalId::as_str).collect();
                (word, format!("{} together", several.len()), names.join(", "))
            }
        }
    }
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A terminal as indicatif sees it. What it draws is put together to a frame and written at once; where the cursor goes is
/// decided here, as indicatif leaves it at the right edge, where an echoed `^C` would tear the lines.
struct Frame {
    out: Mutex<Box<dyn Write + Send>>,
    state: Mutex<Drawn>,
    size: Size,
}

#[derive(Default)]
struct Drawn {
    /// What came since the last frame: each line, then what fills it up to the edge.
    next: Vec<String>,
    /// Widths of the lines that stand there.
    widths: Vec<usize>,
}

impl Frame {
    fn columns(&self) -> usize {
        (self.size)().map_or(80, |(columns, _)| columns).max(1)
    }

    fn bytes(&self) -> String {
        let mut drawn = locked(&self.state);
        let next = std::mem::take(&mut drawn.next);
        let lines: Vec<&String> = next.iter().step_by(2).filter(|line| !line.is_empty()).collect();
        if lines.is_empty() && drawn.widths.is_empty() {
            return String::new();
        }
        // A terminal that became narrower broke what stood there into more lines.
        let edge = self.columns();
        let rows: usize = drawn.widths.iter().map(|width| width.div_ceil(edge).max(1)).sum();
        let mut bytes = "\r".to_owned();
        if rows > 0 {
            bytes.push_str("\u{1b}[");
            bytes.push_str(&rows.to_string());
            bytes.push('A');
        }
        for line in &lines {
            bytes.push_str(line);
            bytes.push_str("\u{1b}[K\n");
        }
        bytes += "\u{1b}[J";
        drawn.widths = lines.iter().map(|line| width_of(line)).collect();
        bytes
    }
}

/// Returns the columns of a painted line.
fn width_of(line: &str) -> usize {
    let mut plain = String::new();
    let mut escaped = false;
    for c in line.chars() {
        match (escaped, c) {
            (false, '\u{1b}') => escaped = true,
            (true, 'm') => escaped = false,
            (false, c) => plain.push(c),
            (true, _) => {}
        }
    }
    columns(&plain)
}

impl fmt::Debug for Frame {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("Frame")
    }
}

impl TermLike for Frame {
    fn width(&self) -> u16 {
        u16::try_from(self.columns()).unwrap_or(u16::MAX)
    }

    fn height(&self) -> u16 {
        u16::MAX
    }

    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn write_line(&self, line: &str) -> io::Result<()> {
        self.write_str(line)
    }

    fn write_str(&self, part: &str) -> io::Result<()> {
        locked(&self.state).next.push(part.to_owned());
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        let bytes = self.bytes();
        if bytes.is_empty() {
            return Ok(());
        }
        let mut out = locked(&self.out);
        out.write_all(bytes.as_bytes()).and_then(|()| out.flush())
    }
}

#[cfg(test)]
mod tests;
