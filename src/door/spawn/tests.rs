use std::fs;

use tempfile::TempDir;

use super::*;
use crate::door::env::Env;

fn shell(text: &str, dir: &TempDir) -> Spawn {
    Spawn {
        program: "sh".into(),
        args: vec!["-c".into(), text.into()],
        dir: dir.path().to_owned(),
        env: Env::read().for_checks(&[]),
        stdin: Vec::new(),
        timeout: Some(Duration::from_secs(60)),
        output_cap: 1 << 20,
        redactor: Redactor::default(),
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Fails unless every process whose number the script wrote to `pids` is gone, not even a zombie.
fn assert_gone(dir: &TempDir, expected: usize) {
    let pids = fs::read_to_string(dir.path().join("pids")).unwrap();
    assert_eq!(pids.lines().count(), expected, "{pids}");
    for pid in pids.lines() {
        assert!(!Path::new(&format!("/proc/{pid}")).exists(), "{pid} is left");
    }
}

/// Leaves three kinds of processes behind: in the background, in a session of its own, and below that one without the mark.
const LEAVE_SOME: &str = "mkfifo ready
    sleep 300 & echo $! >>pids
    setsid sh -c 'echo $$ >>pids; env -i sleep 300 & echo $! >>pids; echo >ready; wait' &
    read line <ready
";

#[test]
fn nothing_is_left_after_a_normal_exit() {
    // While another check runs, having come meanwhile proves nothing: marks, groups and parents must do.
    let _other = Tree::open().unwrap();
    let dir = folder();
    let ended = shell(&format!("{LEAVE_SOME} exit 3"), &dir).run(&Stop::default());
    assert_eq!(ended.end, End::Exit(3));
    assert_gone(&dir, 3);
}

#[test]
fn nothing_is_left_after_the_limit() {
    let _other = Tree::open().unwrap();
    let dir = folder();
    let mut spawn = shell(&format!("{LEAVE_SOME} trap '' TERM; sleep 300"), &dir);
    spawn.timeout = Some(Duration::from_secs(1));
    let ended = spawn.run(&Stop::default());
    assert_eq!(ended.end, End::TimedOut);
    assert_gone(&dir, 3);
}

#[test]
fn a_daemon_that_gave_up_its_parent_is_ended_too() {
    let dir = folder();
    let script = "mkfifo ready
        (setsid sh -c '(setsid sh -c \"echo \\$\\$ >>pids; echo >ready; exec sleep 300\" &) ') &
        read line <ready";
    assert_eq!(shell(script, &dir).run(&Stop::default()).end, End::Exit(0));
    assert_gone(&dir, 1);
}

#[test]
fn a_gigabyte_of_output_keeps_its_beginning_its_end_and_a_count() {
    let dir = folder();
    let script = "echo first; head -c 1000000000 /dev/zero; echo last >&2";
    let ended = shell(script, &dir).run(&Stop::default());
    assert_eq!(ended.end, End::Exit(0));
    assert_eq!(ended.output.len(), 1 << 20);
    assert_eq!(ended.omitted, 1_000_000_011 - (1 << 20));
    assert!(ended.output.starts_with(b"first\n\0"));
    assert!(ended.output.ends_with(b"\0last\n"));
}

#[test]
fn the_environment_holds_what_was_given_and_the_mark() {
    let dir = folder();
    let mut spawn = shell("env", &dir);
    spawn.program = "/usr/bin/env".into();
    spawn.args.clear();
    spawn.env = vec![("ONLY".into(), "this".into())];
    let output = String::from_utf8(spawn.run(&Stop::default()).output).unwrap();
    let mut names: Vec<&str> = output.lines().filter_map(|line| line.split('=').next()).collect();
    names.sort_unstable();
    assert_eq!(names, ["INVISIGOTH_CHECK", "ONLY"], "{output}");
}

#[test]
fn a_stop_ends_it_at_once() {
    let dir = folder();
    let stop = Stop::default();
    stop.press();
    assert_eq!(shell("exit 0", &dir).run(&stop).end, End::Exit(0));
    stop.now();
    let ended = shell("echo $$ >pids; sleep 300", &dir).run(&stop);
    assert_eq!(ended.end, End::Stopped);
}

#[test]
fn signals_and_missing_programs_have_their_ends() {
    let dir = folder();
    assert_eq!(shell("kill -9 $$", &dir).run(&Stop::default()).end, End::Exit(137));
    assert_eq!(shell("no-such-program", &dir).run(&Stop::default()).end, End::Exit(127));
    let mut missing = shell("", &dir);
    missing.program = "no-such-program".into();
    let ended = missing.run(&Stop::default());
    assert_eq!(ended.end, End::NotStarted);
    assert!(String::from_utf8_lossy(&ended.output).contains("no-such-program"));
    let mut nowhere = shell("exit 0", &dir);
    nowhere.dir = dir.path().join("missing");
    assert_eq!(nowhere.run(&Stop::default()).end, End::NotStarted);
}

#[test]
fn a_helper_is_fed_and_answers_on_both_streams() {
    let dir = folder();
    let env = Env::read().for_checks(&[]);
    let run = |script: &str, timeout| run_captured("sh", &["-c", script], dir.path(), &env, b"input", timeout);
    let captured = run("cat; echo error >&2; exit 4", None).unwrap();
    assert_eq!(
        captured,
        Captured {
            code: 4,
            stdout: b"input".to_vec(),
            stderr: b"error\n".to_vec()
        }
    );
    let late = run("sleep 300", Some(Duration::from_millis(50))).unwrap_err();
    assert_eq!(late.kind(), io::ErrorKind::TimedOut);
    let missing = run_captured("no-such-program", &["x"], dir.path(), &env, b"", None).unwrap_err();
    assert_eq!(missing.kind(), io::ErrorKind::NotFound);
}

#[test]
fn strays_of_a_killed_run_are_found_by_mark_and_folder() {
    let dir = folder();
    let elsewhere = folder();
    let inside = Helper::start(&marked_sleep(dir.path())).unwrap();
    let outside = Helper::start(&marked_sleep(elsewhere.path())).unwrap();
    tree::end_strays(dir.path());
    assert_eq!(inside.handle.wait().unwrap().status.signal(), Some(9));
    assert!(outside.handle.try_wait().unwrap().is_none());
    outside.kill(GRACE);
}

#[test]
fn who_works_in_a_folder_is_found_by_whatever_name_the_folder_has() {
    let dir = folder();
    let (real, link) = (dir.path().join("real"), dir.path().join("link"));
    fs::create_dir(&real).unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    let inside = Helper::start(&marked_sleep(&real)).unwrap();
    assert!(tree::works_in("sleep", &link));
    tree::end_strays(&link);
    // Where it was not found, it would be waited for.
    assert!(!tree::works_in("sleep", &real));
    inside.kill(GRACE);
}

fn marked_sleep(dir: &Path) -> Expression {
    let env = vec![("INVISIGOTH_CHECK".into(), "1-1".into())];
    expression("/bin/sleep".into(), &["300".into()], dir, env)
}

#[test]
fn many_checks_at_once_do_not_end_each_other() {
    std::thread::scope(|scope| {
        for n in 0..8 {
            scope.spawn(move || {
                for _ in 0..10 {
                    let dir = folder();
                    let script = format!("(exit 0) & sh -c 'exit {n}'; code=$?; wait; exit $code");
                    assert_eq!(shell(&script, &dir).run(&Stop::default()).end, End::Exit(n));
                }
            });
        }
    });
}

#[test]
fn what_a_short_command_costs_is_printed() {
    let dir = folder();
    let spawn = shell("true", &dir);
    let began = Instant::now();
    for _ in 0..100 {
        assert_eq!(spawn.run(&Stop::default()).end, End::Exit(0));
    }
    println!("sh -c true: {:?} each", began.elapsed() / 100);
}
