//! Dispatch: arguments → request → command → outcome → text, one function per command that needs more than a line.

mod adopt;
mod ci;
mod config;
mod context;
mod evolve;
mod hooks;
mod import;
mod log;
mod logs;
#[cfg(feature = "mcp")]
mod mcp;
mod night;
mod plan;
mod provenance;
#[cfg(feature = "web")]
mod serve;
mod service;
mod spend;
mod status;
mod steer;
mod sync;
mod template;
mod undo;
mod verify;

use std::{path::Path, str::FromStr as _, sync::Arc};

use eyre::{Result, WrapErr as _};

use crate::{
    cli::{
        args::{self, BudgetVerb, Verb},
        completion, exit, man,
        open::Opened,
        paths,
    },
    commands::{
        self, Outcome, add, apply, budget, check, cost, demo, doctor, init, list, merge, merge_driver, models, replay,
        run,
    },
    door::{
        clock::SystemClock,
        fs, program,
        signal::{self, Watch},
        terminal,
    },
    engine::{
        planning,
        run::GoalResult,
        session::{SETTINGS_FILE, Session},
        target::Target,
    },
    event::Sink,
    fault::{Fault, Kind},
    id::GoalId,
    money::caps::{Scope, What},
    reply::Format,
    time::{Stop, Stopping},
    ui::{View, text},
};

/// Said where no command was given and the repository is not set up.
const START: &str = "\
git invisigoth works through a backlog of goals in a git repository, unattended: one checked commit per goal.

  git invisigoth demo      watch it work in a scratch repository: no key, no network
  git invisigoth init      make this repository ready
  git invisigoth doctor    check every precondition

";

/// Said where no command was given in a repository that is set up.
const GO_ON: &str = "\
git invisigoth works through the backlog of goals of this repository: one checked commit per goal.

  git invisigoth status             what needs you, what runs, why the rest waits
  git invisigoth add \"what to do\"   add a goal
  git invisigoth run                work through the goals that are ready

";

const MORE: &str = "`git invisigoth help` lists all commands, `git invisigoth --help` opens the manual.\n";

