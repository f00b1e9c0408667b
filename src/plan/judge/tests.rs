//! Each reason for a refusal once by itself, what needs come to, and what holds of every judgement.

use proptest::prelude::*;

use super::*;
use crate::{
    plan::{Evidence, needs::MOST_DEPTH, parse},
    settings::{Check, Paths},
    snapshot::MapSnapshot,
};

const SLUG: &str =
    "pub fn slug(text: &str) -> String {\n    // TODO: fold accents\n    text.to_lowercase()\n}\n\nfn unused() {\n}\n";

fn code() -> MapSnapshot {
    let path = |text: &str| RepoPath::parse(text).unwrap();
    MapSnapshot::default()
        .with(path("src/slug.rs"), Mode::File, SLUG)
        .with(path("src/pad.rs"), Mode::File, "pub fn pad() {}\n")
        .with(path("twice.txt"), Mode::File, "a = slug(b)\n\na = slug(b)\n")
        .with(
            path("README.md"),
            Mode::File,
            "# Words\n\nIt folds accents, and pads\ntext to a width.\n",
        )
        .with(path("link.rs"), Mode::Symlink, "src/slug.rs")
        .with(path("vendor/lib"), Mode::Submodule, "")
}

/// A proposal that is fit, about something of its own for each `n`.
fn fit(n: usize) -> Proposal {
    const ABOUT: [&str; 12] = [
        "Fold accents in slugs",
        "Count graphemes for padding",
        "Cache compiled patterns",
        "Explain retries to readers",
        "Escape control codes",
        "Measure allocations of joins",
        "Localize weekday names",
        "Stream large uploads",
        "Rotate journals nightly",
        "Colour diff hunks",
        "Guess encodings of mail",
        "Throttle noisy clients",
    ];
    Proposal {
        handle: format!("h-{n}"),
        description: ABOUT
            .get(n)
            .map_or(format!("Widget{n}x rendering of gadget{n}y"), |about| {
                (*about).to_owned()
            }),
        filename: Some("src/slug.rs".to_owned()),
        acceptance: vec!["a test shows it".to_owned()],
        reason: "the comment says so".to_owned(),
        evidence: vec![evidence("src/slug.rs", 2, "// TODO: fold accents")],
        ..Proposal::default()
    }
}

fn evidence(path: &str, line: u32, quote: &str) -> Evidence {
    Evidence {
        path: path.to_owned(),
        line: Some(line),
        quote: quote.to_owned(),
    }
}

fn known_goal(id: &str, description: &str) -> Goal {
    Goal {
        id: Some(id.parse().unwrap()),
        description: description.to_owned(),
        ..Goal::default()
    }
}

fn judged_with(proposals: Vec<Proposal>, known: &Known, count: usize, max_open: usize) -> Judged {
    let policy = Policy::new(&Paths::default(), &Check::default());
    let limits = Limits {
        count,
        max_open,
        policy: &policy,
        created_at: "2026-01-02T03:04:05Z",
    };
    let reading = Reading {
        proposals,
        ..Reading::default()
    };
    judge(reading, known, &code(), &limits).unwrap()
}

fn judged(proposals: Vec<Proposal>) -> Judged {
    judged_with(proposals, &Known::default(), 100, 100)
}

/// Why one proposal, changed by `change`, is refused; empty where it is not.
fn kind_of(change: impl Fn(&mut Proposal)) -> &'static str {
    let mut proposal = fit(0);
    change(&mut proposal);
    judged(vec![proposal])
        .refused
        .first()
        .map_or("", |refused| refused.why.kind())
}

fn descriptions(judged: &Judged) -> Vec<&str> {
    judged.goals.iter().map(|goal| goal.description.as_str()).collect()
}

