//! Spec Kit: `specs/NNN-feature/tasks.md`. Phases are in order, tasks within one too unless they bear `[P]`; user stories
//! wait for what is before the first of them and not for each other.

use crate::{
    foreign::{
        ForeignError, Item, Read, Standing,
        markdown::{self, Tick},
        text, tree,
    },
    goal::Goal,
};

/// One line `- [ ] T012 [P] [US1] text (depends on T010)`.
struct Task<'a> {
    id: &'a str,
    parallel: bool,
    story: Option<&'a str>,
    text: &'a str,
    needs: Vec<String>,
}

/// One phase: the first task of what can go at once, its last ones, and what it waits for.
#[derive(Default)]
struct Phase {
    heading: String,
    is_story: bool,
    /// What its first tasks wait for.
    start: Vec<String>,
    /// The newest task that others of the phase wait for.
    barrier: Option<String>,
    /// Those behind it that need not wait for each other.
    side: Vec<String>,
}

impl Phase {
    /// Tasks that nothing in the phase waits for.
    fn ends(&self) -> Vec<String> {
        if self.side.is_empty() {
            self.barrier.iter().cloned().collect()
        } else {
            self.side.clone()
        }
    }
}

/// Reads the tasks of one feature, named as its folder.
///
/// # Errors
/// Where there is no task, or more order than a backlog can carry.
pub fn read(feature: &str, document: &str) -> Result<Read, ForeignError> {
    let mut read = Read::default();
    let mut done: Vec<Phase> = Vec::new();
    let mut phase = Phase::default();
    let mut count = 0_usize;
    for found in markdown::boxes(document) {
        let heading = phase_of(&found.headings);
        let Some(task) = task(found.text) else {
            read.leave_out("boxes without a task id");
            continue;
        };
        if heading != phase.heading {
            done.push(std::mem::take(&mut phase));
            phase.is_story = task.story.is_some() || heading.to_ascii_lowercase().contains("user story");
            phase.start = before(&done, phase.is_story);
            heading.clone_into(&mut phase.heading);
        }
        let mut item = item(feature, &task, &found);
        // What is done keeps nobody waiting, also where something before it is not.
        if item.is_open() {
            let order = ordered(&mut phase, &task, &item.origin);
            item.needs.extend(order);
        }
        count += item.needs.len();
        if count > tree::MAX_NEEDS {
            return Err(ForeignError::TooManyNeeds);
        }
        read.items.push(item);
    }
    if read.items.is_empty() {
        let why = format!("{feature}: no tasks of Spec Kit in it; they look like `- [ ] T001 text`");
        return Err(ForeignError::Unfit(why));
    }
    Ok(read)
}

/// Returns the heading of the phase: that of level 2.
fn phase_of(headings: &[(usize, &str)]) -> String {
    let phase = headings.iter().find(|(level, _)| *level == 2);
    phase.map_or_else(String::new, |(_, title)| (*title).to_owned())
}

/// Returns what a phase waits for: a story for the last phase that is none, another one for all since that.
fn before(done: &[Phase], is_story: bool) -> Vec<String> {
    let mut ends = Vec::new();
    for phase in done.iter().rev() {
        if phase.is_story && is_story {
            continue;
        }
        if !phase.is_story && !ends.is_empty() {
            break;
        }
        ends.extend(phase.ends());
    }
    ends
}

/// Returns what `task` waits for within its phase, and takes it in.
fn ordered(phase: &mut Phase, task: &Task<'_>, origin: &str) -> Vec<String> {
    let before = match &phase.barrier {
        Some(barrier) => vec![barrier.clone()],
        None => phase.start.clone(),
    };
    if task.parallel {
        phase.side.push(origin.to_owned());
        return before;
    }
    let side = std::mem::take(&mut phase.side);
    phase.barrier = Some(origin.to_owned());
    if side.is_empty() { before } else { side }
}

fn task(text: &str) -> Option<Task<'_>> {
    let (id, mut rest) = text.split_once(char::is_whitespace)?;
    let id = id.trim_matches(['*', ':', '`', '~']);
    let digits = id.trim_start_matches(|c: char| c.is_ascii_uppercase());
    let letters = id.len() - digits.len();
    if !(1..=4).contains(&letters) || !digits.starts_with(|c: char| c.is_ascii_digit()) || id.len() > 16 {
        return None;
    }
    let (mut parallel, mut story) = (false, None);
    while let Some((mark, behind)) = rest
        .trim_start()
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
    {
        match mark.trim() {
            "P" | "p" => parallel = true,
            us if us.to_ascii_uppercase().starts_with("US") => story = Some(us),
            _ => {}
        }
        rest = behind;
    }
    let text = rest.trim();
    Some(Task {
        id,
        parallel,
        story,
        text,
        needs: named(text),
    })
}

