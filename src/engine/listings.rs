//! Listings: what a tree lists. The next tree that is asked for differs by little: the listing is brought there by what
//! differs. What files mean is nobody's business here.

use eyre::Result;

use crate::{
    git::{
        Repo,
        diff::{self, Differs},
        tree,
    },
    id::TreeId,
    snapshot::Listing,
};

/// The listing that was made last.
#[derive(Default)]
pub struct Listings {
    last: Option<(TreeId, Listing)>,
}

impl Listings {
    /// Lists the code of the stored tree `root`.
    ///
    /// # Errors
    /// When its trees cannot be read.
    pub fn at(&mut self, repo: &Repo, root: TreeId) -> Result<&Listing> {
        Ok(self.follow(repo, root)?.0)
    }

    /// Returns what was listed last.
    pub fn last(&self) -> Option<&Listing> {
        self.last.as_ref().map(|(_, listing)| listing)
    }

    /// As `at`; also says, by path, what differs from the listing before, unless there was none or its tree is gone.
    ///
    /// # Errors
    /// As `at`.
    pub fn follow(&mut self, repo: &Repo, root: TreeId) -> Result<(&Listing, Option<Vec<Differs>>)> {
        let (listing, differences) = match self.last.take() {
            Some((last, listing)) if last == root => (listing, Some(Vec::new())),
            Some((last, listing)) => match diff::trees(repo, last, root) {
                Ok(differences) => (advanced(listing, &differences), Some(differences)),
                Err(_) => (tree::list(repo, root)?, None),
            },
            None => (tree::list(repo, root)?, None),
        };
        Ok((&self.last.insert((root, listing)).1, differences))
    }
}

/// Brings a listing up to date. What comes and what goes is moved in one go: a switch of branches may bring thousands.
fn advanced(mut listing: Listing, differences: &[Differs]) -> Listing {
    let (mut gone, mut more) = (Vec::new(), Listing::new());
    for differs in differences {
        let at = listing.binary_search_by(|(path, _)| path.cmp(&differs.path));
        match (at, differs.new) {
            (Ok(at), Some(entry)) => {
                if let Some(item) = listing.get_mut(at) {
                    item.1 = entry;
                }
            }
            (Ok(at), None) => gone.push(at),
            (Err(_), Some(entry)) => more.push((differs.path.clone(), entry)),
            (Err(_), None) => {}
        }
    }
    if !gone.is_empty() {
        let (mut gone, mut at) = (gone.into_iter().peekable(), 0..);
        listing.retain(|_| gone.next_if(|gone| Some(*gone) == at.next()).is_none());
    }
    if !more.is_empty() {
        listing.append(&mut more);
        listing.sort_by(|(one, _), (other, _)| one.cmp(other));
    }
    listing
}
