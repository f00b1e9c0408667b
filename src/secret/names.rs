//! Which variables hold keys, by name and value.
//!
//! Pure; who reads the environment or a file asks here. What a check may see is not decided here.

use crate::secret::forms::SHORTEST;

/// Last words of names that say secret.
const LAST: &[&str] = &[
    "KEY",
    "APIKEY",
    "TOKEN",
    "SECRET",
    "PASS",
    "PASSWD",
    "PASSPHRASE",
    "CREDENTIAL",
    "CREDENTIALS",
    "PAT",
    "PSK",
];

/// Words that make a name no secret however it ends: what is public, or names something.
const PUBLIC: &[&str] = &["PUBLIC", "PUB", "GPG", "SORT", "PRIMARY", "FOREIGN", "CACHE"];

/// Values that are written where a key is not needed.
const ORDINARY: &[&str] = &[
    "changeit",
    "changeme",
    "disabled",
    "localhost",
    "not-needed",
    "not_needed",
    "optional",
    "password",
    "placeholder",
    "postgres",
    "required",
    "undefined",
];

/// True where a variable called `name` holds a key if it holds `value`.
pub fn is_secret(name: &str, value: &str) -> bool {
    names_secret(name) && could_be_secret(value)
}

fn names_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let words: Vec<&str> = name.split(['_', '-', '.']).collect();
    if name.contains("PASSWORD") || words.contains(&"SECRET") {
        return true;
    }
    let public = words.iter().any(|word| PUBLIC.contains(word));
    let ends = |end: &&str| words.last().is_some_and(|last| last == end) || end.len() > 4 && name.ends_with(*end);
    !public && LAST.iter().any(ends)
}

fn could_be_secret(value: &str) -> bool {
    let ordinary = ORDINARY.iter().any(|word| value.eq_ignore_ascii_case(word));
    let distinct = value.bytes().any(|byte| value.bytes().next() != Some(byte));
    let number = value.len() < 12 && value.bytes().all(|byte| byte.is_ascii_digit());
    value.len() >= SHORTEST
        && distinct
        && !ordinary
        && !number
        && !["${", "$(", "{{", "<"].iter().any(|start| value.starts_with(start))
        && !is_path(value)
        && !is_open_url(value)
}

/// A path, but not the key that happens to begin with a slash: such keys have a length, or end with `=`.
fn is_path(value: &str) -> bool {
    let rooted = ["/", "~/", "./", "../"].iter().any(|start| value.starts_with(start));
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let sized = value.len() == 40 || value.ends_with('=');
    let random = sized && digits >= 3 && value.bytes().all(base64);
    rooted && !random
}

/// A URL that holds no user.
fn is_open_url(value: &str) -> bool {
    value
        .split_once("://")
        .is_some_and(|(_, rest)| !rest.split(['/', '?', '#']).next().unwrap_or_default().contains('@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_a_value_together_say_secret() {
        const VALUE: &str = "q8Zr-41xK";
        for name in [
            "OPENROUTER_API_KEY",
            "OPENAI_KEY",
            "GITHUB_TOKEN",
            "CLIENT_SECRET",
            "AWS_SECRET_ACCESS_KEY",
            "SECRET_KEY_BASE",
            "PGPASSWORD",
            "MYSQL_ROOT_PASSWORD",
            "DB_PASS",
            "api_key",
            "MYAPIKEY",
            "GITLAB_PAT",
            "npm_config__authToken",
        ] {
            assert!(is_secret(name, VALUE), "{name}");
        }
        for name in [
            "PATH",
            "HOME",
            "PWD",
            "OLDPWD",
            "GPG_KEY",
            "SSH_AUTH_SOCK",
            "MAX_TOKENS",
            "TOKENIZERS_PARALLELISM",
            "KEYBOARD",
            "MONKEY_PATCH",
            "AWS_ACCESS_KEY_ID",
            "PUBLIC_KEY",
            "COMPASS",
        ] {
            assert!(!is_secret(name, VALUE), "{name}");
        }
    }

    #[test]
    fn a_value_that_opens_nothing_is_no_key() {
        for value in [
            "",
            "true",
            "1234567",
            "20260101",
            "xxxxxxxxxxxx",
            "changeme",
            "PASSWORD",
            "/run/secrets/db",
            "~/.config/key",
            "../key.pem",
            "https://example.com/login",
            "postgres://host/db",
            "${OTHER_KEY}",
            "<your key>",
        ] {
            assert!(!is_secret("A_TOKEN", value), "{value}");
        }
        for value in [
            "hunter2hunter2",
            "correct horse",
            "https://u:pw123456@example.com/",
            "/9bKz+4mA0x2LwQ7tR5uY8iO1pS3dF6gH9jK2lZx",
            "123456789012",
        ] {
            assert!(is_secret("A_TOKEN", value), "{value}");
        }
    }
}
