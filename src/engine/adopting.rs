//! Adopting: a branch of somebody answers a goal, and goes the way of a candidate of ours.
//!
//! Owns what a branch must be like to be adopted, and the candidate that is made of it. The branch itself stays as it is;
//! whose work it is says `credit`, and landing is `land`'s.

mod credit;

use eyre::Result;
use serde_json::value::RawValue;

use crate::{
    check::{CheckRow, Failed, Verified},
    engine::{
        claims::outside,
        eviction,
        land::{self, Approval, Outcome},
        landed,
        members::{self, Member},
        proving::{self, Proof},
        recall, rewrite, run,
        steering::typed,
        stored::{self, Adopted, Begun, Stored},
        worker::Worker,
    },
    facts::Facts,
    fault::{Fault, Kind},
    git::{
        attempts,
        branch::{self, Own},
        codetree, commit, diff, history, merge, notes, objects,
        refs::{self, RefMove, Swap},
        tree,
    },
    goal::{Decision, Goal},
    guard::{self, Denied, Policy},
    id::{CommitId, GoalId},
    quote::quoted,
    record::{ADOPTED, Record},
    settings::Isolation,
    snapshot::{Changes, CodeTree},
};

/// Most denied paths that are named.
const NAMED: usize = 10;
/// Most characters of a description that is taken from a commit.
const DESCRIPTION: usize = 200;
/// Trailers that say what landed. In commits of others they would be believed once those are part of the target.
const OURS: [&str; 6] = ["Goal", "Attempt", "Goal-Version", "Landed", "Settled", "Undo"];

/// What a person wants adopted.
#[derive(Clone, Debug)]
pub struct Wish {
    /// A branch, or anything else that names a commit.
    pub branch: String,
    /// The open goal that it answers; a new one where absent.
    pub goal: Option<GoalId>,
    /// Its commits land as they are, instead of one that is made of them.
    pub as_is: bool,
    /// What is held is approved.
    pub approve: bool,
}

/// A branch that can be adopted.
pub struct Found {
    /// The goal's id.
    pub id: GoalId,
    /// What it answers.
    pub goal: Goal,
    /// Its newest commit.
    pub head: CommitId,
    /// The commits that the target has not, the newest first.
    pub commits: Vec<Own>,
    /// True where memory files differ on it; they are left out.
    pub has_memory: bool,
    /// True where the goal is not in the backlog.
    is_new: bool,
    /// Where it parted from the target.
    base: CommitId,
    /// The code of both, merged.
    pub code: merge::Conflicts,
}

/// Looks whether a branch can be adopted. Changes nothing.
///
/// # Errors
/// A fault that says why not, and what to type instead.
pub fn look(worker: &Worker<'_>, wish: &Wish) -> Result<Found> {
    let (repo, tip, name) = (&worker.repo, worker.target.tip, &wish.branch);
    let head = resolve(worker, name)?;
    if wish.as_is && worker.settings.run.isolation == Isolation::None {
        let fault = error("commits land as they are by a merge commit, and `land.style` is linear here");
        return Err(fault
            .hint(format!(
                "`git invisigoth adopt {}` makes one commit of them",
                quoted(name)
            ))
            .into());
    }
    if history::contains(repo, tip, head)? {
        return Err(contained(worker, name, head)?.into());
    }
    let Some(base) = branch::bases(repo, tip, head)?.first().copied() else {
        let fault = error(format!(
            "`{name}` and `{}` have no commit in common",
            worker.target.branch
        ));
        return Err(fault
            .hint("what was cloned with --depth has only its newest commits: `git fetch --unshallow`")
            .into());
    };
    let commits = branch::commits(repo, tip, head)?;
    refuse_words(worker, wish, &commits)?;
    let (id, goal, is_new) = match &wish.goal {
        Some(id) => (id.clone(), open_goal(worker, id, &commits)?, false),
        None => goal_of_branch(worker, name, head, &commits)?,
    };
    if let Some(own) = recall::commits_of_people(repo, &id)? {
        let fault = Fault::new(Kind::Person, format!("branch `{own}` has commits of yours"));
        return Err(fault.hint(format!("`git branch -m {own} NAME`")).into());
    }
    let code = branch::onto(repo, tip, head)?;
    let ancestor = tree::of_commit(repo, base)?;
    let differs = diff::trees_whole(repo, ancestor, tree::of_commit(repo, head)?)?;
    let has_memory = differs.iter().any(|differs| codetree::is_reserved(&differs.path));
    if let Ok(code) = code {
        refuse_content(worker, wish, code, has_memory)?;
    }
    if wish.as_is {
        refuse_secrets_within(worker, &commits)?;
    }
    Ok(Found {
        id,
        goal,
        head,
        commits,
        has_memory,
        is_new,
        base,
        code,
    })
}

