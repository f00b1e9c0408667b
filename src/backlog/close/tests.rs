use std::collections::BTreeMap;

use crate::{
    backlog::{
        close::{COMPLETED, HISTORY, Landing, MemoryFiles, PENDING, Reopened, close, mirror},
        history::{append, rows},
    },
    id::GoalId,
};

const OPEN: &str = "[\n{\"id\":\"a\",\"own\":{ }},\n{\"id\":\"b\"}\n]\n";

fn record(nth: usize) -> String {
    format!("{{\"goal\":\"g{nth}\",\"commit\":\"{nth:040x}\"}}")
}

fn landing(goal: &GoalId, nth: usize) -> Landing<'_> {
    Landing {
        goal,
        record_line: format!("{{\"goal\":\"{goal}\",\"commit\":\"{nth:040x}\"}}"),
        commit: Some(format!("{nth:040x}").parse().unwrap()),
        row: None,
        landed_at: "2026-01-02T03:04:05Z".to_owned(),
    }
}

fn with(mut files: MemoryFiles, patch: Vec<(String, Vec<u8>)>) -> MemoryFiles {
    for (path, bytes) in patch {
        match path.as_str() {
            PENDING => files.pending = bytes,
            COMPLETED => files.completed = bytes,
            HISTORY => files.history = bytes,
            _ => assert_eq!(files.segments.insert(path, bytes), None, "a segment was rewritten"),
        }
    }
    files
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn closing_moves_the_goal_appends_its_record_and_closing_again_changes_nothing() {
    let (a, files) = (
        "a".parse().unwrap(),
        MemoryFiles {
            pending: OPEN.into(),
            ..MemoryFiles::default()
        },
    );
    let landings = [landing(&a, 1)];
    let patch = close(&files, &landings, &[], &[], &[]).unwrap();
    let after = with(files, patch);
    assert_eq!(text(&after.pending), "[\n{\"id\":\"b\"}\n]\n");
    let commit = landings[0].commit.unwrap();
    assert_eq!(
        text(&after.completed),
        format!(
            "[\n{{\"id\":\"a\",\"own\":{{ }},\"status\":\"completed\",\"commit\":\"{commit}\",\"landed_at\":\"2026-01-02T03:04:05Z\"}}\n]\n"
        )
    );
    assert_eq!(text(&after.history), format!("[\n{}\n]\n", landings[0].record_line));
    assert_eq!(close(&after, &landings, &[], &[], &[]).unwrap(), []);
}

#[test]
fn a_goal_in_both_files_is_only_taken_out_of_the_backlog() {
    let (a, files) = (
        "a".parse().unwrap(),
        MemoryFiles {
            pending: OPEN.into(),
            ..MemoryFiles::default()
        },
    );
    let landings = [landing(&a, 1)];
    let mut both = with(files.clone(), close(&files, &landings, &[], &[], &[]).unwrap());
    both.pending = OPEN.into();
    let paths: Vec<String> = close(&both, &landings, &[], &[], &[])
        .unwrap()
        .into_iter()
        .map(|(path, _)| path)
        .collect();
    assert_eq!(paths, [PENDING]);
    // Landed anew after an undo: another commit, so another row.
    let after = with(both.clone(), close(&both, &[landing(&a, 2)], &[], &[], &[]).unwrap());
    assert_eq!(rows(text(&after.completed)).unwrap().len(), 2);
}

#[test]
fn full_segments_are_sealed_under_the_next_number_and_still_known() {
    let a: GoalId = "a".parse().unwrap();
    let old: Vec<String> = (10..266).map(record).collect();
    let files = MemoryFiles {
        pending: OPEN.into(),
        history: append("", &old).unwrap().into(),
        segments: BTreeMap::from([("memory/history/0007.json".to_owned(), Vec::new())]),
        ..MemoryFiles::default()
    };
    let after = with(files.clone(), close(&files, &[landing(&a, 1)], &[], &[], &[]).unwrap());
    assert_eq!(after.segments["memory/history/0008.json"], files.history);
    assert_eq!(rows(text(&after.history)).unwrap(), [landing(&a, 1).record_line]);
    assert_eq!(mirror(&after, &[&record(10), &record(1)]).unwrap().len(), 1);
    assert_eq!(mirror(&after, &[&record(10)]).unwrap(), []);
}

#[test]
fn a_goal_that_nobody_worded_is_completed_with_what_is_known() {
    let gone = "gone".parse().unwrap();
    let files = MemoryFiles::default();
    let mut landing = landing(&gone, 1);
    landing.record_line.clear();
    let after = with(files.clone(), close(&files, &[landing.clone()], &[], &[], &[]).unwrap());
    assert!(text(&after.completed).contains("{\"id\":\"gone\",\"status\":\"completed\",\"commit\":"));
    assert!(after.history.is_empty() && after.pending.is_empty());
    assert_eq!(close(&after, &[landing], &[], &[], &[]).unwrap(), []);
}

#[test]
fn a_broken_file_is_named() {
    let files = MemoryFiles {
        history: b"[\n<<<<<<< a\n]".to_vec(),
        ..MemoryFiles::default()
    };
    let error = close(&files, &[], &[], &[], &[]).unwrap_err().to_string();
    assert_eq!(
        error,
        "memory/history.json: line 2: a conflict marker; the file is not merged yet"
    );
}

#[test]
fn a_goal_that_people_took_back_is_open_again_and_held() {
    let a = "a".parse().unwrap();
    let files = MemoryFiles {
        pending: OPEN.into(),
        ..MemoryFiles::default()
    };
    let after = with(files.clone(), close(&files, &[landing(&a, 1)], &[], &[], &[]).unwrap());
    let back = Reopened {
        goal: &a,
        reason: "reverted".into(),
        row: None,
    };
    let again = with(
        after.clone(),
        close(&after, &[], std::slice::from_ref(&back), &[], &[]).unwrap(),
    );
    let row = "{\"id\":\"a\",\"own\":{ },\"status\":\"held\",\"reason\":\"reverted\"}";
    assert_eq!(text(&again.pending), format!("[\n{row},\n{{\"id\":\"b\"}}\n]\n"));
    assert_eq!(again.completed, after.completed);
    assert_eq!(close(&again, &[], &[back], &[], &[]).unwrap(), []);
}
