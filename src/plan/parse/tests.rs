//! Replies as models send them: `tests/fixtures/plans/NNN_name/{reply.md, expected.json|error.txt}`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn fixtures() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/plans");
    let mut folders: Vec<PathBuf> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

/// A reading as JSON, without what is empty.
fn shown(reading: &Reading) -> Value {
    let bare = |value: Value| {
        let Value::Object(map) = value else { return value };
        let empty = [json!(null), json!(""), json!([]), json!(0)];
        map.into_iter().filter(|(_, value)| !empty.contains(value)).collect()
    };
    let proposals = reading.proposals.iter().map(|proposal| {
        let mut value = serde_json::to_value(proposal).unwrap();
        let evidence = value["evidence"]
            .as_array()
            .unwrap()
            .iter()
            .cloned()
            .map(bare)
            .collect();
        value["evidence"] = Value::Array(evidence);
        bare(value)
    });
    json!({
        "proposals": proposals.collect::<Vec<Value>>(),
        "refused": reading.refused,
        "cut": reading.cut,
    })
}

fn fault_of(folder: &Path) -> Option<String> {
    let reply = fs::read_to_string(folder.join("reply.md")).unwrap();
    let got = match read(&reply) {
        Ok(reading) => serde_json::to_string_pretty(&shown(&reading)).unwrap(),
        Err(why) => why.to_string(),
    };
    let wanted = ["expected.json", "error.txt"]
        .iter()
        .find_map(|name| fs::read_to_string(folder.join(name)).ok());
    let wanted = wanted.unwrap_or_default();
    (got.trim() != wanted.trim()).then_some(got)
}

#[test]
fn every_fixture_is_read_as_expected() {
    let folders = fixtures();
    assert!(folders.len() >= 60, "only {} fixtures", folders.len());
    let faults = folders
        .iter()
        .filter_map(|folder| fault_of(folder).map(|got| format!("{}:\n{got}\n", folder.display())));
    let faults: Vec<String> = faults.collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_reply_may_be_too_large_and_its_list_too_long() {
    assert_eq!(
        read(&"x".repeat(MOST_BYTES + 1)),
        Err(Unreadable::TooLarge(MOST_BYTES + 1))
    );
    let goal = r#"{"description":"a","acceptance":["b"]}"#;
    let reading = read(&format!("[{}]", vec![goal; MOST_PROPOSALS + 3].join(","))).unwrap();
    assert_eq!((reading.proposals.len(), reading.refused.len()), (MOST_PROPOSALS, 3));
    assert!(
        reading
            .refused
            .iter()
            .all(|refused| refused.why == Why::OverRead { most: MOST_PROPOSALS })
    );
}

/// The bounds are what keeps these from taking minutes, or the whole stack.
#[test]
fn what_is_nested_or_repeated_without_end_is_read_in_one_go() {
    for part in [
        "[", "{", "(", "[{", "{\"a\":", "{\"a\":[", "\"", "[\"", "{a", "```\n", "<think>", "// ", "[1,", "\\\"", "{'",
    ] {
        let text = part.repeat(100_000 / part.len());
        assert!(read(&text).is_err() || part == "[1,", "{part}");
    }
    let list = format!(
        "[{{\"description\":\"a\",\"acceptance\":[\"b\"]}},{}",
        "[".repeat(100_000)
    );
    assert_eq!(read(&list).unwrap().proposals.len(), 1);
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in ".{0,300}") {
        let _ = read(&text);
    }

    #[test]
    fn no_json_like_text_makes_it_panic(text in r#"([\[\]{}(),:"'`\\\n#/*.+]|"goals"|"description"|"x"|```|null|1|“|”|\\u12|<think>|</think>){0,60}"#) {
        let _ = read(&text);
    }

    /// Whatever is cut off, the goals before the cut are kept.
    #[test]
    fn goals_before_a_cut_are_kept(cut in 0_usize..400) {
        let goal = r#"{"description":"Fold accents in slugs","acceptance":["slugs are ASCII"]}"#;
        let whole = format!("{{\"goals\":[{}]}}", [goal; 5].join(","));
        let text = whole.get(..cut.min(whole.len())).unwrap();
        let kept = text.matches('}').count().min(5);
        if let Ok(reading) = read(text) {
            prop_assert_eq!(reading.proposals.len(), kept);
            prop_assert!(reading.cut || text.len() == whole.len());
        } else {
            prop_assert_eq!(kept, 0);
        }
    }

    #[test]
    fn what_the_schema_asks_for_comes_back_as_it_is(description in "[a-zA-Z\"', {}:\\[\\]]{1,40}x", quote in "\\PC{1,40}") {
        let goal = json!({ "handle": "h", "description": description, "acceptance": ["a"],
            "evidence": [{ "path": "f.rs", "line": 3, "quote": quote }] });
        let reading = read(&json!({ "goals": [goal] }).to_string()).unwrap();
        prop_assert_eq!(&reading.proposals[0].description, description.trim());
        let empty = ["", "none", "null", "n/a", "na", "nil", "-", "–", "—", "undefined", "no", "keine", "[]", "{}"];
        if !empty.contains(&quote.trim().to_lowercase().as_str()) {
            prop_assert_eq!(&reading.proposals[0].evidence[0].quote, quote.trim());
        }
    }
}
