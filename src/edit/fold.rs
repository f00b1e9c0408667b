//! Folding of single lines for comparison: the common accents composed, typographic characters as ASCII.
//!
//! Only for finding: no folded text is ever written.

/// Accents that combine, each with the plain letters and what they become.
const ACCENTS: [(char, &str, &str); 8] = [
    ('\u{300}', "AEIOUaeiouNn", "ÀÈÌÒÙàèìòùǸǹ"),
    ('\u{301}', "AEIOUYaeiouyCcNnSsZz", "ÁÉÍÓÚÝáéíóúýĆćŃńŚśŹź"),
    ('\u{302}', "AEIOUaeiouCcGgSs", "ÂÊÎÔÛâêîôûĈĉĜĝŜŝ"),
    ('\u{303}', "ANOano", "ÃÑÕãñõ"),
    ('\u{308}', "AEIOUaeiouyY", "ÄËÏÖÜäëïöüÿŸ"),
    ('\u{30a}', "AaUu", "ÅåŮů"),
    ('\u{327}', "CcSsTt", "ÇçŞşŢţ"),
    ('\u{30c}', "CcDEeNnRrSsZz", "ČčĎĚěŇňŘřŠšŽž"),
];

/// Returns `line` trimmed, with composed accents and ASCII dashes, quotes and spaces.
pub(crate) fn to_plain(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    for c in line.chars() {
        match plain.chars().next_back().and_then(|base| composed(base, c)) {
            Some(joined) => {
                plain.pop();
                plain.push(joined);
            }
            None => plain.push(plain_char(c)),
        }
    }
    plain.trim().to_owned()
}

fn composed(base: char, accent: char) -> Option<char> {
    let (_, bases, joined) = ACCENTS.iter().find(|(mark, _, _)| *mark == accent)?;
    bases
        .chars()
        .zip(joined.chars())
        .find(|(b, _)| *b == base)
        .map(|(_, j)| j)
}

fn plain_char(c: char) -> char {
    match c {
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}' => '-',
        '\u{2018}'..='\u{201b}' | '\u{2032}' | '\u{ff07}' => '\'',
        '\u{201c}'..='\u{201f}' | '\u{2033}' | '\u{ff02}' => '"',
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => ' ',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_accent_has_as_many_letters_as_results() {
        for (mark, bases, joined) in ACCENTS {
            assert_eq!(bases.chars().count(), joined.chars().count(), "{mark:?}");
        }
    }

    #[test]
    fn composed_and_decomposed_fold_alike() {
        assert_eq!(to_plain(" cafe\u{301} – “x”\u{a0} "), to_plain("café - \"x\""));
    }

    #[test]
    fn typographic_characters_fold_to_ascii() {
        for (typed, plain) in [
            (
                "\u{2010}\u{2011}\u{2012}\u{2013}\u{2014}\u{2015}\u{2212}\u{fe58}\u{fe63}\u{ff0d}",
                '-',
            ),
            ("\u{2018}\u{2019}\u{201a}\u{201b}\u{2032}\u{ff07}", '\''),
            ("\u{201c}\u{201d}\u{201e}\u{201f}\u{2033}\u{ff02}", '"'),
            ("\u{a0}\u{2000}\u{2009}\u{200a}\u{202f}\u{205f}\u{3000}", ' '),
        ] {
            let wanted = plain.to_string().repeat(typed.chars().count());
            assert_eq!(to_plain(&format!("a{typed}b")), format!("a{wanted}b"));
        }
    }
}
