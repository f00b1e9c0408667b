//! The words of a goal, made comparable: identifiers split, endings cut, synonyms made one, filling words dropped.
//!
//! Owns word lists. English is known best; of other languages the commonest verbs and filling words are. What is written
//! without spaces is cut into pairs of characters.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap, HashSet},
    sync::LazyLock,
};

/// Words that say nothing about what a goal is about.
const FILLING: &str = "a an the this that these those it its of to in on at by for from with without into onto as is are \
    be been was were when while where which who whose and or but so if then than also too not no only just all any each \
    every some such same via per can could should would must may might will shall do does did done has have had there \
    here our own own we you your they their them us i me my up out off over under about between within during upon more most \
    less very new let lets get gets still yet already currently instead rather given both either other another \
    der die das den dem des ein eine einen einem einer eines und oder für fur mit ohne von vom zu zum zur im in am an auf \
    aus bei wenn als wie ist sind wird werden nicht auch nur \
    le la les l un une des du de d et ou pour avec sans dans sur est sont ne pas qui que quand au aux ce cette \
    el los las lo uno una y o para con sin en por del al es son no si cuando que se su sus";

/// Groups of words that mean the same for a goal; the first one stands for all.
const SAME: &[&str] = &[
    "fix repair resolve correct mend cure solve bugfix debug patch behebe behebt beheben korrigiere korrigieren corrige \
     corriger corregir reparer reparar arregla arreglar",
    "remove delete drop eliminate strip purge discard erase prune entferne entfernen losche loschen supprime supprimer \
     retirer elimina eliminar quitar borrar",
    "refactor restructure reorganize reorganise simplify clean cleanup tidy rework rewrite modernize modernise \
     refaktoriere umbauen",
    "extract split separate factor divide decompose",
    "rename retitle umbenennen renommer renombrar",
    "move relocate migrate port",
    "document describe explain documentation doc docs docstring docstrings rustdoc javadoc jsdoc dokumentiere \
     dokumentieren dokumentation documenter documentar documentacion",
    "test tests testing tested unittest testcase coverage cover teste testen tester probar prueba pruebas spec specs \
     assert assertion regression",
    "speed faster fast optimize optimise optimization optimisation performance perf accelerate quick quicker slow slowness efficient \
     efficiency",
    "update upgrade bump refresh",
    "error exception failure fault fehler erreur",
    "crash panic abort segfault blow die unwrap",
    "message messages wording",
    "argument arg parameter param option flag switch cli",
    "function func fn method routine procedure",
    "directory dir folder ordner verzeichnis",
    "configuration config configure settings setting cfg preference preferences",
    "delay backoff wait",
    "invalid malformed bad broken illegal corrupt wrong incorrect garbage unparsable",
    "missing absent nonexistent",
    "empty blank leer vide vacio",
    "reject refuse deny forbid disallow",
    "validate validation check verify sanitize sanitise ensure",
    "number numeric integer int",
    "character char letter",
    "string str",
    "authentication auth login signin authenticate",
    "database db",
    "command subcommand",
    "repository repo",
    "dependency dependencies dep deps",
    "duplicate duplicated duplication dedupe deduplicate repeated redundant copy",
    "print display emit",
    "log logging logger",
    "parse parser parsing",
    "compare comparison compares comparing",
    "cycle circular cyclic cycles",
    "typo typos spelling misspelling misspelled spell",
    "bom utf8bom",
    "terminal tty console",
    "iterator iterate iterators yield generator lazy lazily",
    "chunk chunks stream streaming streamed",
    "duration elapsed",
    "insensitive insensitively",
    "edge corner boundary",
    "expire expiry timeout timeouts deadline",
    "daily day days",
    "retry retries retrying reattempt",
    "cache caching memoize memoise cached",
    "benchmark bench benchmarks benchmarking",
    "example examples sample samples demo",
    "warning warnings warn lint linter clippy",
    "unused dead unreachable",
    "utf8 utf unicode",
    "accent accents diacritic diacritics umlaut umlauts",
    "concurrent concurrency parallel simultaneous multithreaded",
    "json jsonl",
    "whitespace space spaces blanks",
    "url uri link",
    "timestamp datetime",
    "negative minus",
    "zero 0",
    "lowercase lower",
    "uppercase upper",
    "readme readmes",
    "type types typing typed annotation annotations hint hints",
    "exit quit",
    "paginate pagination paging paginator",
    "long lengthy large big huge",
    "limit bound cap maximum max",
    "handle cope deal tolerate accept support allow survive handles process treat",
    "truncate shorten ellipsis",
    "sort arrange sorted sorting ordering",
    "stop shutdown terminate halt kill",
    "launch startup boot begin",
    "choose select pick",
    "search lookup query find seek",
    "store save persist",
    "fetch retrieve obtain",
    "replace substitute swap exchange",
    "combine merge join unify consolidate",
    "prevent avoid block protect guard",
    "interrupt sigint ctrl cancel",
    "skip ignore omit drop",
    "record keep track",
    "show present",
    "first-time initial",
    "atomic atomically",
    "thread threads threaded",
    "secret password credential credentials",
    "picture image photo",
    "1 first",
    "2 second",
    "3 third",
    "color colour colorize colourize colored coloured",
];

