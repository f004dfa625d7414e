//! What a key is for. A JWT for one of the two is no good for the other by its signature alone, whatever its claims say and however
//! careless whoever reads them is (RFC 8725 section 3.12). In: the word that a store keeps. Out: the purpose.

/// What a key signs, and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyPurpose {
    /// Access tokens, which clients hold and the doors of this gateway alone verify. Not published.
    Edge,
    /// What services verify by the published key set.
    Services,
}

impl KeyPurpose {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Edge, Self::Services];

    /// The word for stores and listings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Edge => "edge",
            Self::Services => "services",
        }
    }

    /// Back from a store.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.name() == name)
    }
}
