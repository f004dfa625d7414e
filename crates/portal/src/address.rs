//! Our own addresses as they are called below the prefix, those of them that more than one place names. A link to one is made by
//! [`Portal::to`]; the whole list is in [`crate::router`].

pub(crate) use vestibule_core::wire::paths::LOGIN;

use crate::Portal;

pub(crate) const ACCOUNT: &str = "/account";
pub(crate) const API_CONFIRM: &str = "/api/v1/confirm";
pub(crate) const API_LOGIN: &str = "/api/v1/login";
pub(crate) const API_LOGOUT: &str = "/api/v1/logout";
pub(crate) const CONFIRM: &str = "/confirm";
pub(crate) const IDENTIFIER: &str = "/account/identifier";
pub(crate) const LOGOUT: &str = "/logout";
pub(crate) const PASSWORD: &str = "/account/password";
pub(crate) const REGISTER: &str = "/register";
/// Files are below it.
pub(crate) const STATIC: &str = "/static";

impl Portal {
    /// The path by which a browser or a client reaches an address of ours.
    pub(crate) fn to(&self, address: &str) -> String {
        self.paths.to(address)
    }

    /// The page to go to when a request names no way back.
    pub(crate) fn home(&self) -> String {
        self.to(ACCOUNT)
    }
}
