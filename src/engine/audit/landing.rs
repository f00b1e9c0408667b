//! A landing: its parents, its message, its code, and the commit of each member.

use eyre::Result;

use crate::{
    audit::{Divergence, What, claims},
    backlog::history::asked,
    engine::{
        audit::{
            Auditor, has_own,
            walk::{Landed, Node},
        },
        land, target,
    },
    git::{
        Repo, branch, diff,
        history::LogEntry,
        merge::{self, Merge},
        tree,
    },
    id::{CommitId, GoalId},
    record::{ADOPTED, Record},
    snapshot::CodeTree,
};

/// Most paths that a finding names.
const PATHS: usize = 3;

/// True where the parents of a landing are what its trailers name.
pub fn parents_fit(entry: &LogEntry) -> bool {
    parents(entry).is_none()
}

/// Compares a commit's `Landed:` trailers with its parents: the tip before it, then each member.
pub fn parents(entry: &LogEntry) -> Option<Divergence> {
    let named = entry.trailers("Landed").count();
    if named == 0 {
        return None;
    }
    let members = target::members(entry);
    if members.len() != named || entry.parents.is_empty() {
        let found = entry.trailers("Landed").collect::<Vec<_>>().join(", ");
        return Some(Divergence::new(
            What::Message,
            "`Landed: GOAL COMMIT`",
            format!("`Landed: {found}`"),
        ));
    }
    let wanted: Vec<CommitId> = members.into_iter().map(|(_, commit)| commit).collect();
    let there: Vec<CommitId> = entry.parents.iter().skip(1).copied().collect();
    let words = |ids: &[CommitId]| match ids {
        [] => "none".to_owned(),
        ids => ids.iter().map(CommitId::short).collect::<Vec<_>>().join(", "),
    };
    (wanted != there).then(|| {
        let expected = format!("second parent {}, as `Landed:` says", words(&wanted));
        Divergence::new(What::Parents, expected, words(&there))
    })
}

impl Auditor<'_> {
    /// Compares a landing's code with what merging its members makes.
    ///
    /// # Errors
    /// When trees cannot be read.
    pub fn landing_code(&mut self, node: &Node, parent: CommitId, members: &[&Landed]) -> Result<()> {
        let id = node.entry.id;
        let is_whole = |landed: &&Landed| self.walk.node(landed.commit).is_some_and(|own| !own.cut);
        if !members.iter().all(|landed| has_own(landed) && is_whole(landed)) {
            return Ok(());
        }
        let commits: Vec<CommitId> = members.iter().map(|landed| landed.commit).collect();
        let merged = match commits.as_slice() {
            [one] if !self.walk.shallow && !self.is_one_commit(parent, *one)? => branch::onto(self.repo, parent, *one)?
                .map_or_else(|paths| Merge::Conflict { at: 0, paths }, Merge::Clean),
            all => merge::onto(self.repo, parent, all)?,
        };
        let there = tree::code_of_commit(self.repo, id)?;
        let goal = match members {
            [one] => Some(&one.goal),
            _ => None,
        };
        let names: Vec<String> = commits.iter().map(CommitId::short).collect();
        let names = names.join(", ");
        match merged {
            Merge::Clean(code) if code == there => {}
            Merge::Clean(code) => {
                let found = format!("other code in {}", differing(self.repo, code, there)?);
                let expected = format!("what merging {names} makes");
                self.found(id, goal, Divergence::new(What::Code, expected, found));
            }
            Merge::Conflict { paths, .. } => {
                let paths: Vec<String> = paths.iter().take(PATHS).map(ToString::to_string).collect();
                let found = match paths.as_slice() {
                    [] => "they have no history in common".to_owned(),
                    paths => format!("it conflicts in {}", paths.join(", ")),
                };
                let divergence = Divergence::new(What::Code, format!("{names} fits onto {}", parent.short()), found);
                self.found(id, goal, divergence);
            }
        }
        Ok(())
    }

    /// True where the commit stands on the target's history, so that it alone is what landed.
    fn is_one_commit(&self, tip: CommitId, commit: CommitId) -> Result<bool> {
        match self.walk.node(commit).map(|node| node.entry.parents.as_slice()) {
            Some([parent]) => self.walk.holds(self.repo, tip, *parent),
            _ => Ok(false),
        }
    }

    /// Looks at the commit of a goal's work, and at the words of what landed it.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub fn own_commit(&mut self, landed: &Landed, record: Option<&Record>) -> Result<()> {
        let Some(own) = self.walk.node(landed.commit) else {
            return Ok(());
        };
        self.audit.counts.commits += 1;
        let provider = record.map_or("", |record| record.provider.as_str());
        // The newest commit of a branch that was adopted as it is says nothing of goals.
        let is_as_is = provider == ADOPTED && own.entry.trailers("Goal").next().is_none();
        let by_hand = [ADOPTED, claims::UNKNOWN].contains(&provider);
        let mut found = match is_as_is {
            true => Vec::new(),
            false => trailers(&own.entry, landed, by_hand),
        };
        if has_own(landed) {
            let landing = self.walk.order.get(landed.at).map(|node| &node.entry);
            let members = landing.map(target::members).unwrap_or_default();
            let said: Vec<(&GoalId, CommitId)> = members.iter().map(|(goal, commit)| (goal, *commit)).collect();
            let message = land::landing_message(&said, self.repo)?.text();
            if let Some(landing) = landing.filter(|landing| landing.message != message) {
                let (expected, there) = differing_lines(&message, &landing.message);
                self.found(
                    landed.landing,
                    Some(&landed.goal),
                    Divergence::new(What::Message, expected, there),
                );
            }
            if !is_as_is {
                found.extend(self.base(landed, own)?);
            }
        }
        let version = own.entry.trailers("Goal-Version").next();
        let completed = self.rows.completed(landed).and_then(asked).map(|goal| goal.version());
        if let (Some(version), Some(completed)) = (version, completed)
            && version != completed
            && !self.ran_other_words(landed, version)?
        {
            found.push(Divergence::new(
                What::Version,
                format!("Goal-Version {completed}, as the goal's row says"),
                version,
            ));
        }
        for divergence in found {
            self.found(landed.commit, Some(&landed.goal), divergence);
        }
        Ok(())
    }

    /// The goal's commit is one commit on the history that it landed on.
    fn base(&self, landed: &Landed, own: &Node) -> Result<Option<Divergence>> {
        let landing = self.walk.order.get(landed.at);
        let tip = landing.and_then(|landing| landing.entry.parents.first().copied());
        let Some(tip) = tip.filter(|_| !own.cut && landing.is_some_and(|landing| !landing.cut)) else {
            return Ok(None);
        };
        // Where the history ends early, two parts of it may not meet here.
        if self.walk.shallow || self.is_one_commit(tip, landed.commit)? {
            return Ok(None);
        }
        let parents: Vec<String> = own.entry.parents.iter().map(CommitId::short).collect();
        Ok(Some(Divergence::new(
            What::Base,
            format!("one commit on the history of {}", tip.short()),
            format!("parent {}", parents.join(", ")),
        )))
    }
}

