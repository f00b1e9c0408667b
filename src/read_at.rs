//! `ReadAt`: how verbs read a stored file piece by piece, wherever it comes from.
//!
//! Implemented by files (`door/fs`) and by bytes in memory. Owns no format.

use std::io;

/// Positioned reads from something that does not change while it is read.
pub trait ReadAt {
    /// Returns how many bytes there are.
    ///
    /// # Errors
    /// When it cannot be told.
    fn len(&self) -> io::Result<u64>;

    /// True where there is no byte.
    ///
    /// # Errors
    /// As `len`.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Fills `into` with the bytes from `at` on.
    ///
    /// # Errors
    /// `UnexpectedEof` where there are not that many.
    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<()>;
}

impl ReadAt for [u8] {
    fn len(&self) -> io::Result<u64> {
        Ok(u64::try_from(<[u8]>::len(self)).unwrap_or(u64::MAX))
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        let from = usize::try_from(at).ok();
        let piece = from.and_then(|from| self.get(from..from.checked_add(into.len())?));
        into.copy_from_slice(piece.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

impl ReadAt for Vec<u8> {
    fn len(&self) -> io::Result<u64> {
        ReadAt::len(self.as_slice())
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        self.as_slice().read_at(at, into)
    }
}
