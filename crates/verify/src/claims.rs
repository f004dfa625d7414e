//! What a token says.
//! In: the payload of a JWS. Out: claims whose types are right; whether they are *true* is not
//! decided here: [`crate::Verified`] says that.

use serde_json::{Map, Value};

use crate::{
    reject::{MemberFault, Reject},
    strict_json::{self, Limits},
};

/// The last second of the year 9999: no honest date lies beyond it.
const LAST_DATE: u64 = 253_402_300_799;

/// The claims of one token, well-typed (RFC 7519 §4.1, RFC 9068 §2.2). Dates are whole Unix seconds: a fraction is cut off.
#[derive(Clone, Debug, PartialEq)]
pub struct Claims {
    exp: u64,
    iat: Option<u64>,
    nbf: Option<u64>,
    auth_time: Option<u64>,
    members: Map<String, Value>,
}

impl Claims {
    /// Reads claims and checks their types. This proves nothing about who wrote them.
    ///
    /// `iss`, `sub`, `aud` and `exp` must be there. `aud` may be written as an array of one; more
    /// than one audience is refused, since each could replay the token at the others.
    ///
    /// # Errors
    /// [`Reject::ClaimsJson`] or [`Reject::Claim`].
    pub fn parse(payload: &[u8]) -> Result<Self, Reject> {
        let members = strict_json::parse_object(payload, Limits::JOSE).map_err(Reject::ClaimsJson)?;
        for claim in ["iss", "sub"] {
            text(&members, claim)?.ok_or(missing(claim))?;
        }
        for claim in ["acr", "client_id", "jti", "scope", "sid"] {
            text(&members, claim)?;
        }
        one_audience(&members)?;
        list_of_texts(&members, "amr")?;
        Ok(Self {
            exp: date(&members, "exp")?.ok_or(missing("exp"))?,
            iat: date(&members, "iat")?,
            nbf: date(&members, "nbf")?,
            auth_time: date(&members, "auth_time")?,
            members,
        })
    }

    /// Who issued the token.
    #[must_use]
    pub fn iss(&self) -> &str {
        self.text("iss").unwrap_or_default()
    }

    /// LoginTarget it speaks of.
    #[must_use]
    pub fn sub(&self) -> &str {
        self.text("sub").unwrap_or_default()
    }

    /// The one audience it is meant for.
    #[must_use]
    pub fn aud(&self) -> &str {
        match self.get("aud") {
            Some(Value::Array(one)) => one.first().and_then(Value::as_str).unwrap_or_default(),
            Some(Value::String(one)) => one,
            _ => "",
        }
    }

    /// From when on it must not be accepted.
    #[must_use]
    pub fn exp(&self) -> u64 {
        self.exp
    }

    /// When it was issued.
    #[must_use]
    pub fn iat(&self) -> Option<u64> {
        self.iat
    }

    /// Before when it must not be accepted.
    #[must_use]
    pub fn nbf(&self) -> Option<u64> {
        self.nbf
    }

    /// When the subject signed in.
    #[must_use]
    pub fn auth_time(&self) -> Option<u64> {
        self.auth_time
    }

    /// The token's own id.
    #[must_use]
    pub fn jti(&self) -> Option<&str> {
        self.text("jti")
    }

    /// The public id of the session behind the token.
    #[must_use]
    pub fn sid(&self) -> Option<&str> {
        self.text("sid")
    }

    /// The OAuth client the token was issued to.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.text("client_id")
    }

    /// The assurance of the sign-in.
    #[must_use]
    pub fn acr(&self) -> Option<&str> {
        self.text("acr")
    }

    /// The methods of the sign-in (RFC 8176).
    pub fn amr(&self) -> impl Iterator<Item = &str> {
        self.get("amr").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }

    /// The scopes granted, split at the spaces.
    pub fn scope(&self) -> impl Iterator<Item = &str> {
        self.text("scope").unwrap_or_default().split(' ').filter(|scope| !scope.is_empty())
    }

    /// Any claim by its name.
    #[must_use]
    pub fn get(&self, claim: &str) -> Option<&Value> {
        self.members.get(claim)
    }

    /// Every claim, as it was signed.
    #[must_use]
    pub fn members(&self) -> &Map<String, Value> {
        &self.members
    }

    /// The claims beyond the registered ones: what the audience asked for.
    pub fn extra(&self) -> impl Iterator<Item = (&str, &Value)> {
        let own = self.members.iter().filter(|(name, _)| !STANDARD.contains(&name.as_str()));
        own.map(|(name, value)| (name.as_str(), value))
    }

    fn text(&self, claim: &str) -> Option<&str> {
        self.get(claim)?.as_str()
    }
}

/// The claims with an accessor of their own.
const STANDARD: [&str; 13] =
    ["acr", "amr", "aud", "auth_time", "client_id", "exp", "iat", "iss", "jti", "nbf", "scope", "sid", "sub"];

fn text<'a>(members: &'a Map<String, Value>, claim: &'static str) -> Result<Option<&'a str>, Reject> {
    match members.get(claim) {
        None => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Err(out_of_range(claim)),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(wrong_type(claim)),
    }
}

/// A NumericDate, which may have a fraction (RFC 7519 §2); the second that it is in counts. A string, null: refused, not taken as absent.
fn date(members: &Map<String, Value>, claim: &'static str) -> Result<Option<u64>, Reject> {
    let Some(value) = members.get(claim) else { return Ok(None) };
    let Value::Number(number) = value else { return Err(wrong_type(claim)) };
    match number.as_u64() {
        Some(date) if date <= LAST_DATE => Ok(Some(date)),
        Some(_) => Err(out_of_range(claim)),
        None => number.as_f64().and_then(whole_seconds).map(Some).ok_or(out_of_range(claim)),
    }
}

/// The whole second of a date with a fraction, if it is one in range.
fn whole_seconds(date: f64) -> Option<u64> {
    let seconds = date.floor();
    if !(0.0..=LAST_DATE as f64).contains(&seconds) {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole, not negative, far below 2^53"
    )]
    Some(seconds as u64)
}

fn one_audience(members: &Map<String, Value>) -> Result<(), Reject> {
    let Some(Value::Array(audiences)) = members.get("aud") else {
        return text(members, "aud")?.map(drop).ok_or(missing("aud"));
    };
    match audiences.as_slice() {
        [Value::String(one)] if !one.is_empty() => Ok(()),
        [_] => Err(wrong_type("aud")),
        _ => Err(out_of_range("aud")),
    }
}

fn list_of_texts(members: &Map<String, Value>, claim: &'static str) -> Result<(), Reject> {
    match members.get(claim) {
        None => Ok(()),
        Some(Value::Array(items)) if items.iter().all(Value::is_string) => Ok(()),
        Some(_) => Err(wrong_type(claim)),
    }
}

fn missing(claim: &'static str) -> Reject {
    Reject::Claim { claim, reason: MemberFault::Missing }
}

fn out_of_range(claim: &'static str) -> Reject {
    Reject::Claim { claim, reason: MemberFault::OutOfRange }
}

fn wrong_type(claim: &'static str) -> Reject {
    Reject::Claim { claim, reason: MemberFault::WrongType }
}

#[cfg(test)]
mod tests;
