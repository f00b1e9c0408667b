//! Screen: how many goals of each state one screen shows. Knows numbers only.

use crate::schedule::State;

/// States in the order in which they are shown: what needs a person, what runs, what waits.
const ORDER: [State; 7] = [
    State::Held,
    State::Failed,
    State::Proposed,
    State::Running,
    State::Candidate,
    State::Ready,
    State::Blocked,
];
/// Lines that goals take together, those that say how many more there are among them.
const LINES: usize = 17;
/// Lines that each state gets before any gets more.
const LEAST: usize = 2;

/// Returns the states in order, with how many goals of each are shown; where there are more, a line says so.
pub(super) fn shown(number: impl Fn(State) -> usize) -> Vec<(State, usize)> {
    let numbers = ORDER.map(|state| (state, number(state)));
    let least: usize = numbers.iter().map(|(_, number)| *number.min(&LEAST)).sum();
    let mut left = LINES.saturating_sub(least);
    let share = |(state, number): (State, usize)| {
        let more = number.saturating_sub(LEAST).min(left);
        left -= more;
        let lines = number.min(LEAST) + more;
        // The last line says how many more there are.
        (state, if number > lines { lines.saturating_sub(1) } else { number })
    };
    numbers.into_iter().map(share).collect()
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
        assert_eq!(lines(|_| 1), 7);
        assert_eq!(lines(|_| 5), LINES);
        assert_eq!(lines(|_| 10_000), LINES);
        assert!(shown(|_| 10_000).iter().all(|(_, shown)| *shown > 0));
    }

    #[test]
    fn what_needs_a_person_gets_the_room() {
        let shown = shown(|state| if matches!(state, State::Failed | State::Ready) { 30 } else { 0 });
        assert_eq!(shown.iter().find(|(state, _)| *state == State::Failed), Some(&(State::Failed, 14)));
        assert_eq!(shown.iter().find(|(state, _)| *state == State::Ready), Some(&(State::Ready, 1)));
    }
}
