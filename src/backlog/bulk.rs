//! Many rows at once: others in their places. One splice, whatever their number.

use std::collections::BTreeMap;

use crate::{
    backlog::{
        Backlog,
        error::BacklogError,
        goal_id,
        read::Site,
        spans::{Piece, on_one_line},
    },
    id::GoalId,
};

impl Backlog {
    /// Returns the backlog with other rows, JSON objects, for the goals that `rows` names; an id that is not there changes
    /// nothing. No other byte changes.
    ///
    /// # Errors
    /// When a row is no goal, or has another id; places then count within that row.
    pub fn replaced(&self, rows: &BTreeMap<GoalId, String>) -> Result<Self, BacklogError> {
        let mut fresh = BTreeMap::new();
        for (id, row) in rows {
            let row = on_one_line(row.trim());
            if goal_id(&Site::alone(&row))? != *id {
                return Err(BacklogError::FixedId { id: id.clone() });
            }
            fresh.insert(id, row);
        }
        let piece = |(at, id): (usize, &GoalId)| match fresh.get(id) {
            Some(row) => (id.clone(), Piece::Swap(at, row)),
            None => (id.clone(), Piece::Keep(at)),
        };
        Ok(self.spliced(self.ids.iter().enumerate().map(piece).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_rows_named_change() {
        let text = "[\n{\"id\":\"a\",\"x\" : 1},\n  {\"id\":\"b\"},\n{\"id\":\"c\"}\n]\n";
        let backlog = Backlog::parse(text.as_bytes()).unwrap();
        let id: GoalId = "b".parse().unwrap();
        let rows = |row: &str| BTreeMap::from([(id.clone(), row.to_owned())]);
        let after = backlog.replaced(&rows("{\"id\":\"b\",\n \"priority\":3}")).unwrap();
        assert_eq!(
            after.text(),
            text.replace("{\"id\":\"b\"}", "{\"id\":\"b\",\"priority\":3}")
        );
        assert!(backlog.replaced(&rows("{\"id\":\"d\"}")).is_err());
        assert!(backlog.replaced(&rows("{\"id\":\"b\",\"priority\":\"high\"}")).is_err());
    }
}
