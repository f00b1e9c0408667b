//! A checklist in Markdown: each open box is a goal, its headings are labels, boxes below a box are its parts.

use std::collections::HashMap;

use crate::{
    foreign::{
        Item, Read, Standing,
        markdown::{self, Tick},
        text,
    },
    goal::Goal,
};

/// Reads a checklist.
pub fn read(document: &str) -> Read {
    let mut read = Read::default();
    // Boxes that the next one may be a part of: indent, origin, text, standing.
    let mut above: Vec<(usize, String, String, Standing)> = Vec::new();
    let mut seen: HashMap<String, usize> = HashMap::new();
    for found in markdown::boxes(document) {
        above.retain(|(indent, ..)| *indent < found.indent);
        if found.indent == 0 {
            above.clear();
        }
        let parent = above.last().cloned();
        let mut names: Vec<&str> = found.headings.iter().map(|(_, title)| *title).collect();
        names.extend(parent.iter().map(|(_, origin, ..)| origin.as_str()));
        names.push(found.text);
        let hash = text::short_hash(&names);
        let nth = seen.entry(hash.clone()).or_default();
        *nth += 1;
        let origin = if *nth == 1 { hash } else { format!("{hash}-{nth}") };
        let own = match found.tick {
            Tick::Open => Standing::Open,
            Tick::Done => Standing::Closed,
            Tick::Dropped => Standing::Rejected,
        };
        // What is ticked is ticked with all its parts.
        let standing = match &parent {
            Some((.., over @ (Standing::Closed | Standing::Rejected))) => over.clone(),
            _ => own,
        };
        let item = Item {
            id: format!("todo-{origin}"),
            goal: goal(&found, parent.as_ref().map(|(_, _, text, _)| text.as_str())),
            parent: parent.map(|(_, origin, ..)| origin),
            standing: standing.clone(),
            origin: origin.clone(),
            ..Item::default()
        };
        above.push((found.indent, origin, item.goal.description.clone(), standing));
        read.items.push(item);
    }
    read
}

fn goal(found: &markdown::Box<'_>, parent: Option<&str>) -> Goal {
    let (description, whole) = text::one_line(found.text);
    let long = if whole { String::new() } else { text::clean(found.text) };
    let part_of = parent.map_or_else(String::new, |parent| format!("This is a part of: {parent}"));
    // The page's title says nothing about one of its points.
    let labels = found.headings.iter().filter(|(level, _)| *level > 1);
    Goal {
        description,
        prompt: text::joined(&[long, text::clean(&found.more.join("\n")), part_of]),
        labels: labels
            .map(|(_, title)| text::clean(title))
            .filter(|title| !title.is_empty())
            .collect(),
        ..Goal::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_name_their_whole_and_ticked_wholes_tick_their_parts() {
        let read = read(
            "# T\n## Login\n- [ ] Form\n  - [ ] Field\n    why\n  - [x] Button\n- [x] Old\n  - [ ] Rest\n- [ ] Form\n",
        );
        let at = |nth: usize| read.items.get(nth).unwrap();
        assert_eq!(at(1).parent.as_deref(), Some(at(0).origin.as_str()));
        assert_eq!(at(1).goal.prompt, "why\n\nThis is a part of: Form");
        assert_eq!(at(1).goal.labels, ["Login"]);
        assert_eq!(
            (&at(2).standing, &at(4).standing),
            (&Standing::Closed, &Standing::Closed)
        );
        assert_eq!(at(5).origin, format!("{}-2", at(0).origin));
    }
}
