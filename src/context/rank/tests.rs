use super::*;
use crate::context::{
    past::{
        Past,
        tests::{commit, past_of},
    },
    sample,
    terms::Terms,
    votes,
};

/// The ranking of `text` over `files`: paths with their signals, the best first.
fn ranked(files: &[(&str, &str)], past: &Past, text: &str, weights: &Weights) -> Vec<(String, [f32; SIGNALS])> {
    let index = sample::index(files);
    let ranking = ranking(&index, past, text, weights);
    let all = ranking.files.iter();
    all.map(|scored| (sample::path(&index, scored.file), scored.signals))
        .collect()
}

fn ranking(index: &Index, past: &Past, text: &str, weights: &Weights) -> Ranking {
    let query = Query::read(&mut Terms::default(), text);
    let heard = Heard {
        rarity: &|term| past.rarity(term),
        votes: votes::votes(past, &query.terms),
        echo: votes::echo(past, &query.terms),
    };
    let ranking = rank(index, &query, &heard, weights).unwrap();
    for scored in &ranking.files {
        assert!(
            scored.score.is_finite() && scored.signals.iter().all(|signal| (0.0..=1.0).contains(signal)),
            "{scored:?}"
        );
    }
    assert!(
        ranking
            .chunks
            .iter()
            .all(|worth| (worth.text + worth.local + worth.echo).is_finite())
    );
    ranking
}

/// Only one signal counts.
fn alone(signal: usize) -> Weights {
    let mut weights = [0.0; SIGNALS];
    weights[signal] = 1.0;
    weights
}

/// Says what a signal gave the files `a…` and `b…`, where no other counts.
fn by(signal: usize, files: &[(&str, &str)], past: &Past, text: &str) -> (f32, f32) {
    let ranked = ranked(files, past, text, &alone(signal));
    let of = |start: &str| {
        let found = ranked.iter().find(|(path, _)| path.starts_with(start));
        found.map_or(0.0, |(_, signals)| signals[signal])
    };
    let (a, b) = (of("a"), of("b"));
    if a > b {
        assert!(ranked[0].0.starts_with('a'), "{ranked:?}");
    }
    (a, b)
}

#[test]
fn fields_say_who_has_the_words_and_who_defines_them() {
    let none = Past::default();
    let fields = |a: &str, b: &str| {
        by(
            FIELDS,
            &[("a.rs", a), ("b.rs", b), ("c.rs", "struct Other;\n")],
            &none,
            "walker",
        )
    };
    assert_eq!(fields("use walker;\n", "use else;\n"), (1.0, 0.0));
    let (defines, has) = fields("fn walker() {}\n", "use walker;\n");
    assert!(defines > has && has > 0.0);
    let (short, long) = fields("use walker;\n", &format!("use walker;\n{}", sample::lines("x", 50)));
    assert!(short > long && long > 0.0);
    let in_path = by(FIELDS, &[("a/walker/a.rs", "x\n"), ("b.rs", "x\n")], &none, "walker");
    assert_eq!(in_path, (1.0, 0.0));
}

#[test]
fn a_rare_word_says_more_than_a_common_one() {
    let files = [
        ("a.rs", "use rare;\n"),
        ("b.rs", "use common;\n"),
        ("c.rs", "use common;\n"),
        ("d.rs", "x\n"),
    ];
    let (rare, common) = by(FIELDS, &files, &Past::default(), "common rare");
    assert!(rare > common && common > 0.0);
    // Past messages say so, too.
    let said = (1..40).map(|at| {
        let parents: &[usize] = if at == 1 { &[] } else { &[at - 1] };
        commit(at, parents, at as i64, "common", &["gone"])
    });
    let files = [("a.rs", "use rare;\n"), ("b.rs", "use common;\n"), ("d.rs", "x\n")];
    assert_eq!(by(FIELDS, &files, &Past::default(), "common rare"), (1.0, 1.0));
    let (rare, common) = by(FIELDS, &files, &past_of(said.collect()), "common rare");
    assert!(rare > common);
}