fn error(message: impl Into<String>) -> Fault {
    Fault::new(Kind::Error, message)
}

fn resolve(worker: &Worker<'_>, name: &str) -> Result<CommitId> {
    let short = name.trim_start_matches("refs/").trim_start_matches("heads/");
    let full = refs::branch_ref(short);
    if full.starts_with(refs::CANDIDATES) && refs::read(&worker.repo, &full).is_ok_and(|found| found.is_some()) {
        let fault = error(format!("`{short}` has a name that candidates have"));
        let theirs = worker.facts.candidates.keys();
        let goal = theirs.into_iter().find(|id| refs::candidate_ref(id) == full);
        return Err(match goal {
            Some(goal) => fault.hint(format!("`git invisigoth merge {}` lands it", typed([goal]))),
            None => fault.hint(format!(
                "`git branch -m {} NAME`, then `git invisigoth adopt NAME`",
                quoted(short)
            )),
        }
        .into());
    }
    let unknown = || {
        let fault = error(format!("`{name}` names no commit here"));
        fault.hint("`git branch --all` lists the branches; `git fetch` brings those of a remote")
    };
    if name.trim().is_empty() {
        return Err(unknown().into());
    }
    refs::resolve(&worker.repo, name).map_err(|_| unknown().into())
}

fn contained(worker: &Worker<'_>, name: &str, head: CommitId) -> Result<Fault> {
    let target = &worker.target;
    let fault = error(format!("nothing to adopt: `{}` has all of `{name}`", target.branch));
    if head == target.head && *name != target.branch {
        return Ok(fault.hint(format!(
            "goals land on `{}`, which is at the same commit; `git switch BRANCH`, or --set land.target=BRANCH",
            target.branch
        )));
    }
    if head == target.head {
        return Ok(fault.hint("that is the branch goals land on; `git switch BRANCH`, or --set land.target=BRANCH"));
    }
    // What landed as it is and was undone is part of history all the same: only copies of its commits are new.
    let lines = notes::lines(&worker.repo, refs::NOTES, head.0)?;
    let records = lines
        .iter()
        .filter_map(|line| serde_json::from_str::<Record>(line).ok());
    let undone = records.filter(|record| record.commit == head && !worker.facts.landed.contains(&record.goal));
    Ok(match undone.last() {
        Some(Record { goal, base, .. }) => fault.hint(format!(
            "goal {goal} that it landed was undone; `git rebase --no-ff {} {name}` copies its commits, then `git \
             invisigoth adopt {name} --goal {}`",
            base.short(),
            quoted(goal.as_str()),
            name = quoted(name)
        )),
        None => fault,
    })
}

/// Refuses commits whose messages would be believed, or that take back what has landed.
fn refuse_words(worker: &Worker<'_>, wish: &Wish, commits: &[Own]) -> Result<()> {
    let name = &wish.branch;
    for own in commits {
        let entry = &own.entry;
        let short = entry.id.short();
        let said = landed::of_commit(&worker.repo, entry);
        if let Some(goal) = said.takes_back.iter().find(|goal| worker.facts.landed.contains(*goal)) {
            let fault = error(format!(
                "commit {short} of `{name}` takes back goal {goal}, which has landed"
            ));
            return Err(fault
                .hint(format!(
                    "`git merge {}` takes it in as it is, and opens {goal} again",
                    quoted(name)
                ))
                .into());
        }
        let forged = OURS.iter().find(|key| entry.trailers(key).next().is_some());
        if let Some(key) = forged.filter(|_| wish.as_is) {
            let fault = error(format!(
                "commit {short} of `{name}` has the trailer `{key}:`, which says what landed here"
            ));
            return Err(fault
                .hint(format!(
                    "`git invisigoth adopt {}` makes one commit of it, without their trailers",
                    quoted(name)
                ))
                .into());
        }
        if let Some(goal) = said.lands.first().filter(|_| wish.as_is) {
            let fault = error(format!(
                "commit {short} of `{name}` lands goal {goal} again by reverting what took it back"
            ));
            return Err(fault
                .hint(format!(
                    "`git invisigoth adopt {} --goal {}` makes one commit of it, without its words",
                    quoted(name),
                    quoted(goal.as_str())
                ))
                .into());
        }
    }
    Ok(())
}