/// Words that many goals have, and that a paraphrase swaps for others.
const GENERIC: &str = "add adding create implement write introduce provide make build include extend enable give \
    offer put set use using handle improve improvement better enhance change modify adjust rework proper properly \
    correctly gracefully clear cleanly useful sensible helpful nice good value values case cases way behaviour behavior \
    result results function method module file files class code logic implementation feature functionality basic simple \
    missing incorrect existing public private current several various different line lines thing things part work works \
    working program user users people tool project system library data object item items content contents return returns \
    call calls called caller path paths name names message option argument input inputs output string text list lists \
    instead raise raises throw throws print show shows report reports detect need needs run runs running execute fail \
    fails failing failed cause causes happen happens occur occurs leave leaves keep keeps take takes come comes go goes \
    turn find found look one two first again properly real raw plain whole single entire small helper helpers utility \
    utilities fehlende neue fuge hinzu hinzufugen erganze erganzen schreibe schreiben implementiere implementieren \
    ajoute ajouter ecrire ecris anade anadir agrega agregar escribe escribir crea crear respond response expected \
    unexpected move extract split relevant able full entirely edge early mean means time times everything unit suite suit code specific correct fix error crash invalid refactor update support command configuration number character \
    character validate document test";

/// Pairs of which a goal that has the one is not a goal that has the other.
const OPPOSITE: &[(&str, &str)] = &[
    ("enable", "disable"),
    ("increase", "decrease"),
    ("raise", "lower"),
    ("encode", "decode"),
    ("import", "export"),
    ("start", "stop"),
    ("lock", "unlock"),
    ("minimum", "maximum"),
    ("min", "limit"),
    ("serialize", "deserialize"),
    ("push", "pull"),
    ("before", "after"),
    ("client", "server"),
    ("first", "last"),
    ("second", "last"),
    ("parse", "format"),
    ("lowercase", "uppercase"),
    ("left", "right"),
    ("row", "column"),
    ("input", "output"),
    ("open", "close"),
    ("upload", "download"),
    ("encrypt", "decrypt"),
    ("compress", "decompress"),
    ("handle", "reject"),
    ("read", "write"),
    ("ascending", "descending"),
    ("show", "hide"),
    ("request", "response"),
    ("stdin", "stdout"),
    ("stdout", "stderr"),
    ("get", "set"),
    ("insert", "remove"),
    ("add", "remove"),
    ("subscribe", "unsubscribe"),
    ("pad", "trim"),
    ("save", "load"),
    ("install", "uninstall"),
    ("mask", "unmask"),
    ("windows", "linux"),
    ("windows", "macos"),
    ("linux", "macos"),
    ("bash", "zsh"),
    ("bash", "fish"),
    ("zsh", "fish"),
];

/// Stems of paths that say nothing.
const COMMON_STEMS: &[&str] = &[
    "mod", "lib", "main", "index", "init", "__init__", "test", "tests", "readme", "util", "utils", "app", "config",
    "types", "helper", "helpers", "common", "core", "base",
];

struct Tables {
    filling: HashSet<&'static str>,
    same: HashMap<&'static str, &'static str>,
    same_stems: HashMap<String, &'static str>,
    generic: HashSet<String>,
    opposite: Vec<(String, String)>,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let mut same = HashMap::new();
    let mut same_stems = HashMap::new();
    for group in SAME {
        let head = group.split_whitespace().next().unwrap_or_default();
        for word in group.split_whitespace() {
            same.entry(word).or_insert(head);
            same_stems.entry(stemmed(word)).or_insert(head);
        }
    }
    let canonical = |word: &str| canonical_in(word, &same, &same_stems);
    let generic = GENERIC.split_whitespace().map(canonical).collect();
    let opposite = OPPOSITE
        .iter()
        .map(|(one, two)| (canonical(one), canonical(two)))
        .collect();
    Tables {
        filling: FILLING.split_whitespace().collect(),
        generic,
        opposite,
        same,
        same_stems,
    }
});

