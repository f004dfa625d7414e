//! From a client to a JWT by which it acts for itself. In: the client, an audience, and the scopes it asks for. Out: a JWT in which subject
//! and client are one and no session is named; made anew each time, as clients keep theirs.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::claims::Signed;
use super::{BACKDATED, Minter};
use crate::client::Client;
use crate::fault::Fault;

/// A JWT by which a client acts for itself, for one audience. No Debug: it is a credential until it expires.
pub struct ClientJwt {
    /// The JWT.
    pub jwt: Zeroizing<String>,
    /// How long it is good from now on.
    pub lifetime: Duration,
}

impl Minter {
    /// A JWT for a client's own sake; `None` where the audience is not configured any more. Whether the client may have it is the
    /// caller's to know. The doors of this gateway are no audience for it: there is no session behind it that could be looked up there.
    pub fn for_client(
        &self,
        client: &Client,
        audience: &str,
        scopes: &[&str],
    ) -> Result<Option<ClientJwt>, Fault> {
        let audiences = self.audiences.load();
        let Some(audience) = audiences.get(audience).filter(|audience| audience.name != self.issuer) else {
            return Ok(None);
        };
        let now = self.clock.now();
        let mut jti = [0; 16];
        self.entropy.fill(&mut jti)?;
        let mut claims = json!({
            "iss": self.issuer,
            "sub": client.id.to_string(),
            "aud": audience.name,
            "exp": now.after(audience.lifetime).unix_seconds(),
            "iat": now.before(BACKDATED).unix_seconds(),
            "jti": BASE64URL_NOPAD.encode(&jti),
            "client_id": client.id.to_string(),
        });
        if let (Value::Object(members), false) = (&mut claims, scopes.is_empty()) {
            members.insert("scope".to_owned(), scopes.join(" ").into());
        }
        // There is no account whose traits could be told.
        let Signed { jwt, .. } = self.signed(claims, audience, None, now)?;
        Ok(Some(ClientJwt { jwt: Zeroizing::new(jwt), lifetime: audience.lifetime }))
    }
}
