use std::{collections::BTreeMap, io, sync::Arc};

use super::*;
use crate::{
    check::Counts,
    id::{BlobId, Hash},
    snapshot::{Entry, Listing, Mode},
};

struct Map(BTreeMap<RepoPath, String>);

fn id_of(path: &RepoPath) -> BlobId {
    Hash::of("test", [path.as_bytes()]).short(40).parse().unwrap()
}

fn file(path: &RepoPath) -> Entry {
    Entry {
        mode: Mode::File,
        id: id_of(path),
    }
}

impl Snapshot for Map {
    fn entry(&self, path: &RepoPath) -> io::Result<Option<Entry>> {
        Ok(self.0.get(path).map(|_| file(path)))
    }

    fn is_folder(&self, _: &RepoPath) -> io::Result<bool> {
        Ok(false)
    }

    fn read(&self, id: &BlobId) -> io::Result<Vec<u8>> {
        let found = self.0.iter().find(|(path, _)| id_of(path) == *id);
        Ok(found.unwrap().1.clone().into_bytes())
    }

    fn listing(&self) -> io::Result<Arc<Listing>> {
        Ok(Arc::new(self.0.keys().map(|path| (path.clone(), file(path))).collect()))
    }
}

fn map(files: &[(&str, &str)]) -> Map {
    let files = files.iter();
    Map(files
        .map(|(path, text)| (RepoPath::parse(path).unwrap(), (*text).to_owned()))
        .collect())
}

fn goal(filename: &str, description: &str) -> Goal {
    Goal {
        filename: Some(filename.to_owned()),
        description: description.to_owned(),
        ..Goal::default()
    }
}

#[test]
fn test_paths_are_told_by_the_custom_of_each_language() {
    for path in [
        "test_a.py",
        "x/a_test.py",
        "pkg/a_test.go",
        "tests/a.rs",
        "tests/it/deep/a.rs",
        "crates/x/tests/a.rs",
        "a.test.ts",
        "x/a.spec.tsx",
        "a.test.mjs",
        "a_spec.rb",
        "x/ATest.java",
    ] {
        assert!(is_test_path(path), "{path}");
        assert_eq!(asked_test_file(&goal(path, "")), Some(path));
    }
    for path in [
        "a.py",
        "contest_a.py",
        "tests/helper.py",
        "tests.rs",
        "src/tests.rs",
        "src/testing/a.rs",
        "latest.ts",
        "test",
        "Test.kt",
    ] {
        assert!(!is_test_path(path), "{path}");
    }
    assert_eq!(asked_test_file(&Goal::default()), None);
}

/// Each case: source, name, what it becomes; `§` stands for the failure that is put in.
fn assert_broken(language: Language, failure: &str, cases: &[(&str, &str, &str)]) {
    for (source, name, expected) in cases {
        let got = break_function(source, language, name);
        let expected = expected.replace('§', failure);
        assert_eq!(got.as_deref(), Some(expected.as_str()), "{name} in\n{source}");
    }
}

#[test]
fn python_functions_are_broken() {
    let cases = [
        ("def f(x):\n    return x\n", "f", "def f(x):\n    §\n    return x\n"),
        ("def f(x): return x\n", "f", "def f(x): §; return x\n"),
        (
            "class A:\n\t@property\n\tasync def f(self,\n\t\td={'a': 1, \"b)\": (2)},  # :\n\t) -> Dict[str, int]:  # why:\n\n\t\t# first\n\t\t\"\"\"def f(): x\"\"\"\n\t\treturn d\n",
            "f",
            "class A:\n\t@property\n\tasync def f(self,\n\t\td={'a': 1, \"b)\": (2)},  # :\n\t) -> Dict[str, int]:  # why:\n\n\t\t# first\n\t\t§\n\t\t\"\"\"def f(): x\"\"\"\n\t\treturn d\n",
        ),
        (
            "s = '''\ndef f():\n    pass\n'''\ndef ff(): pass\ndef f(k=lambda a: a):\n    def f2(): pass\n",
            "f",
            "s = '''\ndef f():\n    pass\n'''\ndef ff(): pass\ndef f(k=lambda a: a):\n    §\n    def f2(): pass\n",
        ),
        (
            "def f[T: int](x: T) -> T:\n  return x",
            "f",
            "def f[T: int](x: T) -> T:\n  §\n  return x",
        ),
    ];
    assert_broken(Language::Python, "raise RuntimeError(\"invisigoth: mutation\")", &cases);
    assert_eq!(break_function("f(1)\n# def f():\n", Language::Python, "f"), None);
}

