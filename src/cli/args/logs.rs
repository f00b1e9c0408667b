//! The arguments of `logs`.

use std::time::Duration;

use clap::Args;

use crate::time::Moment;

/// `logs`
#[derive(Args, Debug)]
pub struct Logs {
    /// Only what is about this goal
    #[arg(value_name = "GOAL")]
    pub id: Option<String>,
    /// Go on with whatever is logged, by any run, until Ctrl-C
    #[arg(short, long)]
    pub follow: bool,
    /// Also what the checks of the goal printed, in every attempt that is still there
    #[arg(long, requires = "id", conflicts_with = "follow")]
    pub output: bool,
    /// What every run logged since then, such as 90m, 8h, 7d, 2026-11-22 or 2026-11-22T20:00:00Z; dates are in UTC
    #[arg(long, value_name = "WHEN", value_parser = since)]
    pub since: Option<Since>,
}

/// Since when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Since {
    /// So long ago.
    Ago(Duration),
    /// Then.
    At(Moment),
}

impl Since {
    /// Returns the moment, as seen from `now`.
    pub fn moment(self, now: Moment) -> Moment {
        match self {
            Self::At(at) => at,
            Self::Ago(span) => now.before(span),
        }
    }
}

fn since(text: &str) -> Result<Since, String> {
    let at = |text: &str| Moment::from_rfc3339(text).map(Since::At);
    let found = ago(text)
        .or_else(|| at(text))
        .or_else(|| at(&format!("{text}T00:00:00Z")));
    found.ok_or_else(|| "it must be like 90m, 8h, 7d, 2026-11-22 or 2026-11-22T20:00:00Z".to_owned())
}

fn ago(text: &str) -> Option<Since> {
    let unit = text.chars().next_back()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => return None,
    };
    let count: u64 = text.strip_suffix(unit)?.parse().ok()?;
    Some(Since::Ago(Duration::from_secs(count.checked_mul(seconds)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_days_and_moments_are_read() {
        let now = Moment(10_000_000);
        let moment = |text: &str| since(text).map(|since| since.moment(now).0).ok();
        assert_eq!(moment("90m"), Some(10_000_000 - 5_400_000));
        assert_eq!(moment("1d"), Some(10_000_000 - 86_400_000));
        assert_eq!(moment("1970-01-02"), Some(86_400_000));
        assert_eq!(moment("1970-01-01T00:00:01Z"), Some(1000));
        for bad in [
            "",
            "m",
            "7",
            "yesterday",
            "-3h",
            "2026-13-01",
            "99999999999999999999d",
            "3é",
        ] {
            assert!(since(bad).is_err(), "{bad}");
        }
    }
}
