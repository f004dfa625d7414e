//! A browser without a window: it keeps cookies and sends them as RFC 6265bis asks, and says with Fetch Metadata where a request
//! comes from. In: what a person does. Out: pages. For what only a real engine can show there is [`super::Chromium`].

use std::net::SocketAddr;

use super::wire::{Answer, Ask};

pub(crate) struct Browser {
    origin: String,
    address: SocketAddr,
    jar: Vec<Kept>,
    /// Every byte that it ever received.
    pub(crate) received: Vec<u8>,
}

/// A cookie in the jar.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) http_only: bool,
    pub(crate) same_site: String,
    path: String,
}

/// A page as it was loaded; a tab is one that is kept.
pub(crate) struct Page {
    pub(crate) path: String,
    pub(crate) answer: Answer,
}

impl Browser {
    /// A fresh browser for one plain http origin on loopback.
    pub(crate) fn at(origin: &str) -> Self {
        let host = origin.strip_prefix("http://").unwrap();
        let port = host.rsplit(':').next().unwrap().parse().unwrap();
        let address = super::place::loopback(port);
        Self { origin: origin.to_owned(), address, jar: Vec::new(), received: Vec::new() }
    }

    /// Types an address: loads a page, redirects followed.
    #[track_caller]
    pub(crate) fn open(&mut self, path: &str) -> Page {
        let answer = self.load(Ask::get(path), "none");
        self.follow(path, answer)
    }

    /// Types an address, and stops at the first answer.
    #[track_caller]
    pub(crate) fn look(&mut self, path: &str) -> Answer {
        self.load(Ask::get(path), "none")
    }

    /// Fills in and sends the form of a page. Its hidden CSRF token goes along.
    #[track_caller]
    pub(crate) fn submit(&mut self, page: &Page, action: &str, fields: &[(&str, &str)]) -> Page {
        let token = page.hidden("csrf_token");
        let mut all = vec![("csrf_token", token.as_str())];
        all.extend_from_slice(fields);
        let answer = self.load(Ask::post(action).header("Origin", &self.origin).form(&all), "same-origin");
        self.follow(action, answer)
    }

    /// Signs in by the login page, from wherever it is sent there.
    #[track_caller]
    pub(crate) fn sign_in(&mut self, path: &str, identifier: &str, password: &str) -> Page {
        let page = self.open(path);
        assert!(page.path.starts_with("/auth/login"), "{} is not the login page", page.path);
        let fields = [("identifier", identifier), ("password", password)];
        match page.hidden_or_none("return_to") {
            Some(return_to) => {
                self.submit(&page, "/auth/login", &[&fields[..], &[("return_to", &return_to)]].concat())
            }
            None => self.submit(&page, "/auth/login", &fields),
        }
    }

    /// Signs out by the page that asks.
    #[track_caller]
    pub(crate) fn sign_out(&mut self) -> Page {
        let page = self.open("/auth/logout");
        self.submit(&page, "/auth/logout", &[])
    }

    /// What a script on a page of this origin fetches.
    #[track_caller]
    pub(crate) fn fetch(&mut self, ask: Ask) -> Answer {
        let ask = ask
            .header("Origin", &self.origin)
            .header("Sec-Fetch-Site", "same-origin")
            .header("Sec-Fetch-Mode", "cors")
            .header("Sec-Fetch-Dest", "empty");
        self.send(ask)
    }

