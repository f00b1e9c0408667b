//! `verify`: green after whatever people and machines do in good faith, and every tampering is named, nothing else with it.

use serde_json::{Value, json};

use crate::support::{Sandbox, whole};

const GOALS: [&str; 10] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];

/// Ten goals that landed: one after a refused reply, one after a failed check, one held and approved.
fn landed() -> Sandbox {
    let sandbox = Sandbox::ready();
    for id in GOALS {
        sandbox.goal(id, &[]);
    }
    sandbox.commit("goals");
    let mut script = serde_json::Map::new();
    for id in GOALS {
        script.insert(id.into(), json!([reply(&whole(&format!("{id}.txt"), "1\n"))]));
    }
    script.insert("b".into(), json!([reply("I would rather not."), reply(&whole("b.txt", "b\n"))]));
    let mended = format!("DELETE bad\n\n{}", whole("c.txt", "c\n"));
    script.insert("c".into(), json!([reply(&whole("bad", "oops\n")), reply(&mended)]));
    script.insert("d".into(), json!([reply(&whole("package.json", "{}\n"))]));
    sandbox.script(Value::Object(script));
    sandbox.run(&["run"]);
    sandbox.ok(&["merge", "d"]);
    assert_eq!(sandbox.landings("main").len(), 10);
    sandbox
}

fn reply(text: &str) -> Value {
    json!({ "reply": text, "tokens": [10, 5] })
}

impl Sandbox {
    /// What `verify` finds: the goal and what it is about, in order.
    fn finds(&self, args: &[&str]) -> Vec<String> {
        let all = [&["verify"], args].concat();
        let json = self.json(&all);
        let findings = json["findings"].as_array().unwrap_or_else(|| panic!("{json}"));
        let word = |finding: &Value| {
            let goal = finding["goal"].as_str().unwrap_or("-");
            format!("{goal} {}", finding["what"].as_str().unwrap())
        };
        findings.iter().map(word).collect()
    }

    /// Asserts that nothing is found.
    fn green(&self) {
        let ran = self.run(&["verify"]);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    }
}

#[test]
fn ten_goals_are_verified_and_nothing_is_written() {
    let sandbox = landed();
    let (refs, objects) = (sandbox.refs(), sandbox.git(&["count-objects", "-v"]));
    assert_eq!(sandbox.ok(&["verify"]), "10 goals verified: 10 commits, 10 records, 10 replayed\n");
    let json = sandbox.json(&["verify"]);
    assert_eq!(json["schema"], "invisigoth.verify/1");
    assert_eq!((&json["notes"], &json["summed"]), (&json!(10), &json!(10)), "{json}");
    assert_eq!((sandbox.refs(), sandbox.git(&["count-objects", "-v"])), (refs, objects));
}