fn canonical_in(
    word: &str,
    same: &HashMap<&'static str, &'static str>,
    stems: &HashMap<String, &'static str>,
) -> String {
    if let Some(head) = same.get(word) {
        return (*head).to_owned();
    }
    let stem = stemmed(word);
    stems.get(&stem).map_or(stem, |head| (*head).to_owned())
}

/// Returns the words of a text, lower case: chunks between spaces as they are, and the names in them.
pub(crate) fn raw(text: &str) -> impl Iterator<Item = String> {
    text.split_whitespace().flat_map(|chunk| {
        let whole = chunk.trim_matches(|c: char| !c.is_alphanumeric());
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let parts = whole.split(move |c| !is_name(c)).filter(|part| !part.is_empty());
        let all = std::iter::once(whole).chain(parts).map(str::to_lowercase);
        all.filter(|word| !word.is_empty()).collect::<Vec<_>>()
    })
}

/// Returns the names of code in a text, lower case: what has `_`, a hump, or `()` behind it.
pub(crate) fn code_names(text: &str) -> impl Iterator<Item = String> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    text.split(move |c: char| !(is_name(c) || c == '('))
        .filter_map(move |word| {
            let (name, called) = match word.split_once('(') {
                Some((name, _)) => (name, true),
                None => (word, false),
            };
            let inner = name.trim_matches('_');
            let hump = inner.chars().skip(1).any(char::is_uppercase) && inner.chars().any(char::is_lowercase);
            let is_code = called || hump || inner.contains('_');
            (is_code && inner.chars().count() > 2).then(|| name.to_lowercase())
        })
}

/// Returns a text without the chunks between spaces that hold names of code.
pub(crate) fn without_names(text: &str) -> String {
    let plain = text
        .split_whitespace()
        .filter(|chunk| code_names(chunk).next().is_none());
    plain.collect::<Vec<&str>>().join(" ")
}

/// Returns the names of code and of flags in a text, as letters and digits alone.
pub(crate) fn names(text: &str) -> BTreeSet<String> {
    let letters = |name: &str| -> String { name.chars().filter(|c| c.is_alphanumeric()).collect() };
    let flags = text
        .split_whitespace()
        .filter_map(|word| word.trim_start_matches(['`', '(', '"']).strip_prefix("--"));
    let flags = flags.map(|flag| flag.split(['=', ' ', '`', ',']).next().unwrap_or(flag).to_lowercase());
    let all = code_names(text).chain(flags).map(|name| letters(&name));
    all.filter(|name| !name.is_empty()).collect()
}

/// Returns the last name of a path without its ending, lower case.
pub(crate) fn stem_of_path(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.split('.').find(|part| !part.is_empty()).unwrap_or(name);
    stem.to_lowercase()
}

/// True for stems that many paths have, or that are too short to say anything.
pub(crate) fn is_common_stem(stem: &str) -> bool {
    stem.chars().count() < 3 || COMMON_STEMS.contains(&stem)
}

/// True for a word that a paraphrase swaps for another.
pub(crate) fn is_generic(word: &str) -> bool {
    TABLES.generic.contains(word)
}

/// Returns the pairs of which a goal has only one side, as comparable words.
pub(crate) fn opposites() -> &'static [(String, String)] {
    &TABLES.opposite
}

/// Terms of several words, and the one that stands for them.
const TERMS: &[(&str, &str)] = &[
    ("byte order mark", "bom"),
    ("standard input", "stdin"),
    ("standard output", "stdout"),
    ("standard error", "stderr"),
    ("off by one", "offbyone"),
    ("off-by-one", "offbyone"),
    ("time out", "timeout"),
    ("back-off", "backoff"),
    ("read me", "readme"),
    ("doc comment", "docstring"),
    ("dead code", "unused code"),
    ("start-up", "startup"),
    ("unit test", "test"),
    ("test case", "test"),
    ("ctrl-c", "sigint"),
    ("line break", "newline"),
    ("line ending", "newline"),
];

