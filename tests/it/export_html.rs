//! `export --html`: the dashboard as a site of files.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde_json::json;

use crate::support::{Ran, Sandbox, whole};

/// Every file below a folder, with its path from there.
fn files(top: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![top.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(top).unwrap().to_str().unwrap().to_owned();
                let bytes = std::fs::read(&path).unwrap();
                found.insert(name, String::from_utf8_lossy(&bytes).into_owned());
            }
        }
    }
    found
}

/// The values of `href` and `src` in a page.
fn links(html: &str) -> Vec<String> {
    let mut links = Vec::new();
    for name in ["href=\"", "src=\"", "action=\""] {
        for value in html.split(name).skip(1) {
            let value = value.split('"').next().unwrap();
            links.push(value.replace("&#x2f;", "/").replace("&amp;", "&"));
        }
    }
    links
}

/// Fails where a link of a page leads to no file of the site.
fn every_link_leads_somewhere(site: &BTreeMap<String, String>) {
    let mut checked = 0;
    for (page, html) in site.iter().filter(|(name, _)| name.ends_with(".html")) {
        for link in links(html) {
            let to = link.split('#').next().unwrap();
            if to.is_empty() || link.starts_with("https://") {
                continue;
            }
            let mut path: Vec<&str> = page.split('/').collect();
            path.pop();
            for part in to.split('/') {
                match part {
                    ".." => assert!(path.pop().is_some(), "{page}: {link} leads out of the site"),
                    part => path.push(part),
                }
            }
            let path = path.join("/");
            assert!(
                site.contains_key(&path),
                "{page}: {link} leads to {path}, which is not there"
            );
            checked += 1;
        }
    }
    assert!(checked > 0, "no page has a link");
}

#[test]
fn its_links_lead_to_files_and_pages_that_are_gone_go() {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({ "a": [whole("a.txt", "a\n")] }));
    sandbox.goal("a", &[]);
    sandbox.goal("b", &["a"]);
    sandbox.goal("c/d", &["b"]);
    sandbox.ok(&["run", "a"]);
    let ran = sandbox.ok(&["export", "--html", "site"]);
    assert!(ran.starts_with("wrote ") && ran.contains("site/index.html"), "{ran}");
    let before = files(&sandbox.path("site"));
    every_link_leads_somewhere(&before);
    assert!(
        before.contains_key("graph/index.html") && before.contains_key("static/app.css"),
        "{:?}",
        before.keys()
    );
    for (page, html) in before.iter().filter(|(name, _)| name.ends_with(".html")) {
        assert!(
            !html.contains("<form") && !html.contains("data-live"),
            "{page} is not still"
        );
        assert!(
            !html.contains("<button type=\"submit"),
            "{page} has what changes something"
        );
    }
    let marker: serde_json::Value = serde_json::from_str(&before[".invisigoth-site.json"]).unwrap();
    assert_eq!(
        (&marker["whole"], marker["files"].as_array().unwrap().len()),
        (&json!(true), before.len() - 1)
    );
    sandbox.ok(&["drop", "c/d"]);
    let again = sandbox.json(&["export", "--html", "site"]);
    let after = files(&sandbox.path("site"));
    every_link_leads_somewhere(&after);
    let names = |site: &BTreeMap<String, String>| site.keys().cloned().collect::<BTreeSet<_>>();
    let gone: BTreeSet<String> = names(&before).difference(&names(&after)).cloned().collect();
    let said: BTreeSet<String> = serde_json::from_value(again["removed"].clone()).unwrap();
    assert!(gone.iter().any(|name| name.starts_with("goals/c-d-")), "{gone:?}");
    assert_eq!(said, gone);
}

