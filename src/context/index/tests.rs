use proptest::prelude::*;

use super::*;
use crate::context::{
    pack,
    query::Query,
    rank::{self, Heard},
    sample,
    votes::Votes,
};

const PATHS: [&str; 8] = [
    "walk.rs",
    "src/walk.rs",
    "src/walk/lib.rs",
    "src/walk_test.rs",
    "docs/walk.md",
    "_/Walk.rs",
    "deep/er/and/deeper/walk.py",
    "7",
];

const TEXTS: [&str; 5] = [
    "fn walk(entry: Entry) {\n    sleep();\n}\n\nfn sleep() {}\n",
    "fn sleep() {\n    walk();\n}\n",
    "walk walk walk\nentry\n",
    "",
    "nothing of it\n",
];

#[derive(Clone, Debug)]
enum Step {
    Put(usize, usize),
    Remove(usize),
    Add(Vec<(usize, usize)>),
    Close,
}

fn step() -> impl Strategy<Value = Step> {
    let pair = (0..PATHS.len(), 0..TEXTS.len());
    prop_oneof![
        8 => pair.clone().prop_map(|(path, text)| Step::Put(path, text)),
        4 => (0..PATHS.len()).prop_map(Step::Remove),
        3 => prop::collection::vec(pair, 1..6).prop_map(Step::Add),
        1 => Just(Step::Close),
    ]
}

fn segment(pairs: &[(usize, usize)]) -> Segment {
    let files: Vec<(&str, &str)> = pairs.iter().map(|(path, text)| (PATHS[*path], TEXTS[*text])).collect();
    sample::segment(&files)
}

fn all() -> Vec<(usize, usize)> {
    (0..PATHS.len())
        .flat_map(|path| (0..TEXTS.len()).map(move |text| (path, text)))
        .collect()
}

/// All that can be asked of an index, without its numbers of files and chunks.
fn answers(index: &Index) -> Vec<String> {
    let path = |at| sample::path(index, at);
    let sorted = |files: &mut dyn Iterator<Item = String>| {
        let mut files: Vec<String> = files.collect();
        files.sort();
        files
    };
    let mut all = vec![format!("{:?}", index.totals())];
    for (at, file) in index.files() {
        assert_eq!(index.at(&file.path), Some(at));
        let spans = index
            .spans(at)
            .into_iter()
            .map(|span| (span.first, span.last, span.bytes));
        all.push(format!("{file:?} {:?} {:?}", index.sums(at), spans.collect::<Vec<_>>()));
        assert_eq!(
            index.needs(&file.id, file.syntax),
            index.known(at).unwrap().place.is_some()
        );
    }
    for word in ["walk", "sleep", "deeper", "src", "entry", "test"] {
        let term = Terms::default().counted(word.as_bytes())[0].0;
        let named = &mut index
            .named(term)
            .map(|(at, count, sum)| format!("{} {count} {sum}", path(at)));
        all.push(format!("{word}: {:?}", sorted(named)));
        all.push(format!(
            "{word}: {:?}",
            sorted(&mut index.of_stem(term).iter().map(|at| path(*at)))
        ));
        let hits = index.hits(term).unwrap();
        let alone = hits.iter().filter(|hit| !hit.twin).count();
        let chunk = |hit: &Hit| index.spans(hit.file).iter().position(|span| span.chunk == hit.chunk);
        let hits = hits.iter().map(|hit| {
            let Hit {
                count, defined, terms, ..
            } = *hit;
            format!("{} {} {count} {defined} {terms}", path(hit.file), chunk(hit).unwrap())
        });
        all.push(format!("{word}: {alone} {:?}", sorted(&mut hits.into_iter())));
    }
    for end in [
        "walk.rs",
        "walk/lib.rs",
        "src/walk.rs",
        "Walk.rs",
        "7",
        "alk.rs",
        "src",
        "",
        "/",
    ] {
        all.push(format!(
            "{end}: {:?}",
            sorted(&mut index.ending_in(end.as_bytes()).map(path))
        ));
    }
    let query = Query::read(&mut Terms::default(), "Walk each entry of src/walk.rs\nand sleep");
    let echo = query.terms.iter().copied().take(1).collect();
    let heard = Heard {
        rarity: &|_| 0.7,
        votes: Votes::default(),
        echo,
    };
    let ranking = rank::rank(index, &query, &heard, &rank::weights()).unwrap();
    for scored in &ranking.files {
        let bits = scored.signals.map(f32::to_bits);
        all.push(format!("{} {} {bits:?}", path(scored.file), scored.score.to_bits()));
    }
    all.push(format!("{:?}", pack::pack(index, &ranking, 60.0, &pack::odds())));
    all
}