#[test]
fn a_fit_proposal_becomes_a_goal() {
    let judged = judged(vec![Proposal {
        files: vec!["tests/slug.rs".to_owned(), "src/slug.rs".to_owned(), "src/".to_owned()],
        labels: vec!["text".to_owned(), "x".repeat(50)],
        priority: 4,
        ..fit(0)
    }]);
    let goal = judged.goals.first().unwrap();
    assert!(goal.id.as_ref().unwrap().as_str().starts_with("goal-"));
    assert_eq!(
        (goal.filename.as_deref(), &goal.files[..]),
        (Some("src/slug.rs"), &["tests/slug.rs".to_owned()][..])
    );
    assert_eq!(goal.evidence, ["src/slug.rs:2: // TODO: fold accents"]);
    assert_eq!(
        (goal.created_by.as_deref(), goal.priority, goal.labels.len()),
        (Some("plan"), 4, 1)
    );
    assert_eq!(goal.created_at.as_deref(), Some("2026-01-02T03:04:05Z"));
    assert_eq!(judged.refused, []);
}

#[test]
fn each_rule_refuses_for_its_own_reason() {
    let path = |path: &'static str| kind_of(move |p| p.files = vec![path.to_owned()]);
    assert_eq!(kind_of(|_| {}), "");
    assert_eq!(kind_of(|p| p.description = " – ".to_owned()), "no_description");
    assert_eq!(kind_of(|p| p.acceptance = vec![" ".to_owned()]), "no_acceptance");
    assert_eq!(kind_of(|p| p.reason.clear()), "no_reason");
    assert_eq!(kind_of(|p| (p.filename, p.files) = (None, Vec::new())), "no_file");
    assert_eq!(kind_of(|p| p.evidence.clear()), "no_evidence");
    assert_eq!(kind_of(|p| p.needs = vec!["h-9".to_owned()]), "unknown_need");
    assert_eq!(kind_of(|p| p.needs = vec!["h-0".to_owned()]), "cycle");
    assert_eq!(kind_of(|p| p.description = "x".repeat(201)), "too_long");
    assert_eq!(kind_of(|p| p.acceptance = vec!["x".to_owned(); 21]), "too_long");
    assert_eq!(kind_of(|p| p.prompt = "x".repeat(8001)), "too_long");
    assert_eq!(kind_of(|p| p.description = "a\u{1b}[31m b".to_owned()), "unprintable");
    assert_eq!(kind_of(|p| p.reason = "a \u{202e}b".to_owned()), "unprintable");
    assert_eq!(kind_of(|p| p.prompt = "a \u{3164}\u{180e}b".to_owned()), "unprintable");
    assert_eq!(kind_of(|p| p.prompt = "lines\nand\ttabs".to_owned()), "");
    for bad in [
        "/etc/passwd",
        "../x",
        "a/../../x",
        "C:/x",
        ".git/config",
        "a\\b",
        "~/.ssh/id",
        "src/slug.rs/x",
        "a\u{202e}b.rs",
    ] {
        assert_eq!(path(bad), "bad_path", "{bad}");
    }
    for denied in [
        "memory/pending_goals.json",
        "invisigoth.toml",
        ".github/workflows/x.yml",
        ".gitignore",
        ".env",
    ] {
        assert_eq!(path(denied), "denied_path", "{denied}");
    }
    for fine in [
        "src/new.rs",
        "new/folder/x.rs",
        "src",
        "./src/pad.rs",
        "Cargo.toml",
        "ö/ä.rs",
    ] {
        assert_eq!(path(fine), "", "{fine}");
    }
    assert_eq!(path("vendor/lib/x.c"), "bad_path");
}

