//! git: the only module that knows gix.

/// An open repository, for one thread.
#[derive(Clone)]
pub struct Repo {
    pub(crate) gix: gix::Repository,
}