#[test]
fn a_bare_clone_has_the_same_pages_and_is_left_as_it_is() {
    let sandbox = Sandbox::ready();
    sandbox.goal("a", &[]);
    sandbox.goal("b", &["a"]);
    sandbox.commit("goals");
    sandbox.git(&["clone", "-q", "--bare", ".", "bare.git"]);
    let bare = sandbox.path("bare.git");
    let before = files(&bare);
    let mut export = sandbox.invisigoth(&["export", "--html", "../site"]);
    let ran = Ran::of(&export.current_dir(&bare).output().unwrap());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    // An index that costs only time to lose may be kept there, and nothing else.
    let new = files(&bare).into_keys().filter(|name| !before.contains_key(name));
    let new: Vec<String> = new.filter(|name| !name.starts_with("invisigoth/index/")).collect();
    assert_eq!(new, Vec::<String>::new());
    let site = files(&sandbox.path("site"));
    every_link_leads_somewhere(&site);
    assert!(site["graph/index.html"].contains("Goal b"));
}

#[test]
fn what_goals_say_is_text_on_every_page() {
    let sandbox = Sandbox::ready();
    let mut rows: Vec<serde_json::Value> = Vec::new();
    let (tags, ends) = (
        ["script", "img src=x onerror=", "svg onload=", "iframe src="],
        ["", "\"", "'", "-->", "</title>"],
    );
    for nth in 0..200_usize {
        let (tag, end) = (tags[nth % tags.len()], ends[nth % ends.len()]);
        let words = format!("{end}</svg></a><{tag}>hurt({nth})</{tag}>{{{{ 7*7 }}}}\u{202e}javascript:hurt");
        rows.push(json!({
            "id": format!("g{nth:03}<{}>\"'&", tag.replace(' ', "_")),
            "description": words,
            "prompt": words,
            "dependencies": [],
            "status": if nth % 3 == 0 { "held" } else { "pending" },
            "reason": words,
            "labels": [words],
            "acceptance": [words],
        }));
    }
    rows.sort_by_key(|row| row["id"].as_str().unwrap().to_owned());
    let lines: Vec<String> = rows.iter().map(ToString::to_string).collect();
    sandbox.write("memory/pending_goals.json", format!("[\n{}\n]\n", lines.join(",\n")));
    sandbox.ok(&["export", "--html", "site"]);
    let site = files(&sandbox.path("site"));
    every_link_leads_somewhere(&site);
    let mut said = 0;
    for (page, html) in site.iter().filter(|(name, _)| name.ends_with(".html")) {
        said += html.matches("hurt(").count();
        for wrong in [
            "<script>",
            "<img",
            "<svg onload",
            "<iframe",
            "hurt(0)</script",
            "href=\"javascript",
        ] {
            assert!(!html.contains(wrong), "{page} has {wrong}");
        }
        // Nothing that a goal says opens or closes a tag.
        for (at, _) in html.match_indices("hurt(") {
            let before = html.split_at(at).0;
            let (opens, closes) = (before.rfind('<').unwrap(), before.rfind('>').unwrap());
            let tag = before.split_at(opens).1;
            assert!(
                closes > opens || tag.matches('"').count() % 2 == 1,
                "{page}: {tag:.200}"
            );
        }
    }
    assert!(said >= 200, "{said}");
}

#[test]
fn bad_input() {
    let sandbox = Sandbox::ready();
    sandbox.goal("a", &[]);
    sandbox.write("full/mine.txt", "mine");
    sandbox.write("file", "mine");
    std::os::unix::fs::symlink("full", sandbox.path("link")).unwrap();
    for (args, says) in [
        (&["export"][..], "required"),
        (&["export", "--html"], "a value is required"),
        (&["export", "beads", "--html", "site"], "cannot be used with"),
        (&["export", "--html", "site", "--out", "x"], "cannot be used with"),
        (&["export", "--html", "full"], "is not empty"),
        (&["export", "--html", "file"], "is no folder"),
        (&["export", "--html", "link"], "is no folder"),
    ] {
        let ran = sandbox.run(args);
        assert_eq!(
            (ran.code, ran.stderr.contains(says)),
            (2, true),
            "{args:?}: {}",
            ran.stderr
        );
    }
    assert_eq!(files(&sandbox.path("full")).len(), 1);
    sandbox.write("memory/pending_goals.json", "[{");
    let broken = sandbox.run(&["export", "--html", "site"]);
    assert_eq!(broken.code, 1, "{}", broken.stderr);
    assert!(!sandbox.path("site").exists());
}
