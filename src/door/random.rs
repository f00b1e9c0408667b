//! Randomness: bytes that nobody can guess, from the operating system. What depends on them cannot be done the same way again, so
//! nothing that goes into a commit does.

use std::{fmt::Write as _, fs::File, io, io::Read as _};

/// Returns 32 bytes that nobody can guess, as 64 hexadecimal digits.
///
/// # Errors
/// When the operating system gives none.
pub fn digits() -> io::Result<String> {
    let mut bytes = [0; 32];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    let mut digits = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        let _ = write!(digits, "{byte:02x}");
    }
    Ok(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_64_and_other_ones_each_time() {
        let (one, other) = (digits().unwrap(), digits().unwrap());
        assert_eq!((one.len(), other.len()), (64, 64));
        assert!(one.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_ne!(one, other);
    }
}
