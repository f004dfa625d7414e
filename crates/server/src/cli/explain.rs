//! `vestibule explain`: why one request would be let through or not, step by step.

use clap::Args;
use http::{HeaderName, HeaderValue};
use serde_json::Value;

use super::output::{self, say};
use super::{Context, Failure, ask_one, input};
use crate::control::view::{DroppedView, Explanation, StepView};
use crate::control::{Answer, Ask, Presented};

#[derive(Args)]
#[command(group = clap::ArgGroup::new("credential").required(true))]
pub(super) struct Explain {
    /// Read the cookie from stdin, a session's or an access token's: its value, or a whole Cookie header
    #[arg(long, group = "credential")]
    cookie_stdin: bool,
    /// Read what follows `Authorization: Bearer` from stdin
    #[arg(long, group = "credential")]
    bearer_stdin: bool,
    /// The whole URL as the browser sees it
    #[arg(long)]
    url: String,
    /// The method; an unsafe one by cookie needs what a browser sends along, see --header
    #[arg(long, default_value = "GET")]
    method: String,
    /// One more header of the request, as "Name: value", like Origin, Sec-Fetch-Site or X-CSRF-Token; may be repeated
    #[arg(long = "header", value_name = "HEADER", value_parser = header)]
    headers: Vec<(String, String)>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Explain {
    pub(super) fn run(self, context: &Context) -> Result<(), Failure> {
        let credential = if self.cookie_stdin {
            Presented::Cookie(input::secret("a cookie")?.trim().to_owned())
        } else {
            Presented::Bearer(input::secret("a credential")?.trim().to_owned())
        };
        let ask = Ask::Explain {
            credential,
            url: self.url.clone(),
            method: self.method.clone(),
            headers: self.headers,
        };
        let answer = context.ask(async |desk| ask_one(desk, ask).await)?;
        let Answer::Explanation { explanation } = answer else { return Err(Failure::mismatch()) };
        if self.json {
            output::json(&explanation)?;
        } else {
            say(&told(&self.method, &self.url, &explanation))?;
        }
        match explanation.code {
            None => Ok(()),
            Some(code) => Err(Failure::Refused(format!("{}: {code}", explanation.outcome))),
        }
    }
}

/// The credential comes on stdin alone: other programs on this machine can read arguments.
fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("write it as \"Name: value\"")?;
    let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
    if matches!(name.as_str(), "authorization" | "cookie") {
        return Err("the credential is read from stdin: see --cookie-stdin and --bearer-stdin".to_owned());
    }
    HeaderName::try_from(&name).map_err(|_| format!("{name:?} is no header's name"))?;
    HeaderValue::try_from(value).map_err(|_| format!("the value of {name} is no header's value"))?;
    Ok((name, value.to_owned()))
}

fn told(method: &str, url: &str, explanation: &Explanation) -> String {
    let mut lines = vec![format!("{method} {url}")];
    for StepView { step, found } in &explanation.steps {
        let found: Vec<String> =
            found.iter().map(|(name, value)| format!("{name}={}", plain(value))).collect();
        lines.push(format!("  {step:10}  {}", found.join("  ")));
    }
    if let Some(jwt) = &explanation.jwt {
        let cache = if jwt.reused { "kept from an earlier request" } else { "signed for this one" };
        lines.push(format!(
            "  jwt         audience={}  key={}  alg={}  {} bytes  expires in {}s  {cache}",
            jwt.audience, jwt.key_id, jwt.algorithm, jwt.bytes, jwt.expires_in_seconds
        ));
        if let Some(encryption) = &jwt.encryption {
            lines.push(format!("    encrypted with {encryption}: its service alone can read what it says"));
        }
        for (name, value) in &jwt.claims {
            lines.push(format!("    {name:10} {}", plain(value)));
        }
        for DroppedView { claim, because } in &jwt.dropped {
            let why = match because.as_str() {
                "size" => {
                    "the JWT would be larger than tokens.largest_jwt, or it and its plain copies by more than 2 KiB"
                }
                _ => "no verifier takes what is nested so deeply, or has so many members",
            };
            lines.push(format!("    {claim:10} DROPPED: {why}"));
        }
    }
    lines.push(format!("  => {}", explanation.outcome));
    lines.join("\n")
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
