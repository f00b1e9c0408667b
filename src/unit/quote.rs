//! Quoting for unit files, as systemd reads each kind of line: specifiers everywhere, quotes only in lists.
//!
//! What cannot be said in a unit is refused, never left out.

use std::path::Path;

/// What cannot stand in a unit.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unfit {
    /// Units are UTF-8.
    #[error("{0} is not UTF-8, and units of systemd are")]
    Encoding(String),
    /// Lines end at line breaks, whatever is done.
    #[error("{0:?} holds a control character, which no unit of systemd can")]
    Control(String),
    /// Such a line has no quotes.
    #[error("{0:?} ends in a space or a backslash, which a unit of systemd cannot say here")]
    End(String),
}

/// Returns a path as text.
///
/// # Errors
/// When it is no UTF-8.
pub fn text(path: &Path) -> Result<&str, Unfit> {
    path.to_str()
        .ok_or_else(|| Unfit::Encoding(path.to_string_lossy().into_owned()))
}

/// Words a value that stands alone on its line, without quotes: only specifiers mean something in it.
///
/// # Errors
/// When it holds a control character.
pub fn setting(value: &str) -> Result<String, Unfit> {
    if value.contains(char::is_control) {
        return Err(Unfit::Control(value.to_owned()));
    }
    Ok(value.replace('%', "%%"))
}

/// As `setting`, for a path at the end of its line.
///
/// # Errors
/// Where a line would not end as the path does.
pub fn plain(path: &Path) -> Result<String, Unfit> {
    let text = text(path)?;
    if text.ends_with(|c: char| c.is_whitespace() || c == '\\') {
        return Err(Unfit::End(text.to_owned()));
    }
    setting(text)
}

/// Words one member of a list, in quotes.
///
/// # Errors
/// When it holds a control character.
pub fn word(value: &str) -> Result<String, Unfit> {
    let escaped = setting(value)?.replace('\\', r"\\").replace('"', r#"\""#);
    Ok(format!("\"{escaped}\""))
}

/// Words the program of a command line. Of variables it knows nothing there.
///
/// # Errors
/// When it cannot stand in a unit.
pub fn program(path: &Path) -> Result<String, Unfit> {
    word(text(path)?)
}

/// Words a line that mounts `place` where it is; `-` in `prefix`: only where it is there.
///
/// # Errors
/// When it cannot stand in a unit.
pub fn path(setting: &str, prefix: &str, place: &Path) -> Result<String, Unfit> {
    let place = word(&format!("{prefix}{}", text(place)?))?;
    Ok(format!("{setting}{place}"))
}
