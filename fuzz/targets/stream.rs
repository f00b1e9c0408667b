//! A stream of any bytes, whole and in pieces of the size that the first byte says: both must give the same events.
#![no_main]

use invisigoth::provider::{dialect::Framing, sse::Events};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((size, stream)) = bytes.split_first() else {
        return;
    };
    for framing in [Framing::Sse, Framing::Lines] {
        let mut whole = Events::new(framing);
        let mut at_once: Vec<_> = whole.feed(stream);
        at_once.extend(whole.end());
        let mut pieces = Events::new(framing);
        let mut one_by_one = Vec::new();
        for piece in stream.chunks(usize::from(*size).max(1)) {
            one_by_one.extend(pieces.feed(piece));
        }
        one_by_one.extend(pieces.end());
        assert_eq!(at_once, one_by_one);
    }
});
