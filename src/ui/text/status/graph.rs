//! `status --graph`: goals below what they need, as `git log --graph` draws commits. What landed is counted, unless asked for.

use crate::{
    commands::status::graph::Outcome,
    graph::{
        self, Line, Signs,
        part::{Part, Shown},
    },
    id::GoalId,
    letters::{columns, one_line},
    quote::quoted,
    ui::{
        View,
        colour::Style,
        look::{Look, grouped},
    },
};

/// Most goals that a terminal shows; what reads from a pipe gets all.
const MOST: usize = 100;

impl View for Outcome {
    /// Returns the drawing, and below it what the marks mean.
    fn text(&self, look: &Look) -> String {
        let signs = if look.unicode { Signs::UNICODE } else { Signs::ASCII };
        let most = if look.is_endless() { usize::MAX } else { MOST };
        let mut text = String::new();
        for drawn in graph::draw(&self.part.lines(), signs, most) {
            if let Some(shown) = self.part.goals.get(drawn.node) {
                text.push_str(&line(look, shown, &drawn, &self.part));
                text.push('\n');
            }
        }
        let more = self.part.goals.len().saturating_sub(most);
        if more > 0 {
            let (dots, more) = (look.ellipsis(), grouped(more));
            text.extend([dots, " and ", &more, " more: git invisigoth status --graph | less\n"]);
        }
        text + &foot(self)
    }
}

fn line(look: &Look, shown: &Shown, drawn: &Line, part: &Part) -> String {
    let head = format!("{} ", drawn.lanes);
    let taken = columns(&head) + columns(shown.state.word()) + 1;
    // A need that no lane leads from: beyond the widest drawing, not in it, or not open.
    let untold = drawn.untold.iter().filter_map(|need| part.goals.get(*need));
    let untold = untold.map(|need| &need.goal);
    let needs: Vec<&str> = untold
        .chain(&shown.others)
        .chain(&shown.lost)
        .map(GoalId::as_str)
        .collect();
    let needs = if needs.is_empty() {
        String::new()
    } else {
        format!("  needs {}", needs.join(", "))
    };
    let about = one_line(&format!("{}{needs}  {}", shown.goal, one_line(&shown.description)));
    let state = look.paint.paint(Style::of(shown.state), shown.state.word());
    format!("{head}{state} {}", look.cut(&about, look.width.saturating_sub(taken)))
}

fn foot(outcome: &Outcome) -> String {
    let part = &outcome.part;
    let mut foot = match part.goals.is_empty() {
        true => "nothing is open".to_owned(),
        false => "a goal needs those whose lanes lead down to it".to_owned(),
    };
    if part.landed > 0 {
        let focus = outcome
            .focus
            .as_ref()
            .map(|id| format!(" --focus {}", quoted(id.as_str())));
        let focus = focus.unwrap_or_default();
        let landed = grouped(part.landed);
        foot = format!("{foot}\n{landed} landed: git invisigoth status --graph{focus} --landed");
    }
    foot + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        graph::part::{Choice, Node, choose},
        schedule::State,
        ui::colour::Paint,
    };

    const SCREEN: Look = Look {
        paint: Paint { on: false },
        width: 80,
        unicode: true,
    };

    fn node(id: &str, state: State, needs: &[&str]) -> Node {
        Node {
            id: id.parse().unwrap(),
            description: "What it is about".into(),
            state,
            needs: needs.iter().map(|need| need.parse().unwrap()).collect(),
        }
    }

    fn drawn(nodes: &[Node], choice: Choice, look: &Look) -> String {
        let part = choose(nodes, &choice, usize::MAX).unwrap();
        let focus = choice.focus;
        Outcome { focus, part }.text(look)
    }

    fn some() -> Vec<Node> {
        vec![
            node("a", State::Ready, &["x"]),
            node("solo", State::Ready, &[]),
            node("b", State::Blocked, &["a"]),
            node("c", State::Blocked, &["a"]),
            node("d", State::Blocked, &["a", "b", "c"]),
            node("e", State::Blocked, &["no"]),
            node("no", State::Rejected, &[]),
            node("x", State::Landed, &[]),
        ]
    }

    #[test]
    fn it_draws_what_is_open() {
        let ascii = Look {
            unicode: false,
            ..SCREEN
        };
        insta::assert_snapshot!(drawn(&some(), Choice::default(), &ascii), @r"
        o ready a  What it is about
        +-* blocked b  What it is about
        * | blocked c  What it is about
        *-' blocked d  What it is about
        o ready solo  What it is about
        o blocked e  needs no  What it is about
        a goal needs those whose lanes lead down to it
        1 landed: git invisigoth status --graph --landed
        ");
    }

    #[test]
    fn it_draws_what_landed_and_what_one_goal_is_about() {
        let choice = Choice {
            focus: Some("b".parse().unwrap()),
            landed: true,
        };
        insta::assert_snapshot!(drawn(&some(), choice.clone(), &SCREEN), @r"
        ○ landed x  What it is about
        ● ready a  What it is about
        ● blocked b  What it is about
        ● blocked d  needs c  What it is about
        a goal needs those whose lanes lead down to it
        ");
        let choice = Choice {
            landed: false,
            ..choice
        };
        let foot = "\n1 landed: git invisigoth status --graph --focus b --landed\n";
        assert!(drawn(&some(), choice, &SCREEN).ends_with(foot));
    }

    #[test]
    fn a_large_one_is_cut_on_a_terminal_and_whole_on_a_pipe() {
        let all: Vec<Node> = (0..500).map(|n| node(&format!("g{n:03}"), State::Ready, &[])).collect();
        let screen = drawn(&all, Choice::default(), &SCREEN);
        assert_eq!(screen.lines().count(), 102);
        let more = "… and 400 more: git invisigoth status --graph | less\n";
        assert!(screen.contains(more), "{screen}");
        let endless = Look {
            width: usize::MAX,
            ..SCREEN
        };
        assert_eq!(drawn(&all, Choice::default(), &endless).lines().count(), 501);
    }
}