#[test]
fn evidence_must_be_there_word_for_word_but_not_space_for_space() {
    let kind = |path: &'static str, line: u32, quote: &'static str| {
        kind_of(move |p| p.evidence = vec![evidence(path, line, quote)])
    };
    for (path, quote) in [
        ("src/slug.rs", "//TODO:  fold   accents"),
        ("./src/slug.rs", "// TODO: fold accents …"),
        ("src/slug.rs", "2: // TODO: fold accents"),
        ("src/slug.rs", "`text.to_lowercase()`"),
        ("src/slug.rs", "// TODO: fold accents\n  text.to_lowercase()"),
        ("README.md", "It folds accents, and pads text to a width."),
    ] {
        assert_eq!(kind(path, 77, quote), "", "{quote}");
    }
    assert_eq!(kind("src/none.rs", 1, "// TODO: fold accents"), "no_such_file");
    assert_eq!(kind("src", 1, "// TODO: fold accents"), "no_such_file");
    assert_eq!(kind("../src/slug.rs", 1, "// TODO: fold accents"), "no_such_file");
    assert_eq!(kind("link.rs", 1, "src/slug.rs"), "no_such_file");
    assert_eq!(kind("src/slug.rs", 2, "// TODO: fold umlauts"), "not_quoted");
    assert_eq!(kind("src/slug.rs", 2, "// todo: fold accents"), "not_quoted");
    for thin in ["}", "", "fn", "...", "  {  }", "String", "accents,"] {
        assert_eq!(kind("src/slug.rs", 4, thin), "thin_quote", "{thin}");
    }
    let mut twice = fit(0);
    twice.evidence = vec![
        evidence("src/slug.rs", 9, "fn unused()"),
        evidence("src/slug.rs", 0, "text.to_lowercase()"),
        evidence("twice.txt", 4, "a = slug(b)"),
    ];
    let judged = judged(vec![twice]);
    assert_eq!(
        judged.goals[0].evidence,
        [
            "src/slug.rs:6: fn unused()",
            "src/slug.rs:3: text.to_lowercase()",
            "twice.txt:3: a = slug(b)"
        ]
    );
}

#[test]
fn one_piece_of_evidence_made_up_refuses_the_goal() {
    let kind = kind_of(|p| {
        p.evidence
            .push(evidence("src/slug.rs", 1, "unsafe { transmute(text) }"));
    });
    assert_eq!(kind, "not_quoted");
}

#[test]
fn duplicates_are_refused_by_name_and_stand_for_the_other() {
    let known = Known {
        open: vec![known_goal("goal-a", "Fold accents in slugs")],
        landed: vec![known_goal("goal-b", "Count graphemes for padding")],
        rejected: vec![known_goal("goal-c", "Cache compiled patterns")],
    };
    let mut all: Vec<Proposal> = (0..7).map(fit).collect();
    all[3].needs = vec!["h-0".to_owned(), "h-1".to_owned(), "h-6".to_owned()];
    all[4].needs = vec!["h-2".to_owned()];
    all[5].needs = vec!["goal-b".to_owned()];
    all[6].description = fit(5).description;
    let judged = judged_with(all, &known, 10, 10);
    let words: Vec<String> = judged.refused.iter().map(|refused| refused.why.to_string()).collect();
    assert_eq!(
        words,
        [
            "it is like open goal goal-a (100 % alike)",
            "it is like landed goal goal-b (100 % alike)",
            "it is like rejected goal goal-c (100 % alike)",
            "it needs `Cache compiled patterns`, which is refused",
            "it is like `Measure allocations of joins` of the same reply (100 % alike)",
        ]
    );
    let goal = |description: &str| {
        judged
            .goals
            .iter()
            .find(|goal| goal.description == description)
            .unwrap()
    };
    let needs: Vec<&str> = goal("Explain retries to readers")
        .dependencies
        .iter()
        .map(GoalId::as_str)
        .collect();
    let measure = goal("Measure allocations of joins");
    assert_eq!(needs, ["goal-a", "goal-b", measure.id.as_ref().unwrap().as_str()]);
    assert_eq!(measure.dependencies[0].as_str(), "goal-b");
}

#[test]
fn what_needs_its_own_duplicate_does_not_wait_for_itself() {
    let (mut one, mut twin) = (fit(0), fit(0));
    one.needs = vec!["twin".to_owned()];
    twin.handle = "twin".to_owned();
    let judged = judged(vec![one, twin]);
    assert_eq!(judged.goals.len(), 1, "{:?}", judged.refused);
    assert_eq!(judged.goals[0].dependencies, []);
}

fn needing(edges: &[(usize, usize)], count: usize) -> Vec<Proposal> {
    let mut all: Vec<Proposal> = (0..count).map(fit).collect();
    for (from, to) in edges {
        let need = all[*to].handle.clone();
        all[*from].needs.push(need);
    }
    all
}