/// Returns an open goal that a branch may answer.
fn open_goal(worker: &Worker<'_>, id: &GoalId, commits: &[Own]) -> Result<Goal> {
    let facts = &worker.facts;
    let Some(open) = facts.goals.get(id) else {
        return Err(run::not_open(facts, id).into());
    };
    let why = open.reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    let undecided = match open.decision {
        Decision::Proposed => Some(format!("goal {id} is only proposed{why}")),
        Decision::Rejected => Some(format!("goal {id} was rejected{why}")),
        // Whoever adopts for a goal by name overrules who wanted it to wait.
        Decision::Pending | Decision::Held => None,
    };
    if let Some(undecided) = undecided {
        let fault = Fault::new(Kind::Person, undecided);
        return Err(fault
            .hint(format!(
                "`git invisigoth approve {}` makes it one to be done",
                typed([id])
            ))
            .into());
    }
    refuse_candidate(facts, id)?;
    let needs = open.needs.iter().filter(|need| !facts.landed.contains(*need));
    let needs: Vec<&str> = needs.map(GoalId::as_str).collect();
    if !needs.is_empty() {
        let fault = error(format!("goal {id} needs {}, not landed yet", needs.join(", ")));
        return Err(fault.hint("`git invisigoth status` says what they wait for").into());
    }
    // One that people took back has no row until the next landing.
    let goal = worker.backlog.get(id);
    Ok(goal.unwrap_or_else(|| Goal {
        id: Some(id.clone()),
        description: credit::subject(commits).unwrap_or_else(|| id.to_string()),
        ..Goal::default()
    }))
}

fn refuse_candidate(facts: &Facts, id: &GoalId) -> Result<()> {
    if facts.candidates.get(id).is_some_and(|candidate| !candidate.outdated) {
        let fault = error(format!("goal {id} has a candidate already"));
        return Err(fault
            .hint(format!(
                "`git invisigoth merge {}` lands it; `git branch -D {}` throws it away",
                typed([id]),
                refs::candidate_ref(id).trim_start_matches("refs/heads/")
            ))
            .into());
    }
    Ok(())
}

/// Returns the goal that a branch answers by itself. The same branch is always the same goal, so that one that was killed
/// half-way is gone on with.
fn goal_of_branch(worker: &Worker<'_>, name: &str, head: CommitId, commits: &[Own]) -> Result<(GoalId, Goal, bool)> {
    let description: String = credit::subject(commits)
        .unwrap_or_else(|| name.to_owned())
        .chars()
        .take(DESCRIPTION)
        .collect();
    let description = worker.session.redactor.clean(&description).into_string();
    let facts = &worker.facts;
    let mut nth = 0;
    let id = loop {
        let id = GoalId::fresh(&description, "", &head.to_string(), nth);
        if facts.goals.contains_key(&id) {
            let goal = open_goal(worker, &id, commits)?;
            return Ok((id, goal, false));
        }
        if !facts.landed.contains(&id) {
            break id;
        }
        nth += 1;
    };
    let goal = Goal {
        id: Some(id.clone()),
        description,
        created_at: Some(worker.session.clock.now().rfc3339()),
        created_by: Some("adopt".to_owned()),
        ..Goal::default()
    };
    Ok((id, goal, true))
}

/// Refuses a branch that changes nothing, or what nobody's branch may change unseen.
fn refuse_content(worker: &Worker<'_>, wish: &Wish, code: CodeTree, has_memory: bool) -> Result<()> {
    let (repo, name) = (&worker.repo, &wish.branch);
    let before = tree::code_of_commit(repo, worker.target.tip)?;
    let changes = recall::changes(repo, before, code)?;
    if changes.is_empty() {
        let fault = error(format!(
            "nothing to adopt: `{name}` changes no code of `{}`",
            worker.target.branch
        ));
        return Err(if has_memory {
            fault
                .hint(format!(
                    "it changes memory files; `git merge {}` takes those in",
                    quoted(name)
                ))
                .into()
        } else {
            fault.into()
        });
    }
    if let Some(path) = worker.session.secret_in(&changes) {
        return Err(error(format!("{path} of `{name}` holds a secret of this machine")).into());
    }
    let denied = denied(worker, before, changes);
    if denied.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = denied.iter().map(|denied| format!("\n  {denied}")).collect();
    let fault = error(format!(
        "`{name}` changes what only you change yourself:{}",
        lines.concat()
    ));
    Err(fault
        .hint(format!(
            "`git merge {}` where you have read it; or leave these out of the branch",
            quoted(name)
        ))
        .into())
}

