//! Pricing: the prices that OpenRouter lists, decimal texts in dollars a token, as dollars a million tokens.
//!
//! Pure. What is not said, or said to vary, is unknown and never 0.

use serde_json::Value;

use crate::money::Prices;

/// Reads the `pricing` object of a listed model.
pub fn prices(pricing: &Value) -> Prices {
    let price = |name: &str| pricing.get(name).and_then(per_million);
    // A fee for each request has no place in a price per token.
    let fee = pricing.get("request").is_some_and(|fee| per_million(fee) != Some(0.0));
    match (price("prompt"), price("completion")) {
        (Some(0.0), Some(0.0)) if !fee => Prices::Free,
        (Some(input), Some(output)) if !fee => Prices::PerMillion { input, output },
        _ => Prices::Unknown,
    }
}

/// Returns dollars with every digit that there is, and at least two places.
pub fn exact(dollars: f64) -> String {
    let text = dollars.to_string();
    let places = text.split_once('.').map_or(0, |(_, places)| places.len());
    if places < 2 {
        format!("${dollars:.2}")
    } else {
        format!("${text}")
    }
}

/// Shifts the point by six places in the text, so that no binary fraction is multiplied: `"0.0000025"` is `2.5`.
fn per_million(said: &Value) -> Option<f64> {
    let text = match said {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let (digits, exponent) = match text.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok()?),
        None => (text.as_str(), 0),
    };
    let price: f64 = format!("{digits}e{}", exponent.checked_add(6)?).parse().ok()?;
    // OpenRouter says -1 where the price depends on the model that it chooses.
    (price.is_finite() && price >= 0.0).then_some(price)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_million_tokens_cost_what_the_digits_say() {
        for (said, price) in [
            (json!("0.0000025"), Some(2.5)),
            (json!("0.00000015"), Some(0.15)),
            (json!("0.000000075"), Some(0.075)),
            (json!("0.0000011"), Some(1.1)),
            (json!("1e-7"), Some(0.1)),
            (json!(2.5e-7), Some(0.25)),
            (json!(" 0 "), Some(0.0)),
            (json!("-1"), None),
            (json!("-0.5"), None),
            (json!(""), None),
            (json!("free"), None),
            (json!("inf"), None),
            (json!("1e99999999999"), None),
            (json!(null), None),
        ] {
            assert_eq!(per_million(&said), price, "{said}");
        }
    }

    #[test]
    fn prices_are_shown_to_the_last_digit() {
        let shown: Vec<String> = [0.0, 3.0, 2.5, 0.075, 1.125, 0.000_01].map(exact).into();
        assert_eq!(shown, ["$0.00", "$3.00", "$2.50", "$0.075", "$1.125", "$0.00001"]);
    }

    #[test]
    fn what_varies_or_is_not_said_is_unknown() {
        let both = Prices::PerMillion {
            input: 0.15,
            output: 0.6,
        };
        for (pricing, expected) in [
            (
                json!({ "prompt": "0.00000015", "completion": "0.0000006", "request": "0", "image": "0" }),
                both,
            ),
            (json!({ "prompt": "0", "completion": "0" }), Prices::Free),
            (json!({ "prompt": "-1", "completion": "-1" }), Prices::Unknown),
            (json!({ "prompt": "0.00000015", "completion": "-1" }), Prices::Unknown),
            (json!({ "prompt": "0.00000015" }), Prices::Unknown),
            (
                json!({ "prompt": "0", "completion": "0", "request": "0.005" }),
                Prices::Unknown,
            ),
            (
                json!({ "prompt": "0", "completion": "0", "request": "-1" }),
                Prices::Unknown,
            ),
            (json!(null), Prices::Unknown),
        ] {
            assert_eq!(prices(&pricing), expected, "{pricing}");
        }
    }
}
