use super::*;
use crate::route::canonical_path;

#[test]
fn a_prefix_is_a_path_that_all_programs_read_alike() {
    for good in ["/auth", "/sso", "/a", "/apps/sso", "/~ada/sign-in_1.2", "/well-known", "/apps/.well-known"]
    {
        let paths = Paths::below(good).unwrap();
        assert_eq!((paths.prefix(), canonical_path(good)), (good, Ok(())), "{good}");
    }
    for (bad, why) in [
        ("", NotAPrefix::NoSlash),
        ("auth", NotAPrefix::NoSlash),
        ("https://app.test/auth", NotAPrefix::NoSlash),
        ("/", NotAPrefix::Everything),
        ("/auth/", NotAPrefix::TrailingSlash),
        ("//", NotAPrefix::TrailingSlash),
        ("//auth", NotAPrefix::NotPlain),
        ("/a//b", NotAPrefix::NotPlain),
        ("/a/./b", NotAPrefix::NotPlain),
        ("/a/../b", NotAPrefix::NotPlain),
        ("/..", NotAPrefix::NotPlain),
        ("/auth.", NotAPrefix::NotPlain),
        ("/a b", NotAPrefix::NotPlain),
        ("/a%2Fb", NotAPrefix::NotPlain),
        ("/a;b", NotAPrefix::NotPlain),
        ("/a?b", NotAPrefix::NotPlain),
        ("/a#b", NotAPrefix::NotPlain),
        ("/a\\b", NotAPrefix::NotPlain),
        ("/{a}", NotAPrefix::NotPlain),
        ("/*a", NotAPrefix::NotPlain),
        ("/\u{e4}", NotAPrefix::NotPlain),
        ("/a\"b", NotAPrefix::NotPlain),
        ("/a<b", NotAPrefix::NotPlain),
        ("/.well-known", NotAPrefix::WellKnown),
        ("/.Well-Known/auth", NotAPrefix::WellKnown),
    ] {
        assert_eq!(Paths::below(bad), Err(why), "{bad}");
    }
    let longest = format!("/{}", "a".repeat(63));
    assert!(Paths::below(&longest).is_ok());
    assert_eq!(Paths::below(&format!("{longest}a")), Err(NotAPrefix::Long));
    assert_eq!(Paths::below("/auth"), Ok(Paths::default()));
}

#[test]
fn what_is_below_the_prefix_ends_at_a_slash() {
    let paths = Paths::below("/sso").unwrap();
    for (path, inner) in [
        ("/sso", Some("")),
        ("/sso/", Some("/")),
        ("/sso/login", Some("/login")),
        ("/sso/sso/login", Some("/sso/login")),
        ("/ssologin", None),
        ("/SSO/login", None),
        ("/login", None),
        ("/auth/login", None),
        ("/", None),
    ] {
        assert_eq!((paths.named(path), paths.inner(path)), (inner, inner), "{path}");
    }
    assert_eq!((paths.to("/login"), paths.arriving("/login")), ("/sso/login".into(), "/sso/login".into()));
}

/// Links carry what the proxy takes off; what arrives has nothing to take off any more.
#[test]
fn where_the_prefix_is_stripped_only_links_carry_it() {
    let paths = Paths::below("/sso").unwrap().stripped();
    assert_eq!((paths.to("/login"), paths.arriving("/login")), ("/sso/login".into(), "/login".into()));
    for path in ["/", "/login", "/sso/login", "/elsewhere"] {
        assert_eq!(paths.inner(path), Some(path));
    }
    assert_eq!((paths.named("/sso/login"), paths.named("/login")), (Some("/login"), None));
}
