use proptest::prelude::*;

use super::*;

const KEY: &str = "sk-or-v1-\"9f/3\"+a7&c2?e5 b8d1~0";

const MIXED: &str = "k3Vd9xW1qRz7LtY5wH0rN8bT2yG6pC4mJ";
const UPPER: &str = "QX3Y7ZK2WV5TR6PMNJHGFDSCBLAU4";
const HEX: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

/// Makes up a key: no literal of this file has the shape of one.
fn made(prefix: &str, alphabet: &str, length: usize) -> String {
    prefix.chars().chain(alphabet.chars().cycle().take(length)).collect()
}

fn pem(label: &str, line_break: &str) -> String {
    let lines = [made("MIIE", MIXED, 60), made("", MIXED, 64), made("", MIXED, 22)];
    let body = lines.join(line_break);
    format!("-----BEGIN {label}-----{line_break}{body}{line_break}-----END {label}-----")
}

fn clean(text: &str) -> String {
    Redactor::default().clean(text).into_string()
}

/// Keys that say by themselves what they are; those of several lines are last.
fn tokens() -> Vec<String> {
    vec![
        made("sk-or-v1-", HEX, 64),
        made("sk-", MIXED, 48),
        made("sk-", HEX, 32),
        made("sk-proj-", MIXED, 120),
        made("sk-svcacct-", MIXED, 60),
        made("sk-ant-api03-", MIXED, 95),
        made("ghp_", MIXED, 36),
        made("gho_", MIXED, 36),
        made("ghs_", MIXED, 36),
        made("github_pat_11", MIXED, 80),
        made("glpat-", MIXED, 20),
        made("gldt-", MIXED, 20),
        made("AKIA", UPPER, 16),
        made("ASIA", UPPER, 16),
        made("AIza", MIXED, 35),
        made("GOCSPX-", MIXED, 28),
        made("xoxb-123456789012-1234567890123-", MIXED, 24),
        made("xoxp-123456789012-", MIXED, 32),
        made("xapp-1-A012345-", HEX, 64),
        made("sk_live_", MIXED, 24),
        made("rk_live_", MIXED, 99),
        made("npm_", MIXED, 36),
        made("pypi-AgEIcHlwaS5vcmc", MIXED, 150),
        made("hf_", MIXED, 34),
        made("gsk_", MIXED, 52),
        made("SG.", MIXED, 66),
        made("dop_v1_", HEX, 64),
        [made("eyJ", MIXED, 33), made("eyJ", MIXED, 60), made("", MIXED, 43)].join("."),
        pem("PRIVATE KEY", "\n"),
        pem("RSA PRIVATE KEY", "\r\n"),
        pem("OPENSSH PRIVATE KEY", "\\n"),
        pem("EC PRIVATE KEY", "\n    "),
        pem("PRIVATE KEY", "\\n\" +\n  \""),
        pem("PGP PRIVATE KEY BLOCK", "\n"),
    ]
}

/// A text, and what is left of it.
fn positives() -> Vec<(String, String)> {
    let token = made("", MIXED, 32);
    let aws = made("", MIXED, 40);
    let values = [
        ("Authorization: Bearer ", &token, "\r\n"),
        ("authorization: token ", &token, ""),
        ("{\"Authorization\": \"Bearer ", &token, "\"}"),
        ("{\\\"Authorization\\\":\\\"Bearer ", &token, "\\\"}"),
        ("Proxy-Authorization: Basic ", &token, "=="),
        ("curl -H 'X-Api-Key: ", &token, "' x"),
        ("a bearer ", &token, " came"),
        ("aws_secret_access_key = ", &aws, "\n"),
        ("\"SecretAccessKey\": \"", &aws, "\","),
        ("AWS_SECRET_KEY=", &aws, ""),
        ("https://someone:", &token, "@example.com/x.git"),
        ("postgres://app:", &token, "@db:5432/app"),
        ("x=redis://:", &token, "@10.0.0.1/0"),
    ];
    let around = [
        ("", ""),
        ("KEY=", "\n"),
        ("{\"a\":\"", "\"}"),
        ("line\\n", "\\n"),
        ("?k%3D", "&b=1"),
        ("(", ")."),
        ("\\u003d", ""),
    ];
    let tokens = tokens().into_iter().enumerate().flat_map(|(nth, token)| {
        let pairs = if token.contains('\n') {
            &around[..2]
        } else {
            &around[..]
        };
        let placed = move |(before, after): &(&str, &str)| {
            // What a URL-encoded escape stands before is only known of plain tokens.
            (nth < 27 || !before.contains('%'))
                .then(|| (format!("{before}{token}{after}"), format!("{before}[redacted]{after}")))
        };
        pairs.iter().filter_map(placed).collect::<Vec<_>>()
    });
    let values = values.iter().map(|(before, value, after)| {
        let after_key = after.trim_start_matches('=');
        (
            format!("{before}{value}{after}"),
            format!("{before}[redacted]{after_key}"),
        )
    });
    tokens.chain(values).collect()
}