fn denied(worker: &Worker<'_>, before: CodeTree, mut changes: Changes) -> Vec<Denied> {
    let policy = Policy::new(&worker.settings.paths, &worker.settings.check);
    let base = tree::snapshot(&worker.repo, before);
    let mut all = Vec::new();
    while all.len() < NAMED
        && let Err(denied) = guard::admit(changes.clone(), &base, &policy)
    {
        changes.remove(&denied.path);
        all.push(denied);
    }
    all
}

/// Commits that stay as they are bring all that they ever had, also what a later one took out again.
fn refuse_secrets_within(worker: &Worker<'_>, commits: &[Own]) -> Result<()> {
    let repo = &worker.repo;
    for own in commits {
        let before = match own.entry.parents.first() {
            Some(parent) => tree::code_of_commit(repo, *parent)?,
            // A history of its own that was merged in.
            None => codetree::strip(repo, objects::write_empty_tree(repo)?)?,
        };
        let changes = recall::changes(repo, before, tree::code_of_commit(repo, own.entry.id)?)?;
        if let Some(path) = worker.session.secret_in(&changes) {
            let short = own.entry.id.short();
            return Err(error(format!("{path} of commit {short} holds a secret of this machine")).into());
        }
    }
    Ok(())
}

/// How landing what was adopted came out.
pub enum Landing {
    /// It is part of the target: the candidate, and the checks of the merged code.
    Landed(CommitId, Vec<CheckRow>),
    /// Paths hold it until a person approves: the candidate, and why.
    Held(CommitId, String),
    /// It does not fit, and no candidate was made; why.
    Refused(String),
    /// It did not fit the target any more when its candidate was made, which waits; and why.
    Waits(CommitId, String),
}

/// What came of adopting.
pub struct Ended {
    /// How landing came out.
    pub landing: Landing,
    /// What a reader should know besides.
    pub remark: Option<String>,
    /// Tests that fail without the branch, where that was tried.
    pub red_green: Option<usize>,
}

/// Adopts a branch: judges the merged code, makes the candidate, lands it or has it wait.
///
/// # Errors
/// When the repository cannot be read or written, or a check cannot be run.
pub fn adopt(worker: &mut Worker<'_>, wish: &Wish, found: &Found) -> Result<Ended> {
    let refused = |why: String| Ended {
        landing: Landing::Refused(why),
        remark: None,
        red_green: None,
    };
    let code = match &found.code {
        Ok(code) => *code,
        Err(paths) => return Ok(refused(eviction::conflict(paths))),
    };
    let (gate, baseline) = (worker.gate.clone(), worker.baseline.clone());
    let verified = match worker.checker.judge(&worker.repo, code, &gate, &baseline)? {
        Ok(verified) => verified,
        Err(failed) => return Ok(refused(failed.reason())),
    };
    let mut stored = begin(worker, wish, found)?;
    if let Some(why) = prove(worker, found, code, &mut stored)? {
        return Ok(refused(why));
    }
    stored.checks = verified.checks().to_vec();
    let candidate = make(worker, found, &verified, &stored)?;
    outside::end(&worker.repo, &found.id)?;
    let approval = if wish.approve { Approval::Given } else { Approval::None };
    let held = recall::classify_code(
        &worker.repo,
        tree::code_of_commit(&worker.repo, worker.target.tip)?,
        code,
        &worker.settings,
    )?;
    if wish.approve && matches!(held, recall::Class::Held(_)) {
        stored.remark = Some(members::approved(stored.remark));
    }
    let mut member = Member {
        id: found.id.clone(),
        candidate,
        number: number(worker, &found.id)?,
        stored,
        approval,
    };
    let landing = match land::alone(worker, &mut member)? {
        Outcome::Landed(commit, checks) => Landing::Landed(commit, checks),
        Outcome::Held(commit, why) => Landing::Held(commit, why),
        // The target moved since it was looked at.
        Outcome::Refused(why) => {
            let (_, why) = eviction::evict(worker, &found.id, (member.candidate, member.number), &why)?.into_parts();
            Landing::Waits(member.candidate, why)
        }
    };
    let stored = member.stored;
    if let (true, Landing::Held(_, why) | Landing::Waits(_, why)) = (found.is_new, &landing) {
        keep_goal(worker, &found.goal, why)?;
    }
    Ok(Ended {
        landing,
        remark: stored.remark,
        red_green: stored.red_green,
    })
}