/// Runs `verb` and returns the exit code.
///
/// # Errors
/// What kept the command from its outcome.
pub fn run(at: &Opened, verb: Option<Verb>) -> Result<u8> {
    let Some(verb) = verb else {
        let ready = at.session().is_ok_and(|session| is_set_up(&session));
        at.ui.print(&[if ready { GO_ON } else { START }, MORE].concat());
        return Ok(0);
    };
    match verb {
        Verb::Init(args) => set_up(at, &args),
        Verb::Add(args) => answer(at, &add_goal(at, args)?),
        Verb::Plan(args) => plan::run(at, args),
        Verb::Run(args) => work(at, &args),
        Verb::Merge(args) => land(at, &args.ids),
        Verb::Evolve(args) => evolve::run(at, &args),
        Verb::Status(args) => status::run(at, &args),
        Verb::Pause(args) => steer::pause(at, args),
        Verb::Resume => answer(at, &commands::resume::run(&at.session()?)?),
        Verb::Stop(args) => steer::stop(at, args),
        Verb::Adopt(args) => adopt::run(at, args),
        Verb::List(args) => answer(at, &list::run(&at.session()?, &list::Request { states: args.states })?),
        Verb::Show(args) => show(at, &args),
        Verb::Diff(args) => steer::diff(at, &args),
        Verb::Approve(args) => steer::approve(at, &args),
        Verb::Reject(args) => steer::reject(at, args),
        Verb::Hold(args) => steer::hold(at, args),
        Verb::Release(args) => steer::release(at, &args),
        Verb::Retry(args) => steer::retry(at, &args),
        Verb::Comment(args) => steer::comment(at, args),
        Verb::Edit(args) => steer::edit(at, &args),
        Verb::Drop(args) => steer::drop(at, &args),
        Verb::Log(args) => log::run(at, args),
        Verb::Report(args) => answer(at, &commands::report::run(&at.session()?, &report_of(args))?),
        Verb::Logs(args) => logs::run(at, &args),
        Verb::Cost(args) => answer(at, &cost::run(&at.session()?, &cost_of(args))?),
        Verb::Budget(args) => cap(at, args),
        Verb::Check(args) => check_code(at, args),
        Verb::Ci(args) => ci::run(at, args),
        #[cfg(feature = "mcp")]
        Verb::Mcp(args) => mcp::run(at, &args),
        #[cfg(feature = "web")]
        Verb::Serve(args) => serve::run(at, &args),
        Verb::Service(args) => service::run(at, args),
        Verb::Context(args) => context::run(at, args),
        Verb::Prompt(args) => show_prompt(at, &args),
        Verb::Apply(args) => answer(at, &apply_reply(at, &args)?),
        Verb::Demo(args) => show_demo(at, args),
        Verb::Models(args) => list_models(at, args),
        Verb::Doctor => examine(at),
        Verb::Hook(args) => hooks::called(at, args),
        Verb::Hooks(args) => hooks::run(at, args),
        Verb::Rebuild => answer(at, &commands::rebuild::run(&at.session()?)?),
        Verb::Replay(args) => answer(
            at,
            &replay::run(&at.session()?, &replay::Request { specs: args.specs })?,
        ),
        Verb::Undo(args) => undo::run(at, args),
        Verb::Settle(args) => undo::settle(at, &args),
        Verb::Sync(args) => sync::run(at, args),
        Verb::Config(args) => config::run(at, args),
        Verb::Template(args) => template::run(at, args),
        Verb::Verify(args) => verify::run(at, args),
        Verb::Provenance(args) => provenance::run(at, args),
        Verb::Import(args) => answer(at, &import::import(at, args)?),
        Verb::Export(args) => import::export(at, args),
        Verb::Man(args) => manual(at, &args),
        Verb::Completion(args) => completion::run(at, &args),
        Verb::Complete(args) => Ok(completion::complete(at, args)),
        Verb::MergeDriver(args) => join_sides(at, &args),
    }
}

fn cap(at: &Opened, args: args::Budget) -> Result<u8> {
    match args.verb {
        None => answer(at, &budget::run(&at.session()?)?),
        Some(BudgetVerb::Raise(args)) => answer(at, &budget::raise(&at.session()?, raise(&args)?)?),
    }
}

fn check_code(at: &Opened, args: args::Check) -> Result<u8> {
    let session = at.session()?;
    let watch = watch(at, &session.stop)?;
    conclude(at, &watch, check::run(&session, &check::Request { rev: args.rev }))
}

fn show(at: &Opened, args: &args::show::Show) -> Result<u8> {
    let (session, id) = (at.session()?, id(&args.id)?);
    let outcome = match args.timeline {
        true => commands::show::whole(&session, &id)?,
        false => commands::show::run(&session, &id)?,
    };
    answer(at, &outcome)
}

fn show_prompt(at: &Opened, args: &args::prompt::Prompt) -> Result<u8> {
    let (id, explain) = (id(&args.id)?, args.explain);
    if let Some(number) = args.attempt {
        return answer(at, &commands::prompt::recorded(&at.session()?, &id, number)?);
    }
    let request = commands::prompt::Request { id, explain };
    answer(at, &commands::prompt::run(&at.session()?, &request)?)
}

fn examine(at: &Opened) -> Result<u8> {
    let session = at.session();
    let place = doctor::Place {
        cwd: &at.place,
        env: &at.env,
        session: session.as_ref(),
        asks: true,
    };
    answer(at, &doctor::run(&place))
}

fn join_sides(at: &Opened, args: &args::MergeDriver) -> Result<u8> {
    let [base, ours, theirs] = [&args.base, &args.ours, &args.theirs].map(|side| at.place.join(side));
    merge_driver::run(merge_driver::Request {
        base: &base,
        ours: &ours,
        theirs: &theirs,
        path: &args.path,
    })?;
    Ok(0)
}

