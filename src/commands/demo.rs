//! `demo`: makes a scratch repository with a small project, plans four goals and runs the real engine on them with scripted
//! replies, and says what that repository tells afterwards. Touches nothing outside its own folder.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use eyre::{Result, WrapErr as _};
use serde::Serialize;
use serde_json::json;

use crate::{
    commands::{self, check, init, log, plan, status},
    door::{env::Env, fs},
    engine::{
        planning::{Order, Planned},
        run,
        session::{SETTINGS_FILE, Session},
    },
    event::Sink,
    fault::{Fault, Kind},
    git::command,
    layers::{self, Origin, read},
    quote::quoted,
    schedule::State,
    time::{Clock, Stop},
};

/// The branch that the demo's goals land on.
pub const TARGET: &str = "main";

/// The project's settings.
const SETTINGS: &str = include_str!("../../templates/demo/invisigoth.toml");

/// What the project starts with.
const FILES: [(&str, &str); 5] = [
    ("README.md", include_str!("../../templates/demo/README.md")),
    ("lib/lower.sh", include_str!("../../templates/demo/lib/lower.sh")),
    (
        "tests/lower_test.sh",
        include_str!("../../templates/demo/tests/lower_test.sh"),
    ),
    ("tests/run.sh", include_str!("../../templates/demo/tests/run.sh")),
    (SETTINGS_FILE, SETTINGS),
];

/// What the scripted model proposes: four goals, and one that does not hold.
const PLAN: &str = include_str!("../../templates/demo/plan.md");

/// What the scripted model answers, by the goal's description and by round.
const REPLIES: [(&str, &[&str]); 4] = [
    (
        "Slug from a title",
        &[include_str!("../../templates/demo/replies/slug.md")],
    ),
    (
        "Shorten a slug",
        &[
            include_str!("../../templates/demo/replies/shorten_1.md"),
            include_str!("../../templates/demo/replies/shorten_2.md"),
        ],
    ),
    (
        "Lower case without tr",
        &[
            include_str!("../../templates/demo/replies/lower_1.md"),
            include_str!("../../templates/demo/replies/lower_2.md"),
        ],
    ),
    (
        "Link to a post",
        &[include_str!("../../templates/demo/replies/link.md")],
    ),
];

/// Git's configuration of the scratch repository: it must not depend on the user's.
const CONFIG: [(&str, &str); 6] = [
    ("user.name", "Demo"),
    ("user.email", "demo@example.invalid"),
    ("commit.gpgSign", "false"),
    ("core.autocrlf", "false"),
    ("gc.auto", "0"),
    ("invisigoth.llm.provider", "mock"),
];

/// Settings that hold whatever the user's own settings say.
const FLAGS: [(&str, &str); 14] = [
    ("llm.provider", "mock"),
    ("llm.context", "24000"),
    ("check.setup", "[]"),
    ("check.copy", "[]"),
    ("check.git", "false"),
    ("plan.count", "5"),
    ("plan.max_open", "5"),
    ("run.max_attempts", "3"),
    ("run.isolation", "branch"),
    ("land.target", TARGET),
    ("land.style", "merge"),
    ("budget.max_calls", "20"),
    ("paths.deny", "[]"),
    ("paths.hold", "[]"),
];

/// What the demo works with instead of a session.
pub struct Host {
    /// The environment.
    pub env: Env,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where events go.
    pub sink: Arc<dyn Sink>,
    /// The wish to stop.
    pub stop: Stop,
}

/// Where to make it.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// A folder that is empty or not there; a temporary one where absent.
    pub dir: Option<PathBuf>,
}

/// What the repository tells.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// Always true: no model was asked.
    pub scripted: bool,
    /// The repository.
    pub folder: String,
    /// What to remove to be rid of the demo.
    pub remove: String,
    /// The branch that goals landed on.
    pub target: &'static str,
    /// What was planned, and which proposal was refused.
    pub planned: Planned,
    /// What landed, the oldest first, from commits and notes.
    pub landed: Vec<log::Row>,
    /// What failed, and why.
    pub failed: Vec<status::Row>,
    /// The checks of the branch's head, run again.
    pub head: check::Outcome,
    /// Dollars, from the records.
    pub cost_usd: Option<f64>,
    /// Wall time of the run.
    pub seconds: f64,
    /// The command that shows it.
    pub look: String,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.demo/1";
}

/// Makes the repository, runs, and reads back what it tells.
///
/// # Errors
/// A fault where the folder cannot be used, or the run does not end as the script has it.
pub fn run(host: Host, request: &Request) -> Result<Outcome> {
    // These would point gix at the user's own repository.
    if let Some(name) = ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"]
        .iter()
        .find(|name| host.env.get(name).is_some())
    {
        let fault = Fault::new(
            Kind::Usage,
            format!("{name} is set, and the demo makes a repository of its own"),
        );
        return Err(fault.hint(format!("`unset {name}`")).into());
    }
    let place = folder(&host, request)?;
    let project = place.join("project");
    let script = place.join("script.json");
    let env = own_env(&host.env, &place);
    make(&env, &project, &script)?;
    let mut session = Session::open(&project, env, host.clock, host.sink, &flags(&script)?)?;
    session.stop = host.stop;
    init::run(&session, init::Request::default())?;
    let planned = plan_goals(&session, &script)?;
    let summary = run::run(&session, &run::Order::default())?;
    if let Some(fault) = summary.cut_short {
        return Err(fault.into());
    }
    told(&session, &place, (planned, summary.seconds))
}

