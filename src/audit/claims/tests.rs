//! Tests of `claims`.

use super::*;

const ROW: &str = r#"{"goal":"a","commit":"1111111111111111111111111111111111111111","target":"main","base":"2222222222222222222222222222222222222222","started_at":"2026-01-01T00:00:00Z","landed_at":"2026-01-01T00:01:00Z","provider":"mock","model":"m","attempts":1,"tokens":30,"cost_usd":0.5,"checks":[{"stage":"lint","cmd":"true","exit":0,"seconds":0.0},{"stage":"test","cmd":"sh check.sh","exit":0,"seconds":0.1}],"prompt_hash":"0","sandbox":"none","version":"0"}"#;

fn record() -> Record {
    serde_json::from_str(ROW).unwrap()
}

fn said() -> Said {
    Said {
        parent: Some(record().base),
        base_left: false,
        landed_at: record().landed_at,
    }
}

fn words(found: &[Divergence]) -> Vec<String> {
    found
        .iter()
        .map(|one| format!("{}: {}", one.what.word(), one.found))
        .collect()
}

#[test]
fn a_record_that_fits_its_commits_is_no_divergence() {
    assert!(fields(&record(), &said()).is_empty());
    let made_anew = Said {
        parent: Some(record().commit),
        base_left: true,
        ..said()
    };
    assert!(fields(&record(), &made_anew).is_empty());
}

#[test]
fn each_field_that_does_not_fit_is_named() {
    let mut record = record();
    record.base = record.commit;
    record.landed_at = "later".into();
    record.sandbox = "jail".into();
    record.cost_usd = Some(-1.0);
    record.checks.iter_mut().for_each(|row| row.exit = 1);
    let found = words(&fields(&record, &said()));
    let expected = [
        "record: base 1111111",
        "record: landed_at later",
        "record: sandbox jail",
        "record: cost_usd Some(-1.0)",
        "checks: exit 1",
        "checks: exit 1",
    ];
    assert_eq!(found, expected);
    record.known_red = Some(1);
    assert_eq!(
        words(&fields(&record, &said())).len(),
        4,
        "what was red before may stay so"
    );
}

#[test]
fn own_settings_may_add_commands_and_take_none_away() {
    let command = |stage, text: &str| (stage, text.to_owned());
    let tracked = [command(Stage::Lint, "true"), command(Stage::Test, "sh check.sh")];
    let fewer = [command(Stage::Test, "sh check.sh")];
    let other = [command(Stage::Test, "cargo test")];
    let long = [command(Stage::Setup, "setup"), tracked[0].clone(), tracked[1].clone()];
    assert_eq!(gate(&record(), &tracked, &[]), Gated::Same);
    assert_eq!(gate(&record(), &long, &[]), Gated::Same, "set-up judges nothing");
    assert_eq!(gate(&record(), &fewer, &[]), Gated::Own);
    assert_eq!(
        gate(&record(), &other, &tracked),
        Gated::Own,
        "this clone has the same own settings"
    );
    assert_eq!(gate(&record(), &other, &[]), Gated::Lacks(vec!["cargo test".into()]));
}

#[test]
fn sums_are_compared_but_for_how_they_were_added_up() {
    let usage = |tokens, cost_usd| Usage {
        prompt_tokens: tokens,
        cost_usd,
        ..Usage::default()
    };
    assert!(sums(&record(), (1, &usage(30, Some(0.5 + 1e-12)))).is_empty());
    let found = words(&sums(&record(), (2, &usage(31, None))));
    assert_eq!(found, ["cost: attempts 1", "cost: tokens 30", "cost: cost_usd 0.5"]);
}

#[test]
fn a_note_says_what_the_rows_say_and_at_most_an_earlier_landing_besides() {
    let lines = |all: &[String]| words(&note(&[ROW], all));
    let earlier = ROW.replace("00:01:00Z", "00:00:30Z");
    let undo = r#"{"kind":"undo","goal":"a","commit":"1111111111111111111111111111111111111111"}"#.to_owned();
    assert!(lines(&[ROW.into(), earlier.clone(), undo]).is_empty());
    assert!(lines(&[]).is_empty(), "what was never noted is told elsewhere");
    assert_eq!(lines(&[ROW.replace("30,", "3,")]), ["note: tokens 3"]);
    assert_eq!(lines(&[ROW.into(), earlier.replace("30,", "3,")]).len(), 1);
    assert_eq!(lines(&[ROW.into(), "junk".into()]), ["note: junk"]);
}