#[test]
fn path_says_who_is_called_so_the_file_name_more_than_folders() {
    let files = [
        ("a/x/walker.rs", "x\n"),
        ("b/walker/x.rs", "y\n"),
        ("c.rs", "use walker;\n"),
    ];
    let (name, folder) = by(PATH, &files, &Past::default(), "walker");
    assert_eq!(name, 1.0);
    assert!(folder > 0.0 && folder < name);
    assert_eq!(by(PATH, &[("a.rs", "walker\n")], &Past::default(), "walker").0, 0.0);
}

#[test]
fn chunk_says_where_words_are_close_together() {
    let apart = format!(
        "fn one() {{ walker() }}\n{}fn two() {{ sleeper() }}\n",
        sample::lines("x", 200)
    );
    let near = format!(
        "fn one() {{ walker(); sleeper() }}\n{}fn two() {{}}\n",
        sample::lines("x", 200)
    );
    let (near, apart) = by(
        CHUNK,
        &[("a.rs", &near), ("b.rs", &apart)],
        &Past::default(),
        "walker sleeper",
    );
    assert!(near > apart && apart > 0.0, "{near} {apart}");
}

#[test]
fn past_says_what_commits_with_such_messages_changed() {
    let past = past_of(vec![
        commit(1, &[], 1, "Walker sleeps", &["a.rs"]),
        commit(2, &[1], 2, "Other things", &["b.rs"]),
        commit(3, &[2], 3, "Walker", &["a.rs", "b.rs", "gone.rs"]),
    ]);
    let files = [("a.rs", "x\n"), ("b.rs", "y\n")];
    let (a, b) = by(PAST, &files, &past, "the walker sleeps");
    assert!(a > b && b > 0.0);
    assert_eq!(by(PAST, &files, &past, "nothing alike"), (0.0, 0.0));
    assert_eq!(by(PAST, &files, &Past::default(), "walker"), (0.0, 0.0));
}

#[test]
fn recent_says_what_the_latest_commits_changed() {
    let mut commits = vec![commit(1, &[], 1, "x", &["b.rs"])];
    commits.extend((2..60).map(|at| commit(at, &[at - 1], at as i64, "y", &["a.rs"])));
    let files = [("a.rs", "walker\n"), ("b.rs", "walker\n")];
    assert_eq!(by(RECENT, &files, &past_of(commits), "walker"), (1.0, 0.0));
}

#[test]
fn stem_says_whose_name_is_a_word_of_the_query() {
    let files = [("a/test_walker.py", "x\n"), ("b/walker_of.py", "y\n")];
    assert_eq!(by(STEM, &files, &Past::default(), "the walker"), (1.0, 0.0));
}

#[test]
fn named_says_whose_path_is_written_there() {
    let files = [("a/lib.rs", "x\n"), ("b/lib.rs", "y\n"), ("c/xlib.rs", "z\n")];
    let named = |text: &str| by(NAMED, &files, &Past::default(), text);
    assert_eq!(named("see a/lib.rs:12"), (1.0, 0.0));
    assert_eq!(named("see lib.rs"), (1.0, 1.0));
    let (a, b) = named("see lib.rs, as a/lib.rs does");
    assert!(a > b && b > 0.0);
    assert_eq!(named("see ib.rs"), (0.0, 0.0));
}

#[test]
fn tests_prose_and_settings_stand_behind_code_unless_asked_for() {
    let files = [
        ("src/walker.rs", "walker\n"),
        ("tests/walker.rs", "walker \n"),
        ("docs/walker.md", "walker  \n"),
        ("walker.toml", "walker   \n"),
    ];
    let place = |path: &str, text: &str| {
        let ranked = ranked(&files, &Past::default(), text, &weights());
        ranked.iter().position(|(known, _)| known == path).unwrap()
    };
    assert_eq!(place("src/walker.rs", "walker"), 0);
    for (path, text) in [
        ("tests/walker.rs", "test the walker"),
        ("docs/walker.md", "document the walker"),
        ("walker.toml", "yaml for the walker"),
    ] {
        let (without, with) = (place(path, "walker"), place(path, text));
        assert!(with < without || with <= 1, "{path}: {without} {with}");
    }
}

