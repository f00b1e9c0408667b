//! What is kept of a stream: its beginning and its end, so that a gigabyte costs no more than its first megabyte.
//!
//! Secrets are taken out before the halves are cut, so that no half of one stands at a border.

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

use crate::secret::Redactor;

/// Bytes that are read beyond each half, so that a secret across its border is seen whole: twice what `secret::patterns`
/// looks at.
const MARGIN: usize = 40 * 1024;

/// Most bytes that wait for who listens.
const UNHEARD: usize = 1024 * 1024;

/// Reads a pipe in a thread of its own until its last writer is gone.
#[derive(Debug)]
pub struct Keeper {
    kept: Arc<Mutex<Kept>>,
    ended: Receiver<()>,
}

impl Keeper {
    /// Starts to read; keeps `cap` bytes.
    pub fn read(pipe: PipeReader, cap: usize) -> Self {
        Self::start(pipe, Kept::new(cap))
    }

    /// As `read`, for somebody who is told what comes: see `fresh`.
    pub fn read_aloud(pipe: PipeReader, cap: usize) -> Self {
        let fresh = Some(Vec::new());
        Self::start(
            pipe,
            Kept {
                fresh,
                ..Kept::new(cap)
            },
        )
    }

    fn start(mut pipe: PipeReader, kept: Kept) -> Self {
        let kept = Arc::new(Mutex::new(kept));
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

    /// Returns what came since it was asked last, secrets and all; `None` from when it was too much to be told.
    pub fn fresh(&self) -> Option<Vec<u8>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.fresh.as_mut().map(std::mem::take)
    }

    /// As `fresh`, once the stream has ended, or `patience` has.
    pub fn last(&self, patience: Duration) -> Option<Vec<u8>> {
        let _ = self.ended.recv_timeout(patience);
        self.fresh()
    }

    /// Returns what was kept, without the secrets that `redactor` finds, and how many bytes were left out between the two
    /// halves. Waits for the end of the stream, but not longer than `patience`: a process that cannot be killed may hold
    /// the pipe.
    pub fn finish(self, patience: Duration, redactor: &Redactor) -> (Vec<u8>, u64) {
        let _ = self.ended.recv_timeout(patience);
        std::mem::take(&mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner)).join(redactor)
    }

    /// As `finish`, but as it came, secrets and all: for what is data and no text for people.
    pub fn finish_as_it_came(self, patience: Duration) -> (Vec<u8>, u64) {
        let _ = self.ended.recv_timeout(patience);
        let kept = std::mem::take(&mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner));
        let mut came = kept.head;
        came.extend(kept.tail);
        (came, u64::try_from(kept.omitted).unwrap_or(u64::MAX))
    }
}

/// Head and tail of a stream as they came, each with its margin.
#[derive(Debug, Default)]
struct Kept {
    half: usize,
    head: Vec<u8>,
    tail: VecDeque<u8>,
    omitted: usize,
    /// What nobody was told yet, where somebody listens.
    fresh: Option<Vec<u8>>,
}

