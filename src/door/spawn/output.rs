//! What is kept of a stream: its beginning and its end, so that a gigabyte costs no more than its first megabyte.

use std::{
    collections::VecDeque,
    io::{PipeReader, Read as _},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, channel},
    },
    thread,
    time::Duration,
};

/// Reads a pipe in a thread of its own until its last writer is gone.
#[derive(Debug)]
pub struct Keeper {
    kept: Arc<Mutex<Kept>>,
    ended: Receiver<()>,
}

impl Keeper {
    /// Starts to read; keeps `cap` bytes.
    pub fn read(mut pipe: PipeReader, cap: usize) -> Self {
        let kept = Arc::new(Mutex::new(Kept::new(cap)));
        let (send, ended) = channel();
        let into = Arc::clone(&kept);
        thread::spawn(move || {
            let mut chunk = vec![0; 1 << 16];
            while let Ok(size) = pipe.read(&mut chunk) {
                let Some(bytes) = chunk.get(..size).filter(|bytes| !bytes.is_empty()) else {
                    break;
                };
                into.lock().unwrap_or_else(PoisonError::into_inner).take(bytes);
            }
            let _ = send.send(());
        });
        Self { kept, ended }
    }

    /// Returns what was kept, and how many bytes were left out between the two halves. Waits for the end of the stream, but
    /// not longer than `patience`: a process that cannot be killed may hold the pipe.
    pub fn finish(self, patience: Duration) -> (Vec<u8>, u64) {
        let _ = self.ended.recv_timeout(patience);
        std::mem::take(&mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner)).join()
    }
}

#[derive(Debug, Default)]
struct Kept {
    half: usize,
    head: Vec<u8>,
    tail: VecDeque<u8>,
    omitted: u64,
}

impl Kept {
    fn new(cap: usize) -> Self {
        Self {
            half: cap / 2,
            ..Self::default()
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        let room = self.half.saturating_sub(self.head.len()).min(bytes.len());
        let (head, rest) = bytes.split_at(room);
        self.head.extend_from_slice(head);
        let surplus = rest.len().saturating_sub(self.half);
        let excess = (self.tail.len() + rest.len() - surplus).saturating_sub(self.half);
        self.tail.drain(..excess);
        self.tail.extend(rest.get(surplus..).unwrap_or_default());
        self.omitted += u64::try_from(surplus + excess).unwrap_or(u64::MAX);
    }

    fn join(mut self) -> (Vec<u8>, u64) {
        self.head.extend(self.tail);
        (self.head, self.omitted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn head_and_tail_are_kept_however_the_stream_is_cut() {
        let all: Vec<u8> = (0..=99).collect();
        for size in [1, 3, 7, 10, 64, 100] {
            let mut kept = Kept::new(20);
            for bytes in all.chunks(size) {
                kept.take(bytes);
            }
            let (output, omitted) = kept.join();
            let expected: Vec<u8> = (0..10).chain(90..100).collect();
            assert_eq!((output, omitted), (expected, 80), "{size}");
        }
    }

    #[test]
    fn a_short_stream_is_kept_whole() {
        let mut kept = Kept::new(20);
        kept.take(b"0123456789");
        kept.take(b"abcdefghij");
        assert_eq!(kept.join(), (b"0123456789abcdefghij".to_vec(), 0));
    }
}