proptest! {
    #[test]
    fn what_came_and_went_leaves_no_trace(steps in prop::collection::vec(step(), 0..40)) {
        let mut index = Index::default();
        let mut files = BTreeMap::new();
        for (at, step) in steps.into_iter().enumerate() {
            match step {
                Step::Put(path, text) => {
                    index.put(sample::file(PATHS[path], TEXTS[text]));
                    files.insert(PATHS[path], TEXTS[text]);
                }
                Step::Remove(path) => {
                    index.remove(&RepoPath::from_git(PATHS[path]));
                    files.remove(PATHS[path]);
                }
                Step::Add(pairs) => index.add(&at.to_string(), segment(&pairs)),
                Step::Close => index.close(),
            }
        }
        let missing = index.missing();
        prop_assert_eq!(index.is_whole(), missing.is_empty());
        let is_missing = |path: &str, text: &str| {
            let file = sample::file(path, text);
            missing.contains(&(file.id, file.syntax))
        };
        let mut fresh = Index::default();
        for (path, text) in files.iter().rev() {
            fresh.put(sample::file(path, text));
        }
        let digested: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, *text))
            .filter(|(path, text)| !is_missing(path, text)).collect();
        fresh.add("fresh", sample::segment(&digested));
        prop_assert_eq!(&answers(&index), &answers(&fresh));
        // What was missing comes last.
        index.add("all", segment(&all()));
        fresh.close();
        fresh.add("all", segment(&all()));
        prop_assert!(index.is_whole());
        prop_assert_eq!(answers(&index), answers(&fresh));
    }
}

#[test]
fn of_files_with_the_same_content_each_is_found_and_one_counts() {
    let text = TEXTS[0];
    let mut index = sample::index(&[("a.rs", text), ("b.rs", text), ("c.rs", text)]);
    let term = Terms::default().counted(b"entry")[0].0;
    let found = |index: &Index| {
        let hits = index.hits(term).unwrap();
        let mut files: Vec<String> = hits.iter().map(|hit| sample::path(index, hit.file)).collect();
        files.sort();
        (files.concat(), hits.iter().filter(|hit| !hit.twin).count())
    };
    assert_eq!(found(&index), ("a.rsb.rsc.rs".to_owned(), 1));
    for (gone, left) in [("b.rs", "a.rsc.rs"), ("c.rs", "a.rs"), ("a.rs", "")] {
        index.remove(&RepoPath::from_git(gone));
        assert_eq!(found(&index), (left.to_owned(), left.len().min(1)));
    }
    assert_eq!(format!("{:?}", index.totals()), format!("{:?}", Totals::default()));
}

#[test]
fn a_refused_segment_stays_refused_until_it_is_written_again() {
    let mut index = sample::index(&[("a.rs", TEXTS[0])]);
    index.refuse("only");
    assert!(index.refuses("only") && !index.is_whole() && index.segments().next().is_none());
    index.add("only", segment(&all()));
    assert!(!index.refuses("only"));
}

#[test]
fn lines_are_counted_through_long_runs_of_blank_ones() {
    for path in ["a.rs", "a.md", "a.txt", "a.json"] {
        let text = format!("fn walk() {{}}\n{}fn sleep() {{}}\n", "\n".repeat(150_000));
        let index = sample::index(&[(path, &text)]);
        let spans = index.spans(0);
        assert_eq!(spans.last().map(|span| span.last), Some(150_002), "{path}");
        assert!(spans.windows(2).all(|two| two[0].last + 1 == two[1].first), "{path}");
    }
}
