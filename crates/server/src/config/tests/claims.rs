use super::*;

fn with_claims(claims: &str) -> Result<Settings, ConfigError> {
    from(&format!("[[audience]]\nname = \"a\"\nclaims = {{ {claims} }}"))
}

#[test]
fn a_claim_has_a_source_or_says_the_same_to_all() {
    let claims = "city = \"account.traits.address.city\", tenant = { value = \"acme\" }, level = { value = 3 }, \
                  ratio = { value = 0.5 }, open = { value = true }, limits = { value = { orders = 7, regions = [\"eu\"] } }";
    let settings = with_claims(claims).unwrap();
    let mut names: Vec<&str> = settings.audiences[0].claim_names().collect();
    names.sort_unstable();
    assert_eq!(names, ["city", "level", "limits", "open", "ratio", "tenant"]);
    // What `config show` prints can be read again.
    let shown = toml::to_string(&settings.raw).unwrap();
    assert!(shown.contains("acme") && from(&shown).is_ok(), "{shown}");
    // A plain header may carry a constant, too.
    let route = "[[route]]\npath = \"/\"\naudience = \"a\"\nheaders = { \"x-tenant\" = \"tenant\" }";
    assert!(from(&format!("[[audience]]\nname = \"a\"\nclaims = {{ {claims} }}\n{route}")).is_ok());
}

#[test]
fn a_claim_that_cannot_be_told_is_refused_and_named() {
    let long = format!("x = {{ value = \"{}\" }}", "x".repeat(1100));
    let many: Vec<String> = (0..41).map(|at| format!("c{at} = \"account.identifier\"")).collect();
    for (claims, says) in [
        ("Sub = { value = \"eve\" }", "claim \"Sub\" is a standard claim and cannot be set"),
        ("may_act = \"account.traits.x\"", "claim \"may_act\" is a standard claim and cannot be set"),
        ("\"a b\" = { value = 1 }", "claim \"a b\" is no name for a claim"),
        ("role = { value = 1 }, Role = { value = 2 }", "no two names that differ by case alone"),
        ("deep = { value = [[[[[[[[1]]]]]]]] }", "claim \"deep\": a constant is a text, a number"),
        (&long, "the constants take more than 1024 bytes of JSON together"),
        (&many.join(", "), "an audience has at most 40 claims of its own"),
    ] {
        let refusal = refusal(with_claims(claims));
        assert!(
            refusal.starts_with("v.toml:3:1: audience[0].claims: ") && refusal.contains(says),
            "{refusal}"
        );
    }
    let form = "a claim is the text of a source, like \"account.traits.department\", or a constant, like { value = \"acme\" }";
    let json = "a constant is what JSON can say; write a date as a text";
    for (claims, says) in [
        ("x = 1", form),
        ("x = { from = \"account.identifier\" }", form),
        ("x = { value = 1, more = 2 }", form),
        ("x = {}", form),
        ("x = { value = 1979-05-27 }", json),
        ("x = { value = [{ since = 1979-05-27T07:32:00Z }] }", json),
        ("x = { value = inf }", json),
    ] {
        let refusal = refusal(with_claims(claims));
        assert!(refusal.contains(says) && refusal.contains("audience[0].claims"), "{refusal}");
    }
}

#[test]
fn the_largest_jwt_is_one_that_verifiers_take() {
    let with = |bytes: u32| from(&format!("[tokens]\nlargest_jwt = {bytes}"));
    assert_eq!(from("").unwrap().tokens.largest_jwt, 4096);
    assert_eq!(
        (with(2048).unwrap().tokens.largest_jwt, with(8192).unwrap().tokens.largest_jwt),
        (2048, 8192)
    );
    for wrong in [0, 2047, 8193] {
        let says = format!("v.toml:2:1: tokens.largest_jwt: {wrong} is out of range; 2048 to 8192 bytes");
        assert_eq!(refusal(with(wrong)), says);
    }
}

/// Of the plain headers of a route the names and constants always go along: more than fits beside a JWT is refused where it is written.
#[test]
fn plain_headers_that_never_fit_are_refused() {
    let routes = |length: usize| {
        let tenant = "t".repeat(length);
        from(&format!(
            "[[audience]]\nname = \"orders\"\nclaims = {{ tenant = {{ value = \"{tenant}\" }} }}\n\
             [[route]]\npath = \"/a\"\naudience = \"orders\"\n\
             [[route]]\npath = \"/\"\naudience = \"orders\"\nheaders = {{ \"x-a\" = \"tenant\", \"x-b\" = \"tenant\", \"x-c\" = \"tenant\" }}"
        ))
    };
    assert!(routes(675).is_ok());
    let refused = refusal(routes(676));
    let says = "route[1].headers: the names of these headers, and the constants that they copy, take 2049 bytes; 2048 is the most";
    assert!(refused.contains(says), "{refused}");
}

#[test]
fn a_header_block_is_one_that_connections_can_hold() {
    let with = |bytes: u32| from(&format!("[listen]\nheader_block = {bytes}"));
    assert_eq!(from("").unwrap().listen.header_block, 32_768);
    assert_eq!((with(16_384).unwrap().listen.header_block, with(131_072).is_ok()), (16_384, true));
    for wrong in [0, 16_383, 131_073] {
        let says = format!("listen.header_block: {wrong} is out of range; 16384 to 131072 bytes");
        assert!(refusal(with(wrong)).contains(&says), "{wrong}");
    }
}
