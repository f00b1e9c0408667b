use serde_json::json;

use super::*;
use crate::{id::GoalId, secret::Secret};

struct Still;

impl Clock for Still {
    fn now(&self) -> Moment {
        Moment(1_764_000_000_000)
    }
}

fn journal(folder: &Path, wanted: &str) -> (Journal, Arc<Mutex<Vec<String>>>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&told);
    let redactor = Redactor::new([&Secret::new("q8Zr-41xK-9999")]);
    let journal = Journal::new(
        folder.to_owned(),
        wanted.parse().unwrap(),
        (redactor, Arc::new(Still)),
        Map::from_iter([("version".to_owned(), json!("1"))]),
        Box::new(move |line| kept.lock().unwrap().push(line.to_owned())),
    );
    (journal, told)
}

fn failed(why: &str) -> Event {
    let goal: GoalId = "g".parse().unwrap();
    Event::Failed {
        goal,
        description: "d".into(),
        why: why.into(),
    }
}

fn kept(folder: &Path) -> Vec<String> {
    let read = reading::read(&place::parts(folder).unwrap()).unwrap();
    assert_eq!(read.damaged, 0);
    read.lines.into_iter().map(|line| line.event).collect()
}

#[test]
fn the_first_event_makes_the_file_and_no_secret_gets_into_it() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = journal(&folder.path().join("a/b"), "info");
    journal.ended(Level::Info, Map::new());
    assert_eq!(journal.path(), None);
    journal.event(&failed("the key is q8Zr-41xK-9999"));
    journal.ended(Level::Error, Map::new());
    let path = journal.path().unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(
        text.contains("the key is [redacted]") && !text.contains("41xK"),
        "{text}"
    );
    assert_eq!(kept(path.parent().unwrap()), ["began", "failed", "ended"]);
}

#[test]
fn two_of_one_process_do_not_write_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let (one, _) = journal(folder.path(), "info");
    let (other, _) = journal(folder.path(), "info");
    one.event(&failed("x"));
    other.event(&failed("y"));
    assert_ne!(one.path(), other.path());
}

#[test]
fn a_full_file_is_followed_by_another_one() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = journal(folder.path(), "info");
    let long = "x".repeat(4000);
    for _ in 0..1100 {
        journal.event(&failed(&long));
    }
    let parts = place::parts(folder.path()).unwrap();
    let numbers: Vec<u32> = parts.iter().map(|part| part.number).collect();
    assert_eq!(numbers, [1, 2]);
    assert_eq!(journal.path(), Some(parts[1].path.clone()));
    assert_eq!(kept(folder.path()).len(), 1101);
}

#[test]
fn what_is_not_wanted_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = journal(folder.path(), "error");
    journal.event(&Event::Planned {
        goals: 1,
        refused: 0,
        proposed: false,
    });
    assert_eq!(journal.path(), None);
    journal.event(&failed("x"));
    assert!(journal.path().is_some());
}

#[test]
fn a_folder_that_cannot_be_made_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let (journal, told) = journal(&file.join("log"), "info");
    journal.event(&failed("x"));
    journal.event(&failed("y"));
    let told = told.lock().unwrap();
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("nothing is logged in "), "{told:?}");
}