/// The first lines by which two messages differ; `no more` where one of them ends.
fn differing_lines(expected: &str, found: &str) -> (String, String) {
    let same = expected
        .lines()
        .zip(found.lines())
        .take_while(|(one, two)| one == two)
        .count();
    let at = |text: &str| text.lines().nth(same).unwrap_or("no more").to_owned();
    (at(expected), at(found))
}

fn trailers(own: &LogEntry, landed: &Landed, by_hand: bool) -> Vec<Divergence> {
    let mut found = Vec::new();
    let mut keys = vec!["Goal"];
    if !by_hand {
        keys.extend(["Attempt", "Goal-Version", "Assisted-by"]);
    }
    if !has_own(landed) {
        keys.push("Settled");
    }
    for key in keys {
        let values: Vec<&str> = own.trailers(key).collect();
        let right = match (key, values.as_slice()) {
            ("Goal" | "Settled", [goal]) => *goal == landed.goal.as_str(),
            ("Attempt", [number]) => number.parse::<u32>().is_ok(),
            ("Assisted-by", [who]) => who.starts_with("git-invisigoth:"),
            (_, values) => values.len() == 1,
        };
        if !right {
            let expected = match key {
                "Goal" | "Settled" => format!("`{key}: {}`", landed.goal),
                _ => format!("one trailer `{key}`"),
            };
            let there = match values.as_slice() {
                [] => "none".to_owned(),
                values => values.join(", "),
            };
            found.push(Divergence::new(What::Trailers, expected, there));
        }
    }
    found
}

fn differing(repo: &Repo, one: CodeTree, two: CodeTree) -> Result<String> {
    let all = diff::trees(repo, one.root, two.root)?;
    let paths: Vec<String> = all.iter().take(PATHS).map(|differs| differs.path.to_string()).collect();
    let more = all.len().saturating_sub(PATHS);
    Ok(match more {
        0 => paths.join(", "),
        more => format!("{} and {more} more", paths.join(", ")),
    })
}
