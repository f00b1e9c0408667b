use tempfile::TempDir;

use super::*;
use crate::{door::spawn::run_captured, git::Shared};

/// A clone with a commit on `main`, and the bare repository `there` beside it.
struct Pair {
    dir: TempDir,
}

impl Pair {
    fn new() -> Self {
        let pair = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        pair.git(".", &["init", "-q", "--bare", "-b", "main", "there"]);
        pair.git(".", &["init", "-q", "-b", "main", "here"]);
        pair.git("here", &["remote", "add", "origin", "../there"]);
        pair.commit("one");
        pair
    }

    fn git(&self, dir: &str, args: &[&str]) -> String {
        let mut env = env().for_git();
        env.extend([("GIT_CONFIG_GLOBAL".into(), "/dev/null".into())]);
        let who = ["-c", "user.name=a", "-c", "user.email=a@b"];
        let args: Vec<&str> = who.iter().chain(args).copied().collect();
        let done = run_captured("git", &args, &self.dir.path().join(dir), &env, b"", None).unwrap();
        assert_eq!(done.code, 0, "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }

    fn commit(&self, message: &str) -> CommitId {
        self.git("here", &["commit", "-q", "--allow-empty", "-m", message]);
        self.git("here", &["rev-parse", "HEAD"]).parse().unwrap()
    }

    fn repo(&self) -> Repo {
        Shared::open(&self.dir.path().join("here"), Vec::new()).unwrap().repo()
    }

    fn remote(&self) -> Remote {
        Remote::open(&self.repo(), &env(), "origin").unwrap()
    }

    fn there(&self) -> String {
        self.git("there", &["for-each-ref", "--format=%(refname) %(objectname)"])
    }
}

fn env() -> Env {
    let all = Env::read();
    let path = all.get("PATH").unwrap_or_default().to_owned();
    Env::from_pairs([
        ("PATH", path.as_str()),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("HOME", "/"),
    ])
}

fn part(name: &str, old: Option<CommitId>, new: Option<CommitId>) -> Push {
    Push {
        name: name.to_owned(),
        old,
        new,
    }
}

const CLAIM: &str = "refs/invisigoth/claims/g";
const MAIN: &str = "refs/heads/main";

#[test]
fn a_push_moves_what_is_as_it_must_be_and_nothing_else() {
    let pair = Pair::new();
    let (repo, remote) = (pair.repo(), pair.remote());
    let one = pair.commit("a");
    let two = pair.commit("b");
    let push = |parts: &[Push], whole| remote.push(&repo, parts, whole).unwrap();
    assert_eq!(
        push(&[part(MAIN, None, Some(one)), part(CLAIM, None, Some(one))], true),
        Sent::Done
    );
    // Somebody else made it first.
    let refused = push(&[part(CLAIM, None, Some(two)), part(MAIN, Some(one), Some(two))], true);
    assert!(
        matches!(&refused, Sent::Refused(all) if matches!(all.as_slice(), [(name, _)] if name == CLAIM)),
        "{refused:?}"
    );
    assert_eq!(pair.there(), format!("{MAIN} {one}\n{CLAIM} {one}"));
    // What only has to be as it is demands just that.
    let still = part(MAIN, Some(one), Some(one));
    assert_eq!(
        push(&[part(CLAIM, Some(one), Some(two)), still.clone()], true),
        Sent::Done
    );
    assert_eq!(push(&[part(MAIN, Some(one), Some(two))], false), Sent::Done);
    assert!(matches!(
        push(&[part(CLAIM, Some(two), None), still], true),
        Sent::Refused(_)
    ));
    assert_eq!(push(&[part(CLAIM, Some(two), None)], true), Sent::Done);
    assert_eq!(pair.there(), format!("{MAIN} {two}"));
}

#[test]
fn a_hook_that_declines_and_a_remote_that_is_gone_are_told_apart() {
    let pair = Pair::new();
    let (repo, remote) = (pair.repo(), pair.remote());
    let one = pair.commit("a");
    let hook = pair.dir.path().join("there/hooks/update");
    std::fs::write(&hook, "#!/bin/sh\n[ \"$1\" != refs/heads/main ]\n").unwrap();
    std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let push = |parts: &[Push], whole| remote.push(&repo, parts, whole).unwrap();
    let both = [part(CLAIM, None, Some(one)), part(MAIN, None, Some(one))];
    assert!(
        matches!(push(&both, true), Sent::Refused(all) if all == [(MAIN.to_owned(), "[remote rejected] (hook declined)".to_owned())])
    );
    assert_eq!(pair.there(), "");
    assert!(matches!(push(&both, false), Sent::Refused(all) if all.len() == 1));
    assert_eq!(pair.there(), format!("{CLAIM} {one}"));
    std::fs::rename(pair.dir.path().join("there"), pair.dir.path().join("moved")).unwrap();
    let gone = push(&both, true);
    assert!(
        matches!(&gone, Sent::Unknown(why) if why.contains("does not appear to be a git repository")),
        "{gone:?}"
    );
    assert!(remote.fetch(&repo, &["+refs/heads/*:refs/x/*".to_owned()]).is_err());
}

#[test]
fn a_host_that_hangs_is_left_after_its_time() {
    let pair = Pair::new();
    let one = pair.commit("a");
    pair.git("here", &["config", "remote.origin.receivepack", "sleep 600 #"]);
    pair.git("here", &["config", "remote.origin.uploadpack", "sleep 600 #"]);
    let mut remote = pair.remote();
    remote.limit = Duration::from_millis(100);
    let repo = pair.repo();
    assert!(matches!(
        remote.push(&repo, &[part(MAIN, None, Some(one))], true).unwrap(),
        Sent::Unknown(_)
    ));
    let error = remote.fetch(&repo, &["+refs/heads/*:refs/x/*".to_owned()]).unwrap_err();
    assert!(command::is_overdue(&error), "{error}");
}

#[test]
fn what_is_gone_there_goes_here_and_a_name_must_be_one_of_a_remote() {
    let pair = Pair::new();
    let (repo, remote) = (pair.repo(), pair.remote());
    let one = pair.commit("a");
    let spec = format!("+refs/invisigoth/claims/*:{}", remote.seen("claims/*"));
    remote.push(&repo, &[part(CLAIM, None, Some(one))], true).unwrap();
    remote.fetch(&repo, std::slice::from_ref(&spec)).unwrap();
    let seen = |repo: &Repo| crate::git::refs::read(repo, &remote.seen("claims/g")).unwrap();
    assert_eq!(seen(&pair.repo()), Some(one));
    remote.push(&repo, &[part(CLAIM, Some(one), None)], true).unwrap();
    remote.fetch(&repo, &[spec]).unwrap();
    assert_eq!(seen(&pair.repo()), None);
    for name in ["", "nobody", "../there", "--upload-pack=x"] {
        assert!(Remote::open(&repo, &env(), name).is_none(), "{name}");
    }
}

#[test]
fn complaints_hold_no_passwords() {
    let said = b"fatal: unable to access 'https://me:geheim@host.example/r.git/': no\nhint: x\n\n";
    assert_eq!(words(said), "unable to access 'https://host.example/r.git/': no");
    assert_eq!(words(b""), "git did not say why");
}
