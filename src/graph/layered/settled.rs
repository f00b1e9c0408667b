//! Settled: how far down each item stands, so that lines are straight and nothing overlaps.
//!
//! Each layer in turn goes as near as its order allows to where it would have straight lines: least squares under the
//! distances that must be kept (pool adjacent violators).

use crate::graph::layered::{HEIGHT, Items, count, get, set};

/// What is between two boxes, and between a box and a line that passes it.
const GAP: i64 = 24;
const LINE_GAP: i64 = 16;
/// How often all layers are gone through, there and back.
const SWEEPS: usize = 4;
/// How much more a line that passes wants to be straight than a box wants to stand well.
const STRAIGHT: i64 = 8;

/// Returns the middle of each item; the topmost box or line is at the top.
pub(super) fn settle(items: &Items) -> Vec<i64> {
    let mut middle = vec![0; items.layer.len()];
    for layer in &items.layers {
        for (item, offset) in layer.iter().zip(offsets(items, layer)) {
            set(&mut middle, *item, offset);
        }
    }
    if items.layers.len() > 1 {
        for _ in 0..SWEEPS {
            let wish = |item, middle: &[i64]| mean(items.left.get(item), middle);
            items
                .layers
                .iter()
                .for_each(|layer| place(items, layer, &mut middle, wish));
            let wish = |item, middle: &[i64]| mean(items.right.get(item), middle);
            items
                .layers
                .iter()
                .rev()
                .for_each(|layer| place(items, layer, &mut middle, wish));
        }
    }
    let top = (0..middle.len())
        .map(|item| get(&middle, item) - half(items, item))
        .min();
    middle.iter_mut().for_each(|y| *y -= top.unwrap_or(0));
    middle
}

fn half(items: &Items, item: usize) -> i64 {
    if items.is_node(item) { HEIGHT / 2 } else { 0 }
}

/// Returns where each item of a layer stands when the layer is pushed together.
fn offsets(items: &Items, layer: &[usize]) -> Vec<i64> {
    let mut offsets = Vec::with_capacity(layer.len());
    let mut bottom: Option<(i64, bool)> = None;
    for item in layer {
        let is_node = items.is_node(*item);
        let gap = |(bottom, above): (i64, bool)| bottom + if is_node && above { GAP } else { LINE_GAP };
        let offset = bottom.map_or(0, gap) + half(items, *item);
        offsets.push(offset);
        bottom = Some((offset + half(items, *item), is_node));
    }
    offsets
}

fn mean(beside: Option<&Vec<usize>>, middle: &[i64]) -> Option<i64> {
    let beside = beside.filter(|beside| !beside.is_empty())?;
    let sum: i64 = beside.iter().map(|item| get(middle, *item)).sum();
    Some(sum.div_euclid(count(beside.len())))
}

/// Items that touch each other and go together.
struct Block {
    weight: i64,
    sum: i64,
    items: usize,
}

impl Block {
    fn at(&self) -> i64 {
        self.sum.div_euclid(self.weight)
    }
}

fn place(items: &Items, layer: &[usize], middle: &mut [i64], wish: impl Fn(usize, &[i64]) -> Option<i64>) {
    let offsets = offsets(items, layer);
    let mut blocks: Vec<Block> = Vec::new();
    for (item, offset) in layer.iter().zip(&offsets) {
        let weight = if items.is_node(*item) { 1 } else { STRAIGHT };
        let wanted = wish(*item, middle).unwrap_or(get(middle, *item)) - offset;
        let mut block = Block {
            weight,
            sum: wanted * weight,
            items: 1,
        };
        while let Some(above) = blocks.pop_if(|above| above.at() >= block.at()) {
            block = Block {
                weight: block.weight + above.weight,
                sum: block.sum + above.sum,
                items: block.items + above.items,
            };
        }
        blocks.push(block);
    }
    let at = blocks
        .iter()
        .flat_map(|block| std::iter::repeat_n(block.at(), block.items));
    for ((item, offset), at) in layer.iter().zip(&offsets).zip(at) {
        set(middle, *item, at + offset);
    }
}