#[test]
fn rust_functions_are_broken() {
    let cases = [
        ("fn f() {}", "f", "fn f() {§}"),
        (
            "pub const unsafe fn f<'a, const N: usize>(x: [u8; { 1 + 1 }]) -> Option<fn(u8) -> &'a str>\nwhere u8: Into<Foo<{ 3 }>> { '{'; x }",
            "f",
            "pub const unsafe fn f<'a, const N: usize>(x: [u8; { 1 + 1 }]) -> Option<fn(u8) -> &'a str>\nwhere u8: Into<Foo<{ 3 }>> {§ '{'; x }",
        ),
        (
            "trait T { fn f(&self) -> u8; }\nimpl T for X { fn f(&self) -> u8 { b'\\'' } }",
            "f",
            "trait T { fn f(&self) -> u8; }\nimpl T for X { fn f(&self) -> u8 {§ b'\\'' } }",
        ),
        (
            "/* /* fn f() {} */ */ const A: &str = r#\"fn f() { \"#; // fn f() {\nfn f(c: char) -> char { \"}\\\"{\"; c }",
            "f",
            "/* /* fn f() {} */ */ const A: &str = r#\"fn f() { \"#; // fn f() {\nfn f(c: char) -> char {§ \"}\\\"{\"; c }",
        ),
        (
            "fn f() {\n    #![allow(x)]\n    1\n}",
            "f",
            "fn f() {\n    #![allow(x)]§\n    1\n}",
        ),
        (
            "fn r#f() {} fn f() { fn g() {} }",
            "g",
            "fn r#f() {} fn f() { fn g() {§} }",
        ),
    ];
    assert_broken(Language::Rust, " if true { panic!(\"invisigoth: mutation\"); }", &cases);
    assert_eq!(break_function("fn g() { f() }", Language::Rust, "f"), None);
}

#[test]
fn go_functions_are_broken() {
    let cases = [
        ("func F() {\n}\n", "F", "func F() {§\n}\n"),
        (
            "func (s *Stack[T]) F(a interface{}, b struct{ x int }) (map[string]interface{}, error) {\n\treturn\n}",
            "F",
            "func (s *Stack[T]) F(a interface{}, b struct{ x int }) (map[string]interface{}, error) {§\n\treturn\n}",
        ),
        (
            "// func F() {\nvar s = `func F() {`\nfunc F[T any](f func(T) bool) map[string]struct{ a int } { return nil }",
            "F",
            "// func F() {\nvar s = `func F() {`\nfunc F[T any](f func(T) bool) map[string]struct{ a int } {§ return nil }",
        ),
        (
            "func F() interface{} { return '{' }",
            "F",
            "func F() interface{} {§ return '{' }",
        ),
    ];
    assert_broken(Language::Go, " panic(\"invisigoth: mutation\");", &cases);
    assert_eq!(break_function("func F()\n\nvar x = G{}", Language::Go, "F"), None);
}

#[test]
fn script_functions_are_broken() {
    let cases = [
        (
            "export default async function* f(a = {}) { }",
            "f",
            "export default async function* f(a = {}) {§ }",
        ),
        (
            "export function f<T>(a: T): { b: T } | Map<string, { c: () => T }> {\n  return a }",
            "f",
            "export function f<T>(a: T): { b: T } | Map<string, { c: () => T }> {§\n  return a }",
        ),
        (
            "function f(a: string): void;\nfunction f(a: any) { /[/}]/.test(`${a}{`) }",
            "f",
            "function f(a: string): void;\nfunction f(a: any) {§ /[/}]/.test(`${a}{`) }",
        ),
        (
            "const f = (a, { b } = {}) => { return a / b / 2 }",
            "f",
            "const f = (a, { b } = {}) => {§ return a / b / 2 }",
        ),
        (
            "const f: F<A> = async (a): Promise<B> => {};",
            "f",
            "const f: F<A> = async (a): Promise<B> => {§};",
        ),
        ("exports.f = function () { }", "f", "exports.f = function () {§ }"),
        ("let o = { f: x => { } }", "f", "let o = { f: x => {§ } }"),
        (
            "class A {\n  static async f(x) { g(f) }\n}\nf(1)\n{ }",
            "f",
            "class A {\n  static async f(x) {§ g(f) }\n}\nf(1)\n{ }",
        ),
    ];
    assert_broken(
        Language::JavaScript,
        " throw new Error(\"invisigoth: mutation\");",
        &cases,
    );
    let throwing = "true ? (() => { throw new Error(\"invisigoth: mutation\"); })() : ";
    let cases = [
        ("const f = x => x ?? 1;", "f", "const f = x => §x ?? 1;"),
        ("const f = () => ({ a: 1 });", "f", "const f = () => §({ a: 1 });"),
        ("const f = () => 'a';", "f", "const f = () => §'a';"),
    ];
    assert_broken(Language::JavaScript, throwing, &cases);
    for source in [
        "if (f(x)) { g() }",
        "const f = 3;",
        "'function f() {}'",
        "a.f == function () {}",
    ] {
        assert_eq!(break_function(source, Language::JavaScript, "f"), None, "{source}");
    }
}

