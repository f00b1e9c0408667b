//! Sets of bytes that keys and what is around them consist of, and what tells made text from written text.
//!
//! Pure; knows no shape of a key.

/// A letter or a digit.
pub fn alnum(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

/// What words and identifiers consist of.
pub fn word(byte: u8) -> bool {
    alnum(byte) || byte == b'_' || byte == b'-'
}

/// Likewise, with parts.
pub fn word_or_dot(byte: u8) -> bool {
    word(byte) || byte == b'.'
}

/// Likewise, padded.
pub fn word_or_equals(byte: u8) -> bool {
    word(byte) || byte == b'='
}

/// Likewise, as a path.
pub fn word_or_slash(byte: u8) -> bool {
    word(byte) || byte == b'/'
}

/// A capital or a digit.
pub fn upper(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

/// A digit of base32.
pub fn base32(byte: u8) -> bool {
    byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte)
}

/// A digit of base64, or its padding.
pub fn base64(byte: u8) -> bool {
    alnum(byte) || b"+/=".contains(&byte)
}

/// A digit of hexadecimal numbers.
pub fn hex(byte: u8) -> bool {
    byte.is_ascii_hexdigit()
}

/// What `Authorization` values consist of.
pub fn token68(byte: u8) -> bool {
    word(byte) || b".~+/=".contains(&byte)
}

/// A space or a tab.
pub fn blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// What stands between a name and its value: `: `, `" => "`, `\": \"`.
pub fn between(byte: u8) -> bool {
    blank(byte) || b"\"'\\:=>,(".contains(&byte)
}

/// A byte of a user's name in a URL.
pub fn of_url(byte: u8) -> bool {
    !byte.is_ascii_whitespace() && !b"/:@\"'<>`\\()[]{}|,;?#".contains(&byte)
}

/// A byte of a password in a URL.
pub fn of_password(byte: u8) -> bool {
    !byte.is_ascii_whitespace() && !b"/@\"'<>`\\[]".contains(&byte)
}

/// A byte of the label of a PEM block.
pub fn of_label(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte == b' '
}

/// What may stand between the lines of a private key: line breaks, quotes, margins of diffs and comments.
pub fn loose(byte: u8) -> bool {
    byte.is_ascii_whitespace() || b"\\\"'`,:.->|#*()".contains(&byte)
}

/// True for text with a digit and a letter.
pub fn has_digit_and_letter(text: &[u8]) -> bool {
    text.iter().any(u8::is_ascii_digit) && text.iter().any(u8::is_ascii_alphabetic)
}

/// True for what people do not write by hand: digits, or letters of both cases, and not the same few all over.
pub fn looks_made(text: &[u8]) -> bool {
    let mixed = text.iter().any(u8::is_ascii_uppercase) && text.iter().any(u8::is_ascii_lowercase);
    (mixed || text.iter().any(u8::is_ascii_digit) || text.iter().all(u8::is_ascii_uppercase)) && distinct(text) >= 7
}

/// Returns how many different bytes there are.
pub fn distinct(text: &[u8]) -> u32 {
    let seen = text.iter().fold([0_u64; 4], |mut seen, byte| {
        if let Some(bits) = seen.get_mut(usize::from(byte >> 6)) {
            *bits |= 1 << (byte & 63);
        }
        seen
    });
    seen.iter().map(|bits| bits.count_ones()).sum()
}

/// True where `part` stands in `text`.
pub fn holds(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// True for keys that manuals show.
pub fn is_example(text: &[u8]) -> bool {
    holds(text, b"EXAMPLE")
}
