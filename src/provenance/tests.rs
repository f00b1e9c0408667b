use serde_json::Value;

use super::{Lines, Work, agent_trace, git_ai};
use crate::{path::RepoPath, record::Record};

const RECORD: &str = r#"{"goal":"slug","commit":"1111111111111111111111111111111111111111","target":"main","base":"2222222222222222222222222222222222222222","started_at":"2026-01-02T03:04:05Z","landed_at":"2026-01-02T03:05:06Z","provider":"openrouter","model":"anthropic/claude","attempts":2,"tokens":1234,"cost_usd":0.5,"checks":[],"prompt_hash":"0123456789abcdef","sandbox":"bwrap","version":"0.1.0"}"#;

/// A path, and ranges of lines.
type File<'a> = (&'a [u8], &'a [(u32, u32)]);

fn work(files: &[File<'_>]) -> Work {
    let record: Record = serde_json::from_str(RECORD).unwrap();
    let lines = |(path, ranges): &File<'_>| Lines {
        path: RepoPath::from_git(*path),
        ranges: ranges.to_vec(),
    };
    Work {
        commit: record.commit,
        attempt: 1,
        human: "A U Thor <author@example.com>".into(),
        model: Some(record.model.clone()),
        record,
        files: files.iter().map(lines).collect(),
    }
}

fn attested(note: &str) -> Vec<&str> {
    note.lines().take_while(|line| *line != "---").collect()
}

#[test]
fn a_note_is_as_the_standard_words_it() {
    let work = work(&[(b"src/a.rs", &[(1, 4), (9, 9)]), (b"gone.rs", &[])]);
    let note = git_ai::note(&work);
    let (session, trace) = (work.session(), work.trace());
    // `printf 'git-invisigoth:%s' CONVERSATION | sha256sum | cut -c 1-14`
    assert_eq!(work.conversation(), "slug@1:222222222222");
    assert_eq!(session, "s_19ee395b496a20");
    assert_eq!((session.len(), trace.len()), (16, 16));
    let expected = format!(
        r#"src/a.rs
  {session}::{trace} 1-4,9
---
{{
  "schema_version": "authorship/3.0.0",
  "base_commit_sha": "1111111111111111111111111111111111111111",
  "prompts": {{}},
  "sessions": {{
    "{session}": {{
      "agent_id": {{
        "tool": "git-invisigoth",
        "id": "{}",
        "model": "anthropic/claude"
      }},
      "human_author": "A U Thor <author@example.com>",
      "custom_attributes": {{
        "goal": "slug",
        "attempt": "1",
        "provider": "openrouter"
      }}
    }}
  }}
}}
"#,
        work.conversation()
    );
    assert_eq!(note, expected);
}

#[test]
fn names_are_quoted_where_they_would_be_misread_and_left_out_where_that_does_not_help() {
    for (name, line) in [
        ("src/main.rs", Some("src/main.rs")),
        ("src/my file.rs", Some("\"src/my file.rs\"")),
        ("tab\tname", Some("\"tab\tname\"")),
        ("grün/日本.rs", Some("grün/日本.rs")),
        ("wide\u{3000}space", Some("\"wide\u{3000}space\"")),
        ("say\"so\".rs", Some("say\"so\".rs")),
        ("\"quoted\"", Some("\"\"quoted\"\"")),
        ("\"", Some("\"\"\"")),
        ("---", Some("\"---\"")),
        ("  s_00::t_00 1", Some("\"  s_00::t_00 1\"")),
        ("line\nbreak", None),
    ] {
        let note = git_ai::note(&work(&[(name.as_bytes(), &[(1, 1)])]));
        assert_eq!(attested(&note).first().copied(), line, "{name:?}");
    }
    assert_eq!(attested(&git_ai::note(&work(&[(b"\xff", &[(1, 1)])]))), [""; 0]);
    let records = agent_trace::record(&work(&[(b"\xff", &[(1, 1)]), (b"a b", &[(1, 1)])]));
    assert_eq!(records["files"][0]["path"], Value::from("a b"));
    assert_eq!(records["files"].as_array().map(Vec::len), Some(1));
}

