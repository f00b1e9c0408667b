//! Lines: messages as they come, one a line, none larger than a cap. Knows nothing of what they say.

use std::io::{self, BufRead, Read as _};

/// Most bytes of a message.
pub(super) const MOST: usize = 4 * 1024 * 1024;

/// A line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Line {
    /// Its bytes, without its end.
    Whole(Vec<u8>),
    /// It was larger than the cap, and is gone.
    TooLong,
}

/// Reads the next line; `None` at the end of input. The last one needs no end.
///
/// # Errors
/// When the input cannot be read.
pub(super) fn next(input: &mut impl BufRead) -> io::Result<Option<Line>> {
    let mut line = Vec::new();
    let most = u64::try_from(MOST).unwrap_or(u64::MAX).saturating_add(1);
    if input.by_ref().take(most).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
        return Ok(Some(Line::Whole(line)));
    }
    if line.len() <= MOST {
        return Ok(Some(Line::Whole(line)));
    }
    skip(input)?;
    Ok(Some(Line::TooLong))
}

fn skip(input: &mut impl BufRead) -> io::Result<()> {
    loop {
        let (length, ends) = match input.fill_buf() {
            Ok(read) => match read.iter().position(|byte| *byte == b'\n') {
                Some(at) => (at + 1, true),
                None => (read.len(), read.is_empty()),
            },
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        input.consume(length);
        if ends {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(mut input: &[u8]) -> Vec<Line> {
        let mut found = Vec::new();
        while let Some(line) = next(&mut input).unwrap() {
            found.push(line);
        }
        found
    }

    fn whole(text: &str) -> Line {
        Line::Whole(text.as_bytes().to_vec())
    }

    #[test]
    fn a_line_that_is_too_long_is_skipped_and_the_next_one_is_read() {
        assert_eq!(all(b"a\n\nb"), [whole("a"), whole(""), whole("b")]);
        let fits = "x".repeat(MOST);
        assert_eq!(all(format!("{fits}\ny\n").as_bytes()), [whole(&fits), whole("y")]);
        assert_eq!(all(format!("{fits}x\ny\n").as_bytes()), [Line::TooLong, whole("y")]);
        assert_eq!(all(format!("{fits}xx").as_bytes()), [Line::TooLong]);
    }
}