#[test]
fn what_has_the_shape_of_a_key_is_taken_out() {
    for (text, left) in positives() {
        assert_eq!(clean(&text), left, "{text}");
        assert!(!Redactor::default().finds(&text), "only live keys are found: {text}");
    }
}

#[test]
fn everyday_text_stays() {
    let texts = [
        "3f786850e387550fdab836ed7e6dc881de23001b".to_owned(),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".to_owned(),
        "550e8400-e29b-41d4-a716-446655440000".to_owned(),
        format!("integrity = \"sha512-{}==\"", made("", "kV+9/xW1q", 86)),
        format!("data:image/png;base64,{}", made("iVBORw0KGgo", "kV+9/xW1q", 400)),
        "the_very_long_identifier_of_a_function_that_nobody_wanted_to_name_well_42".to_owned(),
        "from sklearn import sk-learn; .sk-toggleable__content, #sk-container-id-1".to_owned(),
        "risk-assessment-of-task-42-in-disk-0123456789abcdefghij".to_owned(),
        "sk-your-api-key-here, sk-..., sk-xxxxxxxxxxxxxxxxxxxxxxxx".to_owned(),
        "OPENROUTER_API_KEY=sk-or-v1-your-key-goes-here".to_owned(),
        format!("ghp_{}", "x".repeat(36)),
        "github_pat_ and glpat- are prefixes; ghp_short too".to_owned(),
        "npm_config_registry npm_package_dependencies_some_very_long_package".to_owned(),
        "hf_hub_download hf_model_with_a_long_name_and_many_words".to_owned(),
        format!("AKIA{}EXAMPLE", "IOSFODNN7"),
        format!("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCY{}KEY", "EXAMPLE"),
        "secret_key: 3f786850e387550fdab836ed7e6dc881de23001b".to_owned(),
        "AKIA is how they begin; AKIAIOSFODNN is too short".to_owned(),
        made("AKIA", UPPER, 20),
        "AIzaSy".to_owned(),
        "xoxb-your-bot-token-of-slack".to_owned(),
        "sk_live_ keys and pk_live_ ones, sk_live_xxxxxxxxxxxxxxxxxxxxxxxx".to_owned(),
        "eyJhbGciOiJIUzI1NiJ9 is a header alone; eyJ.eyJ.x are three".to_owned(),
        "Authorization: Bearer <token>, Bearer $TOKEN, Bearer ${API_KEY_1}, Bearer YOUR_API_KEY_HERE".to_owned(),
        "req.header(\"Authorization\", format!(\"Bearer {key}\"))".to_owned(),
        "the bearer authentication-scheme-of-the-web is RFC 6750".to_owned(),
        "Authorization: Basic authentication".to_owned(),
        "https://example.com:8080/a@b and http://user@host/ and git@github.com:o/r.git".to_owned(),
        "postgres://postgres:postgres@localhost/test mysql://root:root@db/x".to_owned(),
        "https://user:password@host https://$USER:${PASSWORD_1}@host amqp://rabbituser:rabbituser@mq".to_owned(),
        "ssh://git@host:2222/x, http://[::1]:8080/?a=b:c@d".to_owned(),
        "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQsw\n-----END CERTIFICATE-----"
            .to_owned(),
        "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAu1SU1LfV\n-----END PUBLIC KEY-----"
            .to_owned(),
        "if text.starts_with(\"-----BEGIN PRIVATE KEY-----\") && text.ends_with(\"-----END PRIVATE KEY-----\") {"
            .to_owned(),
        "const (begin = \"-----BEGIN RSA PRIVATE KEY-----\"; end = \"-----END RSA PRIVATE KEY-----\")".to_owned(),
        "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----".to_owned(),
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".to_owned(),
        "0x1f9840a85d5aF5bf1D1762F925BDADdC4201F984 r8_not_a_key pplx-model-70b-online".to_owned(),
    ];
    for text in texts {
        let kept = Redactor::default().clean(&text);
        assert_eq!((kept.as_str(), kept.changed()), (text.as_str(), false));
    }
}

