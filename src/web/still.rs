//! Still: the pages as files, for a host of static sites or for nobody but a browser: links are relative and name files, so that
//! they work from `file://` and below any path; nothing keeps up, and nothing can be changed.
//!
//! Which pages there are is found by following their own links from the inbox on, so that no link leads nowhere. Writes no file.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use eyre::Result;

use crate::{
    engine::session::Session,
    id::{GoalId, Hash},
    web::{
        assets,
        pages::{self, Asked, bar, lines},
        render::Renderer,
        site::{May, fault},
    },
};

/// What a page is called in its folder.
const INDEX: &str = "index.html";
/// Where no page stands: what is for programs, and what changes something.
const NO_PAGES: &[&str] = &["api", "ask", "do", "events", "healthz", "metrics", "sign-in"];

/// Makes every page, and what pages refer to: contents by path.
///
/// # Errors
/// Where the first page cannot be made. Another one that cannot says so itself.
pub fn files(session: &Session) -> Result<BTreeMap<String, Vec<u8>>> {
    let linked: Arc<Mutex<BTreeSet<String>>> = Arc::default();
    let found = Arc::clone(&linked);
    let links = move |here: &Asked, to: &str| {
        let (href, address) = resolved(here, to);
        if let Some(address) = address {
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            found.insert(address);
        }
        href
    };
    let renderer = Renderer::still(Arc::clone(&session.clock), Arc::new(links))?;
    let bar = bar::of(session, May::Look)?;
    let mut files = BTreeMap::new();
    let mut next = vec!["/".to_owned()];
    while let Some(address) = next.pop() {
        let asked = Asked::at(&address);
        let Some(path) = file(&asked).filter(|path| !files.contains_key(path)) else {
            continue;
        };
        if let [folder, name] = asked.path.as_slice()
            && let Some(asset) = assets::find(name).filter(|_| folder == "static")
        {
            files.insert(path, asset.bytes.to_vec());
            continue;
        }
        if let Some(text) = lines::raw(session, &asked) {
            let text = text.unwrap_or_else(|error| {
                let error = format!("error: {error:#}\n");
                session.redactor.clean(&error).into_string().into_bytes()
            });
            files.insert(path, text);
            continue;
        }
        let page = pages::make(session, &asked).and_then(|page| renderer.page(&asked, Some(&bar), &page));
        let shown = match page {
            Err(error) if files.is_empty() => return Err(error),
            page => page.unwrap_or_else(|error| renderer.failed(&asked, &fault(&error, &session.redactor))),
        };
        files.insert(path, shown.html.into_bytes());
        let mut linked = linked.lock().unwrap_or_else(PoisonError::into_inner);
        next.extend(std::mem::take(&mut *linked));
    }
    Ok(files)
}

/// Returns what stands in `href` for an address of this site, and the address of the page that has to be there.
fn resolved(here: &Asked, to: &str) -> (String, Option<String>) {
    if !to.starts_with('/') {
        // Elsewhere, or on the same page.
        return (to.to_owned(), None);
    }
    let (address, place) = to.split_once('#').unwrap_or((to, ""));
    let asked = kept(Asked::at(address));
    let (Some(path), Some(own)) = (file(&asked), file(&kept(here.clone()))) else {
        return ("#main".to_owned(), None);
    };
    let up = "../".repeat(own.matches('/').count());
    let place = if place.is_empty() {
        String::new()
    } else {
        format!("#{place}")
    };
    (format!("{up}{path}{place}"), Some(asked.address()))
}

