//! Settings of tools below the home folder: which there are, and whether a text holds anything that opens a door.
//!
//! Reads no file. A text in doubt is not shown.

/// Settings of tools that decide what a build does, below the home folder. Shown where they hold no credential.
pub const FILES: &[&str] = &[
    ".bunfig.toml",
    ".cargo/config",
    ".cargo/config.toml",
    ".condarc",
    ".config/git/config",
    ".config/git/ignore",
    ".config/go/env",
    ".config/pip/pip.conf",
    ".config/uv/uv.toml",
    ".gitconfig",
    ".npmrc",
    ".pip/pip.conf",
    ".yarnrc",
    ".yarnrc.yml",
];

/// Words without which no credential is written down in such a file.
const TELLING: &[&str] = &[
    "_auth",
    "access_key",
    "api_key",
    "apikey",
    "authorization",
    "bearer",
    "extraheader",
    "passwd",
    "password",
    "secret",
    "token",
];

/// True where `text` holds no credential: no word that goes with one, and no address with a user in it.
pub fn is_plain(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let has_user = |address: &str| {
        let end = |c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'');
        address.split(end).next().is_some_and(|host| host.contains('@'))
    };
    !TELLING.iter().any(|word| lower.contains(word)) && !lower.split("://").skip(1).any(has_user)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_is_plain_and_a_token_is_not() {
        for plain in [
            "registry=https://mirror.example/npm\n",
            "[user]\n\temail = a@example.org\n",
            "",
        ] {
            assert!(is_plain(plain), "{plain}");
        }
        for telling in [
            "//registry.npmjs.org/:_authToken=npm_1\n",
            "[global]\nindex-url = https://me:pw@pypi.example/simple\n",
            "[url \"https://ghp_1@github.com/\"]\n",
            "[registry]\nTOKEN = \"x\"\n",
        ] {
            assert!(!is_plain(telling), "{telling}");
        }
    }
}
