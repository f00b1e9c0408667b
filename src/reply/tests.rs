use super::*;
use crate::{edit::Action, snapshot::Mode};

fn refused(text: &str, asked: Format) -> Reason {
    parse(text, asked).unwrap_err().reason()
}

#[test]
fn a_format_reads_back_its_word() {
    for format in [Format::SearchReplace, Format::Whole, Format::Auto] {
        assert_eq!(format.to_string().parse::<Format>().unwrap(), format);
    }
    assert!("udif".parse::<Format>().is_err());
}

#[test]
fn edits_come_in_the_order_of_the_reply() {
    let text = "DELETE `old name.py`\nMODE run.sh 100755\nrun.sh\n```\necho\n```\n";
    let edits = parse(text, Format::Auto).unwrap();
    let actions: Vec<(&str, &Action)> = edits.iter().map(|edit| (edit.path.as_str(), &edit.action)).collect();
    let content = "echo\n".to_owned();
    let wanted = [
        ("old name.py", &Action::Delete),
        ("run.sh", &Action::Mode(Mode::Executable)),
        ("run.sh", &Action::Whole { content }),
    ];
    assert_eq!(actions, wanted);
}

#[test]
fn an_order_that_does_not_name_one_path_is_refused() {
    for text in [
        "DELETE two words.py\n",
        "MODE two words.py 100644\n",
        "MODE x.py 777\n",
        "  DELETE x.py\n",
    ] {
        assert_eq!(refused(text, Format::Auto), Reason::Malformed, "{text}");
    }
    for text in [
        "I would DELETE x.py\n",
        "- DELETE /users/7\n",
        "DELETE\n",
        "MODES\n",
        "",
    ] {
        assert_eq!(refused(text, Format::Auto), Reason::NoEdit, "{text}");
    }
}

#[test]
fn thoughts_that_do_not_end_are_a_cut_reply() {
    for text in ["<think>\nx.py\n```\n1\n```\n", "Well.\n<think>\nx.py\n```\n1\n```\n"] {
        assert_eq!(refused(text, Format::Auto), Reason::Malformed, "{text}");
    }
}

#[test]
fn an_indented_fence_gives_its_indentation_to_no_line() {
    let edits = parse(
        "1. `x.py`\n\n   ```python\n   if x:\n       y()\n   ```\n",
        Format::Auto,
    )
    .unwrap();
    let content = "if x:\n    y()\n".to_owned();
    assert_eq!(edits[0].action, Action::Whole { content });
}

#[test]
fn a_line_of_marks_deeper_than_the_fence_does_not_close_it() {
    let edits = parse(
        "x.py\n```python\ndef f():\n  \"\"\"\n  ```\n  \"\"\"\n```\n",
        Format::Auto,
    )
    .unwrap();
    assert!(matches!(&edits[0].action, Action::Whole { content } if content.ends_with("  ```\n  \"\"\"\n")));
}