/// Returns the comparable words of a text, in its order; a number is a word.
pub(crate) fn comparable(text: &str) -> Vec<String> {
    let mut text = Cow::Borrowed(text);
    for (term, word) in TERMS {
        if text.contains(term) {
            text = Cow::Owned(text.replace(term, word));
        }
    }
    let mut words = Vec::new();
    let parts = text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '\'' || c == '’'));
    for part in parts.filter(|part| !part.is_empty()) {
        let part = part.split(['\'', '’']).next().unwrap_or(part);
        for piece in pieces(part) {
            let lower: String = piece.chars().flat_map(char::to_lowercase).map(plain).collect();
            if lower.chars().any(is_dense) {
                words.extend(pairs(&lower));
            } else if !TABLES.filling.contains(lower.as_str()) {
                words.push(canonical(&lower));
            }
        }
    }
    words
}

fn canonical(lower: &str) -> String {
    canonical_in(lower, &TABLES.same, &TABLES.same_stems)
}

/// Splits a name at `_` and humps: `foldAccents2` → `fold`, `Accents`, `2`.
fn pieces(name: &str) -> Vec<String> {
    let mut all: Vec<String> = vec![String::new()];
    let mut last: Option<char> = None;
    let mut chars = name.chars().peekable();
    while let Some(c) = chars.next() {
        let next_is_lower = chars.peek().is_some_and(|next| next.is_lowercase());
        let hump = last.is_some_and(|last| {
            let to_upper = c.is_uppercase() && (last.is_lowercase() || last.is_uppercase() && next_is_lower);
            to_upper || c.is_ascii_digit() != last.is_ascii_digit() && !is_version(name)
        });
        if c == '_' || hump {
            all.push(String::new());
        }
        if c != '_' {
            all.last_mut().into_iter().for_each(|piece| piece.push(c));
        }
        last = Some(c);
    }
    all.retain(|piece| !piece.is_empty());
    all
}

/// `utf8`, `sha256`, `p95`: letters and digits that are one word.
fn is_version(name: &str) -> bool {
    name.len() <= 6
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.ends_with(|c: char| c.is_ascii_digit())
}

/// Drops the marks of Latin letters.
fn plain(c: char) -> char {
    match c {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => 'a',
        'ç' => 'c',
        'è' | 'é' | 'ê' | 'ë' => 'e',
        'ì' | 'í' | 'î' | 'ï' => 'i',
        'ñ' => 'n',
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' => 'o',
        'ù' | 'ú' | 'û' | 'ü' => 'u',
        'ý' | 'ÿ' => 'y',
        c => c,
    }
}

/// True for letters of scripts that are written without spaces.
fn is_dense(c: char) -> bool {
    matches!(u32::from(c), 0x0e00..=0x0eff | 0x1000..=0x109f | 0x1780..=0x17ff | 0x3040..=0x30ff | 0x3400..=0x9fff | 0xf900..=0xfaff | 0x20000..=0x3ffff)
}

fn pairs(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() < 2 {
        return vec![text.to_owned()];
    }
    chars.windows(2).map(|pair| pair.iter().collect()).collect()
}

/// Cuts the commonest endings of English off, so that `parses`, `parsed` and `parsing` are one.
fn stemmed(word: &str) -> String {
    const ENDINGS: &[(&str, &str)] = &[
        ("ations", "at"),
        ("ation", "at"),
        ("ingly", ""),
        ("iness", "y"),
        ("ness", ""),
        ("ments", ""),
        ("ment", ""),
        ("ings", ""),
        ("ing", ""),
        ("ies", "y"),
        ("ied", "y"),
        ("edly", ""),
        ("ers", ""),
        ("er", ""),
        ("ors", ""),
        ("or", ""),
        ("ions", ""),
        ("ion", ""),
        ("sses", "ss"),
        ("ed", ""),
        ("es", ""),
        ("ly", ""),
        ("s", ""),
        ("e", ""),
    ];
    if !word.is_ascii() || word.ends_with("ss") {
        return word.to_owned();
    }
    for (ending, instead) in ENDINGS {
        let Some(stem) = word.strip_suffix(ending) else {
            continue;
        };
        if stem.len() + instead.len() < 3 {
            continue;
        }
        let stem = format!("{stem}{instead}");
        // `running` → `run`, `stopped` → `stop`
        let twice = stem
            .as_bytes()
            .last_chunk::<2>()
            .is_some_and(|[a, b]| a == b && !b"lsz".contains(a));
        let is_verb = matches!(*ending, "ing" | "ed" | "er" | "ers");
        let mut stem = stem;
        if twice && is_verb {
            stem.pop();
        }
        if stem.len() > 3 && stem.ends_with('e') {
            stem.pop();
        }
        return stem;
    }
    word.to_owned()
}
