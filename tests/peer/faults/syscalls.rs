//! SIGKILL at the n-th system call that changes something, of the binary and of every git that it starts, by `strace`.
//!
//! Points stand before and after effects of ours; these kills also fall between the renames of one ref transaction, and in
//! the middle of git's own fast-forward.

use std::{
    panic::{self, AssertUnwindSafe},
    process::Stdio,
};

use crate::{
    faults::{
        each,
        scene::{self, SCENES, Scene},
        sound::Before,
        wrong_after,
    },
    support::Sandbox,
};

/// Calls that change something. The n-th of each kind, counted in each process for itself, is the last.
const CALLS: &[(&str, &[u32])] = &[
    (
        "rename,renameat,renameat2",
        &[1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 18, 20, 22, 24, 28, 32],
    ),
    ("unlink,unlinkat,rmdir", &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14]),
    ("mkdir,mkdirat", &[1, 2, 3, 4, 6, 8, 10]),
    ("openat", &[30, 50, 70, 90, 110, 130, 150, 180, 210, 240]),
    ("write,pwrite64", &[1, 2, 3, 5, 8, 13, 17, 21, 28, 34, 44, 55]),
    ("flock,ftruncate", &[1, 2, 3, 4, 6, 8]),
    ("clone,clone3,vfork,execve", &[1, 2, 3, 4, 5, 6, 8]),
];

/// Where git dies in the fast-forward of a checkout: it takes the index lock, writes files, the index and then refs.
const IN_A_FORWARD: &[(&str, &[u32])] = &[
    ("rename,renameat,renameat2", &[1, 2, 3]),
    ("unlink,unlinkat", &[1, 2, 3]),
    ("openat", &[20, 26, 32, 36, 40, 44, 48, 52]),
    ("write,pwrite64", &[1, 2, 3, 4, 5, 6]),
];

/// Kills the scene's command, or a program that it starts, at the n-th call; says whether the command died.
fn kill(scene: &Scene, sandbox: &Sandbox, calls: &str, nth: u32) -> bool {
    let mut command = sandbox.command("strace");
    command.args(["-f", "-qq", "-o", "/dev/null"]);
    command.arg(format!("--trace={calls}"));
    command.arg(format!("--inject={calls}:signal=SIGKILL:when={nth}"));
    command.arg(env!("CARGO_BIN_EXE_git-invisigoth")).args(scene.args);
    let ended = command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    ended.code().is_none()
}

/// Kills git at the n-th call of its first fast-forward, and the scene's command with it.
fn kill_in_a_forward(scene: &Scene, sandbox: &Sandbox, calls: &str, nth: u32) -> bool {
    let path = sandbox.with_program(
        "git",
        &format!(
            "case \" $* \" in *' --ff-only '*) if [ ! -e \"$HOME/struck\" ]; then\n\
             : > \"$HOME/struck\"\n\
             PATH=${{PATH#*:}} strace -qq -o /dev/null --trace={calls} --inject={calls}:signal=SIGKILL:when={nth} git \"$@\"\n\
             kill -KILL $PPID\nexit 1\nfi ;; esac\nPATH=${{PATH#*:}} exec git \"$@\""
        ),
    );
    let mut command = sandbox.invisigoth(scene.args);
    command.env("PATH", path).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().unwrap().code().is_none()
}

/// Says whether the command died, and what is wrong after that and the next command.
fn wrong((scene, made): &(&Scene, Sandbox), (calls, nth): (&str, u32), kill: Kill) -> (bool, Vec<String>) {
    let sandbox = scene::twin(made);
    let before = Before::of(&sandbox, scene.given_up);
    let died = kill(scene, &sandbox, calls, nth);
    let mut wrong = before.wrong_at_once(&sandbox);
    wrong.extend(wrong_after(scene, &sandbox, &before));
    (died, wrong)
}

/// As many more as `INVISIGOTH_KILLS` asks for, spread over scenes, kinds of calls and places.
fn further(scenes: usize) -> impl Iterator<Item = (usize, &'static str, u32)> {
    let wanted = std::env::var("INVISIGOTH_KILLS").ok();
    let wanted: u32 = wanted.map_or(0, |wanted| wanted.parse().unwrap());
    (0..wanted).map(move |nth| {
        let (calls, nths) = CALLS[nth as usize % CALLS.len()];
        let most = nths.last().unwrap() * 2;
        // A prime step reaches every place before it comes back to one.
        (
            nth as usize / CALLS.len() % scenes,
            calls,
            1 + nth.wrapping_mul(7919) % most,
        )
    })
}

#[test]
fn killed_at_any_system_call_the_next_command_finishes_exactly_once() {
    let scenes: Vec<(&Scene, Sandbox)> = SCENES.iter().map(|scene| (scene, (scene.make)())).collect();
    let all = CALLS
        .iter()
        .flat_map(|(calls, nths)| nths.iter().map(move |nth| (*calls, *nth)));
    // Each kill in one scene, and kills at renames in the first of them, where git fast-forwards the checkout.
    let mut cases: Vec<(usize, &str, u32)> = all
        .enumerate()
        .map(|(at, (calls, nth))| {
            let scene = if calls.starts_with("rename") {
                0
            } else {
                at % scenes.len()
            };
            (scene, calls, nth)
        })
        .collect();
    cases.extend(further(scenes.len()));
    let died = nothing_wrong(&scenes, &cases, kill);
    assert!(died >= 60, "only {died} commands of {} died", cases.len());
}

#[test]
fn killed_with_its_git_in_a_fast_forward_the_next_command_goes_on_with_it() {
    let night = &SCENES[0];
    let all = IN_A_FORWARD
        .iter()
        .flat_map(|(calls, nths)| nths.iter().map(move |nth| (0, *calls, *nth)));
    let all: Vec<_> = all.collect();
    let died = nothing_wrong(&[(night, (night.make)())], &all, kill_in_a_forward);
    assert_eq!(died, all.len());
}

type Kill = fn(&Scene, &Sandbox, &str, u32) -> bool;

/// Fails where something is wrong; returns how many commands died.
fn nothing_wrong(scenes: &[(&Scene, Sandbox)], cases: &[(usize, &str, u32)], kill: Kill) -> usize {
    let tried = each(cases, |(scene, calls, nth)| {
        let found = panic::catch_unwind(AssertUnwindSafe(|| wrong(&scenes[*scene], (calls, *nth), kill)));
        let (died, wrong) = found.unwrap_or_else(|_| (true, vec!["what must be true of the scene is not".to_owned()]));
        (died, format!("{}, {calls} {nth}", scenes[*scene].0.name), wrong)
    });
    let wrong: Vec<_> = tried.iter().filter(|(_, _, wrong)| !wrong.is_empty()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    tried.iter().filter(|(died, ..)| *died).count()
}
