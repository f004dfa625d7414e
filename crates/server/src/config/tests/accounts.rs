use super::*;

#[test]
fn owners_may_rename_themselves_where_they_make_accounts() {
    let may = |text: &str| from(text).unwrap().identifier_change;
    for (said, expected) in [("", [false, true]), ("false", [false, false]), ("true", [true, true])] {
        for (registration, expected) in ["closed", "open"].into_iter().zip(expected) {
            let mut text = format!("registration = \"{registration}\"\n[accounts]\n");
            if !said.is_empty() {
                text.push_str(&format!("identifier_change = {said}\n"));
            }
            assert_eq!(may(&text), expected, "{text}");
        }
    }
    let shown = toml::to_string(&from("registration = \"open\"").unwrap().raw).unwrap();
    assert!(shown.contains("identifier_change = true"), "what is in force is shown: {shown}");
}
