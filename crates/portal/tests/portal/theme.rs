//! What an operator may change of the looks, as it leaves.

use http::StatusCode;
use vestibule_portal::theme::{Colour, Logo, Theme};

use crate::app::App;
use crate::personas::{ApiClient, Browser};

const SVG: &[u8] = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>";

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let from = text.find(before).unwrap_or_else(|| panic!("no {before} in {text}")) + before.len();
    &text[from..from + text[from..].find(after).unwrap()]
}

#[tokio::test]
async fn a_name_is_text_wherever_it_stands() {
    let app = App::looking_like(Theme::new("<b>Orchard</b> & \"Sons\"".to_owned(), None, None));
    for path in ["/auth/login", "/auth/nothing"] {
        let page = Browser::of(&app).get(path).await;
        assert!(!page.body.contains("<b>Orchard"), "{}", page.body);
        assert!(
            between(&page.body, "<title>", "</title>")
                .ends_with("&#60;b&#62;Orchard&#60;/b&#62; &#38; &#34;Sons&#34;")
        );
    }
}

#[tokio::test]
async fn a_colour_changes_the_stylesheet_and_its_name() {
    let plain = Browser::of(&App::new()).get("/auth/login").await;
    let theme = Theme::new("Orchard".to_owned(), Some(Colour::parse("#0b6e4f").unwrap()), None);
    let app = App::looking_like(theme);
    let page = Browser::of(&app).get("/auth/login").await;
    let (ours, theirs) = (
        between(&plain.body, "/auth/static/portal-", ".css"),
        between(&page.body, "/auth/static/portal-", ".css"),
    );
    assert_ne!(ours, theirs);
    assert!(page.body.contains("fill='%230b6e4f'") && !page.body.contains("3949ab"), "the tab's icon, too");
    let client = ApiClient::of(&app);
    let css = client.get(&format!("/auth/static/portal-{theirs}.css")).await;
    assert_eq!(css.status, StatusCode::OK);
    assert!(css.body.contains("--accent: #0b6e4f;") && css.body.contains("--accent: #3949ab;"));
    assert!(css.body.rfind("#0b6e4f") > css.body.rfind("#3949ab"), "ours gives way");
    assert_eq!(client.get(&format!("/auth/static/portal-{ours}.css")).await.status, StatusCode::NOT_FOUND);
}

/// A picture that is the name must say it to those who do not see it, and say it once.
#[tokio::test]
async fn a_wordmark_stands_alone_and_has_the_name_as_its_text() {
    let logo = Logo::read(SVG.to_vec()).unwrap();
    let theme = Theme::new("Orchard".to_owned(), None, Some(logo)).with_logo_alone();
    let page = Browser::of(&App::looking_like(theme)).get("/auth/login").await;
    let head = between(&page.body, "<a class=\"brand\"", "</a>");
    assert!(head.contains("alt=\"Orchard\"") && !head.contains("<span>"), "{head}");
    let without = Theme::new("Orchard".to_owned(), None, None).with_logo_alone();
    let page = Browser::of(&App::looking_like(without)).get("/auth/login").await;
    assert!(
        between(&page.body, "<a class=\"brand\"", "</a>").contains("<span>Orchard</span>"),
        "no logo to stand alone"
    );
}

/// Opened by itself, an SVG image is a document of our origin: it must be able to do nothing.
#[tokio::test]
async fn a_logo_is_served_as_what_it_is_and_runs_nothing() {
    let png = b"\x89PNG\r\n\x1a\n".to_vec();
    for (bytes, extension, media_type) in [(SVG.to_vec(), "svg", "image/svg+xml"), (png, "png", "image/png")]
    {
        let logo = Logo::read(bytes.clone()).unwrap();
        let app = App::looking_like(Theme::new("Orchard".to_owned(), None, Some(logo)));
        let page = Browser::of(&app).get("/auth/login").await;
        let path = between(&page.body, "<img class=\"logo\" src=\"", "\"");
        assert!(path.ends_with(extension) && page.body.contains(&format!("rel=\"icon\" href=\"{path}\"")));
        assert!(page.body.contains("alt=\"\""), "the name stands beside it");
        let router_answer = ApiClient::of(&app).bytes(path).await;
        let (headers, body) = router_answer;
        assert_eq!(body, bytes);
        assert_eq!(headers["content-type"], media_type);
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["cache-control"], "public, max-age=31536000, immutable");
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; ") && policy.contains("sandbox; "), "{policy}");
        assert!(!policy.contains("script"), "{policy}");
        let page_policy = page.header("content-security-policy");
        assert!(!page_policy.contains("unsafe-inline"), "{page_policy}");
    }
}
