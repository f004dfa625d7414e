//! Where keys may come from: `https`, and `http` only on this machine itself.
//! In: the text of a URL. Out: a location to ask, or what is wrong with it.

use std::net::IpAddr;

use http::Uri;
use http::uri::Scheme;

use super::fault::DiscoveryFault;

const WELL_KNOWN: &str = "/.well-known/oauth-authorization-server";

/// A URL that may be asked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Location(Uri);

impl Location {
    pub(super) fn parse(text: &str) -> Result<Self, DiscoveryFault> {
        let wrong = |what| DiscoveryFault::Url { url: text.to_owned(), what };
        // The parser would drop a fragment without a word.
        if text.contains('#') {
            return Err(wrong("it has a fragment"));
        }
        let uri: Uri = text.parse().map_err(|_| wrong("it cannot be read"))?;
        let authority = uri.authority().ok_or(wrong("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("it carries credentials"));
        }
        if uri.scheme() == Some(&Scheme::HTTPS) {
            return Ok(Self(uri));
        }
        if uri.scheme() == Some(&Scheme::HTTP) && is_loopback(authority.host()) {
            return Ok(Self(uri));
        }
        Err(wrong("elsewhere than on this machine it must be https"))
    }

    /// Where the metadata of an issuer is: the well-known part goes between host and path (RFC 8414 section 3.1).
    pub(super) fn of_metadata(issuer: &str) -> Result<Self, DiscoveryFault> {
        let wrong = |what| DiscoveryFault::Url { url: issuer.to_owned(), what };
        let Self(uri) = Self::parse(issuer)?;
        if uri.query().is_some() {
            return Err(wrong("an issuer has no query"));
        }
        let path = uri.path().strip_suffix('/').unwrap_or(uri.path());
        let (scheme, host) =
            (uri.scheme_str().unwrap_or_default(), uri.authority().map_or("", |it| it.as_str()));
        Self::parse(&format!("{scheme}://{host}{WELL_KNOWN}{path}"))
    }

    pub(super) fn is_https(&self) -> bool {
        self.0.scheme() == Some(&Scheme::HTTPS)
    }

    pub(super) fn uri(&self) -> &Uri {
        &self.0
    }

    pub(super) fn text(&self) -> String {
        self.0.to_string()
    }
}

/// As the configuration of the server has it for `public_url`.
fn is_loopback(host: &str) -> bool {
    let address =
        host.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(host).parse::<IpAddr>();
    host == "localhost" || host.ends_with(".localhost") || address.is_ok_and(|it| it.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(issuer: &str) -> String {
        Location::of_metadata(issuer).unwrap().text()
    }

    #[test]
    fn metadata_is_found_between_host_and_path() {
        assert_eq!(metadata("https://a.example"), "https://a.example/.well-known/oauth-authorization-server");
        assert_eq!(
            metadata("https://a.example/"),
            "https://a.example/.well-known/oauth-authorization-server"
        );
        let tenant = "https://a.example:8443/.well-known/oauth-authorization-server/one/two";
        assert_eq!(metadata("https://a.example:8443/one/two"), tenant);
        assert_eq!(metadata("https://a.example:8443/one/two/"), tenant);
    }

    #[test]
    fn only_https_is_spoken_except_with_this_machine() {
        for good in [
            "https://a.example/jwks",
            "https://a.example/jwks?v=1",
            "http://127.0.0.1:8080/",
            "http://127.9.9.9/",
            "http://[::1]:8080/jwks",
            "http://localhost/",
            "http://app.localhost:8080/",
        ] {
            Location::parse(good).unwrap();
        }
        for bad in [
            "http://a.example/",
            "http://10.0.0.1/",
            "http://localhost.example/",
            "http://127.0.0.1.example/",
            "http://[::ffff:10.0.0.1]/",
            "http://2130706433.example/",
            "http://ada:secret@127.0.0.1/",
            "https://ada@a.example/",
            "https://a.example/#keys",
            "ftp://a.example/",
            "file:///etc/jwks",
            "/jwks",
            "a.example",
            "https://",
            "https://a example/",
            "",
        ] {
            assert!(matches!(Location::parse(bad), Err(DiscoveryFault::Url { .. })), "{bad}");
        }
        assert!(Location::of_metadata("https://a.example/?tenant=1").is_err());
        assert!(Location::of_metadata("https://a.example?").is_err());
    }
}
