//! Kinds: what a file of a repository is to a prompt, by its path and mode, and whether its text is fit to be read.
//!
//! Owns which files are never read, and why, in words for people. What tests, lock files and keys are called is in the
//! tables of `guard`. No folder makes its files somebody else's: commits change vendored code, too, so only
//! `.gitattributes` decides about that (`Marks`). The backlog's own files are in no listing, so they are none of its
//! business.

use std::{collections::HashMap, fmt, sync::LazyLock};

use crate::{
    guard::{classes, patterns::Table},
    path::RepoPath,
    snapshot::Mode,
};

/// What a file is to a prompt.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// Code that runs, templates of it included.
    Code,
    /// Tests, specs and benchmarks.
    Test,
    /// What people read.
    Prose,
    /// What programs are told: settings, builds, CI.
    Config,
    /// Text that is data: tables, translations, drawings, fixtures.
    Data,
    /// Never read.
    Skipped(Why),
}

impl Kind {
    /// True where the file is read at all.
    pub fn is_read(self) -> bool {
        !matches!(self, Self::Skipped(_))
    }

    /// Returns what it is called.
    pub fn word(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Test => "test",
            Self::Prose => "prose",
            Self::Config => "config",
            Self::Data => "data",
            Self::Skipped(_) => "skipped",
        }
    }
}

/// Why a file is not read.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Why {
    /// A symbolic link: its target is read where it is.
    Symlink,
    /// Another repository.
    Submodule,
    /// It may hold keys, which no prompt must.
    Secret,
    /// Versions that a program pinned.
    Lock,
    /// Made small for machines.
    Minified,
    /// Written by a program.
    Generated,
    /// The work of others, as `.gitattributes` says.
    Vendored,
    /// No text.
    Binary,
    /// The text stands for a file that is kept elsewhere.
    Pointer,
    /// More than is cut and ranked.
    Large,
}