/// Returns the task ids in `(depends on T010, T011)`.
fn named(text: &str) -> Vec<String> {
    let lower = text.to_ascii_lowercase();
    let marks = ["depends on ", "depends: ", "requires t", "after t", "blocked by "];
    let Some(at) = marks.iter().find_map(|mark| lower.find(&format!("({mark}"))) else {
        return Vec::new();
    };
    let inside = text
        .get(at + 1..)
        .unwrap_or_default()
        .split(')')
        .next()
        .unwrap_or_default();
    let words = inside.split(|c: char| !c.is_ascii_alphanumeric());
    let is_id =
        |word: &&str| word.starts_with('T') && word.len() > 1 && word.chars().skip(1).all(|c| c.is_ascii_digit());
    words.filter(is_id).map(str::to_owned).collect()
}

fn item(feature: &str, task: &Task<'_>, found: &markdown::Box<'_>) -> Item {
    let number = feature.split('-').next().unwrap_or(feature);
    let prefix = if !number.is_empty() && number.chars().all(|c| c.is_ascii_digit()) {
        number
    } else {
        feature
    };
    let (description, whole) = text::one_line(task.text);
    let long = if whole { String::new() } else { text::clean(task.text) };
    let place = phase_of(&found.headings);
    let place = format!(
        "Feature {feature}{}{place}; its specs are in specs/{feature}/.",
        if place.is_empty() { "" } else { ", " }
    );
    let mut paths = text::paths(task.text).into_iter();
    let mut labels = vec![text::clean(feature)];
    labels.extend(task.story.map(text::clean));
    Item {
        origin: format!("{feature}/{}", task.id),
        id: format!("{}-{}", text::slug(prefix), text::slug(task.id))
            .trim_start_matches('-')
            .to_owned(),
        standing: match found.tick {
            Tick::Open => Standing::Open,
            Tick::Done => Standing::Closed,
            Tick::Dropped => Standing::Rejected,
        },
        goal: Goal {
            description,
            filename: paths.next(),
            files: paths.collect(),
            prompt: text::joined(&[
                if long.is_empty() { text::clean(task.text) } else { long },
                text::clean(&found.more.join("\n")),
                text::clean(&place),
            ]),
            labels,
            ..Goal::default()
        },
        needs: task.needs.iter().map(|need| format!("{feature}/{need}")).collect(),
        ..Item::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_are_in_order_and_stories_beside_each_other() {
        let text = "# Tasks\n## Format: `[ID]`\n- [ ] no task\n## Phase 1: Setup\n- [x] T001 Start\n- [ ] T002 [P] A in src/a.rs\n\
                    - [ ] T003 [P] B\n## Phase 2: Foundational\n- [ ] T004 C\n- [ ] T005 [P] D\n- [ ] T006 E\n\
                    ## Phase 3: User Story 1 - X\n- [ ] T007 [P] [US1] F\n- [ ] T008 [US1] G (depends on T002, T007)\n\
                    ## Phase 4: User Story 2 - Y\n- [ ] T009 [US2] H\n## Phase 5: Polish\n- [ ] T010 I\n";
        let read = read("001-demo", text).unwrap();
        let needs = |id: &str| -> String {
            let item = read.items.iter().find(|item| item.origin.ends_with(id)).unwrap();
            let needs = item.needs.iter().map(|need| need.trim_start_matches("001-demo/"));
            needs.collect::<Vec<_>>().join(" ")
        };
        let all: Vec<String> = (1..=10).map(|n| needs(&format!("T{n:03}"))).collect();
        assert_eq!(
            all,
            [
                "",
                "",
                "",
                "T002 T003",
                "T004",
                "T005",
                "T006",
                "T002 T007 T007",
                "T006",
                "T009 T008"
            ]
        );
        let a = read.items.iter().find(|item| item.id == "001-t002").unwrap();
        assert_eq!(a.goal.filename.as_deref(), Some("src/a.rs"));
        assert_eq!(read.left_out["boxes without a task id"], 1);
        assert!(super::read("x", "# nothing\n- [ ] a\n").is_err());
    }
}