fn is_set_up(session: &Session) -> bool {
    let repo = session.repo();
    repo.workdir().is_some_and(|top| top.join(SETTINGS_FILE).exists())
}

fn answer<O: Outcome + View>(at: &Opened, outcome: &O) -> Result<u8> {
    at.ui.answer(outcome);
    Ok(outcome.kind().map_or(0, Kind::exit_code))
}

fn watch(at: &Opened, stop: &Stop) -> Result<Watch> {
    let ui = Arc::clone(&at.ui);
    let told = move |wished| {
        if wished == Stopping::Soon {
            ui.say("stopping when what is under way has ended; Ctrl-C again leaves now");
        }
    };
    signal::watch(stop, told).wrap_err("listening for signals")
}

/// Where a signal ended a command, its exit code stands for the fault that says so.
fn code(watch: &Watch, kind: Option<Kind>) -> u8 {
    match kind {
        Some(Kind::Interrupted) => watch.exit_code().unwrap_or(Kind::Interrupted.exit_code()),
        kind => kind.map_or(0, Kind::exit_code),
    }
}

fn id(text: &str) -> Result<GoalId> {
    let wrong = |bad: String| Fault::new(Kind::Usage, bad).hint("`git invisigoth list` shows the goals");
    GoalId::from_str(text).map_err(|bad| wrong(bad.to_string()).into())
}

fn ids(texts: &[String]) -> Result<Vec<GoalId>> {
    texts.iter().map(|text| id(text)).collect()
}

fn cost_of(args: args::Cost) -> cost::Request {
    let by = match args.by.as_str() {
        "model" => cost::By::Model,
        "day" => cost::By::Day,
        _ => cost::By::Goal,
    };
    cost::Request { by, since: args.since }
}

fn report_of(args: args::report::Report) -> commands::report::Request {
    commands::report::Request { since: args.since }
}

fn raise(args: &args::Raise) -> Result<budget::Raise> {
    let unclear = |why: &str| {
        let fault = Fault::new(Kind::Usage, why.to_owned()).hint("`git invisigoth budget raise GOAL USD`");
        fault.hint("`git invisigoth budget raise --run USD`, or `--day --calls N`")
    };
    let scope = match (args.run, args.day, args.goals) {
        (true, _, _) => Scope::Run,
        (_, true, _) => Scope::Day,
        (_, _, true) => Scope::Goal,
        _ => {
            let [goal, usd] = args.words.as_slice() else {
                return Err(unclear("a goal and its dollars are needed, or --run, --day or --goals").into());
            };
            let usd = usd.trim_start_matches('$').parse();
            let usd = usd.map_err(|_| unclear("a cap in dollars is a number"))?;
            return Ok(budget::Raise::Goal(id(goal)?, usd));
        }
    };
    let usd = match args.words.as_slice() {
        [] => None,
        [usd] => Some(usd.trim_start_matches('$').to_owned()),
        _ => return Err(unclear("a goal's own cap and the settings are raised one at a time").into()),
    };
    let said = [
        (What::Usd, usd),
        (What::Calls, args.calls.clone()),
        (What::Tokens, args.tokens.clone()),
        (What::Minutes, args.minutes.clone()),
    ];
    let caps: Vec<(What, String)> = said.into_iter().filter_map(|(what, n)| Some((what, n?))).collect();
    if caps.is_empty() {
        return Err(unclear("no cap is named").into());
    }
    Ok(budget::Raise::Settings(scope, caps))
}

fn set_up(at: &Opened, args: &args::Init) -> Result<u8> {
    let session = at.session()?;
    if !args.yes && !agreed(at, &session, args)? {
        at.ui.say("nothing was changed");
        return Ok(0);
    }
    let watch = watch(at, &session.stop)?;
    let request = init::Request {
        no_commit: args.no_commit,
        undo: args.undo,
    };
    conclude(at, &watch, init::run(&session, request))
}

