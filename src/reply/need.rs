//! Wishes: the files that a model asks to see before it sends edits, one `NEED: path` a line.

/// Most files of one wish.
const MOST: usize = 10;

/// Returns the paths that `text` asks for, each once.
pub fn paths(text: &str) -> Vec<String> {
    let mut paths: Vec<String> = Vec::new();
    let said = text.lines().map(|line| line.trim().trim_start_matches(['-', '*', ' ']));
    for line in said.filter_map(|line| line.strip_prefix("NEED:")) {
        let path = line.trim().trim_matches('`').trim_start_matches("./").to_owned();
        if !path.is_empty() && !paths.contains(&path) && paths.len() < MOST {
            paths.push(path);
        }
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_is_asked_for_once() {
        let text = "I have to look first.\nNEED: src/a.py\n- NEED: `./src/b.py`\nNEED: src/a.py\nNEED:\nNEEDLESS: c\n";
        assert_eq!(paths(text), ["src/a.py", "src/b.py"]);
        assert!(paths("I NEED: nothing").is_empty());
    }

    #[test]
    fn a_wish_has_an_end() {
        let text: String = (0..99).map(|n| format!("NEED: f{n}\n")).collect();
        assert_eq!(paths(&text).len(), MOST);
    }
}