#[test]
fn an_agent_trace_names_revision_model_and_ranges() {
    let mut work = work(&[(b"src/a.rs", &[(1, 4), (9, 9)]), (b"gone.rs", &[])]);
    let record = agent_trace::record(&work);
    assert_eq!(record["version"], "0.1.0");
    assert_eq!(record["timestamp"], "2026-01-02T03:05:06Z");
    assert_eq!(record["vcs"]["revision"], work.commit.to_string());
    assert_eq!(
        record["files"].to_string(),
        r#"[{"path":"src/a.rs","conversations":[{"contributor":{"type":"ai","model_id":"anthropic/claude"},"ranges":[{"start_line":1,"end_line":4},{"start_line":9,"end_line":9}]}]}]"#
    );
    let model =
        |work: &Work| agent_trace::record(work)["files"][0]["conversations"][0]["contributor"]["model_id"].clone();
    work.model = Some("m".into());
    assert_eq!(model(&work), "openrouter/m");
    // A program that did not say which model it asked, a name that is too long, nobody knows.
    for unknown in [Some("openrouter".to_owned()), Some("x".repeat(251)), None] {
        work.model = unknown;
        assert_eq!(model(&work), Value::Null);
    }
}

#[test]
fn another_commit_of_a_session_is_another_trace() {
    let one = work(&[]);
    let mut other = one.clone();
    other.commit = other.record.base;
    assert_eq!(one.session(), other.session());
    assert_ne!(one.trace(), other.trace());
    let mut elsewhere = one.clone();
    elsewhere.record.base = one.commit;
    assert_ne!(one.session(), elsewhere.session());
}

/// A note of somebody else's.
const THEIRS: &str = r#"src/a.rs
  h_31dce776f88375 2-3
"my file"
  d9978a8723e02b52 1
---
{
  "schema_version": "authorship/3.0.0",
  "git_ai_version": "1.4.5",
  "base_commit_sha": "1111111111111111111111111111111111111111",
  "prompts": {"d9978a8723e02b52": {"agent_id": {"tool": "x", "id": "y", "model": "z"}}},
  "humans": {"h_31dce776f88375": {"author": "Developer <dev@example.com>"}}
}"#;

#[test]
fn what_somebody_said_of_a_line_stands_and_the_rest_is_added() {
    let work = work(&[
        (b"src/a.rs", &[(1, 4), (9, 9)]),
        (b"my file", &[(1, 2)]),
        (b"new", &[(1, 1)]),
    ]);
    let ours = git_ai::note(&work);
    let united = git_ai::unite(THEIRS, &ours).unwrap();
    let key = format!("{}::{}", work.session(), work.trace());
    let expected = [
        "src/a.rs".to_owned(),
        "  h_31dce776f88375 2-3".to_owned(),
        format!("  {key} 1,4,9"),
        "\"my file\"".to_owned(),
        "  d9978a8723e02b52 1".to_owned(),
        format!("  {key} 2"),
        "new".to_owned(),
        format!("  {key} 1"),
    ];
    assert_eq!(attested(&united), expected);
    let (_, metadata) = united.split_once("---\n").unwrap();
    let metadata: Value = serde_json::from_str(metadata).unwrap();
    assert_eq!(metadata["git_ai_version"], "1.4.5");
    assert_eq!(metadata["prompts"]["d9978a8723e02b52"]["agent_id"]["tool"], "x");
    assert_eq!(
        metadata["sessions"][work.session()]["agent_id"]["tool"],
        "git-invisigoth"
    );
    // Again, and the same twice, adds nothing.
    assert_eq!(git_ai::unite(&united, &ours), None);
    assert_eq!(git_ai::unite(&ours, &ours), None);
}

#[test]
fn what_is_not_understood_is_left_alone() {
    let ours = git_ai::note(&work(&[(b"a", &[(1, 1)])]));
    for theirs in [
        "",
        "a person's words\n",
        "a\n  key\n---\n{\"schema_version\":\"authorship/3.0.0\"}",
        "a\n  key 0\n---\n{\"schema_version\":\"authorship/3.0.0\"}",
        "  key 1\n---\n{\"schema_version\":\"authorship/3.0.0\"}",
        "a\n  key 1\n---\n{\"schema_version\":\"authorship/4.0.0\"}",
        "a\n  key 1\n---\n{\"schema_version\":\"authorship/3.0.0\",\"sessions\":[]}",
        "a\n  key 1\n---\nnot json",
        "---",
    ] {
        assert_eq!(git_ai::unite(theirs, &ours), None, "{theirs:?}");
        assert_eq!(git_ai::unite(&ours, theirs), None, "{theirs:?}");
    }
}
