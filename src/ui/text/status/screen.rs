//! Screen: how many goals of each state one screen shows. Knows numbers only.

use crate::schedule::State;

/// States in the order in which they are shown: what needs a person, what runs, what waits.
const ORDER: [State; 8] = [
    State::Held,
    State::Failed,
    State::Parked,
    State::Proposed,
    State::Running,
    State::Candidate,
    State::Ready,
    State::Blocked,
];
/// Lines that goals take together, those that say how many more there are among them.
const LINES: usize = 16;

/// Returns the states in order, with how many goals of each are shown; where there are more, a line says so.
pub(super) fn shown(number: impl Fn(State) -> usize) -> [(State, usize); 8] {
    let numbers = ORDER.map(number);
    let (mut lines, mut left) = (numbers.map(|_| 0), LINES);
    // One line to each in turn, so that no state takes the room of all others.
    while left > 0 && lines != numbers {
        for (lines, number) in lines.iter_mut().zip(numbers) {
            let more = usize::from(*lines < number).min(left);
            *lines += more;
            left -= more;
        }
    }
    let mut shown = ORDER.map(|state| (state, 0));
    for ((shown, lines), number) in shown.iter_mut().zip(lines).zip(numbers) {
        // The last line says how many more there are.
        shown.1 = if number > lines {
            lines.saturating_sub(1)
        } else {
            number
        };
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(number: impl Fn(State) -> usize) -> usize {
        let more = |(state, shown): &(State, usize)| shown + usize::from(number(*state) > *shown);
        shown(&number).iter().map(more).sum()
    }

    #[test]
    fn all_states_stay_on_one_screen_however_many_goals_there_are() {
        assert_eq!(lines(|_| 0), 0);
        assert_eq!(lines(|_| 1), 8);
        assert_eq!(lines(|_| 5), LINES);
        assert_eq!(lines(|_| 10_000), LINES);
        assert!(shown(|_| 10_000).iter().all(|(_, shown)| *shown > 0));
    }

    #[test]
    fn states_share_the_room_that_others_leave() {
        let of = |state: State| usize::from(matches!(state, State::Failed | State::Ready)) * 30;
        let shown: Vec<usize> = shown(of).into_iter().map(|(_, shown)| shown).collect();
        assert_eq!(shown, [0, 7, 0, 0, 0, 0, 7, 0]);
    }
}
