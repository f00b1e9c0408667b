//! A script of the mock of any bytes: read, or refused with its place.
#![no_main]

use invisigoth::provider::mock::script::Script;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = Script::parse("script.json", &String::from_utf8_lossy(bytes));
});
