//! What an audience is told, for those that ask instead of verifying (RFC 7662), and the same signed for the one that asked (RFC 9701).
//! In: whom it is about, and who asks. Out: claims, or a JWT that is an answer and no credential.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value, json};

use super::claims::tell;
use super::{BACKDATED, Minter};
use crate::fault::Fault;
use crate::id::ClientId;
use crate::key::KeyPurpose;
use crate::principal::Principal;
use crate::time::Timestamp;

/// RFC 9701 section 5: no verifier of access tokens takes it.
const TYP: &str = "token-introspection+jwt";

impl Minter {
    /// The claims that a JWT for this audience would have at this moment, but for `iat` and `jti`, which only a JWT has; `None` where no
    /// audience has that name. Nothing is signed.
    pub(crate) async fn told(
        &self,
        principal: &Principal,
        good_until: Timestamp,
        audience: &str,
    ) -> Result<Option<Map<String, Value>>, Fault> {
        let audiences = self.audiences.load_full();
        let Some(audience) = audiences.get(audience).filter(|audience| audience.name != self.issuer) else {
            return Ok(None);
        };
        let account = self.account_for(audience, principal.subject).await?;
        let mut claims = self.standard_claims(principal, audience, good_until);
        let (ring, now) = (self.ring.load(), self.clock.now());
        let room = self.room_for_claims(audience, ring.signer(audience.purpose, now)?);
        // What would be dropped from a JWT is dropped here, too: an audience is told one and the same, however it asks. So what a JWT alone
        // says takes its room meanwhile.
        claims.insert("iat".to_owned(), now.before(BACKDATED).unix_seconds().into());
        claims.insert("jti".to_owned(), BASE64URL_NOPAD.encode(&[0; 16]).into());
        tell(&mut claims, audience, account.as_ref(), room);
        claims.remove("iat");
        claims.remove("jti");
        Ok(Some(claims))
    }

    /// The answer to a client's question about a token, signed for that client alone.
    pub fn introspection_jwt(&self, client: &ClientId, answer: Map<String, Value>) -> Result<String, Fault> {
        let now = self.clock.now();
        let claims = json!({
            "iss": self.issuer,
            "aud": client.to_string(),
            "iat": now.before(BACKDATED).unix_seconds(),
            "token_introspection": answer,
        });
        self.ring.load().signer(KeyPurpose::Services, now)?.sign_as(TYP, &claims)
    }
}