impl Why {
    /// Returns the reason in words that follow "it is".
    pub fn words(self) -> &'static str {
        match self {
            Self::Symlink => "a symbolic link",
            Self::Submodule => "a submodule, another repository",
            Self::Secret => "of a name under which keys are kept",
            Self::Lock => "a lock file",
            Self::Minified => "minified, or data in endless lines",
            Self::Generated => "generated",
            Self::Vendored => "vendored, as .gitattributes says",
            Self::Binary => "binary",
            Self::Pointer => "a pointer to a file that Git LFS keeps",
            Self::Large => "larger than 1 MiB",
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

/// What `.gitattributes` say of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Marks {
    /// `linguist-vendored`
    pub vendored: bool,
    /// `linguist-generated`; `Some(false)` where they say that it is not, whatever its name or text says.
    pub generated: Option<bool>,
    /// `linguist-documentation`
    pub documentation: bool,
    /// `-diff`, which `binary` stands for.
    pub binary: bool,
}

/// Says what the file at `path` is, by path and mode alone.
pub fn of(path: &RepoPath, mode: Mode) -> Kind {
    match mode {
        Mode::Symlink => return Kind::Skipped(Why::Symlink),
        Mode::Submodule => return Kind::Skipped(Why::Submodule),
        Mode::File | Mode::Executable => {}
    }
    let mut lower = String::from_utf8_lossy(path.as_bytes()).into_owned();
    lower.make_ascii_lowercase();
    let (folders, name) = lower.rsplit_once('/').unwrap_or(("", &lower));
    let keys = classes::HOLDS_KEYS.is_name(name) && !classes::SHOWS_KEYS.is_name(name);
    if keys || classes::HOLDS_KEYS.is_below(folders) {
        return Kind::Skipped(Why::Secret);
    }
    if classes::PINS.is_name(name) {
        return Kind::Skipped(Why::Lock);
    }
    match by_name(name).unwrap_or_else(|| unknown(name, mode)) {
        Kind::Code if is_test(folders, name) => Kind::Test,
        Kind::Config | Kind::Prose if IS_FIXTURE.is_below(folders) => Kind::Data,
        kind => kind,
    }
}

fn is_test(folders: &str, name: &str) -> bool {
    let below = |table: &Table| table.is_below(folders) || table.is_name(name);
    below(&classes::HOLDS_TESTS) || below(&IS_BESIDE) || folders == "t"
}

/// Says what a file is that is `kind` by its path, with what `.gitattributes` say of it.
pub fn marked(kind: Kind, marks: Marks) -> Kind {
    match kind {
        Kind::Skipped(Why::Generated) if marks.generated == Some(false) => marked(Kind::Code, marks),
        Kind::Skipped(why) => Kind::Skipped(why),
        _ if marks.binary => Kind::Skipped(Why::Binary),
        _ if marks.vendored => Kind::Skipped(Why::Vendored),
        _ if marks.generated == Some(true) => Kind::Skipped(Why::Generated),
        Kind::Code | Kind::Test if marks.documentation => Kind::Prose,
        kind => kind,
    }
}

/// Tests and benchmarks that a reply may change without leave, beside those of `guard`.
const BESIDE: &[&str] = &[
    "test",
    "tests",
    "test.*",
    "tests.*",
    "test_*",
    "*_test.*",
    "*_tests.*",
    "bench.*",
    "bench_*",
    "*_bench.*",
    "benchmark.*",
    "*_benchmark.*",
    "*-spec.*",
    "*.cy.*s",
    "*spec.kt",
    "*spec.groovy",
    "*suite.scala",
    "*_suite.erl",
    "runtests.jl",
    "*.test",
    "*.feature",
    "*.robot",
    "bench/",
    "benches/",
    "benchmark/",
    "benchmarks/",
    "testing/",
    "__mocks__/",
    "fuzz/",
    "unittests/",
    "unit_tests/",
    "*-tests/",
    "*_tests/",
    "*.tests/",
    "*.test/",
    "androidtest/",
    "commontest/",
    "jvmtest/",
];

/// Folders of what tests read.
const FIXTURES: &[&str] = &[
    "fixtures/",
    "fixture/",
    "__fixtures__/",
    "testdata/",
    "test_data/",
    "test-data/",
    "sample_data/",
    "golden/",
    "goldens/",
    "corpus/",
    "corpora/",
    "cassettes/",
];

/// Files that programs write.
const WRITTEN: &[&str] = &[
    "*.snap",
    "*.pb.go",
    "*_pb2.py",
    "*_pb2.pyi",
    "*_pb2_grpc.py",
    "*.pb.h",
    "*.pb.cc",
    "*.pb.swift",
    "*.pb.dart",
    "*.pbjson.dart",
    "*.designer.cs",
    "*.g.cs",
    "*.g.dart",
    "*.freezed.dart",
    "*.tsbuildinfo",
    "*.generated.*",
];

/// Texts made small for machines.
const SMALL: &[&str] = &[
    "*.min.js",
    "*.min.mjs",
    "*.min.css",
    "*.min.html",
    "*.min.json",
    "*-min.js",
    "*.js.map",
    "*.mjs.map",
    "*.cjs.map",
    "*.ts.map",
    "*.css.map",
    "*.bundle.js",
];

static IS_BESIDE: LazyLock<Table> = LazyLock::new(|| Table::of(&[BESIDE]));
static IS_FIXTURE: LazyLock<Table> = LazyLock::new(|| Table::of(&[FIXTURES]));
static IS_WRITTEN: LazyLock<Table> = LazyLock::new(|| Table::of(&[WRITTEN]));
static IS_SMALL: LazyLock<Table> = LazyLock::new(|| Table::of(&[SMALL]));

/// Ends of names behind which the name proper stands: `config.h.in`, `settings.toml.example`.
const BEHIND: &[&str] = &[
    "in", "example", "sample", "template", "tmpl", "tpl", "dist", "default", "j2", "jinja", "jinja2", "erb", "ejs",
    "hbs", "mustache", "gotmpl", "bak", "orig", "disabled", "inc",
];

/// Says what a name in lower case means; `None` where it means nothing.
fn by_name(name: &str) -> Option<Kind> {
    if IS_SMALL.is_name(name) {
        return Some(Kind::Skipped(Why::Minified));
    }
    if IS_WRITTEN.is_name(name) {
        return Some(Kind::Skipped(Why::Generated));
    }
    if let Some(kind) = KNOWN_NAMES.get(name) {
        return Some(*kind);
    }
    let (stem, end) = name.rsplit_once('.').unwrap_or((name, ""));
    if matches!(end, "txt" | "in")
        && ["requirements", "constraints"]
            .iter()
            .any(|start| stem.starts_with(start))
    {
        return Some(Kind::Config);
    }
    if BEHIND.contains(&end) && !stem.is_empty() {
        let hidden = stem.starts_with('.').then_some(Kind::Config);
        return by_name(stem).or(hidden).or(Some(Kind::Code));
    }
    if is_section(end) {
        return Some(Kind::Prose);
    }
    let start = || STARTS.iter().find(|(start, _)| name.starts_with(start));
    let known = KNOWN_ENDS.get(end).copied();
    known.or_else(|| start().map(|(_, kind)| *kind))
}

/// Sections of manual pages: `git.1`, `printf.3p`.
fn is_section(end: &str) -> bool {
    matches!(end.as_bytes(), [b'1'..=b'9'] | [b'1'..=b'9', b'p' | b'x' | b'm'])
}

/// Says what a file is whose name means nothing.
fn unknown(name: &str, mode: Mode) -> Kind {
    match mode {
        Mode::Executable => Kind::Code,
        _ if name.starts_with('.') => Kind::Config,
        _ => Kind::Data,
    }
}

/// Whole names that mean something.
const NAMED: &[(Kind, &str)] = &[
    (
        Kind::Config,
        "makefile gnumakefile dockerfile containerfile vagrantfile procfile jenkinsfile justfile rakefile gemfile podfile \
         brewfile guardfile fastfile appfile dangerfile pipfile cartfile berksfile capfile earthfile tiltfile caddyfile \
         build workspace sconstruct sconscript kconfig codeowners version cname owners pkgbuild go.mod go.work meson.build \
         meson_options.txt meson.options cmakelists.txt manifest.in py.typed build.zig.zon robots.txt runtime.txt",
    ),
    (Kind::Code, "configure gradlew mvnw install-sh"),
    (
        Kind::Prose,
        "license licence copying copyright notice authors contributors maintainers credits thanks readme install news \
         changelog changes history todo roadmap hacking contributing unlicense patents security support",
    ),
];

/// Starts of names that mean the same whatever follows, where its end means nothing.
const STARTS: &[(&str, Kind)] = &[
    ("makefile", Kind::Config),
    ("dockerfile", Kind::Config),
    ("jenkinsfile", Kind::Config),
    ("license", Kind::Prose),
    ("copying", Kind::Prose),
    ("readme", Kind::Prose),
    ("changelog", Kind::Prose),
];

/// Ends of names.
const ENDS: &[(Kind, &str)] = &[
    (
        Kind::Code,
        "rs py pyi pyx pxd pxi pyw js jsx ts tsx mjs cjs mts cts vue svelte astro go java kt kts scala sc groovy cs fs fsx fsi \
         vb swift c h cc cpp cxx c++ hpp hh hxx h++ ipp tpp tcc cu cuh m mm metal rb erb rake gemspec php phtml phpt inc sh \
         bash zsh fish ksh csh tcsh nu ps1 psm1 psd1 bat cmd lua pl pm raku rakumod ex exs eex heex leex erl hrl hs lhs ml mli \
         re rei res resi clj cljs cljc edn cl lisp lsp el scm ss rkt dart zig nim nims jl r rmd d di v sv svh vh vhd vhdl f \
         f77 f90 f95 f03 f08 for pas pp dpr lpr ada adb ads cob cbl asm s sol vy move cairo sql psql graphql gql proto thrift \
         capnp fbs idl css scss sass less styl pcss html htm xhtml jsp jspx asp aspx cshtml razor liquid haml slim pug jade \
         twig njk jinja vim coffee ls elm purs idr agda lean cr hx wat wgsl glsl vert frag comp geom hlsl fx shader tcl tk awk \
         sed y yy l ll lex yacc g4 peg pest grammar bnf ebnf lalrpop ino pde gd gdshader tf hcl bicep rego cue dhall jsonnet \
         libsonnet nix bzl star cmake gradle sbt mk mak mill applescript vala vapi gleam odin mojo roc janet fnl qml robot \
         feature bats t test typ cls trigger xsl xslt xq xquery ql qll wren ring ejs hbs handlebars mustache grit mo tmac",
    ),
    (
        Kind::Prose,
        "md markdown mdx mdc mkd mdown rst txt text adoc asciidoc asc org tex latex sty bib textile wiki mediawiki creole rdoc \
         pod man me ms roff mdoc texi texinfo help info prose qmd",
    ),
    (
        Kind::Config,
        "toml yaml yml json jsonc json5 hjson ini cfg conf cnf config properties props targets xml xsd dtd plist entitlements \
         rc service socket timer mount desktop ignore env envrc htaccess am ac m4 pc pro pri csproj fsproj vbproj vcxproj proj \
         sln slnx filters xcconfig xcfilelist pbxproj xcscheme xcworkspacedata storyboard xib nuspec cabal opam dockerfile vcl rules \
         podspec spec control manifest mf webmanifest kdl ron mod work acl theme def rdl lds ld x map sym reg inf \
         code-workspace sublime-project pbtxt textproto prototxt",
    ),
    (
        Kind::Data,
        "csv tsv psv svg po pot ftl xlf xliff resx strings stringsdict arb ipynb jsonl ndjson geojson topojson diff patch log \
         out expected golden srt vtt ics vcf kml gpx fasta fastq obj stl ply gltf bdf eps ps dat data tab sha sha256 sha512 \
         md5 rej har drawio excalidraw puml plantuml mmd dot gv http sse ldif dic aff cassette cast pub crt csr",
    ),
    (
        Kind::Skipped(Why::Binary),
        "png jpg jpeg gif bmp ico icns webp avif heic heif tif tiff psd ai xcf nef dds tga exr hdr ktx ttf otf woff woff2 eot \
         ttc zip gz tgz bz2 tbz2 xz txz zst lz4 lzma br 7z rar tar jar war ear aar apk aab ipa deb rpm dmg pkg msi cab iso img \
         nupkg snupkg whl egg gem crate phar xpi crx vsix exe dll so dylib lib a o ko bin elf class pyc pyo beam wasm rlib \
         rmeta pch gch mp3 mp4 m4a m4v mov avi mkv webm wmv flv ogg oga ogv opus wav flac aac aiff mid midi pdf doc docx xls \
         xlsx ppt pptx odt ods odp epub mobi db sqlite sqlite3 db3 mdb accdb rdb parquet arrow feather avro orc npy npz pkl \
         pickle h5 hdf5 mat rds rdata onnx pt pth ckpt safetensors gguf ggml tflite pb gmo qm swf fla blend fbx glb usdz nib \
         pcap pcapng cur der pdb lnk mmdb squashfs cpio",
    ),
];

static KNOWN_NAMES: LazyLock<HashMap<&'static str, Kind>> = LazyLock::new(|| words(NAMED));
static KNOWN_ENDS: LazyLock<HashMap<&'static str, Kind>> = LazyLock::new(|| words(ENDS));

fn words(rows: &[(Kind, &'static str)]) -> HashMap<&'static str, Kind> {
    let words = |(kind, words): &(Kind, &'static str)| {
        let kind = *kind;
        words.split_whitespace().map(move |word| (word, kind))
    };
    rows.iter().flat_map(words).collect()
}

/// Larger files are not read, in bytes.
pub const LARGE: usize = 1024 * 1024;
/// How far git looks for a NUL, in bytes.
const LOOKED_AT: usize = 8000;
/// A line that nobody wrote, in bytes.
const ENDLESS: usize = 64 * 1024;
/// The mean length of lines from which a text is data, in bytes.
const LONG: usize = 300;
/// The size from which the mean is looked at, in bytes.
const JUDGED: usize = 4096;

/// Says why the content of a file is not fit to be read, as far as its bytes tell. Costs one pass over it.
pub fn unfit(text: &[u8]) -> Option<Why> {
    let start = text.get(..LOOKED_AT).unwrap_or(text);
    if start.contains(&0) {
        Some(Why::Binary)
    } else if text.len() > LARGE {
        Some(Why::Large)
    } else if text.starts_with(b"version https://git-lfs.github.com/spec/") {
        Some(Why::Pointer)
    } else if has_endless_lines(text) {
        Some(Why::Minified)
    } else if is_generated(start) {
        Some(Why::Generated)
    } else {
        None
    }
}

fn has_endless_lines(text: &[u8]) -> bool {
    if text.len() <= JUDGED {
        return false;
    }
    let (mut lines, mut longest) = (0_usize, 0);
    for line in text.split(|byte| *byte == b'\n') {
        lines += 1;
        longest = longest.max(line.len());
    }
    longest > ENDLESS || text.len() / lines.max(1) > LONG
}

/// What generators write into the first lines, in lower case.
const SIGNS: &[&str] = &[
    "@generated",
    "do not edit",
    "don't edit",
    "do not modify",
    "code generated by",
    "autogenerated",
    "auto-generated",
    "automatically generated",
];

/// Starts of comments, in lower case.
const COMMENTS: &[&str] = &[
    "//", "#", "/*", "*", "--", ";", "%", "<!--", "\"\"\"", "'''", "(*", "{-", "{#", "rem ", "@rem ", "dnl ", "!",
    ".\\\"",
];

/// How many lines the head of a file has.
const HEAD: usize = 10;

/// True where a comment in the first lines says that a program wrote the file.
fn is_generated(text: &[u8]) -> bool {
    let head = text.split(|byte| *byte == b'\n').take(HEAD);
    head.filter(|line| line.len() < 400).any(|line| {
        let line = String::from_utf8_lossy(line).to_ascii_lowercase();
        let line = line.trim_start();
        COMMENTS.iter().any(|start| line.starts_with(start)) && SIGNS.iter().any(|sign| line.contains(sign))
    })
}

#[cfg(test)]
mod tests;
