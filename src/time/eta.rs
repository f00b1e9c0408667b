//! `Eta` and `Ends`: how much longer something probably takes, always as a range. Knows no history: `schedule/forecast` has it.

use std::time::Duration;

use serde::{Deserialize as _, Deserializer, Serialize, Serializer};

use crate::time::Moment;

/// How much longer something probably takes. As JSON whole seconds: `[240, 540]`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Eta {
    /// At least.
    pub least: Duration,
    /// At most.
    pub most: Duration,
}

/// When something probably ends. As JSON two times in RFC 3339.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ends {
    /// At the earliest.
    pub first: Moment,
    /// At the latest.
    pub last: Moment,
}

impl Eta {
    /// Returns when that is, counted from `now`.
    pub fn after(self, now: Moment) -> Ends {
        Ends {
            first: now.after(self.least),
            last: now.after(self.most),
        }
    }

    /// Words it in one unit, outwards to what matters of it: `4–9 min`, `0.5–2.5 h`; after `none` where it may end at once.
    pub fn words(self, dash: &str, none: &str) -> String {
        // Seconds of a step, and how many steps are one of the unit.
        let (step, of_unit, unit) = match self.most.as_secs() {
            0..120 => (10, 0, "s"),
            120..7200 => (60, 1, "min"),
            7200..36_000 => (1800, 2, "h"),
            _ => (3600, 1, "h"),
        };
        let number = |steps: u64| match of_unit {
            0 => (steps * step).to_string(),
            2 if steps % 2 == 1 => format!("{}.5", steps / 2),
            _ => (steps / of_unit).to_string(),
        };
        let least = self.least.as_secs() / step;
        let whole = self.most.as_secs() + u64::from(self.most.subsec_nanos() > 0);
        let most = whole.div_ceil(step).max(1);
        match least {
            0 => format!("{none}{} {unit}", number(most)),
            least if least == most => format!("{} {unit}", number(most)),
            least => format!("{}{dash}{} {unit}", number(least), number(most)),
        }
    }
}

impl Ends {
    /// Returns how much of it is left at `now`; `None` where it should be over by now.
    pub fn left(self, now: Moment) -> Option<Eta> {
        let (least, most) = (self.first.since(now), self.last.since(now));
        (!most.is_zero()).then_some(Eta { least, most })
    }
}

impl Serialize for Eta {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let most = self.most.as_secs().max(1);
        [self.least.as_secs(), most].serialize(to)
    }
}

impl Serialize for Ends {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        [self.first, self.last].map(Moment::rfc3339).serialize(to)
    }
}

impl Ends {
    /// Reads what `serialize` wrote; nothing is known of what another version of the program wrote in another way.
    ///
    /// # Errors
    /// Where it is no JSON.
    pub fn lenient<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Self>, D::Error> {
        let said = Option::<serde_json::Value>::deserialize(from)?;
        let read = said.and_then(|said| serde_json::from_value::<[String; 2]>(said).ok());
        let [first, last] = read.unwrap_or_default().map(|at| Moment::from_rfc3339(&at));
        Ok(first.zip(last).map(|(first, last)| Self { first, last }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eta(least: u64, most: u64) -> Eta {
        Eta {
            least: Duration::from_secs(least),
            most: Duration::from_secs(most),
        }
    }

    #[test]
    fn a_range_is_worded_outwards_and_never_nothing() {
        let words = |least, most| eta(least, most).words("–", "up to ");
        assert_eq!(words(242, 535), "4–9 min");
        assert_eq!(words(20, 41), "20–50 s");
        assert_eq!(words(0, 0), "up to 10 s");
        assert_eq!(words(59, 61), "50–70 s");
        assert_eq!(words(59, 121), "up to 3 min");
        assert_eq!(words(300, 300), "5 min");
        assert_eq!(words(2400, 7199), "40–120 min");
        assert_eq!(words(2000, 8000), "0.5–2.5 h");
        assert_eq!(words(30_000, 100_000), "8–28 h");
        assert_eq!(eta(240, 540).words("-", ""), "4-9 min");
        assert_eq!(eta(1, 535).words("-", "<"), "<9 min");
        let short = Eta {
            least: Duration::ZERO,
            most: Duration::from_millis(1),
        };
        assert_eq!(serde_json::to_string(&short).unwrap(), "[0,1]");
    }

    #[test]
    fn what_is_left_gets_less_and_is_never_negative() {
        let ends = eta(240, 540).after(Moment(1_000_000));
        assert_eq!(ends.left(Moment(1_000_000)), Some(eta(240, 540)));
        assert_eq!(ends.left(Moment(1_300_000)), Some(eta(0, 240)));
        assert_eq!(ends.left(Moment(1_540_000)), None);
        assert_eq!(ends.left(Moment(9_000_000)), None);
        let text = serde_json::to_string(&ends).unwrap();
        assert_eq!(text, r#"["1970-01-01T00:20:40Z","1970-01-01T00:25:40Z"]"#);
        let read = |text: &str| Ends::lenient(&mut serde_json::Deserializer::from_str(text)).unwrap();
        assert_eq!(read(&text), Some(ends));
        assert_eq!(
            (read("null"), read(r#"{"at":1}"#), read(r#"["x","y"]"#)),
            (None, None, None)
        );
    }
}
