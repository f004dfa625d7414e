//! Where a visitor signs in. In: the request that could not pass. Out: the login page's URL with the way back in it.

use http::header::REFERER;
use http::{HeaderMap, HeaderValue, Method};
use vestibule_core::csrf::origin::Origin;
use vestibule_core::wire::paths::{LOGIN, Paths};
use vestibule_core::wire::{is_navigation, way_back};

pub(crate) struct LoginPage {
    url: String,
    bare: HeaderValue,
    origin: String,
    host: String,
}

impl LoginPage {
    pub(crate) fn new(public: &Origin, paths: &Paths) -> Self {
        let origin = public.as_str().to_owned();
        let url = format!("{origin}{}", paths.to(LOGIN));
        // An origin and a prefix are ASCII, so the fallback is never used.
        let bare = HeaderValue::from_str(&url).unwrap_or(HeaderValue::from_static("/"));
        Self { url, bare, origin, host: public.host().to_owned() }
    }

    /// The URL for a request. The way back is a path of the public origin, so only a request for that host has one. It leads to what a
    /// link asked for; after a form that was refused, to the page that the form is on.
    pub(crate) fn url(
        &self,
        method: &Method,
        host: &str,
        path_and_query: &str,
        headers: &HeaderMap,
    ) -> HeaderValue {
        let mut url = self.url.clone();
        let is_here = host.eq_ignore_ascii_case(&self.host);
        let is_link = matches!(*method, Method::GET | Method::HEAD);
        let is_form = !is_link && is_here && is_navigation(method, headers);
        let to = match (is_link, is_form) {
            (true, _) => is_here.then_some(path_and_query),
            (false, true) => self.page_of_form(headers),
            (false, false) => None,
        };
        let way_back = to.and_then(way_back::encoded).map(|to| format!("{}={to}", way_back::RETURN_TO));
        let note = is_form.then(|| format!("done={}", way_back::NOT_SENT));
        for (field, separator) in way_back.into_iter().chain(note).zip(['?', '&']) {
            url.push(separator);
            url.push_str(&field);
        }
        HeaderValue::try_from(url).unwrap_or_else(|_| self.bare.clone())
    }

    /// The page of ours that a form was sent from, as far as its browser says.
    fn page_of_form<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        let path = headers.get(REFERER)?.to_str().ok()?.strip_prefix(&self.origin)?;
        path.starts_with('/').then_some(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(method: Method, host: &str, path_and_query: &str, headers: &[(&'static str, &str)]) -> String {
        let page = LoginPage::new(&Origin::parse("https://app.test").unwrap(), &Paths::default());
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let headers = HeaderMap::from_iter(headers);
        page.url(&method, host, path_and_query, &headers).to_str().unwrap().to_owned()
    }

    #[test]
    fn the_way_back_survives_a_query_parser() {
        assert_eq!(
            url(Method::GET, "app.test", "/orders/1?x=%2F&y=a+b#c", &[]),
            "https://app.test/auth/login?return_to=/orders/1%3Fx%3D%252F%26y%3Da%2Bb%23c"
        );
        assert_eq!(url(Method::HEAD, "APP.test", "/", &[]), "https://app.test/auth/login?return_to=/");
        assert_eq!(
            url(Method::GET, "app.test", "/\u{e9}?a=`|\\", &[]),
            "https://app.test/auth/login?return_to=/%C3%A9%3Fa%3D%60%7C%5C"
        );
    }

    #[test]
    fn the_login_page_is_below_the_prefix_that_links_carry() {
        let origin = Origin::parse("https://app.test").unwrap();
        let paths = Paths::below("/sso").unwrap();
        for paths in [paths.clone(), paths.stripped()] {
            let page = LoginPage::new(&origin, &paths);
            let url = page.url(&Method::GET, "app.test", "/a", &HeaderMap::new());
            assert_eq!(url, "https://app.test/sso/login?return_to=/a");
        }
    }

    #[test]
    fn there_is_no_way_back_to_another_host_an_action_or_an_endless_name() {
        for (method, host, path) in [
            (Method::GET, "other.test", "/a".to_owned()),
            (Method::POST, "app.test", "/a".to_owned()),
            (Method::GET, "app.test", format!("/{}", "a".repeat(2048))),
            // 1,151 bytes as asked for, and more than three times as many in the URL.
            (Method::GET, "app.test", format!("/{}", ",".repeat(1150))),
        ] {
            assert_eq!(url(method, host, &path, &[]), "https://app.test/auth/login");
        }
    }

    /// A form that was sent after its session had ended: the page it is on can be opened again, its action cannot.
    #[test]
    fn from_a_form_the_way_back_is_to_its_page() {
        let form = |referer: &'static str| {
            let headers = [("sec-fetch-mode", "navigate"), ("referer", referer)];
            url(Method::POST, "app.test", "/orders/send", &headers)
        };
        let bare = "https://app.test/auth/login?done=not-sent";
        assert_eq!(
            form("https://app.test/orders/7?tab=2"),
            "https://app.test/auth/login?return_to=/orders/7%3Ftab%3D2&done=not-sent"
        );
        for elsewhere in [
            "https://evil.test/a",
            "https://app.test.evil.test/a",
            "https://app.test:8443/a",
            "https://app.test",
            "about:blank",
        ] {
            assert_eq!(form(elsewhere), bare, "{elsewhere}");
        }
        // What a script sends has a page that can say so itself.
        let script = [("sec-fetch-mode", "cors"), ("referer", "https://app.test/orders/7")];
        assert_eq!(url(Method::POST, "app.test", "/a", &script), "https://app.test/auth/login");
        let other = [("sec-fetch-mode", "navigate"), ("referer", "https://app.test/a")];
        assert_eq!(url(Method::POST, "other.test", "/a", &other), "https://app.test/auth/login");
    }
}