#[test]
fn only_goals_on_a_cycle_are_refused_for_it_and_those_that_need_them_for_that() {
    let judged = judged(needing(&[(0, 1), (1, 2), (2, 0), (3, 0), (0, 4), (5, 4)], 6));
    let kinds: Vec<&str> = judged.refused.iter().map(|refused| refused.why.kind()).collect();
    assert_eq!(kinds, ["cycle", "cycle", "cycle", "refused_need"]);
    assert_eq!(
        descriptions(&judged),
        ["Escape control codes", "Measure allocations of joins"]
    );
    assert_eq!(
        judged.refused[0].why.to_string(),
        "it waits for itself: Fold accents in slugs → Count graphemes for padding → Cache compiled patterns → Fold accents in slugs"
    );
}

#[test]
fn a_plan_runs_wide_and_what_is_deep_is_refused() {
    let edges: Vec<(usize, usize)> = (1..6).map(|n| (n, n - 1)).collect();
    let mut all = needing(&edges, 8);
    all[7].priority = 9;
    let judged = judged(all);
    let refused: Vec<&str> = judged.refused.iter().map(|refused| refused.why.kind()).collect();
    assert_eq!(refused, ["too_deep", "too_deep"]);
    assert_eq!(
        descriptions(&judged),
        [
            "Stream large uploads",
            "Fold accents in slugs",
            "Localize weekday names",
            "Count graphemes for padding",
            "Cache compiled patterns",
            "Explain retries to readers"
        ]
    );
    // A chain of open goals counts too.
    let mut open: Vec<Goal> = (0..4)
        .map(|n| known_goal(&format!("k{n}"), &format!("Known thing{n} of part{n}")))
        .collect();
    for (n, goal) in open.iter_mut().enumerate().skip(1) {
        goal.dependencies = vec![format!("k{}", n - 1).parse().unwrap()];
    }
    let known = Known {
        open,
        ..Known::default()
    };
    for (need, wanted) in [("k2", 1), ("k3", 0)] {
        let mut one = fit(0);
        one.needs = vec![need.to_owned()];
        assert_eq!(
            judged_with(vec![one], &known, 9, 9).goals.len(),
            wanted,
            "{MOST_DEPTH} at most: {need}"
        );
    }
}

#[test]
fn a_need_that_nothing_speaks_for_is_left_out() {
    let kept = |change: fn(&mut Proposal, &mut Proposal)| {
        let (mut one, mut two) = (fit(0), fit(1));
        two.needs = vec!["h-0".to_owned()];
        two.filename = Some("src/pad.rs".to_owned());
        change(&mut one, &mut two);
        let judged = judged(vec![one, two]);
        assert_eq!(judged.goals.len(), 2, "{:?}", judged.refused);
        let kept = judged.goals.iter().any(|goal| !goal.dependencies.is_empty());
        assert_eq!(kept, judged.left_out.is_empty());
        kept
    };
    assert!(!kept(|_, _| {}));
    assert!(kept(|_, two| two.files = vec!["src/slug.rs".to_owned()]));
    assert!(kept(|_, two| two.reason = "padding uses `slug` first".to_owned()));
    assert!(kept(|_, two| two.prompt = "after h-0 has landed".to_owned()));
    assert!(kept(|one, two| {
        one.prompt = "write fold_accents(text)".to_owned();
        two.prompt = "call fold_accents first".to_owned();
    }));
}

#[test]
fn needs_are_found_under_many_names() {
    for (said, handles) in [
        ("h-0", true),
        ("H 0", true),
        ("fold accents in slugs", true),
        ("1", false),
        ("goal 1", false),
        ("#1", false),
    ] {
        let (mut one, mut two) = (fit(0), fit(1));
        two.needs = vec![said.to_owned()];
        if !handles {
            one.handle = "#1".to_owned();
            two.handle = "#2".to_owned();
        }
        let judged = judged(vec![one, two]);
        assert_eq!(
            judged.goals.get(1).map(|goal| goal.dependencies.len()),
            Some(1),
            "{said}: {:?}",
            judged.refused
        );
    }
}

