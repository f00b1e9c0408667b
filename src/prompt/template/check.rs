//! Check: renders every template with samples of every variable, full and empty, and says what is wrong with which.

use crate::prompt::template::{Flaw, Template, Templates, variables};

/// What a check came to.
#[derive(Debug)]
pub struct Checked {
    /// How often a template was rendered.
    pub renderings: usize,
    /// What is wrong, each thing once.
    pub flaws: Vec<Flaw>,
}

/// Renders all templates with samples.
pub fn samples(templates: &Templates) -> Checked {
    let mut checked = Checked {
        renderings: 0,
        flaws: Vec::new(),
    };
    for template in Template::ALL {
        for values in variables::samples(template) {
            checked.renderings += 1;
            let Err(flaw) = templates.render(template, values) else {
                continue;
            };
            let is_endless = flaw.is_endless();
            let place = |flaw: &Flaw| (flaw.file.clone(), flaw.line, flaw.what.clone());
            // A template that others build on fails in all of them.
            if !checked.flaws.iter().any(|known| place(known) == place(&flaw)) {
                checked.flaws.push(flaw);
            }
            if is_endless {
                break;
            }
        }
    }
    checked
}
