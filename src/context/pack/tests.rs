use proptest::prelude::*;

use super::*;
use crate::context::{
    index::FileNo,
    query::Query,
    rank::{self, Heard, SIGNALS, Scored},
    sample,
    terms::Terms,
    votes::Votes,
};

/// Files with a function for each number, of so many lines.
fn files(of: &[Vec<usize>]) -> Vec<(String, String)> {
    let function = |file: usize, at: usize, lines: usize| {
        let body: String = (0..lines)
            .map(|line| format!("    call_{file}_{at}_{line}(walker);\n"))
            .collect();
        format!("fn walker_{file}_{at}() {{\n{body}}}\n\n")
    };
    let text = |(file, sizes): (usize, &Vec<usize>)| {
        let functions = sizes.iter().enumerate().map(|(at, lines)| function(file, at, *lines));
        (format!("f{file}.rs"), functions.collect())
    };
    of.iter().enumerate().map(text).collect()
}

fn index(of: &[Vec<usize>]) -> Index {
    let files = files(of);
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    sample::index(&files)
}

fn ranking(index: &Index, text: &str) -> Ranking {
    let query = Query::read(&mut Terms::default(), text);
    let heard = Heard {
        rarity: &|_| 1.0,
        votes: Votes::default(),
        echo: Vec::new(),
    };
    rank::rank(index, &query, &heard, &rank::weights()).unwrap()
}

fn at(index: &Index, path: &RepoPath) -> FileNo {
    index.at(path).unwrap()
}

/// What an item must cost: its chunks, each with two tokens, and its heading.
fn cost(index: &Index, item: &Item) -> f32 {
    let shown = |span: &&Span| {
        item.ranges
            .iter()
            .any(|(first, last)| *first <= span.first && span.last <= *last)
    };
    let spans = index.spans(at(index, &item.path));
    let chunks = spans
        .iter()
        .filter(shown)
        .map(|span| float(span.bytes as usize) / BYTES_PER_TOKEN + 2.0);
    heading(&item.path) + chunks.sum::<f32>()
}

proptest! {
    #[test]
    fn packs_keep_to_their_budget_and_their_files(
        of in prop::collection::vec(prop::collection::vec(0..120_usize, 0..8), 0..6),
        budget in 0..6000_u16,
        text in prop::sample::select(vec!["walker", "call_1_0_3 walker_2_1", "f1.rs", "absent"]),
    ) {
        let index = index(&of);
        let ranking = ranking(&index, text);
        let items = pack(&index, &ranking, f32::from(budget), &odds());
        let sum: f32 = items.iter().map(|item| item.tokens).sum();
        prop_assert!(sum <= f32::from(budget) * 1.000_01, "{sum} of {budget}");
        let mut paths: Vec<&RepoPath> = Vec::new();
        for item in &items {
            prop_assert!((item.tokens - cost(&index, item)).abs() < 0.01, "{item:?}");
            let last = index.spans(at(&index, &item.path)).last().unwrap().last;
            let mut before = 0;
            for (first, end) in &item.ranges {
                prop_assert!(*first > before && first <= end && *end <= last, "{item:?} of {last} lines");
                before = end + 1;
            }
            paths.push(&item.path);
        }
        let places = ranking.files.iter().map(|scored| &index.file(scored.file).unwrap().path);
        let ordered: Vec<&RepoPath> = places.filter(|path| paths.contains(path)).collect();
        prop_assert_eq!(ordered, paths);
        // What is left over is too little for whatever was left out of the files that are shown.
        let left = f32::from(budget) - sum;
        for item in &items {
            for span in index.spans(at(&index, &item.path)) {
                let shown = item.ranges.iter().any(|(first, last)| *first <= span.first && span.last <= *last);
                prop_assert!(shown || float(span.bytes as usize) / BYTES_PER_TOKEN + 2.0 > left - 0.01);
            }
        }
    }
}

#[test]
fn nothing_fits_into_nothing() {
    let index = index(&[vec![3, 3], vec![200]]);
    let ranking = ranking(&index, "walker");
    for budget in [0.0, 1.0, -5.0] {
        assert_eq!(pack(&index, &ranking, budget, &odds()), []);
    }
    assert_eq!(pack(&Index::default(), &Ranking::default(), 1e9, &odds()), []);
}

#[test]
fn a_chunk_that_is_too_large_leaves_room_for_others() {
    let index = sample::index(&[
        ("a.rs", "walker walker\n"),
        ("b.md", &"walker walker walker ".repeat(300)),
    ]);
    let items = pack(&index, &ranking(&index, "walker"), 40.0, &odds());
    assert_eq!(
        items.iter().map(|item| item.path.to_string()).collect::<Vec<_>>(),
        ["a.rs"]
    );
}

#[test]
fn all_fits_into_enough_and_ranges_that_touch_are_one() {
    let of = [vec![30, 30, 30], vec![40, 1]];
    let index = index(&of);
    let items = pack(&index, &ranking(&index, "walker"), 1e6, &odds());
    for item in &items {
        let last = index.spans(at(&index, &item.path)).last().unwrap().last;
        assert_eq!(item.ranges, [(1, last)]);
    }
    assert_eq!(items.len(), 2);
}

#[test]
fn the_best_chunk_of_each_file_is_preferred() {
    let index = index(&[vec![40, 40, 40], vec![40, 40, 40]]);
    let files = index.files().map(|(file, _)| Scored {
        file,
        score: 1.0,
        signals: [0.0; SIGNALS],
    });
    let ranking = Ranking {
        files: files.collect(),
        ..Ranking::default()
    };
    let chunk = index.spans(0)[0].bytes as usize;
    let budget = 2.0 * (float(chunk) / BYTES_PER_TOKEN + 30.0);
    let items = pack(&index, &ranking, budget, &odds());
    assert_eq!(items.iter().map(|item| item.ranges.len()).collect::<Vec<_>>(), [1, 1]);
}

#[test]
fn no_more_than_so_many_files_are_packed() {
    let index = index(&vec![vec![1]; FILES + 5]);
    assert_eq!(pack(&index, &ranking(&index, "walker"), 1e9, &odds()).len(), FILES);
}
