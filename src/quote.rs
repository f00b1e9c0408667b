//! Quote: words of others in lines for a shell, be it one that we start or one that a person pastes into.

/// Returns `word` as a shell reads it back.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | '=' | '@' | '+' | ',');
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_stays_one_word_whatever_is_in_it() {
        for (word, typed) in [
            ("goal-7e90", "goal-7e90"),
            ("a/b=c,d", "a/b=c,d"),
            ("", "''"),
            ("two words", "'two words'"),
            ("a; rm -rf ~", "'a; rm -rf ~'"),
            ("it's", r"'it'\''s'"),
            ("$(x)`y`", "'$(x)`y`'"),
            ("ä", "'ä'"),
            ("line\nbreak", "'line\nbreak'"),
        ] {
            assert_eq!(quoted(word), typed);
        }
    }
}
