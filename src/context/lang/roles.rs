//! Roles: what the kinds of a grammar's nodes are to a chunk.

use std::num::NonZeroU16;

use tree_sitter::Language;

/// What a kind of node is, as bits.
pub(super) type Role = u16;

/// Shown whole; looked into only if it is too long for that.
pub(super) const UNIT: Role = 1;
/// A unit unless it lies in another one; there only if it holds a function.
pub(super) const VALUE: Role = 2;
/// A unit if it holds a function.
pub(super) const HOLDER: Role = 4;
/// Belongs to what follows it: a comment, an attribute.
pub(super) const LEAD: Role = 8;
/// Looked into.
pub(super) const OPEN: Role = 16;
/// Has a name of its own beside those in it.
pub(super) const NAMED: Role = 32;
/// Looked into if it is long.
pub(super) const WIDE: Role = 64;
/// A function without a name, which what holds it gives.
pub(super) const FUNCTION: Role = 128;
/// May be a call that describes tests.
pub(super) const CALL: Role = 256;
/// Holds a name for what it stands in.
pub(super) const SPEC: Role = 512;
/// Announces functions that are defined elsewhere, which is no name here.
pub(super) const DATA: Role = 1024;

/// The roles of a grammar's kinds by their numbers, and the fields that hold names.
pub(super) struct Roles {
    roles: Vec<Role>,
    pub(super) fields: Fields,
}

/// Numbers of fields; a grammar has some of them.
pub(super) struct Fields {
    pub(super) name: Option<NonZeroU16>,
    pub(super) declarator: Option<NonZeroU16>,
    pub(super) left: Option<NonZeroU16>,
    pub(super) right: Option<NonZeroU16>,
    pub(super) value: Option<NonZeroU16>,
    pub(super) kind: Option<NonZeroU16>,
    pub(super) body: Option<NonZeroU16>,
    pub(super) property: Option<NonZeroU16>,
    pub(super) key: Option<NonZeroU16>,
    pub(super) function: Option<NonZeroU16>,
    pub(super) method: Option<NonZeroU16>,
    pub(super) arguments: Option<NonZeroU16>,
}

impl Roles {
    /// Looks up the numbers of `kinds`: roles, each with names of kinds between blanks.
    pub(super) fn of(grammar: &Language, kinds: &[(Role, &str)]) -> Self {
        let count = u16::try_from(grammar.node_kind_count()).unwrap_or(u16::MAX);
        let role = |id: u16| -> Role {
            let name = grammar.node_kind_for_id(id).filter(|_| grammar.node_kind_is_named(id));
            let rows = kinds
                .iter()
                .filter(|(_, names)| name.is_some_and(|name| names.split(' ').any(|n| n == name)));
            rows.fold(0, |all, (role, _)| all | role)
        };
        let field = |name: &str| grammar.field_id_for_name(name);
        Self {
            roles: (0..count).map(role).collect(),
            fields: Fields {
                name: field("name"),
                declarator: field("declarator"),
                left: field("left"),
                right: field("right"),
                value: field("value"),
                kind: field("type"),
                body: field("body"),
                property: field("property"),
                key: field("key"),
                function: field("function"),
                method: field("method"),
                arguments: field("arguments"),
            },
        }
    }

    /// Returns the role of a kind. What the grammar could not read is looked into.
    pub(super) fn get(&self, kind: u16) -> Role {
        match kind {
            u16::MAX => OPEN,
            kind => self.roles.get(usize::from(kind)).copied().unwrap_or_default(),
        }
    }
}
