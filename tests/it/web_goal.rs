//! The pages of goals: the table, one goal, its log, its diff, its prompt and its note, over real HTTP.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Child, Stdio},
};

use serde_json::json;

use crate::support::{Sandbox, whole};

/// What was answered.
struct Page {
    status: u16,
    head: String,
    body: String,
}

/// A server of the sandbox's repository, until it is dropped.
struct Site {
    child: Child,
    address: String,
    cookie: String,
}

impl Site {
    fn of(sandbox: &Sandbox) -> Self {
        let mut command = sandbox.command(env!("CARGO_BIN_EXE_git-invisigoth"));
        command.args(["serve", "--port", "0"]).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let link = line.trim().strip_prefix("http://").unwrap_or(&line);
        let (address, link) = link.split_once('/').unwrap();
        let mut site = Self {
            child,
            address: address.to_owned(),
            cookie: String::new(),
        };
        let signed_in = site.get(&format!("/{link}")).head;
        let cookie = signed_in.lines().find_map(|line| line.strip_prefix("set-cookie: "));
        let cookie = cookie.unwrap_or_else(|| panic!("{link}\n{signed_in}"));
        cookie.split(';').next().unwrap().clone_into(&mut site.cookie);
        site
    }

    /// The head of a request, without its end.
    fn asks(&self, how: &str, path: &str) -> String {
        let (address, cookie) = (&self.address, &self.cookie);
        format!("{how} {path} HTTP/1.1\r\nHost: {address}\r\nCookie: {cookie}\r\n")
    }

    fn post(&self, path: &str, form: &str) -> Page {
        let about = format!(
            "Origin: http://{}\r\nContent-Type: application/x-www-form-urlencoded\r\n",
            self.address
        );
        let length = form.len();
        self.answer(&format!(
            "{}{about}Content-Length: {length}\r\nConnection: close\r\n\r\n{form}",
            self.asks("POST", path)
        ))
    }

    fn get(&self, path: &str) -> Page {
        self.answer(&format!("{}Connection: close\r\n\r\n", self.asks("GET", path)))
    }

