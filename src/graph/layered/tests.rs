use super::*;

/// A graph that is the same in every run: each node needs some of those shortly before it.
pub(crate) fn random(nodes: usize, most: usize) -> Vec<Vec<usize>> {
    let mut seed: u64 = 7;
    let mut random = |below: usize| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    };
    (0..nodes)
        .map(|node: usize| {
            let mut needed: Vec<usize> = (0..random(most + 1))
                .filter(|_| node > 0)
                .map(|_| node - 1 - random(node.min(40)))
                .collect();
            needed.sort_unstable();
            needed.dedup();
            needed
        })
        .collect()
}

fn column(drawing: &Drawing, node: usize) -> i64 {
    drawing.places[node].x / (WIDTH + COLUMN_GAP)
}

/// Fails where boxes overlap, stand outside, or are passed by a line of others.
fn is_sound(needs: &[Vec<usize>], drawing: &Drawing) {
    let mut boxes: Vec<Point> = drawing.places.clone();
    assert_eq!(boxes.len(), needs.len());
    boxes.sort();
    for two in boxes.windows(2) {
        let is_apart = two[0].x + WIDTH <= two[1].x || two[0].y + HEIGHT <= two[1].y;
        assert!(two[0].x != two[1].x || is_apart, "{two:?}");
    }
    for place in &boxes {
        assert!(place.x >= 0 && place.x + WIDTH <= drawing.width, "{place:?}");
        assert!(place.y >= 0 && place.y + HEIGHT <= drawing.height, "{place:?}");
    }
    for (a, b) in drawing.lines.iter().flat_map(|line| &line.runs) {
        let passes =
            |place: &&Point| place.x == a.x && b.x == a.x + WIDTH && (place.y..place.y + HEIGHT).contains(&a.y);
        assert_eq!(boxes.iter().find(passes), None, "{a:?} {b:?}");
    }
    let mut sequence = drawing.sequence.clone();
    sequence.sort_unstable();
    assert_eq!(sequence, (0..needs.len()).collect::<Vec<_>>());
}

/// Returns the nodes whose boxes the line of `from` ends at.
fn leads_to(drawing: &Drawing, from: usize) -> Vec<usize> {
    let runs = || {
        drawing
            .lines
            .iter()
            .filter(|line| line.from == from)
            .flat_map(|line| &line.runs)
    };
    let is_end = |place: &Point| {
        let end = Point {
            x: place.x,
            y: place.y + HEIGHT / 2,
        };
        runs().any(|(_, b)| *b == end) && runs().all(|(a, _)| *a != end)
    };
    let ends = (0..drawing.places.len()).filter(|node| is_end(&drawing.places[*node]));
    ends.collect()
}

#[test]
fn each_stands_right_of_what_it_needs_and_lines_lead_there() {
    for needs in [
        random(60, 3),
        random(200, 2),
        vec![vec![], vec![0], vec![0], vec![1, 2]],
    ] {
        let drawing = draw(&needs);
        assert_eq!(drawing, draw(&needs));
        is_sound(&needs, &drawing);
        for (node, needed) in needs.iter().enumerate() {
            for need in needed {
                assert!(drawing.places[*need].x < drawing.places[node].x, "{need} {node}");
                assert!(leads_to(&drawing, *need).contains(&node), "{need} {node}");
            }
        }
    }
}

#[test]
fn a_diamond_is_drawn_as_one() {
    let drawing = draw(&[vec![], vec![0], vec![0], vec![1, 2]]);
    let columns: Vec<i64> = (0..4).map(|node| column(&drawing, node)).collect();
    assert_eq!(columns, [0, 1, 1, 2]);
    let y: Vec<i64> = drawing.places.iter().map(|place| place.y).collect();
    // Both ends stand in the middle between the two.
    assert_eq!((y[0], y[3]), ((y[1] + y[2]) / 2, (y[1] + y[2]) / 2));
    assert_eq!(drawing.sequence, [0, 1, 2, 3]);
}

#[test]
fn two_chains_do_not_cross_and_a_line_that_passes_has_a_place_of_its_own() {
    // 0 → 2 → 4 and 1 → 3 → 4, and 0 → 4 past the second layer.
    let needs = vec![vec![], vec![], vec![0], vec![1], vec![0, 2, 3]];
    let drawing = draw(&needs);
    is_sound(&needs, &drawing);
    let y = |node: usize| drawing.places[node].y;
    assert_eq!(y(0) < y(1), y(2) < y(3));
    let long = drawing.lines.iter().find(|line| line.from == 0).unwrap();
    assert_eq!(long.runs.len(), 4, "{long:?}");
}

#[test]
fn goals_that_stand_alone_are_no_column() {
    let drawing = draw(&vec![Vec::new(); 100]);
    assert_eq!(drawing.width, 4 * WIDTH + 3 * COLUMN_GAP);
    assert_eq!(drawing.height, 25 * HEIGHT + 24 * PART_GAP);
    assert_eq!(drawing.sequence, (0..100).collect::<Vec<_>>());
}

#[test]
fn a_goal_stands_beside_what_needs_it() {
    // 3 needs nothing; at the far left its line would pass two layers.
    let drawing = draw(&[vec![], vec![0], vec![1, 3], vec![]]);
    assert_eq!(column(&drawing, 3), 1);
}

#[test]
fn a_damaged_backlog_is_drawn_all_the_same() {
    let needs = vec![
        vec![1, 1, 0],
        vec![0, 99],
        vec![1],
        vec![4],
        vec![5],
        vec![3, usize::MAX],
    ];
    let drawing = draw(&needs);
    is_sound(&needs, &drawing);
    assert_eq!(drawing.lines.iter().filter(|line| line.is_circle).count(), 2);
    assert_eq!(draw(&[]), Drawing::default());
}

#[test]
fn neither_many_lines_nor_long_ones_take_long() {
    // Every goal needs all before it: far more stand-ins than are worth it.
    let all: Vec<Vec<usize>> = (0..300).map(|node| (0..node).collect()).collect();
    assert_eq!(draw(&all).sequence, (0..300).collect::<Vec<_>>());
    let chain: Vec<Vec<usize>> = (0..20_000_usize)
        .map(|n| n.checked_sub(1).into_iter().collect())
        .collect();
    let drawing = draw(&chain);
    assert_eq!(drawing.height, HEIGHT);
    // One goal that all others need has one line, which they share.
    let hub: Vec<Vec<usize>> = (0..5_000)
        .map(|node| if node == 0 { vec![] } else { vec![0] })
        .collect();
    assert_eq!(draw(&hub).lines.len(), 1);
}
