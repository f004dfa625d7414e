use super::media_type;

#[test]
fn a_media_type_may_leave_application_out() {
    for (written, meant) in [
        ("at+jwt", "at+jwt"),
        ("application/at+jwt", "at+jwt"),
        ("APPLICATION/at+jwt", "at+jwt"),
        ("application/", ""),
        ("text/at+jwt", "text/at+jwt"),
        ("application/a/b", "application/a/b"),
        ("applicatioñ/x", "applicatioñ/x"),
        ("", ""),
    ] {
        assert_eq!(media_type(written), meant, "{written:?}");
    }
}