impl Kept {
    fn new(cap: usize) -> Self {
        Self {
            half: cap / 2,
            ..Self::default()
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        // A gap could tear a secret into two halves that nobody knows: whoever missed something hears no more.
        self.fresh = self.fresh.take().filter(|fresh| fresh.len() + bytes.len() <= UNHEARD);
        if let Some(fresh) = &mut self.fresh {
            fresh.extend_from_slice(bytes);
        }
        let most = self.half + MARGIN;
        let room = most.saturating_sub(self.head.len()).min(bytes.len());
        let (head, rest) = bytes.split_at(room);
        self.head.extend_from_slice(head);
        let surplus = rest.len().saturating_sub(most);
        let excess = (self.tail.len() + rest.len() - surplus).saturating_sub(most);
        self.tail.drain(..excess);
        self.tail.extend(rest.get(surplus..).unwrap_or_default());
        self.omitted += surplus + excess;
    }

    fn join(mut self, redactor: &Redactor) -> (Vec<u8>, u64) {
        let tail = self.tail.make_contiguous();
        let came = self.head.len() + self.omitted + tail.len();
        let mut stream = redactor.stream();
        let mut head = stream.push(&self.head);
        let mut rest = Vec::new();
        if self.omitted > 0 {
            // What was still open is left out, and so is the tail's margin: a secret may begin before it.
            stream = redactor.stream();
            let (margin, tail) = tail.split_at_checked(MARGIN).unwrap_or((tail, &[]));
            stream.push(margin);
            rest.extend(stream.push(tail));
        } else {
            head.extend(stream.push(tail));
        }
        rest.extend(stream.finish());
        let all_fits = self.omitted == 0 && head.len() + rest.len() <= 2 * self.half;
        if self.omitted == 0 {
            head.append(&mut rest);
            rest = if all_fits {
                Vec::new()
            } else {
                head.split_off(self.half.min(head.len()))
            };
        }
        if !all_fits {
            head.truncate(self.half);
            rest.drain(..rest.len().saturating_sub(self.half));
        }
        head.extend(rest);
        let omitted = if all_fits { 0 } else { came.saturating_sub(head.len()) };
        (head, u64::try_from(omitted).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn kept(all: &[u8], cap: usize, size: usize, redactor: &Redactor) -> (Vec<u8>, u64) {
        let mut kept = Kept::new(cap);
        for bytes in all.chunks(size) {
            kept.take(bytes);
        }
        kept.join(redactor)
    }

    #[test]
    fn head_and_tail_are_kept_however_the_stream_is_cut() {
        for length in [21, 100, 2 * MARGIN + 20, 2 * MARGIN + 21, 5 * MARGIN] {
            let all: Vec<u8> = (0..length).map(|nth| u8::try_from(nth % 95).unwrap() + b' ').collect();
            for size in [1, 3, 7, 10, 64, 100, 30_000, length] {
                let (output, omitted) = kept(&all, 20, size, &Redactor::default());
                let expected = [&all[..10], &all[length - 10..]].concat();
                assert_eq!((output, omitted), (expected, length as u64 - 20), "{length} {size}");
            }
        }
    }

    #[test]
    fn a_short_stream_is_kept_whole() {
        let all = b"0123456789abcdefghij";
        assert_eq!(kept(all, 20, 10, &Redactor::default()), (all.to_vec(), 0));
    }

    #[test]
    fn no_half_of_a_key_stands_at_a_border() {
        const KEY: &str = "q8Zr41xKp0Lm";
        const ALL: usize = 3 * MARGIN;
        let redactor = Redactor::new([&Secret::new(KEY)]);
        // Where half a key could stay: the end of the head, of its margin, where the tail's margin begins, the tail.
        let borders = [20, 20 + MARGIN, ALL - 20 - MARGIN, ALL - 20];
        for before in borders
            .into_iter()
            .flat_map(|border| border.saturating_sub(30)..(border + 10).min(ALL - KEY.len()))
        {
            let all = format!("{}{KEY}{}", ".".repeat(before), ".".repeat(ALL - before - KEY.len()));
            let (output, omitted) = kept(all.as_bytes(), 40, 10_000, &redactor);
            let output = String::from_utf8(output).unwrap();
            assert!((36..=40).contains(&output.len()) && output.len() as u64 + omitted == ALL as u64);
            assert!(!output.contains(['q', '8', 'm']), "{before}: {output}");
        }
        // A tail of keys alone shrinks; what stands before it must not move up.
        let all = ".".repeat(ALL) + &KEY.repeat(MARGIN / KEY.len() + 2);
        for cut in 0..KEY.len() {
            let (output, _) = kept(&all.as_bytes()[cut..], 4000, 10_000, &redactor);
            assert!(!String::from_utf8(output).unwrap().contains(['q', '8', 'm']), "{cut}");
        }
    }
}