/// Leaves of a query what makes a page of its own here: searches and orders would make more pages than anybody has room for.
fn kept(asked: Asked) -> Asked {
    let path: Vec<&str> = asked.path.iter().map(String::as_str).collect();
    let names: &[&str] = match path.as_slice() {
        ["graph"] => &["focus", "landed"],
        ["goals"] => &["state"],
        ["goals", _, "diff"] => &["file"],
        ["goals", _, "log"] | ["history"] => &["before"],
        ["goals", _, "prompt"] => &["attempt"],
        ["health"] => &["settings"],
        _ => &[],
    };
    let values = names.iter().filter_map(|name| Some((*name, asked.get(name)?)));
    let mut query: BTreeMap<String, String> = values
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    if query.contains_key("focus") {
        // The graph of one goal is drawn with what landed: without would be twice as many pages.
        query.insert("landed".to_owned(), "1".to_owned());
    }
    Asked { query, ..asked }
}

/// Returns the path of the file of a page; `None` for what is no page.
fn file(asked: &Asked) -> Option<String> {
    let first = asked.path.first().map(String::as_str).unwrap_or_default();
    if NO_PAGES.contains(&first) {
        return None;
    }
    let query = asked.query.iter().flat_map(|(name, value)| [name, value]);
    let names: Vec<String> = asked
        .path
        .iter()
        .chain(query)
        .map(|part| name(part))
        .collect::<Option<_>>()?;
    if first == "static" {
        return Some(names.join("/"));
    }
    if let ["goals", _, _, "raw"] = names.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        return Some(names.join("/") + ".txt");
    }
    let folders: String = names.iter().map(|name| format!("{name}/")).collect();
    Some(folders + INDEX)
}

/// Returns a name that every file system can carry, and another one for every other part.
fn name(part: &str) -> Option<String> {
    match part {
        // It would be where the page of its folder is.
        INDEX => Some(format!("index-{}", Hash::of("still-name", [part.as_bytes()]).short(10))),
        part => Some(part.parse::<GoalId>().ok()?.ref_part()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(here: &str, to: &str) -> (String, Option<String>) {
        resolved(&Asked::at(here), to)
    }

    #[test]
    fn links_are_relative_and_name_files() {
        for (here, to, href) in [
            ("/", "/", "index.html"),
            ("/", "/goals/goal-7e90#log", "goals/goal-7e90/index.html#log"),
            ("/goals/goal-7e90", "/static/app.css", "../../static/app.css"),
            ("/goals?q=x&sort=id", "/goals?label=x", "../goals/index.html"),
            ("/goals/a", "/graph?focus=a%2Fb", "../../graph/focus/a-b-"),
            (
                "/graph?focus=a&landed=1",
                "/graph?landed=1",
                "../../../../../graph/landed/1/index.html",
            ),
            ("/graph", "/graph?focus=a", "../graph/focus/a/landed/1/index.html"),
            (
                "/goals?state=held&sort=id",
                "/goals?sort=id&state=failed",
                "../../../goals/state/failed/index.html",
            ),
            ("/goals/a", "/goals/a/log/raw?q=x", "../../goals/a/log/raw.txt"),
            ("/", "https://example.org/x", "https://example.org/x"),
            ("/", "#main", "#main"),
            ("/", "/api/v1/status", "#main"),
            ("/", "/goals/%00", "#main"),
        ] {
            let (found, address) = at(here, to);
            assert!(
                found == href || href.ends_with('-') && found.starts_with(href),
                "{here} {to}: {found}"
            );
            assert_eq!(address.is_some(), to.starts_with('/') && found != "#main", "{to}");
        }
    }

    #[test]
    fn no_goal_takes_the_place_of_a_page_or_leaves_the_folder() {
        let path = |id: &str| file(&Asked::at(&format!("/goals/{}", pages::encoded(id))));
        for id in ["index.html", "..", ".", "/etc/passwd", "a/../../b", "A", "CON"] {
            let path = path(id).unwrap();
            let parts: Vec<&str> = path.split('/').collect();
            assert_eq!((parts.len(), parts[0], parts[2]), (3, "goals", "index.html"), "{path}");
            assert!(![".", "..", "", "index.html", id].contains(&parts[1]), "{path}");
        }
        assert_ne!(path("A"), path("a"));
    }
}
