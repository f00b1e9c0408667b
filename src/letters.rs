//! Letters: how much room text takes where it is shown, and what of it must not be shown as it is. Pure; knows no face.

/// Puts `text` on one line: what a file or a model says must not move the cursor, so control characters go.
pub fn one_line(text: &str) -> String {
    let visible: String = text
        .chars()
        .map(|c| if c.is_control() || is_direction(c) { ' ' } else { c })
        .collect();
    visible.trim().to_owned()
}

/// Takes control characters out of `text`, line breaks and tabs excepted.
pub fn many_lines(text: &str) -> String {
    text.chars()
        .filter(|c| matches!(c, '\n' | '\t') || !(c.is_control() || is_direction(*c)))
        .collect()
}

/// Returns a number with its thousands apart: `12,345`.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Returns `text` on one line in at most `width` columns; what was cut off is said by `ellipsis`.
pub fn cut(text: &str, width: usize, ellipsis: &str) -> String {
    let text = one_line(text);
    if columns(&text) <= width {
        return text;
    }
    let kept = head(&text, width.saturating_sub(columns(ellipsis))).trim_end();
    [kept, ellipsis].concat()
}

/// Returns as much of the beginning of `text` as takes at most `width` columns.
pub fn head(text: &str, width: usize) -> &str {
    let mut used = 0;
    let end = text.char_indices().find(|(_, c)| {
        used += columns_of(*c);
        used > width
    });
    let (head, _) = text.split_at(end.map_or(text.len(), |(at, _)| at));
    head
}

/// Returns how many columns `text` takes.
pub fn columns(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

/// Signs that make text read in another order than it is written.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// True for characters that are not seen, or that make others be seen elsewhere: bidirectional marks, zero width, blanks of
/// letters, tags and further variation selectors, which can spell whole sentences unseen. Controls and the two joiners that
/// scripts and emoji need are none of them.
pub fn is_unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// The wide blocks of East Asian scripts and emoji take two columns, combining marks none.
fn columns_of(c: char) -> usize {
    match u32::from(c) {
        0x0300..=0x036f | 0x200b..=0x200f | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff => 2,
        0xfe30..=0xfe6f | 0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1f300..=0x1faff | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_goal_says_cannot_move_the_cursor() {
        assert_eq!(one_line("a\u{1b}[2J\nb\u{202e}c"), "a [2J b c");
        assert_eq!(many_lines("a\u{1b}[2J\nb"), "a[2J\nb");
    }

    #[test]
    fn text_is_cut_by_columns() {
        assert_eq!(["", "ab", "abc", "abc"], [0, 2, 3, 9].map(|width| head("abc", width)));
        assert_eq!(head("目標", 3), "目");
        assert_eq!(cut("Slug from a title", 10, "…"), "Slug from…");
        assert_eq!(cut("目標目標", 5, "…"), "目標…");
        assert_eq!(cut("e\u{301}e\u{301}", 2, "…"), "e\u{301}e\u{301}");
    }
}
