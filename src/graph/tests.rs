use super::*;

/// Draws edges written as `a>b`, and nodes without any as `a`; names number nodes in the order of the alphabet.
fn drawn(text: &str, signs: Signs) -> Vec<String> {
    let mut names: Vec<&str> = text.split([' ', '>']).collect();
    names.sort_unstable();
    names.dedup();
    let number = |name: &str| names.iter().position(|other| *other == name).unwrap();
    let mut needs = vec![Vec::new(); names.len()];
    for (need, node) in text.split(' ').filter_map(|edge| edge.split_once('>')) {
        needs[number(node)].push(number(need));
    }
    let line = |line: Line| {
        let untold: Vec<&str> = line.untold.iter().map(|need| names[*need]).collect();
        let untold = if untold.is_empty() {
            String::new()
        } else {
            format!(" needs {}", untold.join(","))
        };
        format!("{} {}{untold}", line.lanes, names[line.node])
    };
    draw(&needs, signs, usize::MAX).into_iter().map(line).collect()
}

#[test]
fn goals_that_need_nothing_are_no_chain() {
    assert_eq!(drawn("a b c", Signs::UNICODE), ["○ a", "○ b", "○ c"]);
    assert_eq!(drawn("a>b b>c", Signs::UNICODE), ["○ a", "● b", "● c"]);
}

#[test]
fn a_diamond_opens_and_closes() {
    let edges = "a>b a>c b>d c>d";
    assert_eq!(drawn(edges, Signs::UNICODE), ["○ a", "├─● b", "● │ c", "●─╯ d"]);
    assert_eq!(drawn(edges, Signs::ASCII), ["o a", "+-* b", "* | c", "*-' d"]);
}

#[test]
fn a_fan_out_takes_one_lane_and_a_fan_in_ends_all() {
    assert_eq!(
        drawn("a>b a>c a>d a>e", Signs::UNICODE),
        ["○ a", "├─● b", "├─● c", "├─● d", "● e"]
    );
    assert_eq!(
        drawn("a>e b>e c>e d>e", Signs::UNICODE),
        ["○ a", "│ ○ b", "│ │ ○ c", "│ │ │ ○ d", "●─┴─┴─╯ e"]
    );
}

#[test]
fn what_a_goal_needs_stands_beside_it() {
    // By the alphabet alone all of a, b, c would come first, with three lanes.
    assert_eq!(
        drawn("a>x d>x b>y e>y c>z f>z", Signs::UNICODE),
        [
            "○ a",
            "│ ○ d",
            "●─╯ x",
            "○ b",
            "│ ○ e",
            "●─╯ y",
            "○ c",
            "│ ○ f",
            "●─╯ z"
        ]
    );
}

#[test]
fn a_lane_that_only_crosses_is_not_joined() {
    let lines = drawn("a>d a>f b>e c>d c>f b>f", Signs::UNICODE);
    assert_eq!(lines, ["○ a", "│ ○ c", "├─┼─● d", "│ │ ○ b", "│ │ ├─● e", "●─┴─╯ f"]);
    let lines = drawn("a>z b>z d>z a>d c>d", Signs::UNICODE);
    assert_eq!(lines, ["○ a", "│ ○ b", "│ │ ○ c", "├─│─● d", "●─┴─╯ z"]);
}

#[test]
fn lanes_end_somewhere_and_words_say_the_rest() {
    let names: Vec<String> = (0..40).map(|n| format!("n{n:02}>z")).collect();
    let lines = drawn(&names.join(" "), Signs::UNICODE);
    assert_eq!(lines.len(), 41);
    assert!(
        lines
            .iter()
            .all(|line| line.chars().filter(|c| "│○".contains(*c)).count() <= LANES + 1)
    );
    let last = lines.last().unwrap();
    assert!(last.contains(" needs n16,n17,"), "{last}");
    assert!(!last.contains("n15"), "{last}");
}

#[test]
fn each_stands_below_what_it_needs_and_edges_are_drawn_or_told() {
    // A graph that is the same in every run: node n needs some of those before it.
    let mut seed: u64 = 7;
    let mut random = |below: usize| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    };
    for _ in 0..50 {
        let needs: Vec<Vec<usize>> = (0..60)
            .map(|node: usize| {
                let mut needed: Vec<usize> = (0..random(3))
                    .filter(|_| node > 0)
                    .map(|_| random(node.max(1)))
                    .collect();
                needed.sort_unstable();
                needed.dedup();
                needed
            })
            .collect();
        let lines = draw(&needs, Signs::UNICODE, usize::MAX);
        assert_eq!(lines, draw(&needs, Signs::UNICODE, usize::MAX));
        let mut all: Vec<usize> = lines.iter().map(|line| line.node).collect();
        let place = |node: usize| lines.iter().position(|line| line.node == node).unwrap();
        for line in &lines {
            assert!(needs[line.node].iter().all(|need| place(*need) < place(line.node)));
        }
        all.sort_unstable();
        assert_eq!(all, (0..60).collect::<Vec<_>>());
    }
}

#[test]
fn a_long_chain_takes_one_lane_and_no_stack() {
    let needs: Vec<Vec<usize>> = (0..100_000_usize)
        .map(|n| n.checked_sub(1).into_iter().collect())
        .collect();
    let lines = draw(&needs, Signs::UNICODE, usize::MAX);
    assert!(lines.iter().skip(1).all(|line| line.lanes == "●"));
    assert_eq!(draw(&needs, Signs::UNICODE, 3).len(), 3);
}

#[test]
fn a_circle_is_drawn_all_the_same() {
    let needs = vec![vec![1], vec![0], vec![9]];
    let lines = draw(&needs, Signs::UNICODE, usize::MAX);
    assert_eq!(lines.iter().map(|line| line.node).collect::<Vec<_>>(), [2, 0, 1]);
    assert_eq!(lines[0].lanes, "○");
}