    /// `document.cookie`.
    pub(crate) fn script_sees(&self) -> String {
        let seen = self.jar.iter().filter(|kept| !kept.http_only);
        seen.map(|kept| format!("{}={}", kept.name, kept.value)).collect::<Vec<_>>().join("; ")
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<&Kept> {
        self.jar.iter().find(|kept| kept.name == name)
    }

    /// What it sends by itself with every request.
    pub(crate) fn cookies(&self) -> String {
        self.jar.iter().map(|kept| format!("{}={}", kept.name, kept.value)).collect::<Vec<_>>().join("; ")
    }

    /// Puts something into the jar, as another program on this machine could.
    pub(crate) fn plant(&mut self, name: &str, value: &str) {
        let (name, value) = (name.to_owned(), value.to_owned());
        self.keep(Kept { name, value, http_only: false, same_site: "Lax".into(), path: "/".into() });
    }

    fn load(&mut self, ask: Ask, from: &str) -> Answer {
        let ask = ask
            .header("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
            .header("Sec-Fetch-Site", from)
            .header("Sec-Fetch-Mode", "navigate")
            .header("Sec-Fetch-Dest", "document");
        self.send(ask)
    }

    #[track_caller]
    fn follow(&mut self, path: &str, mut answer: Answer) -> Page {
        let mut path = path.to_owned();
        for _ in 0..10 {
            let Some(location) = answer.header("location").filter(|_| (300..400).contains(&answer.status))
            else {
                return Page { path, answer };
            };
            let target = location.strip_prefix(&self.origin).unwrap_or(location);
            assert!(target.starts_with('/'), "sent away from {}: {location}", self.origin);
            path = target.to_owned();
            answer = self.load(Ask::get(&path), "same-origin");
        }
        panic!("redirected without end, at last to {path}")
    }

    fn send(&mut self, ask: Ask) -> Answer {
        let host = self.origin.strip_prefix("http://").unwrap();
        let mut ask = ask.header("Host", host).header("User-Agent", "Story/1.0 (X11; Linux) Firefox/150.0");
        if !self.jar.is_empty() {
            ask = ask.header("Cookie", self.cookies());
        }
        let answer = ask.send(self.address);
        self.received.extend_from_slice(&answer.raw);
        for line in answer.all("set-cookie") {
            if let Some((kept, is_over)) = Kept::read(line) {
                self.jar.retain(|other| other.name != kept.name || other.path != kept.path);
                if !is_over {
                    self.jar.push(kept);
                }
            }
        }
        answer
    }

    fn keep(&mut self, kept: Kept) {
        self.jar.retain(|other| other.name != kept.name || other.path != kept.path);
        self.jar.push(kept);
    }
}

impl Kept {
    /// A Set-Cookie line over plain http, and whether it takes the cookie away. `None` for what a browser refuses: Secure and the
    /// prefixes that ask for it need https, SameSite=None needs Secure, and no Domain may be said for an IP address.
    fn read(line: &str) -> Option<(Self, bool)> {
        let mut parts = line.split(';').map(str::trim);
        let (name, value) = parts.next()?.split_once('=')?;
        let mut kept = Self {
            name: name.to_owned(),
            value: value.to_owned(),
            http_only: false,
            same_site: "Lax".into(),
            path: "/".into(),
        };
        let mut is_over = false;
        for attribute in parts {
            let (key, value) = attribute.split_once('=').unwrap_or((attribute, ""));
            match key.to_ascii_lowercase().as_str() {
                "httponly" => kept.http_only = true,
                "max-age" => is_over = value.parse::<i64>().is_ok_and(|seconds| seconds <= 0),
                "path" => value.clone_into(&mut kept.path),
                "samesite" => value.clone_into(&mut kept.same_site),
                "domain" | "secure" => return None,
                _ => {}
            }
        }
        let lower = name.to_ascii_lowercase();
        let needs_https = lower.starts_with("__host-") || lower.starts_with("__secure-");
        let is_refused = needs_https || kept.same_site.eq_ignore_ascii_case("none");
        (!is_refused).then_some((kept, is_over))
    }
}

impl Page {
    pub(crate) fn text(&self) -> String {
        self.answer.text()
    }

    /// The value of a hidden field.
    #[track_caller]
    pub(crate) fn hidden(&self, name: &str) -> String {
        self.hidden_or_none(name)
            .unwrap_or_else(|| panic!("no field {name} on {}: {}", self.path, self.text()))
    }

    fn hidden_or_none(&self, name: &str) -> Option<String> {
        let text = self.text();
        let (_, after) = text.split_once(&format!("type=\"hidden\" name=\"{name}\" value=\""))?;
        Some(after.split_once('"')?.0.replace("&amp;", "&").replace("&#38;", "&"))
    }
}
