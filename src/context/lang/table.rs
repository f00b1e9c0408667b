//! The table of languages: one row each. A further language is a further row.

use crate::context::lang::roles::{CALL, DATA, FUNCTION, HOLDER, LEAD, NAMED, OPEN, Role, SPEC, UNIT, VALUE, WIDE};

/// What is known about a language.
pub(super) struct Language {
    /// Its number as a `Syntax`, which never changes.
    pub(super) number: u8,
    /// Whole names of its files.
    pub(super) names: &'static [&'static str],
    /// How names of its files end, without the dot.
    pub(super) suffixes: &'static [&'static str],
    /// Makes its grammar.
    pub(super) grammar: fn() -> tree_sitter::Language,
    /// Its kinds of nodes by their roles.
    pub(super) kinds: &'static [(Role, &'static str)],
}

const JAVASCRIPT: &[(Role, &str)] = &[
    (
        UNIT,
        "function_declaration generator_function_declaration method_definition interface_declaration \
         type_alias_declaration enum_declaration function_signature abstract_method_signature class_static_block",
    ),
    (
        VALUE,
        "lexical_declaration variable_declaration field_definition public_field_definition",
    ),
    (HOLDER | SPEC, "pair assignment_expression"),
    (HOLDER | WIDE | CALL, "expression_statement"),
    (
        OPEN | NAMED,
        "class_declaration abstract_class_declaration internal_module module class",
    ),
    (OPEN, "class_body export_statement ambient_declaration"),
    (
        WIDE,
        "statement_block if_statement else_clause try_statement call_expression arguments parenthesized_expression \
         function_expression arrow_function object return_statement variable_declarator unary_expression array",
    ),
    (FUNCTION, "arrow_function function_expression generator_function class"),
    (LEAD, "comment decorator"),
    (SPEC, "variable_declarator"),
];

const C: &[(Role, &str)] = &[
    (
        UNIT,
        "function_definition struct_specifier enum_specifier union_specifier type_definition preproc_function_def preproc_def",
    ),
    (UNIT | DATA, "declaration"),
    (
        OPEN,
        "preproc_if preproc_ifdef preproc_else preproc_elif preproc_elifdef linkage_specification declaration_list",
    ),
    (LEAD, "comment"),
];

