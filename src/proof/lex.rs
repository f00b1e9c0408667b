//! Blanks out strings and comments, so that what is left can be searched for code.

use crate::proof::Language;

/// Returns `source` with every byte of strings, comments and regular expressions turned into a space; line ends stay, and
/// so does the length.
pub(crate) fn blank(source: &str, language: Language) -> Vec<u8> {
    let mut scan = Scan {
        source: source.as_bytes(),
        out: Vec::with_capacity(source.len()),
        last: b'\n',
        word: Vec::new(),
        templates: Vec::new(),
        depth: 0,
    };
    while scan.out.len() < scan.source.len() {
        match language {
            Language::Python => scan.python(),
            Language::Rust => scan.rust(),
            Language::Go => scan.go(),
            Language::JavaScript => scan.script(),
        }
    }
    scan.out
}

/// True for bytes of a name, those of letters beyond ASCII included.
pub(crate) fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

struct Scan<'a> {
    source: &'a [u8],
    out: Vec<u8>,
    /// The last byte of code that is no space.
    last: u8,
    /// The word that code ended with.
    word: Vec<u8>,
    /// Brace depths at which a template literal goes on.
    templates: Vec<usize>,
    depth: usize,
}

impl Scan<'_> {
    /// Returns the byte `ahead` of the cursor, zero beyond the end.
    fn peek(&self, ahead: usize) -> u8 {
        self.source.get(self.out.len() + ahead).copied().unwrap_or(0)
    }

    fn at(&self, text: &[u8]) -> bool {
        self.source
            .get(self.out.len()..)
            .is_some_and(|rest| rest.starts_with(text))
    }

    fn keep(&mut self) {
        let byte = self.peek(0);
        if is_name(byte) {
            if !self.out.last().copied().is_some_and(is_name) {
                self.word.clear();
            }
            self.word.push(byte);
        }
        if !byte.is_ascii_whitespace() {
            self.last = byte;
        }
        self.out.push(byte);
    }

    fn hide(&mut self, count: usize) {
        for _ in 0..count {
            let byte = self.peek(0);
            if self.out.len() < self.source.len() {
                self.out.push(if byte == b'\n' { b'\n' } else { b' ' });
            }
        }
    }

    /// Hides up to and with `end`. A string that may not span lines ends at the line's end at the latest.
    fn hide_to(&mut self, end: &[u8], escapes: bool, lines: bool) {
        while self.out.len() < self.source.len() && !self.at(end) {
            if !lines && self.peek(0) == b'\n' {
                return;
            }
            let escaped = escapes && self.peek(0) == b'\\';
            self.hide(if escaped { 2 } else { 1 });
        }
        self.hide(end.len());
    }

    fn string(&mut self, open: &[u8], end: &[u8], escapes: bool, lines: bool) {
        self.hide(open.len());
        self.hide_to(end, escapes, lines);
        self.last = b'"';
    }

    fn line_comment(&mut self) {
        while self.out.len() < self.source.len() && self.peek(0) != b'\n' {
            self.hide(1);
        }
    }

    fn python(&mut self) {
        match self.peek(0) {
            b'#' => self.line_comment(),
            _ if self.at(b"\"\"\"") => self.string(b"\"\"\"", b"\"\"\"", true, true),
            _ if self.at(b"'''") => self.string(b"'''", b"'''", true, true),
            b'"' => self.string(b"\"", b"\"", true, false),
            b'\'' => self.string(b"'", b"'", true, false),
            _ => self.keep(),
        }
    }

    fn go(&mut self) {
        match self.peek(0) {
            b'`' => self.string(b"`", b"`", false, true),
            b'"' => self.string(b"\"", b"\"", true, false),
            b'\'' => self.string(b"'", b"'", true, false),
            _ if self.at(b"//") => self.line_comment(),
            _ if self.at(b"/*") => self.string(b"/*", b"*/", false, true),
            _ => self.keep(),
        }
    }

    fn rust(&mut self) {
        match self.peek(0) {
            b'"' => self.string(b"\"", b"\"", true, true),
            b'\'' => self.quote(),
            b'r' if self.raw_string() => {}
            _ if self.at(b"//") => self.line_comment(),
            _ if self.at(b"/*") => self.nested_comment(),
            _ => self.keep(),
        }
    }

    /// A quote opens a character or a lifetime; a character has its closing quote one character later.
    fn quote(&mut self) {
        let first = self.peek(1);
        let width = match first {
            0xf0.. => 4,
            0xe0.. => 3,
            0xc0.. => 2,
            _ => 1,
        };
        if first == b'\\' || self.peek(1 + width) == b'\'' {
            self.string(b"'", b"'", true, false);
        } else {
            self.keep();
        }
    }

    /// Hides `r"…"`, `br#"…"#` and the like, if one starts here.
    fn raw_string(&mut self) -> bool {
        let before: Vec<u8> = self.out.iter().rev().take(2).copied().collect();
        let starts_word = match before.as_slice() {
            [b'b' | b'c', earlier, ..] => !is_name(*earlier),
            [b'b' | b'c'] | [] => true,
            [earlier, ..] => !is_name(*earlier),
        };
        let hashes = (1..).take_while(|ahead| self.peek(*ahead) == b'#').count();
        if !starts_word || self.peek(1 + hashes) != b'"' {
            return false;
        }
        let end: Vec<u8> = [b'"'].into_iter().chain(std::iter::repeat_n(b'#', hashes)).collect();
        self.hide(2 + hashes);
        self.hide_to(&end, false, true);
        true
    }

    fn nested_comment(&mut self) {
        let mut depth = 0usize;
        while self.out.len() < self.source.len() {
            if self.at(b"/*") {
                depth += 1;
                self.hide(2);
            } else if self.at(b"*/") {
                depth = depth.saturating_sub(1);
                self.hide(2);
                if depth == 0 {
                    return;
                }
            } else {
                self.hide(1);
            }
        }
    }

    fn script(&mut self) {
        match self.peek(0) {
            b'"' => self.string(b"\"", b"\"", true, false),
            b'\'' => self.string(b"'", b"'", true, false),
            b'`' => {
                self.hide(1);
                self.template();
            }
            b'{' => {
                self.depth += 1;
                self.keep();
            }
            b'}' if self.templates.last() == Some(&self.depth) => {
                self.templates.pop();
                self.hide(1);
                self.template();
            }
            b'}' => {
                self.depth = self.depth.saturating_sub(1);
                self.keep();
            }
            _ if self.at(b"//") => self.line_comment(),
            _ if self.at(b"/*") => self.hide_to(b"*/", false, true),
            b'/' if self.expects_value() => self.regex(),
            _ => self.keep(),
        }
    }

    /// Hides the text of a template up to its end or to the next `${`, whose code is kept.
    fn template(&mut self) {
        while self.out.len() < self.source.len() {
            if self.at(b"${") {
                self.hide(2);
                self.templates.push(self.depth);
                self.last = b'(';
                return;
            }
            let end = self.peek(0) == b'`';
            let escaped = self.peek(0) == b'\\';
            self.hide(if escaped { 2 } else { 1 });
            if end {
                break;
            }
        }
        self.last = b'"';
    }

    /// True where a slash would begin a regular expression and not divide.
    fn expects_value(&self) -> bool {
        const WORDS: [&[u8]; 10] = [
            b"return", b"typeof", b"case", b"in", b"of", b"do", b"else", b"void", b"delete", b"throw",
        ];
        if is_name(self.last) {
            WORDS.contains(&self.word.as_slice())
        } else {
            !matches!(self.last, b')' | b']' | b'}' | b'"')
        }
    }

    fn regex(&mut self) {
        let mut class = false;
        self.hide(1);
        while self.out.len() < self.source.len() && self.peek(0) != b'\n' {
            match self.peek(0) {
                b'\\' => {
                    self.hide(2);
                    continue;
                }
                b'[' => class = true,
                b']' => class = false,
                b'/' if !class => {
                    self.hide(1);
                    break;
                }
                _ => {}
            }
            self.hide(1);
        }
        self.last = b'"';
    }
}
