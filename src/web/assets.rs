//! Assets: the few files that pages refer to, embedded in the binary. Serves nothing else: no path of a request is ever looked
//! up on disk.

/// One file.
#[derive(Debug)]
pub struct Asset {
    /// Its name below `/static/`.
    pub name: &'static str,
    /// Its media type.
    pub media: &'static str,
    /// What is in it.
    pub bytes: &'static [u8],
}

macro_rules! asset {
    ($name:literal, $media:literal) => {
        Asset {
            name: $name,
            media: $media,
            bytes: include_bytes!(concat!("../../templates/web/static/", $name)),
        }
    };
}

/// Every file.
pub const ALL: &[Asset] = &[
    asset!("app.css", "text/css; charset=utf-8"),
    asset!("app.js", "text/javascript; charset=utf-8"),
    // Idiomorph 0.8.0, Zero-Clause BSD: changes a page in place, so that focus, selection and scrolling stay.
    asset!("idiomorph.js", "text/javascript; charset=utf-8"),
    asset!("goal.css", "text/css; charset=utf-8"),
    asset!("log.js", "text/javascript; charset=utf-8"),
    asset!("diff.js", "text/javascript; charset=utf-8"),
    asset!("icon.svg", "image/svg+xml"),
];

/// Finds a file by its name.
pub fn find(name: &str) -> Option<&'static Asset> {
    ALL.iter().find(|asset| asset.name == name)
}