/// All languages that are in this build.
pub(super) const LANGUAGES: &[Language] = &[
    #[cfg(feature = "lang-core")]
    Language {
        number: 1,
        names: &[],
        suffixes: &["rs"],
        grammar: || tree_sitter_rust::LANGUAGE.into(),
        kinds: &[
            (
                UNIT,
                "function_item function_signature_item struct_item enum_item union_item type_item const_item static_item \
                 macro_definition associated_type",
            ),
            (OPEN | NAMED, "impl_item trait_item mod_item"),
            (OPEN, "declaration_list foreign_mod_item"),
            (LEAD, "line_comment block_comment attribute_item"),
            (WIDE, "block expression_statement"),
        ],
    },
    #[cfg(feature = "lang-core")]
    Language {
        number: 2,
        names: &["SConstruct", "SConscript", "wscript"],
        suffixes: &["py", "pyi", "pyw", "bzl"],
        grammar: || tree_sitter_python::LANGUAGE.into(),
        kinds: &[
            (UNIT, "function_definition type_alias_statement"),
            (VALUE, "expression_statement"),
            (OPEN | NAMED, "class_definition"),
            (
                OPEN,
                "block decorated_definition if_statement else_clause elif_clause try_statement except_clause \
                 finally_clause with_statement",
            ),
            (LEAD, "comment decorator"),
            (SPEC, "assignment"),
        ],
    },
    #[cfg(feature = "lang-core")]
    Language {
        number: 3,
        names: &[],
        suffixes: &["go"],
        grammar: || tree_sitter_go::LANGUAGE.into(),
        kinds: &[
            (
                UNIT,
                "function_declaration method_declaration type_declaration const_declaration var_declaration",
            ),
            (LEAD, "comment"),
            (SPEC, "type_spec type_alias const_spec var_spec var_spec_list"),
        ],
    },
    #[cfg(feature = "lang-core")]
    Language {
        number: 4,
        names: &[],
        suffixes: &["ts", "mts", "cts"],
        grammar: || tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
        kinds: JAVASCRIPT,
    },
    #[cfg(feature = "lang-core")]
    Language {
        number: 5,
        names: &[],
        suffixes: &["tsx"],
        grammar: || tree_sitter_typescript::LANGUAGE_TSX.into(),
        kinds: JAVASCRIPT,
    },
    #[cfg(feature = "lang-core")]
    Language {
        number: 6,
        names: &["Jakefile"],
        suffixes: &["js", "mjs", "cjs", "jsx"],
        grammar: || tree_sitter_javascript::LANGUAGE.into(),
        kinds: JAVASCRIPT,
    },
    #[cfg(feature = "lang-core")]
    Language {
        number: 7,
        names: &[],
        suffixes: &["c", "h"],
        grammar: || tree_sitter_c::LANGUAGE.into(),
        kinds: C,
    },
    #[cfg(feature = "lang-core")]
    Language {
        number: 8,
        names: &[],
        suffixes: &["java"],
        grammar: || tree_sitter_java::LANGUAGE.into(),
        kinds: &[
            (
                UNIT,
                "method_declaration constructor_declaration compact_constructor_declaration static_initializer \
                 annotation_type_element_declaration enum_constant field_declaration constant_declaration",
            ),
            (
                OPEN | NAMED,
                "class_declaration interface_declaration enum_declaration record_declaration annotation_type_declaration",
            ),
            (
                OPEN,
                "class_body interface_body enum_body enum_body_declarations annotation_type_body",
            ),
            (LEAD, "line_comment block_comment"),
        ],
    },
    #[cfg(feature = "lang-core")]
    Language {
        number: 9,
        names: &[
            ".bashrc",
            ".bash_profile",
            ".bash_aliases",
            ".bash_login",
            ".bash_logout",
            ".profile",
            ".zshrc",
            ".zshenv",
            ".zprofile",
            "PKGBUILD",
            "APKBUILD",
        ],
        suffixes: &["sh", "bash", "zsh", "ksh", "bats", "ebuild"],
        grammar: || tree_sitter_bash::LANGUAGE.into(),
        kinds: &[
            (UNIT, "function_definition variable_assignment"),
            (VALUE, "declaration_command"),
            (OPEN, "if_statement else_clause elif_clause"),
            (WIDE, "compound_statement"),
            (LEAD, "comment"),
            (SPEC, "variable_assignment"),
        ],
    },
    #[cfg(feature = "lang-more")]
    Language {
        number: 10,
        names: &[],
        suffixes: &[
            "cpp", "cc", "cxx", "c++", "C", "hpp", "hh", "hxx", "h++", "H", "ipp", "tpp", "inl", "cu", "cuh", "ino",
        ],
        grammar: || tree_sitter_cpp::LANGUAGE.into(),
        kinds: &[
            (
                UNIT,
                "function_definition enum_specifier type_definition preproc_function_def preproc_def alias_declaration \
                 concept_definition",
            ),
            (UNIT | DATA, "declaration field_declaration"),
            (
                OPEN | NAMED,
                "class_specifier struct_specifier union_specifier namespace_definition",
            ),
            (
                OPEN,
                "preproc_if preproc_ifdef preproc_else preproc_elif preproc_elifdef linkage_specification declaration_list \
                 template_declaration field_declaration_list",
            ),
            (LEAD, "comment"),
        ],
    },
    #[cfg(feature = "lang-more")]
    Language {
        number: 11,
        names: &[],
        suffixes: &["cs", "csx"],
        grammar: || tree_sitter_c_sharp::LANGUAGE.into(),
        kinds: &[
            (
                UNIT,
                "method_declaration constructor_declaration destructor_declaration property_declaration \
                 indexer_declaration event_declaration event_field_declaration field_declaration operator_declaration \
                 conversion_operator_declaration delegate_declaration enum_declaration local_function_statement",
            ),
            (
                OPEN | NAMED,
                "class_declaration struct_declaration interface_declaration record_declaration",
            ),
            (
                OPEN,
                "namespace_declaration file_scoped_namespace_declaration declaration_list preproc_if preproc_else preproc_elif global_statement",
            ),
            (LEAD, "comment"),
            (SPEC, "variable_declaration variable_declarator"),
        ],
    },
    #[cfg(feature = "lang-more")]
    Language {
        number: 12,
        names: &[
            "Gemfile",
            "Rakefile",
            "Vagrantfile",
            "Guardfile",
            "Podfile",
            "Fastfile",
            "Brewfile",
        ],
        suffixes: &["rb", "rake", "gemspec", "ru"],
        grammar: || tree_sitter_ruby::LANGUAGE.into(),
        kinds: &[
            (UNIT, "method singleton_method"),
            (VALUE | SPEC, "assignment"),
            (WIDE | CALL, "call"),
            (OPEN | NAMED, "module class"),
            (OPEN, "singleton_class body_statement"),
            (
                WIDE,
                "do_block block block_body argument_list begin if unless then else",
            ),
            (LEAD, "comment"),
        ],
    },
    #[cfg(feature = "lang-more")]
    Language {
        number: 13,
        names: &[],
        suffixes: &["php", "phtml"],
        grammar: || tree_sitter_php::LANGUAGE_PHP.into(),
        kinds: &[
            (
                UNIT,
                "function_definition method_declaration property_declaration const_declaration enum_case",
            ),
            (
                OPEN | NAMED,
                "class_declaration interface_declaration trait_declaration enum_declaration",
            ),
            (
                OPEN,
                "namespace_definition declaration_list compound_statement enum_declaration_list if_statement else_clause",
            ),
            (WIDE, "expression_statement"),
            (LEAD, "comment"),
            (SPEC, "const_element property_element"),
        ],
    },
];