#[test]
fn a_private_key_without_its_end_is_taken_out_up_to_the_end_of_its_text() {
    let key = pem("PRIVATE KEY", "\n");
    let (cut, _) = key.split_once("\n-----END").unwrap();
    assert_eq!(clean(&format!("a {cut}\n{{}}")), "a [redacted]\n{}");
    let key = pem("PRIVATE KEY", "\\n");
    let (cut, _) = key.split_once("\\n-----END").unwrap();
    assert_eq!(
        clean(&format!("{{\"a\":\"{cut}\",\"b\":1}}")),
        "{\"a\":\"[redacted]\",\"b\":1}"
    );
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in bytes.chunks(3) {
        let value = three.iter().fold(0, |value, byte| value << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for digit in 0..=three.len() {
            out.push(char::from(DIGITS[(value >> (18 - 6 * digit) & 63) as usize]));
        }
    }
    out
}

/// A live key in every form that it must be known in.
fn in_every_form(key: &str) -> Vec<String> {
    let json = |text: &str| serde_json::Value::from(text).to_string().trim_matches('"').to_owned();
    let hex: String = key.bytes().map(|byte| format!("{byte:02x}")).collect();
    let spaced: Vec<String> = key.bytes().map(|byte| format!("{byte:02X}")).collect();
    let url: String = key
        .bytes()
        .map(|byte| match byte {
            byte if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect();
    let mut all = vec![
        key.to_owned(),
        json(key),
        json(&json(key)),
        hex.to_uppercase(),
        hex.clone(),
        spaced.join(" "),
        spaced.join(":"),
    ];
    let (start, end) = hex.split_at(30);
    all.push(format!("{start}\n{end}"));
    let lower: String = url
        .split('%')
        .enumerate()
        .map(|(nth, part)| match nth {
            0 => part.to_owned(),
            _ => {
                let (digits, rest) = part.split_at(2);
                format!("%{}{rest}", digits.to_lowercase())
            }
        })
        .collect();
    all.extend([url.replace("%20", "+"), lower, url]);
    for before in ["", "a", "ab", "user:"] {
        let coded = base64(format!("{before}{key}:after").as_bytes());
        let (start, end) = coded.split_at(12);
        all.extend([
            format!("{start}\r\n{end}"),
            format!("{start}\\n{end}"),
            coded.replace('+', "-").replace('/', "_"),
            coded,
        ]);
    }
    all
}

#[test]
fn a_live_key_is_found_in_every_form() {
    let redactor = Redactor::new([&Secret::new(KEY)]);
    for text in in_every_form(KEY) {
        assert!(redactor.finds(&format!("so {text} it is")), "{text}");
        let clean = redactor.clean(&format!("so {text} it is"));
        assert!(
            clean.changed() && clean.as_str().contains("[redacted]") && !redactor.finds(clean.as_str()),
            "{text}"
        );
        // What base64 shares with what stands around the key is all that may be left of it.
        assert!(clean.as_str().len() < 50, "{text} → {clean}");
    }
    assert!(!redactor.finds(KEY.trim_start_matches('s')) && !redactor.finds("hello"));
}

#[test]
fn a_short_word_is_not_taken_for_a_key() {
    assert_eq!(Redactor::new([&Secret::new("x")]).clean("x is x").as_str(), "x is x");
}

#[test]
fn keys_that_overlap_leave_no_half() {
    let (one, two) = (Secret::new("abcdefghij"), Secret::new("hijklmnopq"));
    let redactor = Redactor::new([&one, &two]);
    assert_eq!(
        redactor.clean("<abcdefghijklmnopq><abcdefghij>").as_str(),
        "<[redacted]><[redacted]>"
    );
}

#[test]
fn what_is_held_back_of_ordinary_text_is_a_word_at_most() {
    let mut stream = Redactor::new([&Secret::new(KEY)]).stream();
    assert_eq!(stream.push(b"All is said. sk"), b"All is said. ");
    assert_eq!(stream.push(b"y and set"), b"sky and set");
    assert_eq!(stream.push(b" s"), b" ");
    assert_eq!(stream.finish(), b"s");
    assert!(!stream.changed());
}

#[test]
fn what_is_held_back_is_bounded() {
    const MOST: usize = 17_000;
    let endless = [
        "sk-proj-".to_owned() + &MIXED.repeat(1000),
        "https://user:".to_owned() + &MIXED.repeat(1000),
        "eyJ".to_owned() + &MIXED.repeat(1000),
        "-----BEGIN PRIVATE KEY-----".to_owned() + &"\n".repeat(50_000),
    ];
    for text in endless {
        let mut stream = Redactor::new([&Secret::new(KEY)]).stream();
        let (mut came, mut given) = (0, 0);
        for piece in text.as_bytes().chunks(1000) {
            came += piece.len();
            given += stream.push(piece).len();
            assert!(came - given <= MOST, "{given} of {came} bytes came out of {text}");
        }
        assert_eq!(given + stream.finish().len(), text.len());
    }
    let mut stream = Redactor::new([&Secret::new("a".repeat(40))]).stream();
    assert_eq!(stream.push("a".repeat(50_000).as_bytes()), b"[redacted]");
}

/// If a place were looked at again from each of those before it, this would take minutes.
#[test]
fn text_that_keeps_beginning_keys_takes_no_longer() {
    let redactor = Redactor::new([&Secret::new(KEY)]);
    for start in [
        "-eyJ",
        "sk-",
        "a://",
        "bearer ",
        "-----BEGIN PRIVATE KEY-----",
        "secret_",
        "authorization:",
        "a",
        ".ey0",
    ] {
        assert!(
            !redactor.clean(&start.repeat(1_000_000 / start.len())).changed(),
            "{start}"
        );
    }
}

/// Texts that are made of what matters: keys, their halves, and what stands around them.
fn parts() -> impl Strategy<Value = Vec<String>> {
    let mut known: Vec<String> = positives().into_iter().map(|(text, _)| text).collect();
    known.extend(in_every_form(KEY));
    let halves = known.clone();
    let half = (0..halves.len(), 0.0..1.0_f64).prop_map(move |(nth, share)| {
        let text = &halves[nth];
        let cut = (text.len() as f64 * share) as usize;
        text.get(..cut).unwrap_or(text).to_owned()
    });
    let part = prop_oneof![
        3 => proptest::sample::select(known),
        3 => half,
        2 => "[ -~\n\\\\]{0,12}",
        1 => "\\PC{0,4}",
        1 => Just("[redacted]".to_owned()),
    ];
    proptest::collection::vec(part, 0..6)
}

proptest! {
    #[test]
    fn any_chunking_gives_the_same(parts in parts(), cuts in proptest::collection::vec(0.0..1.0_f64, 0..12), each in any::<bool>()) {
        let redactor = Redactor::new([&Secret::new(KEY), &Secret::new("another-key-0123")]);
        let text = parts.concat();
        let bytes = text.as_bytes();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| (bytes.len() as f64 * cut) as usize).collect();
        if each {
            cuts = (0..bytes.len()).collect();
        }
        cuts.sort_unstable();
        cuts.push(bytes.len());
        let mut stream = redactor.stream();
        let (mut out, mut from) = (Vec::new(), 0);
        for to in cuts {
            out.extend(stream.push(&bytes[from..to]));
            from = to;
        }
        out.extend(stream.finish());
        let whole = redactor.clean(&text);
        prop_assert_eq!(String::from_utf8(out).unwrap(), whole.as_str());
        prop_assert_eq!(stream.changed(), whole.changed());
        prop_assert!(!redactor.finds(whole.as_str()));
    }

    #[test]
    fn cleaning_twice_is_as_cleaning_once(parts in parts()) {
        let text = parts.join("; ");
        let redactor = Redactor::new([&Secret::new(KEY)]);
        let once = redactor.clean(&text);
        let twice = redactor.clean(once.as_str());
        prop_assert_eq!(twice.as_str(), once.as_str());
        prop_assert_eq!(once.changed(), once.as_str() != text);
        prop_assert!(!twice.changed());
    }
}