fn folder(host: &Host, request: &Request) -> Result<PathBuf> {
    let place = match &request.dir {
        Some(dir) => dir.clone(),
        None => {
            let parent = PathBuf::from(host.env.get("TMPDIR").unwrap_or("/tmp"));
            parent.join(format!("invisigoth-demo-{:x}", host.clock.now().0))
        }
    };
    let is_taken = std::fs::read_dir(&place).is_ok_and(|mut entries| entries.next().is_some());
    if is_taken || place.is_file() {
        let fault = Fault::new(
            Kind::Usage,
            format!("{} is there already and not empty", place.display()),
        );
        return Err(fault
            .hint("`git invisigoth demo --dir` takes a folder that is empty or not there")
            .into());
    }
    fs::create_private_dir_all(&place).wrap_err_with(|| format!("making {}", place.display()))?;
    place
        .canonicalize()
        .wrap_err_with(|| format!("looking for {}", place.display()))
}

/// Returns settings that leave nothing to the user's own, the project's checks among them.
fn flags(script: &Path) -> Result<Vec<(String, String)>> {
    let project = layers::resolve(&[read::from_toml(SETTINGS, Origin::Project)?])?
        .settings
        .check;
    let list = |commands: &[String]| serde_json::to_string(commands);
    let own = [
        ("llm.script", script.display().to_string()),
        ("check.lint", list(&project.lint)?),
        ("check.test", list(&project.test)?),
        ("check.timeout", project.timeout.as_secs().to_string()),
    ];
    let fixed = FLAGS
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    Ok(fixed.chain(own.map(|(key, value)| (key.to_owned(), value))).collect())
}

/// The user's environment without what git and we read from it; slots go below the demo's folder.
fn own_env(env: &Env, place: &Path) -> Env {
    let foreign = |name: &str| name.starts_with("GIT_") || name.starts_with("INVISIGOTH_") || name.starts_with("XDG_");
    let kept = env.vars_with_prefix("").filter(|(name, _)| !foreign(name));
    let mut pairs: Vec<(String, String)> = kept.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    for (name, folder) in [("XDG_CACHE_HOME", "cache"), ("XDG_CONFIG_HOME", "config")] {
        pairs.push((name.to_owned(), place.join(folder).display().to_string()));
    }
    Env::from_pairs(pairs)
}

fn make(env: &Env, project: &Path, script: &Path) -> Result<()> {
    write_script(script, &json!({ "plan": [PLAN], "goals": {} }))?;
    for (name, content) in FILES {
        let path = project.join(name);
        fs::create_dir_all(path.parent().unwrap_or(project)).wrap_err("making the demo's folders")?;
        fs::write_atomic(&path, content.as_bytes()).wrap_err_with(|| format!("writing {}", path.display()))?;
    }
    let git = |args: &[&str]| command::stdout(env, project, args);
    git(&["init", "--quiet", "--template=", "--initial-branch", TARGET])?;
    let script = script.display().to_string();
    for (key, value) in CONFIG.into_iter().chain([("invisigoth.llm.script", script.as_str())]) {
        git(&["config", "--local", key, value])?;
    }
    git(&["add", "--all"])?;
    git(&[
        "commit",
        "--quiet",
        "--no-verify",
        "--message",
        "Start a small shell library and its backlog",
    ])?;
    Ok(())
}

/// Plans, and scripts the replies to the goals that the plan made: their ids are known only now.
fn plan_goals(session: &Session, script: &Path) -> Result<Planned> {
    let request = plan::Request {
        order: Order {
            approved: true,
            ..Order::default()
        },
        dry_run: false,
    };
    let plan::Outcome::Planned { plan, .. } = plan::run(session, &request)? else {
        return Err(eyre::eyre!("a plan that only says what it would ask"));
    };
    let replies = plan.goals.iter().filter_map(|goal| {
        let (_, replies) = REPLIES
            .iter()
            .find(|(description, _)| *description == goal.description)?;
        Some((goal.id.as_ref()?.to_string(), json!(replies)))
    });
    let goals: serde_json::Map<String, serde_json::Value> = replies.collect();
    write_script(script, &json!({ "goals": goals }))?;
    Ok(plan)
}

fn write_script(script: &Path, content: &serde_json::Value) -> Result<()> {
    fs::write_atomic(script, &serde_json::to_vec_pretty(content)?).wrap_err("writing the demo's script")
}

/// Reads back what the run left in the repository.
fn told(session: &Session, place: &Path, (planned, seconds): (Planned, f64)) -> Result<Outcome> {
    let mut landed = log::run(session, log::Request { max: usize::MAX })?.landed;
    landed.reverse();
    let open = status::run(session)?.goals;
    let failed = open.into_iter().filter(|row| row.state == State::Failed).collect();
    let head = check::run(
        session,
        &check::Request {
            rev: Some(TARGET.to_owned()),
        },
    )?;
    let costs = landed
        .iter()
        .map(|row| row.record.as_ref().and_then(|record| record.cost_usd));
    let folder = place.join("project").display().to_string();
    Ok(Outcome {
        scripted: true,
        look: format!("git -C {} log --graph --notes=invisigoth", quoted(&folder)),
        remove: place.display().to_string(),
        folder,
        target: TARGET,
        planned,
        cost_usd: costs.sum(),
        landed,
        failed,
        head,
        seconds,
    })
}