#[test]
fn what_says_the_same_is_ordered_by_path_however_it_came() {
    let files: Vec<(String, String)> = (0..6)
        .map(|at| (format!("{}/x.rs", 6 - at), format!("walker {}\n", "z".repeat(at + 2))))
        .collect();
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    let all = ranked(&files, &Past::default(), "walker", &weights());
    let paths: Vec<&str> = all.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["1/x.rs", "2/x.rs", "3/x.rs", "4/x.rs", "5/x.rs", "6/x.rs"]);
    // Segment by segment, and the other way round.
    let mut index = Index::default();
    for (path, text) in files.iter().rev() {
        index.add(path, sample::segment(&[(path, text)]));
        index.put(sample::file(path, text));
    }
    let other = ranking(&index, &Past::default(), "walker", &weights());
    let other: Vec<_> = other
        .files
        .iter()
        .map(|scored| (sample::path(&index, scored.file), scored.signals))
        .collect();
    assert_eq!(all, other);
}

#[test]
fn nothing_to_rank_is_no_trouble() {
    let none = Past::default();
    for files in [
        &[][..],
        &[("walker.rs", "")],
        &[("a.rs", "walker\n")],
        &[("walker/a.rs", ""), ("b.rs", "")],
    ] {
        for text in ["", "walker", "walker.rs a.rs", "."] {
            for weights in [weights(), [0.0; SIGNALS]] {
                ranked(files, &none, text, &weights);
            }
        }
    }
    // Files whose digests are missing.
    let mut index = Index::default();
    index.put(sample::file("walker.rs", "walker\n"));
    let ranking = ranking(&index, &none, "walker", &weights());
    assert_eq!((ranking.files.len(), ranking.chunk(7)), (1, Worth::default()));
}

#[test]
fn without_weights_the_path_decides() {
    let files = [("b.rs", "walker\n"), ("a.rs", "walker walker\n")];
    let ranked = ranked(&files, &Past::default(), "walker", &[0.0; SIGNALS]);
    assert_eq!((ranked[0].0.as_str(), ranked.len()), ("a.rs", 2));
}

#[test]
fn words_of_like_messages_speak_for_chunks_not_for_files() {
    let past = past_of(vec![commit(1, &[], 1, "Walker naps", &["b.rs"])]);
    let index = sample::index(&[("a.rs", "walker\n"), ("b.rs", "naps\n")]);
    let ranking = ranking(&index, &past, "walker", &weights());
    let echo = |path: &str| {
        let at = index.at(&crate::path::RepoPath::from_git(path)).unwrap();
        ranking.chunk(index.spans(at)[0].chunk)
    };
    assert!(echo("b.rs").echo > 0.0 && echo("b.rs").text == 0.0);
    assert!(echo("a.rs").echo == 0.0 && echo("a.rs").text > 0.0 && echo("a.rs").local > 0.0);
}

#[test]
fn a_word_that_is_rare_in_its_file_says_which_chunk_is_meant() {
    let part = |name: &str, word: &str| format!("fn {name}() {{\n    {word}();\n{}}}\n\n", "    x();\n".repeat(28));
    let three = ["one", "two", "three"].map(|name| part(name, "house")).concat();
    let index = sample::index(&[
        ("a.rs", &(three + &part("four", "odd"))),
        ("b.rs", &part("five", "odd")),
        ("c.rs", &part("six", "odd")),
    ]);
    let ranking = ranking(&index, &Past::default(), "house odd", &weights());
    let at = index.at(&crate::path::RepoPath::from_git("a.rs")).unwrap();
    let worths: Vec<Worth> = index.spans(at).iter().map(|span| ranking.chunk(span.chunk)).collect();
    assert_eq!(worths.len(), 4);
    let (house, odd) = (worths[0], worths[3]);
    assert_eq!(odd.text, house.text);
    assert!(odd.local > house.local && house.local > 0.0, "{worths:?}");
}
