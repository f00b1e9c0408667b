//! Merging segments: several small ones become one, and blobs that nobody needs any more are left out.

use crate::{
    context::{
        chunk::Syntax,
        digest::{Piece, Use},
        segment::{Broken, read::Segment, write::Builder},
    },
    id::{BlobId, Oid},
};

/// Makes one segment of several. A blob that is in two of them is taken once; those that `keep` says no to are left out.
/// Costs memory for the digests of all blobs.
///
/// # Errors
/// When one of them cannot be read.
pub fn merge(
    segments: &[&Segment],
    id_bytes: usize,
    keep: impl Fn(&BlobId, Syntax) -> bool,
) -> Result<Vec<u8>, Broken> {
    let mut seen = std::collections::HashSet::new();
    let mut builder = Builder::default();
    for segment in segments {
        let mut pieces: Vec<Piece> = segment
            .chunks()
            .iter()
            .map(|row| Piece {
                lines: u32::from(row.lines),
                bytes: row.bytes,
                terms: Vec::new(),
            })
            .collect();
        segment.each_term(|term, postings| {
            for posting in postings {
                if let Some(piece) = pieces.get_mut(posting.chunk as usize) {
                    piece.terms.push(Use {
                        term,
                        count: posting.count,
                        defined: posting.defined,
                    });
                }
            }
        })?;
        segment.each_blob(|id, syntax, ordinal| {
            let Some(id) = Oid::from_bytes(id).map(BlobId) else {
                return;
            };
            if !keep(&id, syntax) || !seen.insert((id, syntax)) {
                return;
            }
            let chunks = segment.chunks_of(ordinal);
            let range = chunks.start as usize..chunks.end as usize;
            builder.add(id, syntax, pieces.get(range).unwrap_or_default());
        });
    }
    Ok(builder.finish(id_bytes))
}