    fn answer(&self, ask: &str) -> Page {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(ask.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        Page {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            head: head.replace("\r\n", "\n").to_lowercase(),
            body: body.to_owned(),
        }
    }

    /// Reads the stream of a page until `enough` is in it.
    fn stream(&self, path: &str, enough: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream
            .write_all(format!("{}\r\n", self.asks("GET", path)).as_bytes())
            .unwrap();
        let mut all = String::new();
        for line in BufReader::new(stream).lines() {
            all.push_str(&line.unwrap());
            all.push('\n');
            if all.contains(enough) {
                break;
            }
        }
        all
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ok(site: &Site, path: &str) -> String {
    let page = site.get(path);
    assert_eq!(page.status, 200, "{path}\n{}", page.body);
    page.body
}

const LOUD: &str = "printf '\\033[31mred\\033[0m <script>alert(1)</script> \\033]0;evil\\007\\n'\n\
                    [ ! -e bad ] || { echo 'error: bad is there'; exit 1; }\n";

#[test]
fn goals_are_filtered_and_sorted_by_the_address() {
    let sandbox = Sandbox::ready();
    sandbox.goal("b", &[]);
    sandbox.goal("a", &["b"]);
    sandbox.ok(&["hold", "b", "--why", "not now"]);
    let site = Site::of(&sandbox);
    let all = ok(&site, "/goals");
    assert!(
        all.contains("<form class=\"filter\" method=\"get\" action=\"/goals\""),
        "{all}"
    );
    assert!(
        all.find("id=\"goal-b\"").unwrap() < all.find("id=\"goal-a\"").unwrap(),
        "held needs a person"
    );
    let sorted = ok(&site, "/goals?sort=goal");
    assert!(sorted.find("id=\"goal-a\"").unwrap() < sorted.find("id=\"goal-b\"").unwrap());
    assert!(
        sorted.contains("aria-sort=\"ascending\"") && sorted.contains("sort=-goal"),
        "{sorted}"
    );
    let held = ok(&site, "/goals?state=held");
    assert!(held.contains("id=\"goal-b\"") && !held.contains("id=\"goal-a\"") && held.contains("not now"));
    let none = ok(&site, "/goals?q=%3Cscript%3E");
    assert!(
        none.contains("None of the 2 goals") && !none.contains("<script>"),
        "{none}"
    );
}

#[test]
fn one_goal_is_told_with_what_failed_what_was_said_and_what_changed() {
    let sandbox = Sandbox::checking(LOUD);
    sandbox.script(json!({"a": [whole("bad", "<img src=x onerror=alert(1)>\n")], "b": [whole("b.txt", "b\n")]}));
    sandbox.goal("a", &[]);
    sandbox.goal("b", &[]);
    sandbox.goal("c", &["a"]);
    sandbox.sh(env!("CARGO_BIN_EXE_git-invisigoth"), &["run"]);
    let site = Site::of(&sandbox);

    let goal = ok(&site, "/goals/a");
    assert!(goal.contains("state-failed") && goal.contains("Unblocks 1"), "{goal}");
    assert!(
        goal.contains("failed with exit code 1") && goal.contains("action=\"/do/retry\""),
        "{goal}"
    );
    assert!(ok(&site, "/goals/b").contains("state-landed"));

    let log = ok(&site, "/goals/a/log");
    assert!(
        log.contains("id=\"failing\"") && log.contains("<span class=\"sgr-31\">red</span>"),
        "{log}"
    );
    assert!(
        !log.contains("<script>alert") && !log.contains("evil") && !log.contains('\u{1b}'),
        "{log}"
    );
    assert!(ok(&site, "/goals/a/log?q=BAD%20is").contains("<b>1</b> line holds"));
    let raw = site.get("/goals/a/log/raw");
    assert!(
        raw.head.contains("content-type: text/plain") && raw.head.contains("nosniff"),
        "{}",
        raw.head
    );
    assert!(
        raw.body.contains("<script>alert(1)</script>") && !raw.body.contains('\u{1b}'),
        "{}",
        raw.body
    );

    let diff = ok(&site, "/goals/a/diff");
    assert!(
        diff.contains("&lt;img src=x onerror=alert(1)&gt;") && !diff.contains("<img"),
        "{diff}"
    );
    assert!(!diff.contains("name=\"line\""));
    let form = ok(&site, "/goals/a/diff?comment=bad%3A1");
    assert!(
        form.contains("name=\"path\" value=\"bad\"") && form.contains("name=\"line\" value=\"1\""),
        "{form}"
    );
    assert!(site.get("/goals/a/diff/raw").body.contains("+<img src=x"));
    assert!(ok(&site, "/goals/c/diff").contains("nothing was changed for it yet"));

    assert!(ok(&site, "/goals/a/prompt?attempt=1").contains("File: bad"));
    assert!(ok(&site, "/goals/c/prompt").contains("Goal c"));
    assert!(ok(&site, "/goals/b/note").contains("prompt_hash"));

    let nobody = site.get("/goals/zzz");
    assert_eq!(nobody.status, 404);
    assert!(
        nobody.body.contains("there is no goal zzz") && nobody.body.contains("hint:"),
        "{}",
        nobody.body
    );
}

#[test]
fn the_stream_sends_the_lines_that_came_and_no_others() {
    let sandbox = Sandbox::checking(LOUD);
    sandbox.script(json!({"a": [whole("bad", "x\n")]}));
    sandbox.goal("a", &[]);
    sandbox.sh(env!("CARGO_BIN_EXE_git-invisigoth"), &["run"]);
    let site = Site::of(&sandbox);
    let all = site.stream("/events?at=/goals/a/log", "event: lines");
    let all = all + &site.stream("/events?at=/goals/a/log", "\"rows\"");
    assert!(all.contains("event: page"), "{all}");
    let page = all
        .lines()
        .find(|line| line.starts_with("data: {\"title\"") || line.contains("\"body\""))
        .unwrap();
    assert!(
        page.contains("data-grows") && !page.contains("id=\\\"L1\\\""),
        "the page goes without its lines"
    );
    let lines = all.lines().find(|line| line.contains("\"rows\"")).unwrap();
    assert!(lines.contains("\"anew\":true") && lines.contains("L1\\\""), "{lines}");
    let ids: Vec<&str> = all.lines().filter_map(|line| line.strip_prefix("id: ")).collect();
    let last = ids.last().unwrap();
    assert!(last.contains('/'), "{ids:?}");
    sandbox.ok(&["retry", "a"]);
    sandbox.sh(env!("CARGO_BIN_EXE_git-invisigoth"), &["run"]);
    let more = site.stream(&format!("/events?at=/goals/a/log&seen={last}"), "\"rows\"");
    let more = more.lines().find(|line| line.contains("\"rows\"")).unwrap();
    assert!(more.contains("\"anew\":false") && !more.contains("L1\\\""), "{more}");
}

#[test]
fn what_is_about_no_goal_is_no_page() {
    let sandbox = Sandbox::ready();
    let site = Site::of(&sandbox);
    for path in ["/goals/nope", "/ask/edit/nope", "/ask/reject/nope", "/graph?focus=nope"] {
        let page = site.get(path);
        assert_eq!(page.status, 404, "{path}: {}", page.body);
        assert!(page.body.contains("there is no goal nope"), "{path}: {}", page.body);
    }
}

#[test]
fn a_held_candidate_has_the_button_that_takes_it_and_none_that_cannot() {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({"lock": [whole("Cargo.lock", "x\n")]}));
    sandbox.goal("lock", &[]);
    sandbox.run(&["run"]);
    let page = ok(&Site::of(&sandbox), "/goals/lock");
    assert!(
        page.contains("action=\"/do/merge\"") && page.contains("Approve and land"),
        "{page}"
    );
    assert!(
        !page.contains("action=\"/do/approve\""),
        "only proposals are approved: {page}"
    );
}

#[test]
fn any_id_has_its_page() {
    let sandbox = Sandbox::ready();
    for id in ["a/b", "ünï %2f", "<b>\"'&", "x?y#z"] {
        sandbox.goal(id, &[]);
    }
    let site = Site::of(&sandbox);
    let all = ok(&site, "/goals");
    for (id, address) in [
        ("a/b", "a%2Fb"),
        ("ünï %2f", "%C3%BCn%C3%AF%20%252f"),
        ("&lt;b&gt;&quot;&#x27;&amp;", "%3Cb%3E%22%27%26"),
        ("x?y#z", "x%3Fy%23z"),
    ] {
        assert!(all.contains(&format!("href=\"/goals/{address}\"")), "{address}\n{all}");
        for tab in ["", "/log", "/diff", "/prompt", "/note"] {
            let page = ok(&site, &format!("/goals/{address}{tab}"));
            assert!(!page.contains("<b>\""), "{page}");
            assert!(page.contains("Goal "), "{id}");
        }
    }
}

#[test]
fn what_has_no_lines_says_why_and_where_it_is() {
    let sandbox = Sandbox::ready();
    sandbox.write("moved.txt", "one\ntwo\nthree\nfour\nfive\n");
    sandbox.write("gone.txt", "gone\n");
    sandbox.write("bin", b"\0\x01");
    sandbox.goal("a", &[]);
    sandbox.commit("files");
    sandbox.git(&["switch", "-q", "-c", "work"]);
    sandbox.git(&["mv", "moved.txt", "new name.txt"]);
    sandbox.git(&["rm", "-q", "gone.txt"]);
    sandbox.write("bin", b"\0\x02");
    sandbox.write("large.txt", format!("{}\n", "x".repeat(100)).repeat(2_700));
    sandbox.write("greet.txt", "hello world\n");
    sandbox.commit("work");
    sandbox.git(&["switch", "-q", "main"]);
    sandbox.ok(&["adopt", "work", "--goal", "a"]);
    let site = Site::of(&sandbox);
    let diff = ok(&site, "/goals/a/diff");
    assert!(
        diff.contains("moved.txt → new name.txt") && diff.contains("Only its name changed"),
        "{diff}"
    );
    assert!(diff.contains("deleted") && diff.contains("It is no text"), "{diff}");
    assert!(
        diff.contains("too large to be shown among others") && diff.contains("?file=large.txt"),
        "{diff}"
    );
    assert!(diff.contains("hello<ins> world</ins>"), "{diff}");
    let alone = ok(&site, "/goals/a/diff?file=large.txt");
    assert!(alone.contains("id=\"f1-2700\""), "shown alone it has all its lines");
    assert!(site.get("/goals/a/diff/raw?file=bin").body.contains("GIT binary patch"));
}

#[test]
fn a_comment_on_a_line_tells_the_next_attempt_which() {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({"a": [whole("bad", "one\ntwo\n")]}));
    sandbox.goal("a", &[]);
    sandbox.sh(env!("CARGO_BIN_EXE_git-invisigoth"), &["run"]);
    sandbox.ok(&["comment", "a", "not two", "--at", "bad:2"]);
    let shown = sandbox.shows(&["show", "a"]);
    assert!(
        shown.contains("bad:2, as attempt 1 left it: `two`") && shown.contains("not two"),
        "{shown}"
    );
    let prompt = sandbox.shows(&["prompt", "a"]);
    assert!(
        prompt.contains("bad:2, as attempt 1 left it: `two`") && prompt.contains("not two"),
        "{prompt}"
    );
    for (place, why) in [
        ("bad:9", "has no line 9"),
        ("nowhere:1", "no file nowhere"),
        ("bad", "is no PATH:LINE"),
        ("bad:0", "is no PATH:LINE"),
    ] {
        let refused = sandbox.shows(&["comment", "a", "x", "--at", place]);
        assert!(refused.contains(why) && refused.contains("-- exit 2"), "{refused}");
    }
    let site = Site::of(&sandbox);
    assert!(ok(&site, "/goals/a/diff").contains("<b>Comment:</b> not two"));
    assert!(ok(&site, "/goals/a").contains("<code>bad:2</code> of attempt 1"));
    let form = "id=a&text=say+one&path=bad&line=1&asked=1&back=%2Fgoals%2Fa%2Fdiff";
    let kept = site.post("/do/comment", form);
    assert_eq!(kept.status, 303, "{}", kept.body);
    assert!(ok(&site, "/goals/a/diff").contains("<b>Comment:</b> say one"));
}
