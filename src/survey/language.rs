//! Languages: which one a file is written in, and what of their customs the rules of a survey need.

/// A language that line patterns are known for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Language {
    /// Rust.
    Rust,
    /// Python.
    Python,
    /// JavaScript and TypeScript.
    Script,
    /// Go.
    Go,
    /// Java, Kotlin, C#, Scala and Swift, which are alike in what is looked for.
    Java,
    /// C and C++.
    C,
    /// Ruby.
    Ruby,
    /// PHP.
    Php,
    /// Shells.
    Shell,
    /// A language of which only comments are known.
    Other,
}

impl Language {
    /// Returns the language of a file by its name.
    pub fn of(name: &str) -> Option<Self> {
        let (_, extension) = name.rsplit_once('.')?;
        Some(match extension {
            "rs" => Self::Rust,
            "py" | "pyi" => Self::Python,
            "js" | "jsx" | "ts" | "tsx" | "mjs" | "cjs" | "mts" | "cts" | "vue" | "svelte" => Self::Script,
            "go" => Self::Go,
            "java" | "kt" | "kts" | "cs" | "scala" | "swift" => Self::Java,
            "c" | "h" | "cc" | "cpp" | "cxx" | "hpp" | "hh" | "m" | "mm" => Self::C,
            "rb" => Self::Ruby,
            "php" => Self::Php,
            "sh" | "bash" | "zsh" | "fish" => Self::Shell,
            "lua" | "pl" | "pm" | "ex" | "exs" | "erl" | "hs" | "ml" | "clj" | "dart" | "zig" | "nim" | "jl" | "r"
            | "R" | "el" | "vim" | "sql" | "proto" | "css" | "scss" => Self::Other,
            _ => return None,
        })
    }

    /// Returns what starts a comment, the line comment first.
    pub fn comments(self) -> &'static [&'static str] {
        match self {
            Self::Rust | Self::Script | Self::Go | Self::Java | Self::C => &["//", "/*"],
            Self::Python | Self::Ruby | Self::Shell => &["#"],
            Self::Php => &["//", "#", "/*"],
            Self::Other => &["//", "#", "--", ";;", "%%", "/*"],
        }
    }

    /// True where a single quote opens a string of any length.
    pub fn single_quotes(self) -> bool {
        !matches!(self, Self::Rust | Self::Go | Self::Java | Self::C | Self::Other)
    }
}
