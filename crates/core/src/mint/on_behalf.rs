//! From a session to a JWT by which a client acts on behalf of whoever is signed in (RFC 8693 section 4.1). In: whom it speaks for, who acts,
//! and within which bounds. Out: a JWT that names both; made anew each time.

use data_encoding::BASE64URL_NOPAD;
use serde_json::Value;
use zeroize::Zeroizing;

use super::claims::Signed;
use super::{BACKDATED, ClientJwt, Minter};
use crate::client::Client;
use crate::fault::Fault;
use crate::principal::Principal;
use crate::time::Timestamp;

/// Who acts for whom, and how far.
pub struct OnBehalf<'a> {
    /// The client that acts.
    pub client: &'a Client,
    /// Who acts and has acted, the last one outermost: the value of `act`.
    pub act: Value,
    /// What it is good for.
    pub scopes: &'a [&'a str],
    /// It is good until then at most.
    pub latest: Timestamp,
}

impl Minter {
    /// A JWT for one audience; `None` where no audience has that name. Whether the client may have it is the caller's to know.
    pub(crate) async fn on_behalf(
        &self,
        principal: &Principal,
        on_behalf: OnBehalf<'_>,
        audience: &str,
    ) -> Result<Option<ClientJwt>, Fault> {
        let audiences = self.audiences.load_full();
        let Some(audience) = audiences.get(audience).filter(|audience| audience.name != self.issuer) else {
            return Ok(None);
        };
        let account = self.account_for(audience, principal.subject).await?;
        let now = self.clock.now();
        let expires_at = now.after(audience.lifetime).min(on_behalf.latest);
        let mut jti = [0; 16];
        self.entropy.fill(&mut jti)?;
        let mut claims = self.standard_claims(principal, audience, expires_at);
        let more = [
            ("act", on_behalf.act),
            ("client_id", on_behalf.client.id.to_string().into()),
            ("iat", now.before(BACKDATED).unix_seconds().into()),
            ("jti", BASE64URL_NOPAD.encode(&jti).into()),
        ];
        claims.extend(more.map(|(name, value)| (name.to_owned(), value)));
        if !on_behalf.scopes.is_empty() {
            claims.insert("scope".to_owned(), on_behalf.scopes.join(" ").into());
        }
        let Signed { jwt, .. } = self.signed(Value::Object(claims), audience, account.as_ref(), now)?;
        Ok(Some(ClientJwt { jwt: Zeroizing::new(jwt), lifetime: expires_at.since(now) }))
    }
}
