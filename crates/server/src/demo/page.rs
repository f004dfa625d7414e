//! The demo's one page, filled in: every value that comes from outside is escaped where it enters the text.

use http::HeaderMap;
use http::header::{AUTHORIZATION, COOKIE};
use serde_json::Value;
use vestibule_core::session::COOKIE_VALUE_LENGTH;
use vestibule_verify::{Claims, inspect};

use super::bearer;

const TEMPLATE: &str = include_str!("page.html");
pub(super) const STYLE: &str = include_str!("style.css");
pub(super) const SCRIPT: &str = include_str!("live.js");

/// Its own files and nothing else; forms go back to the same origin.
pub(super) const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
     img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// What the page shows.
pub(super) struct Shown<'a> {
    pub(super) claims: &'a Claims,
    pub(super) headers: &'a HeaderMap,
    pub(super) cookie: &'a str,
    /// The prefix of Vestibule's own pages.
    pub(super) portal: &'a str,
    pub(super) lines: &'a [String],
    pub(super) now: u64,
}

/// The whole page.
pub(super) fn render(shown: &Shown<'_>) -> String {
    let jwt = bearer(shown.headers).unwrap_or_default();
    let cookie_bytes = shown.cookie.len() + 1 + COOKIE_VALUE_LENGTH;
    let life = shown.claims.exp().saturating_sub(shown.now);
    let whole = shown.claims.exp().saturating_sub(shown.claims.iat().unwrap_or(shown.now)).max(1);
    fill(TEMPLATE, |name| match name {
        "who" => escape(shown.claims.get("email").and_then(Value::as_str).unwrap_or(shown.claims.sub())),
        "cookie" => escape(shown.cookie),
        "portal" => escape(shown.portal),
        "cookie_bytes" => cookie_bytes.to_string(),
        "jwt_bytes" => jwt.len().to_string(),
        "times" => format!("{}.{}", jwt.len() / cookie_bytes, jwt.len() * 10 / cookie_bytes % 10),
        "life" => life.to_string(),
        "whole" => whole.to_string(),
        "expires" => shown.claims.exp().to_string(),
        "jti" => escape(shown.claims.jti().unwrap_or_default()),
        "jwt_header" => escape(
            &inspect(jwt, shown.now).map(|seen| pretty(&Value::Object(seen.header))).unwrap_or_default(),
        ),
        "claims" => escape(&pretty(&Value::Object(shown.claims.members().clone()))),
        "headers" => {
            headers_shown(shown.headers).into_iter().map(|(name, value)| row(&name, &value)).collect()
        }
        "csrf_token" => escape(
            shown.headers.get("x-csrf-token").and_then(|token| token.to_str().ok()).unwrap_or_default(),
        ),
        "lines" => list(shown.lines),
        _ => String::new(),
    })
}

/// What the service received, in the order of names; secrets that are still good are shortened.
pub(super) fn headers_shown(headers: &HeaderMap) -> Vec<(String, String)> {
    let mut shown: Vec<(String, String)> = headers
        .iter()
        .map(|(name, value)| {
            let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
            let text = if name == AUTHORIZATION || name == "x-csrf-token" { shorten(&text) } else { text };
            (name.as_str().to_owned(), text)
        })
        .collect();
    if !headers.contains_key(COOKIE) {
        shown.push((COOKIE.as_str().to_owned(), "(none came: the session stays outside)".to_owned()));
    }
    shown.sort();
    shown
}

fn shorten(text: &str) -> String {
    let start: String = text.chars().take(24).collect();
    if text.chars().count() > 24 { format!("{start}… ({} bytes)", text.len()) } else { text.to_owned() }
}

fn row(name: &str, value: &str) -> String {
    format!(
        "<tr><th scope=\"row\"><code>{}</code></th><td><code>{}</code></td></tr>\n",
        escape(name),
        escape(value)
    )
}

fn list(lines: &[String]) -> String {
    if lines.is_empty() {
        return "<li class=\"quiet\">Nothing yet.</li>".to_owned();
    }
    lines.iter().rev().map(|line| format!("<li>{}</li>\n", escape(line))).collect()
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// Replaces each `{{name}}` once; what is filled in is not looked at again.
fn fill(template: &str, value: impl Fn(&str) -> String) -> String {
    let mut html = String::with_capacity(template.len() * 2);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        html.push_str(before);
        let Some((name, behind)) = after.split_once("}}") else { break };
        html.push_str(&value(name));
        rest = behind;
    }
    html.push_str(rest);
    html
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_and_never_read_as_template() {
        assert_eq!(escape("<b a=\"1\" c='2'>&"), "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;");
        let html = fill("<p>{{a}}</p>{{b}}", |name| if name == "a" { escape("{{b}}") } else { "x".into() });
        assert_eq!(html, "<p>{{b}}</p>x");
    }

    #[test]
    fn the_template_names_only_what_is_filled_in() {
        let known = [
            "who",
            "cookie",
            "portal",
            "cookie_bytes",
            "jwt_bytes",
            "times",
            "life",
            "whole",
            "expires",
            "jti",
            "jwt_header",
            "claims",
            "headers",
            "csrf_token",
            "lines",
        ];
        fill(TEMPLATE, |name| {
            assert!(known.contains(&name), "{name}");
            String::new()
        });
    }
}
