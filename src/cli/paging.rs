//! Paging: which answers are long enough for a pager, and what a person told git about colours and pagers.

use std::path::PathBuf;

use crate::{
    cli::{
        args::{Global, Verb},
        paths,
    },
    door::{
        env::Env,
        terminal::{self, Streams},
    },
    engine::taste::{self, Pager, Taste},
    ui::colour::{self, When},
};

/// What an answer asks of a terminal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wants {
    /// Git or a shell reads it.
    Nothing,
    /// Colours.
    Colour,
    /// Colours, and a pager: it may be long and is read once.
    Pager,
}

/// Says what the answer of `verb` asks for. Git itself shows what `diff` does.
pub fn wants(verb: Option<&Verb>) -> Wants {
    match verb {
        Some(Verb::Log(_) | Verb::Show(_) | Verb::Report(_) | Verb::List(_) | Verb::Prompt(_)) => Wants::Pager,
        Some(Verb::Logs(args)) if !args.follow => Wants::Pager,
        Some(Verb::Hook(_) | Verb::MergeDriver(_) | Verb::Complete(_)) => Wants::Nothing,
        _ => Wants::Colour,
    }
}

/// How streams are painted and paged.
#[derive(Clone, Default)]
pub struct Paging {
    /// When to use colour, as a person told git.
    pub colour: Option<When>,
    /// The pager that the answer is shown in.
    pub pager: Option<Pager>,
    /// Whether that, or the one that git shows us in, takes no colours.
    pub is_plain: bool,
}

impl Paging {
    /// Finds it out, as far as it matters to what the answer `wants`.
    pub fn find(global: &Global, env: &Env, streams: Streams, wants: Wants) -> Self {
        let is_decided = colour::beyond_git(global.color.into(), |name| env.get(name)).is_some();
        let is_paged = colour::is_paged(|name| env.get(name));
        let pages = wants == Wants::Pager && streams.stdout && !global.no_pager && !is_paged;
        let is_asked = wants != Wants::Nothing && !global.json && (pages || !is_decided);
        let Some(place) = place(global, env).filter(|_| is_asked) else {
            return Self::default();
        };
        let taste = Taste::read(&place, env);
        let pager = pages.then(|| Pager::find(&place, env, &taste)).flatten();
        Self {
            colour: taste.colour.map(when),
            is_plain: (is_paged || pager.is_some()) && taste.is_pager_plain,
            pager,
        }
    }

    /// True where a person sees the colours of standard output.
    pub fn is_seen(&self, env: &Env, streams: Streams) -> bool {
        (streams.stdout || colour::is_paged(|name| env.get(name))) && !self.is_plain
    }
}

fn when(colour: taste::Colour) -> When {
    match colour {
        taste::Colour::Auto => When::Auto,
        taste::Colour::Always => When::Always,
        taste::Colour::Never => When::Never,
    }
}

fn place(global: &Global, env: &Env) -> Option<PathBuf> {
    let current = env.current_dir().ok()?;
    Some(paths::place(&current, env.get("GIT_PREFIX"), global.place.as_deref()))
}

/// Returns the columns of the terminal, as far as they are known.
pub fn columns(env: &Env) -> Option<usize> {
    let said = env.get("COLUMNS").and_then(|columns| columns.parse().ok());
    said.or_else(terminal::columns)
}
