//! What a person would call the device behind a User-Agent: enough to tell one's own sessions apart, never judged.
//! In: the header as kept with a session. Out: a few words in the reader's language.

use fluent_bundle::FluentArgs;

use crate::texts::Language;

/// What is made out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Device<'a> {
    Browser(&'static str),
    BrowserOnSystem(&'static str, &'static str),
    /// The first product token, without its version (RFC 9110 section 10.1.5).
    Product(&'a str),
    SomeBrowserOn(&'static str),
    Unknown,
}

impl<'a> Device<'a> {
    /// Looks at a User-Agent.
    pub(crate) fn of(user_agent: &'a str) -> Self {
        let found = |table: &[(&str, &'static str)]| {
            table.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
        };
        match (found(&BROWSERS), found(&SYSTEMS)) {
            (Some(browser), Some(system)) => Self::BrowserOnSystem(browser, system),
            (Some(browser), None) => Self::Browser(browser),
            (None, Some(system)) => Self::SomeBrowserOn(system),
            (None, None) => match user_agent.split(['/', ' ', '(']).next() {
                Some(product) if !product.is_empty() => Self::Product(one_line(product)),
                _ => Self::Unknown,
            },
        }
    }

    /// "Firefox on Linux", "curl", or "Unknown device": for the API.
    pub(crate) fn in_english(self) -> String {
        match self {
            Self::Browser(name) => name.to_owned(),
            Self::Product(name) => name.to_owned(),
            Self::BrowserOnSystem(browser, system) => format!("{browser} on {system}"),
            Self::SomeBrowserOn(system) => format!("A browser on {system}"),
            Self::Unknown => "Unknown device".to_owned(),
        }
    }

    /// The same for a page.
    pub(crate) fn named_in(self, language: &Language) -> String {
        match self {
            Self::Browser(name) => name.to_owned(),
            Self::Product(name) => name.to_owned(),
            Self::BrowserOnSystem(browser, system) => {
                let values = FluentArgs::from_iter([("browser", browser), ("system", system)]);
                language.format("device-browser-on-system", Some(&values)).into_owned()
            }
            Self::SomeBrowserOn(system) => language.say_with("device-some-browser", "system", system),
            Self::Unknown => language.say("device-unknown").into_owned(),
        }
    }
}

/// What fits on one line of a narrow page: any program may call itself anything.
fn one_line(product: &str) -> &str {
    const LONGEST: usize = 40;
    match product.char_indices().nth(LONGEST) {
        Some((end, _)) => product.get(..end).unwrap_or_default(),
        None => product,
    }
}

/// Most browsers claim to be others, too: the more particular mark comes first.
const BROWSERS: [(&str, &str); 9] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

const SYSTEMS: [(&str, &str); 7] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_have_names_that_their_owners_would_use() {
        let known = [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36",
                "Chrome on Android",
            ),
            ("curl/8.14.1", "curl"),
            ("OurApp (build 7)", "OurApp"),
            (&"ä".repeat(400), &"ä".repeat(40)),
            ("", "Unknown device"),
            ("/", "Unknown device"),
        ];
        let english = crate::texts::Texts::ours().unwrap().negotiate(&http::HeaderMap::new());
        for (user_agent, expected) in known {
            assert_eq!(Device::of(user_agent).in_english(), expected);
            assert_eq!(Device::of(user_agent).named_in(&english), expected);
        }
    }
}
