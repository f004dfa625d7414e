//! Where a visitor signs in. In: the request that could not pass. Out: the login page's URL with the way back in it.

use http::{HeaderValue, Method};
use vestibule_core::csrf::origin::Origin;
use vestibule_core::wire::form;

const PATH: &str = "/auth/login";

/// A longer way back is left out: the login page's URL must fit into every proxy's header buffers.
const LONGEST_WAY_BACK: usize = 2048;

pub(crate) struct LoginPage {
    url: String,
    host: String,
}

impl LoginPage {
    pub(crate) fn new(public: &Origin) -> Self {
        Self { url: format!("{}{PATH}", public.as_str()), host: public.host().to_owned() }
    }

    /// The URL for a request. The way back is a path of the public origin, so only a request that was for that host has one, and
    /// only one that can be repeated by following a link.
    pub(crate) fn url(&self, method: &Method, host: &str, path_and_query: &str) -> HeaderValue {
        let returns = matches!(*method, Method::GET | Method::HEAD)
            && host.eq_ignore_ascii_case(&self.host)
            && path_and_query.len() <= LONGEST_WAY_BACK;
        let mut url = self.url.clone();
        if returns {
            url.push_str("?return_to=");
            url.push_str(&form::encode(path_and_query));
        }
        HeaderValue::try_from(url).unwrap_or(HeaderValue::from_static(PATH))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(method: Method, host: &str, path_and_query: &str) -> String {
        let page = LoginPage::new(&Origin::parse("https://app.test").unwrap());
        page.url(&method, host, path_and_query).to_str().unwrap().to_owned()
    }

    #[test]
    fn the_way_back_survives_a_query_parser() {
        assert_eq!(
            url(Method::GET, "app.test", "/orders/1?x=%2F&y=a+b#c"),
            "https://app.test/auth/login?return_to=/orders/1%3Fx%3D%252F%26y%3Da%2Bb%23c"
        );
        assert_eq!(url(Method::HEAD, "APP.test", "/"), "https://app.test/auth/login?return_to=/");
        assert_eq!(url(Method::GET, "app.test", "/\u{e9}"), "https://app.test/auth/login?return_to=/%C3%A9");
    }

    #[test]
    fn there_is_no_way_back_to_another_host_to_an_action_or_to_a_page_of_endless_name() {
        for (method, host, path) in [
            (Method::GET, "other.test", "/a".to_owned()),
            (Method::POST, "app.test", "/a".to_owned()),
            (Method::GET, "app.test", format!("/{}", "a".repeat(LONGEST_WAY_BACK))),
        ] {
            assert_eq!(url(method, host, &path), "https://app.test/auth/login");
        }
    }
}
