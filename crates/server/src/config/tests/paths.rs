//! How the paths of routes are read, and what is refused or said of several together.

use super::*;

const PUBLIC: &str = "[[route]]\npath = \"/\"\nrequire = \"public\"\n";

fn protected(path: &str, more: &str) -> String {
    format!("[[route]]\npath = \"{path}\"\naudience = \"a\"\n{more}\n")
}

fn settings(routes: &[&str]) -> Result<Settings, ConfigError> {
    from(&format!("[[audience]]\nname = \"a\"\n{}", routes.concat()))
}

#[test]
fn contradicting_paths_are_refused_with_both_names() {
    let refused = |routes: &[&str]| refusal(settings(routes));
    let said = refused(&[&protected("/admin/", ""), &protected("/Admin/", "case = \"sensitive\"")]);
    assert!(said.contains("route[1].path: \"/Admin/\" and route[0] (\"/admin/\") are one path"), "{said}");
    let said = refused(&[&protected("/npm/", "ambiguous_path = \"pass\""), &protected("/NPM/x", "")]);
    assert!(
        said.contains("route[0].ambiguous_path: \"pass\" is not possible: route[1] (\"/NPM/x\")"),
        "{said}"
    );
    let said = refused(&[&protected("/npm", "ambiguous_path = \"pass\"")]);
    assert!(said.contains("route[0].ambiguous_path: \"pass\" is for a prefix; end the path in /"), "{said}");
    let said = refused(&[&protected("/a", "case = \"lower\"")]);
    assert!(
        said.contains("route[0].case: \"lower\" is not a choice; use \"fold\" or \"sensitive\""),
        "{said}"
    );
    let said = refused(&[&protected("/a", "ambiguous_path = \"allow\"")]);
    assert!(said.contains("route[0].ambiguous_path: \"allow\" is not a choice"), "{said}");
}

#[test]
fn a_protected_route_below_a_public_one_is_warned_of() {
    let notes = |routes: &[&str]| settings(routes).unwrap().notes;
    let said = notes(&[PUBLIC, &protected("/admin/", "")]);
    assert_eq!(said.len(), 1);
    assert!(
        said[0].starts_with("warning: route[0] \"/\" is public and route[1] \"/admin/\" below it is not"),
        "{said:?}"
    );
    assert_eq!(notes(&[&protected("/", "")]), [""; 0]);
    let said = notes(&[&protected("/a/", "case = \"sensitive\"\nambiguous_path = \"pass\"")]);
    assert!(said[0].starts_with("note: route[0] \"/a/\" matches exactly this spelling"), "{said:?}");
    assert!(said[1].starts_with("note: route[0] \"/a/\" takes //, ;, %2F"), "{said:?}");
}