/// Returns the number of the newest attempt; 0 where there is none.
fn number(worker: &Worker<'_>, id: &GoalId) -> Result<u32> {
    Ok(attempts::newest(&worker.repo)?
        .get(&id.ref_part())
        .copied()
        .unwrap_or(0))
}

fn begin(worker: &Worker<'_>, wish: &Wish, found: &Found) -> Result<Stored> {
    let row = match worker.backlog.raw(&found.id) {
        Some(row) => row.to_owned(),
        None => serde_json::to_string(&found.goal)?,
    };
    let clean = |text: &str| worker.session.redactor.clean(text).into_string();
    let branch: String = clean(&wish.branch).chars().take(60).collect();
    let begun = Begun {
        goal: found.id.clone(),
        row: RawValue::from_string(row)?,
        version: found.goal.version(),
        base: if wish.as_is { found.base } else { worker.target.tip },
        started_at: worker.session.clock.now().rfc3339(),
    };
    // What it took whoever made it is not known, which is not nothing.
    Ok(Stored {
        provider: ADOPTED.to_owned(),
        model: clean(&credit::model(&found.commits)),
        remark: Some(format!("branch {branch}")),
        adopted: Some(Adopted {
            branch,
            head: found.head,
            as_is: wish.as_is,
        }),
        ..Stored::begun(begun)
    })
}

/// Sees whether new tests can fail. A branch that answers a goal is held to it; of any other that is only told.
fn prove(worker: &mut Worker<'_>, found: &Found, code: CodeTree, stored: &mut Stored) -> Result<Option<String>> {
    let before = tree::code_of_commit(&worker.repo, worker.target.tip)?;
    let told = match proving::prove(worker, &found.goal, before, code)? {
        Proof::NotAsked => None,
        Proof::Holds { ran, remark, red_green } => {
            stored.proof = ran.as_deref().map(CheckRow::of);
            stored.red_green = red_green;
            remark
        }
        Proof::Broken(ran) => {
            let failed = Failed {
                ran: vec![*ran],
                new_failures: std::collections::BTreeSet::default(),
            };
            if !found.is_new {
                return Ok(Some(failed.reason()));
            }
            Some(failed.reason())
        }
    };
    if let (Some(told), Some(remark)) = (told, &mut stored.remark) {
        remark.push_str("; ");
        remark.push_str(&told);
    }
    Ok(None)
}

/// Makes the candidate, and has the goal's branch name it. What it is stands in the attempts before.
fn make(worker: &Worker<'_>, found: &Found, verified: &Verified, stored: &Stored) -> Result<CommitId> {
    let (repo, at) = (&worker.repo, worker.session.clock.now());
    let number = number(worker, &found.id)? + 1;
    let candidate = if stored.is_as_is() {
        found.head
    } else {
        let clean = |text: &str| worker.session.redactor.clean(text).into_string();
        let mut message = credit::message(&found.goal, &found.commits, &clean);
        let ours = [
            ("Goal", found.id.to_string()),
            ("Attempt", number.to_string()),
            ("Goal-Version", stored.version.clone()),
        ];
        message.trailers.splice(0..0, ours);
        let author = credit::author(&found.commits);
        commit::candidate_by(repo, verified, stored.base, (&message, author), at)?
    };
    stored::write(repo, stored, number, (0, &[]), (Some(verified.tree().root), at))?;
    let name = refs::candidate_ref(&found.id);
    let set = RefMove::Set {
        old: refs::read(repo, &name)?,
        name,
        new: candidate,
        why: format!("invisigoth: adopt, attempt {number}"),
    };
    match refs::swap(repo, &[set])? {
        Swap::Done => Ok(candidate),
        Swap::Lost => Err(Fault::new(Kind::Busy, "the goal's branch was moved by somebody else; try again").into()),
    }
}

/// Writes a new goal whose candidate waits into the backlog, so that it can be named.
fn keep_goal(worker: &mut Worker<'_>, goal: &Goal, why: &str) -> Result<()> {
    let goal = Goal {
        status: Decision::Held,
        reason: Some(why.to_owned()),
        ..goal.clone()
    };
    let row = serde_json::to_string(&goal)?;
    rewrite::change(worker.session, |found| {
        let backlog = found.known.backlog.with(&[&row]);
        Ok((backlog.map_err(|error| recall::backlog_fault(&error))?, ()))
    })?;
    worker.refresh_target()
}