fn agreed(at: &Opened, session: &Session, args: &args::Init) -> Result<bool> {
    if !(at.streams.stdin && at.streams.stderr) {
        let fault = Fault::new(
            Kind::Usage,
            "`init` asks before it writes, and there is no terminal to ask at",
        );
        let again = match (args.undo, args.no_commit) {
            (true, _) => "`git invisigoth init --undo --yes`",
            (_, true) => "`git invisigoth init --no-commit --yes`",
            _ => "`git invisigoth init --yes`",
        };
        return Err(fault.hint(again).into());
    }
    if args.undo {
        at.ui.ask("Take back what init did? [Y/n] ");
    } else {
        let plan = text::init::plan(&init::detect(session)?, args.no_commit, &at.ui.manner.look);
        at.ui.complain(plan.trim_end());
        at.ui.ask("Go on? [Y/n] ");
    }
    let said = terminal::line().wrap_err("reading the answer")?;
    Ok(matches!(said.trim().to_ascii_lowercase().as_str(), "" | "y" | "yes"))
}

fn add_goal(at: &Opened, args: args::Add) -> Result<add::Outcome> {
    let session = at.session()?;
    let repo = session.repo();
    let named = |file: String| match repo.workdir() {
        Some(top) => paths::from_top(top, &at.place, &file),
        None => file,
    };
    let prompt = args.prompt.map(|prompt| prompt_text(&at.place, prompt)).transpose()?;
    let request = add::Request {
        description: args.description,
        files: args.files.into_iter().map(named).collect(),
        prompt,
        needs: args.needs,
        accept: args.accept,
        id: args.id,
        priority: args.priority,
        ..add::Request::default()
    };
    add::run(&session, request)
}

/// Reads `@FILE` and `-`; anything else is the prompt itself.
fn prompt_text(place: &Path, prompt: String) -> Result<String> {
    if prompt == "-" {
        return terminal::all().wrap_err("reading the prompt from standard input");
    }
    let Some(file) = prompt.strip_prefix('@') else {
        return Ok(prompt);
    };
    let path = place.join(file);
    let text = fs::read(&path).wrap_err_with(|| format!("reading {}", path.display()))?;
    let lost = || Fault::new(Kind::Usage, format!("there is no file {}", path.display()));
    let text = text.ok_or_else(|| lost().hint("what follows @ is a path from here; text goes without @"))?;
    String::from_utf8(text).wrap_err_with(|| format!("{} is not UTF-8", path.display()))
}

fn work(at: &Opened, args: &args::Run) -> Result<u8> {
    let session = at.session()?;
    let brief = args.brief.clone();
    let plan = planning::Order {
        brief: brief.map(|brief| prompt_text(&at.place, brief)).transpose()?,
        approved: args.yes,
        ..planning::Order::default()
    };
    let request = run::Request {
        only: ids(&args.ids)?,
        max: args.max,
        dry_run: args.dry_run,
        no_merge: args.no_merge,
        plan: args.plan.then_some(plan),
        night: night::window(&args.night)?,
        exit_code: args.exit_code,
    };
    if !request.dry_run && !spend::agreed(at, &session, &request, args.yes)? {
        at.ui.say("nothing was run");
        return Ok(0);
    }
    name_target(at, &session);
    let watch = watch(at, &session.stop)?;
    let outcome = match run::run(&session, &request) {
        Ok(outcome) => outcome,
        Err(error) => return stopped(at, &watch, error),
    };
    if let run::Outcome::Ran { summary, .. } = &outcome {
        lines_of(at, &summary.goals);
    }
    at.ui.answer(&outcome);
    if let run::Outcome::Ran { summary, .. } = &outcome
        && let Some(fault) = summary.cut_short.as_ref().filter(|_| !at.ui.manner.json)
    {
        at.ui.fault(fault, &[]);
    }
    Ok(code(&watch, outcome.kind()))
}

