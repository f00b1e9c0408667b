//! What a run will cost, as a line.

use crate::{
    engine::estimate::{By, Estimate},
    money::dollars,
    ui::look::{Look, count},
};

/// Words it: `about 12 goals, $0.80–$2.10 by past goals, 1–3 h, cap $10.00`.
pub fn line(told: &Estimate, look: &Look) -> String {
    let goals = count(told.goals, "goal", "goals");
    let cost = match (told.usd, told.by) {
        (None, _) => "price unknown".to_owned(),
        (Some([_, most]), By::Prices) => format!("up to {} by prices", dollars(Some(most))),
        (Some([least, most]), By::Past) => {
            let [least, most] = [least, most].map(|usd| dollars(Some(usd)));
            match least == most {
                true => format!("{most} by past goals"),
                false => format!("{least}{}{most} by past goals", look.dash()),
            }
        }
    };
    let long = told.eta.map(|eta| eta.words(look.dash(), "up to "));
    let cap = match told.cap_usd {
        Some(cap) => format!("cap {}", dollars(Some(cap))),
        None => "no cap".to_owned(),
    };
    let parts: Vec<String> = [format!("about {goals}"), cost]
        .into_iter()
        .chain(long)
        .chain([cap])
        .collect();
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{time::eta::Eta, ui::colour::Paint};

    #[test]
    fn a_line_says_what_it_costs_by_what_and_where_it_ends() {
        let look = Look {
            paint: Paint { on: false },
            width: 80,
            unicode: true,
        };
        let told = Estimate {
            goals: 12,
            usd: Some([0.8, 2.1]),
            by: By::Past,
            cap_usd: Some(10.0),
            eta: Some(Eta {
                least: Duration::from_secs(3600),
                most: Duration::from_secs(10_800),
            }),
            confirm: None,
        };
        assert_eq!(
            line(&told, &look),
            "about 12 goals, $0.80–$2.10 by past goals, 1–3 h, cap $10.00"
        );
        let prices = Estimate {
            goals: 1,
            by: By::Prices,
            eta: None,
            cap_usd: None,
            ..told
        };
        assert_eq!(line(&prices, &look), "about 1 goal, up to $2.10 by prices, no cap");
        let unknown = Estimate { usd: None, ..prices };
        assert_eq!(line(&unknown, &look), "about 1 goal, price unknown, no cap");
    }
}