#[test]
fn the_subject_is_what_the_goal_names_and_the_tests_call() {
    let snapshot = map(&[
        (
            "calc/ops.py",
            "def add(a, b):\n    return a + b\ndef sub(a, b):\n    return a - b\n",
        ),
        ("calc/other.py", "def helper():\n    pass\ndef print():\n    pass\n"),
        ("tests/test_old.py", "def add():\n    pass\n"),
        ("web/add.js", "function add() {}"),
    ]);
    let tests = "from calc.ops import (\n    add,\n    sub,\n)\n\ndef test_it():\n    print(sub(2, 1), add(1, 1))\n";
    let find = |description: &str| {
        let found = subject(&goal("tests/test_ops.py", description), tests, &snapshot)?;
        Some(format!("{} {}", found.path, found.name))
    };
    assert_eq!(find("Test `ops.add`").as_deref(), Some("calc/ops.py add"));
    assert_eq!(
        find("Test that sub() works in `calc/ops.py`").as_deref(),
        Some("calc/ops.py sub")
    );
    assert_eq!(find("Test `helper`").as_deref(), Some("calc/ops.py sub"));
    let of_nothing = |description| {
        let found = subject(
            &goal("tests/test_ops.py", description),
            "def test_x(): pass\n",
            &snapshot,
        );
        found.map(|found| found.name)
    };
    assert_eq!(of_nothing("Test `add`").as_deref(), Some("add"));
    assert_eq!(of_nothing("Test addition"), None);
    let found = subject(&goal("tests/test_ops.py", "Test `add`"), tests, &snapshot).unwrap();
    let broken = mutation(&found, &snapshot).unwrap();
    let text = String::from_utf8(broken.content).unwrap();
    assert!(text.starts_with("def add(a, b):\n    raise RuntimeError("), "{text}");
}

#[test]
fn subjects_are_found_in_every_language() {
    for (path, source, test_path, tests, name) in [
        (
            "src/lib.rs",
            "pub fn area() {}",
            "tests/shapes.rs",
            "use shapes::area;\n#[test] fn a() { area(); }",
            "area",
        ),
        (
            "pkg/a.go",
            "func Area() {}",
            "pkg/a_test.go",
            "func TestA(t *testing.T) { Area() }",
            "Area",
        ),
        (
            "src/a.ts",
            "export const area = () => 1;",
            "src/a.test.ts",
            "import { area } from './a';\ntest('x', () => { area() })",
            "area",
        ),
    ] {
        let snapshot = map(&[(path, source)]);
        let found = subject(&goal(test_path, "Add tests"), tests, &snapshot).unwrap();
        assert_eq!((found.path.as_str(), found.name.as_str()), (Some(path), name));
    }
}

fn ran(passed: &[&str], failed: &[&str], skipped: &[&str]) -> Tests {
    let set = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect();
    Tests {
        passed: set(passed),
        failed: set(failed),
        skipped: set(skipped),
        counted: None,
    }
}

#[test]
fn only_new_tests_that_ran_and_passed_are_accepted() {
    let before = ran(&["a"], &[], &["s"]);
    assert_eq!(accept(None, &ran(&["a"], &[], &[])), Ok(()));
    assert_eq!(accept(Some(&before), &ran(&["a", "b"], &[], &["s"])), Ok(()));
    for (before, after, why) in [
        (None, ran(&[], &[], &[]), "none of its tests ran"),
        (Some(&before), ran(&["a"], &[], &["s"]), "adds no test"),
        (Some(&before), ran(&["a", "b"], &["c"], &[]), "1 of its tests fail: c"),
        (
            Some(&before),
            ran(&["a", "b"], &[], &["c"]),
            "1 of its new tests are skipped",
        ),
        (None, ran(&["b"], &[], &["c"]), "1 of its new tests are skipped"),
    ] {
        let error = accept(before, &after).unwrap_err();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn counts_decide_where_names_are_missing() {
    let counted = |passed, failed, skipped| Tests {
        counted: Some(Counts {
            passed,
            failed,
            skipped,
        }),
        ..Tests::default()
    };
    assert_eq!(accept(None, &counted(2, 0, 0)), Ok(()));
    assert_eq!(accept(Some(&counted(2, 0, 1)), &counted(3, 0, 1)), Ok(()));
    assert!(accept(Some(&counted(2, 0, 0)), &counted(2, 0, 0)).is_err());
    assert!(accept(None, &counted(2, 1, 0)).is_err());
    assert!(accept(None, &counted(2, 0, 1)).is_err());
}