fn land(at: &Opened, named: &[String]) -> Result<u8> {
    let session = at.session()?;
    name_target(at, &session);
    let request = merge::Request { only: ids(named)? };
    let watch = watch(at, &session.stop)?;
    match merge::run(&session, &request) {
        Ok(outcome) => {
            lines_of(at, &outcome.goals);
            at.ui.answer(&outcome);
            Ok(code(&watch, outcome.kind()))
        }
        Err(error) => stopped(at, &watch, error),
    }
}

/// Prints the line of each goal that had none yet; a JSON answer has them itself.
fn lines_of(at: &Opened, goals: &[GoalResult]) {
    if !at.ui.manner.json {
        goals.iter().for_each(|goal| at.progress.result(goal));
    }
}

/// Only for what is said of failed goals; where it cannot be read, the command itself says why.
fn name_target(at: &Opened, session: &Session) {
    if let Ok(target) = Target::read(session, &session.repo()) {
        at.progress.target(&target.branch);
    }
}

/// Answers with what a command that listens for signals came to.
fn conclude<O: Outcome + View>(at: &Opened, watch: &Watch, result: Result<O>) -> Result<u8> {
    match result {
        Ok(outcome) => answer(at, &outcome),
        Err(error) => stopped(at, watch, error),
    }
}

/// Tells an error; where a signal caused it, the exit code says which.
fn stopped(at: &Opened, watch: &Watch, error: eyre::Report) -> Result<u8> {
    match watch.exit_code() {
        Some(_) => Ok(code(watch, Some(exit::failed(&at.ui, &error)))),
        None => Err(error),
    }
}

fn apply_reply(at: &Opened, args: &args::Apply) -> Result<apply::Outcome> {
    let format = Format::from_str(&args.format).map_err(|unknown| Fault::new(Kind::Usage, unknown.to_string()))?;
    if at.streams.stdin {
        at.ui.say("reading a reply from the terminal; Ctrl-D ends it");
    }
    let reply = terminal::all().wrap_err("reading the reply from standard input")?;
    apply::run(&at.place, &apply::Request { reply, format })
}

fn list_models(at: &Opened, args: args::Models) -> Result<u8> {
    let request = models::Request {
        refresh: args.refresh,
        filter: args.filter,
    };
    answer(at, &models::run(&at.session()?, &request)?)
}

fn show_demo(at: &Opened, args: args::Demo) -> Result<u8> {
    at.ui
        .say("demo: scripted replies in a scratch repository; no key, no network, your own files stay as they are");
    let stop = Stop::default();
    let watch = watch(at, &stop)?;
    at.progress.target(demo::TARGET);
    let host = demo::Host {
        env: at.env.clone(),
        clock: Arc::new(SystemClock),
        sink: Arc::clone(&at.progress) as Arc<dyn Sink>,
        stop,
    };
    let request = demo::Request {
        dir: args.dir.map(|dir| at.place.join(dir)),
    };
    conclude(at, &watch, demo::run(host, &request))
}

fn manual(at: &Opened, args: &args::Man) -> Result<u8> {
    if !args.install {
        at.ui.print(&man::page()?);
        return Ok(0);
    }
    let dir = match &args.dir {
        Some(dir) => at.place.join(dir),
        None => man::beside(&program::file().wrap_err("finding this program")?)?,
    };
    fs::create_dir_all(&dir).wrap_err_with(|| format!("making {}", dir.display()))?;
    for (name, text) in man::pages()? {
        let path = dir.join(&name);
        fs::write_atomic(&path, text.as_bytes()).wrap_err_with(|| format!("writing {}", path.display()))?;
        at.ui.print(&format!("{}\n", path.display()));
    }
    Ok(0)
}
