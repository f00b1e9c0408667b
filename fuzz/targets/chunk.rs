//! Any bytes as a file of any language or format: nothing may panic or overflow, and every line is in one chunk.
#![no_main]

use invisigoth::context::chunk::{Cutter, Syntax};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, &[u8])| {
    let (number, text) = input;
    let chunks = Cutter::default().cut(Syntax(number % 72), text);
    let mut next = 1;
    for chunk in &chunks {
        assert!(chunk.first == next && chunk.last >= chunk.first);
        next = chunk.last + 1;
    }
    let lines = text.split_inclusive(|byte| *byte == b'\n').count();
    assert_eq!(u32::try_from(lines), Ok(next - 1));
});