#[test]
fn limits_take_what_comes_first_and_say_which_one_it_was() {
    let known = Known {
        open: (0..3)
            .map(|n| Goal {
                created_by: (n > 0).then(|| "plan".to_owned()),
                ..known_goal(&format!("k{n}"), &format!("Known thing{n} of part{n}"))
            })
            .collect(),
        ..Known::default()
    };
    let kinds = |count: usize, max_open: usize| -> Vec<&'static str> {
        let mut all: Vec<Proposal> = (0..5).map(fit).collect();
        all[4].priority = 1;
        let judged = judged_with(all, &known, count, max_open);
        assert!(judged.goals.is_empty() || judged.goals[0].description == "Escape control codes");
        judged.refused.iter().map(|refused| refused.why.kind()).collect()
    };
    assert_eq!(kinds(3, 20), ["over_count"; 2]);
    assert_eq!(kinds(9, 4), ["over_open"; 3]);
    assert_eq!(kinds(4, 5), ["over_open", "over_count"]);
    assert_eq!(
        kinds(4, 1),
        ["over_open", "over_open", "over_open", "over_count", "over_open"]
    );
}

#[test]
fn five_hundred_goals_of_which_eight_are_wanted() {
    let edges: Vec<(usize, usize)> = (1..500).map(|n| (n, n / 2)).collect();
    let wide = judged_with(needing(&edges, 500), &Known::default(), 8, 20);
    assert_eq!((wide.goals.len(), wide.refused.len()), (8, 492));
    let chain: Vec<(usize, usize)> = (0..500).map(|n| (n, (n + 1) % 500)).collect();
    assert_eq!(judged(needing(&chain, 500)).goals.len(), 0);
}

#[test]
fn the_same_reply_gives_the_same_goals() {
    let once = || judged(needing(&[(0, 1), (2, 1), (3, 2)], 9));
    assert_eq!(once(), once());
}

fn arbitrary() -> impl Strategy<Value = Proposal> {
    let word = prop_oneof!["[a-d]{1,2}", "h-[0-4]", Just("k0".to_owned()), "\\PC{0,3}"];
    let path = prop_oneof![
        Just("src/slug.rs".to_owned()),
        Just("src/pad.rs".to_owned()),
        "[a./~]{0,4}",
        Just(".git/x".to_owned())
    ];
    let quote = prop_oneof![4 => Just("// TODO: fold accents".to_owned()), 1 => "\\PC{0,9}"];
    let lists = (
        prop::collection::vec(path.clone(), 0..3),
        prop::collection::vec(word, 0..3),
    );
    (
        "[a-z]{0,9} [a-z]{4,9} [a-z]{4,9}",
        0_usize..5,
        lists,
        path,
        quote,
        -3_i64..3,
    )
        .prop_map(
            |(description, handle, (files, needs), path, quote, priority)| Proposal {
                handle: format!("h-{handle}"),
                description,
                files,
                needs,
                priority,
                evidence: vec![evidence(&path, 1, &quote)],
                ..fit(0)
            },
        )
}

proptest! {
    #[test]
    fn what_becomes_a_goal_keeps_every_rule(proposals in prop::collection::vec(arbitrary(), 0..12), count in 0_usize..8) {
        let known = Known { open: vec![known_goal("k0", "Known thing of old")], ..Known::default() };
        let all = proposals.len();
        let judged = judged_with(proposals, &known, count, 100);
        prop_assert!(judged.goals.len() <= count);
        prop_assert_eq!(judged.goals.len() + judged.refused.len(), all);
        let policy = Policy::new(&Paths::default(), &Check::default());
        let mut before: HashSet<GoalId> = HashSet::from(["k0".parse().unwrap()]);
        for goal in &judged.goals {
            // What is needed comes first, so there is no cycle either.
            prop_assert!(goal.dependencies.iter().all(|need| before.contains(need)));
            prop_assert!(before.insert(goal.id.clone().unwrap()));
            prop_assert!(!goal.acceptance.is_empty() && !goal.evidence.is_empty() && !goal.description.is_empty());
            for file in goal.named_files() {
                let path = RepoPath::parse(file).unwrap();
                prop_assert!(policy.denies(&path).is_none());
            }
            for line in &goal.evidence {
                prop_assert!(line.ends_with(": // TODO: fold accents"), "{}", line);
            }
        }
    }

    #[test]
    fn no_reply_makes_it_panic(text in r#"([\[\]{}(),:"' ]|"goals"|"description"|"acceptance"|"needs"|"evidence"|"x"|"src/slug.rs:2: fold"){0,80}"#) {
        if let Ok(reading) = parse::read(&text) {
            judged(reading.proposals);
        }
    }
}
