//! The templates that come with the program: name, purpose and source. Renders none.

use crate::prompt::template::Template;

/// A template of ours.
#[derive(Debug)]
pub struct Ours {
    /// Its name, which is its path below the folder of templates.
    pub name: &'static str,
    /// What it is for: a sentence or two.
    pub about: &'static str,
    /// What is rendered.
    pub source: &'static str,
}

/// Every one, in the order of a goal's life.
pub static ALL: [Ours; 19] = [
    Ours {
        name: "system.md.j2",
        about: "Standing orders of a model that replies with edits: how to reply, and what it must leave alone. The first message.",
        source: include_str!("../../../templates/prompt/system.md.j2"),
    },
    Ours {
        name: "context.md.j2",
        about: "What the repository says to a goal. Stands before the goal, and stays the same between rounds.",
        source: include_str!("../../../templates/prompt/context.md.j2"),
    },
    Ours {
        name: "goal.md.j2",
        about: "A goal. Has the blocks `kind` (behind the heading) and `orders` (what to do), which `test_goal.md.j2` and `work_goal.md.j2` replace: keep them.",
        source: include_str!("../../../templates/prompt/goal.md.j2"),
    },
    Ours {
        name: "test_goal.md.j2",
        about: "A goal that asks for tests only. Builds on `goal.md.j2`.",
        source: include_str!("../../../templates/prompt/test_goal.md.j2"),
    },
    Ours {
        name: "repair.md.j2",
        about: "What a model is told after a reply that did not do: refused, or a check failed; or the files that it asked to see.",
        source: include_str!("../../../templates/prompt/repair.md.j2"),
    },
    Ours {
        name: "format/search-replace.md.j2",
        about: "How to word edits as blocks of old and new lines.",
        source: include_str!("../../../templates/prompt/format/search-replace.md.j2"),
    },
    Ours {
        name: "format/udiff.md.j2",
        about: "How to word edits as unified diffs.",
        source: include_str!("../../../templates/prompt/format/udiff.md.j2"),
    },
    Ours {
        name: "format/whole.md.j2",
        about: "How to word edits as whole files.",
        source: include_str!("../../../templates/prompt/format/whole.md.j2"),
    },
    Ours {
        name: "format/apply-patch.md.j2",
        about: "How to word edits as a patch of `apply_patch`.",
        source: include_str!("../../../templates/prompt/format/apply-patch.md.j2"),
    },
    Ours {
        name: "format/str-replace.md.j2",
        about: "How to word edits as JSON objects that replace a text.",
        source: include_str!("../../../templates/prompt/format/str-replace.md.j2"),
    },
    Ours {
        name: "work.md.j2",
        about: "Standing orders of a program that works in a folder (executor `external`).",
        source: include_str!("../../../templates/prompt/work.md.j2"),
    },
    Ours {
        name: "tools.md.j2",
        about: "Standing orders of a model that works in a folder, one action a turn (executor `tools`).",
        source: include_str!("../../../templates/prompt/tools.md.j2"),
    },
    Ours {
        name: "work_goal.md.j2",
        about: "A goal to work at in a folder. Builds on `goal.md.j2`.",
        source: include_str!("../../../templates/prompt/work_goal.md.j2"),
    },
    Ours {
        name: "rework.md.j2",
        about: "What went wrong in a round of work in a folder.",
        source: include_str!("../../../templates/prompt/rework.md.j2"),
    },
    Ours {
        name: "blocks.md.j2",
        about: "Macros that show a block: `block(it)` its text between fences, `text(it)` its path above that. They see what they are given and no variables.",
        source: include_str!("../../../templates/prompt/blocks.md.j2"),
    },
    Ours {
        name: "plan_system.md.j2",
        about: "Standing orders of a model that plans: what a goal has, and how goals are judged.",
        source: include_str!("../../../templates/prompt/plan_system.md.j2"),
    },
    Ours {
        name: "plan_context.md.j2",
        about: "What the repository and its backlog say to who plans.",
        source: include_str!("../../../templates/prompt/plan_context.md.j2"),
    },
    Ours {
        name: "plan.md.j2",
        about: "The order to plan.",
        source: include_str!("../../../templates/prompt/plan.md.j2"),
    },
    Ours {
        name: "plan_again.md.j2",
        about: "What was wrong with a plan, and the order again.",
        source: include_str!("../../../templates/prompt/plan_again.md.j2"),
    },
];

/// Returns the template of ours called `name`.
pub fn find(name: &str) -> Option<&'static Ours> {
    ALL.iter().find(|ours| ours.name == name)
}

/// Returns the names of all.
pub fn names() -> Vec<&'static str> {
    ALL.iter().map(|ours| ours.name).collect()
}

/// Returns in which templates one can be used: itself, or for a part of others all that may use it.
pub fn users(name: &str) -> Vec<Template> {
    match Template::ALL.iter().find(|template| template.name() == name) {
        Some(template) => vec![*template],
        None if name.starts_with("format/") => vec![Template::System, Template::Tools],
        None => Vec::new(),
    }
}
