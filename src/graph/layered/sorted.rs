//! Sorted: in which order items stand in their layer, so that few lines cross.
//!
//! Sweeps there and back: each item goes to the mean place of what it is joined to in the layer before. The best of all
//! orders seen is kept.

use crate::graph::layered::{Items, get, set};

/// How often to go there and back.
const SWEEPS: usize = 4;

/// Sorts each layer.
pub(super) fn sort(items: &mut Items) {
    if items.layers.len() < 2 {
        return;
    }
    let mut at = places(items);
    let mut best = (crossings(items, &at), items.layers.clone());
    for _ in 0..SWEEPS {
        for is_back in [false, true] {
            sweep(items, &mut at, is_back);
            let crossings = crossings(items, &at);
            if crossings < best.0 {
                best = (crossings, items.layers.clone());
            }
        }
        if best.0 == 0 {
            break;
        }
    }
    items.layers = best.1;
}

/// Returns the place of each item in its layer.
fn places(items: &Items) -> Vec<usize> {
    let mut at = vec![0; items.layer.len()];
    for layer in &items.layers {
        for (nth, item) in layer.iter().enumerate() {
            set(&mut at, *item, nth);
        }
    }
    at
}

fn sweep(items: &mut Items, at: &mut [usize], is_back: bool) {
    let Items {
        layers, left, right, ..
    } = items;
    let beside = if is_back { &*right } else { &*left };
    let mut sort = |layer: &mut Vec<usize>| {
        layer.sort_by_cached_key(|item| mean(beside.get(*item), at).unwrap_or(get(at, *item) * FINE));
        for (nth, item) in layer.iter().enumerate() {
            set(at, *item, nth);
        }
    };
    if is_back {
        layers.iter_mut().rev().for_each(&mut sort);
    } else {
        layers.iter_mut().for_each(&mut sort);
    }
}

/// How finely means are told apart.
const FINE: usize = 1 << 10;

fn mean(beside: Option<&Vec<usize>>, at: &[usize]) -> Option<usize> {
    let beside = beside.filter(|beside| !beside.is_empty())?;
    let sum: usize = beside.iter().map(|item| get(at, *item)).sum();
    Some(sum * FINE / beside.len())
}

/// Counts how often lines between neighbouring layers cross.
fn crossings(items: &Items, at: &[usize]) -> u64 {
    let between = |layer: &Vec<usize>| {
        let mut ends: Vec<(usize, usize)> = Vec::new();
        for item in layer {
            let right = items.right.get(*item).into_iter().flatten();
            ends.extend(right.map(|to| (get(at, *item), get(at, *to))));
        }
        ends.sort_unstable();
        inversions(ends.iter().map(|(_, to)| *to))
    };
    items.layers.iter().map(between).sum()
}

/// Counts the pairs of which the first is larger.
fn inversions(numbers: impl Iterator<Item = usize> + Clone) -> u64 {
    let size = numbers.clone().max().map_or(0, |max| max + 2);
    // How many were seen up to each number, as a tree of sums by binary digits.
    let mut seen = vec![0_u64; size];
    let mut found = 0;
    for (nth, number) in (0_u64..).zip(numbers) {
        let mut below = 0;
        let mut at = number + 1;
        while at > 0 {
            below += get(&seen, at);
            at &= at - 1;
        }
        found += nth - below;
        let mut at = number + 1;
        while let Some(sum) = seen.get_mut(at) {
            *sum += 1;
            at += at & at.wrapping_neg();
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inversions_are_counted_as_one_by_one() {
        for numbers in [&[0][..], &[0, 1, 2], &[2, 1, 0], &[3, 1, 1, 0, 4, 2], &[]] {
            let pairs = (0..numbers.len()).flat_map(|a| (a + 1..numbers.len()).map(move |b| (a, b)));
            let slow = pairs.filter(|(a, b)| numbers[*a] > numbers[*b]).count();
            assert_eq!(inversions(numbers.iter().copied()), u64::try_from(slow).unwrap());
        }
    }
}
