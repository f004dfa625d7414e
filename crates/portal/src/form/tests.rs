use super::*;

fn field(body: &str, name: &str) -> Option<String> {
    Form::parse(body.as_bytes()).ok().map(|form| form.field(name).to_owned())
}

#[test]
fn reads_what_browsers_send() {
    let body = "identifier=ada%40example.com&password=a+b%2Bc%26%3D%C3%A9&empty=&flag";
    assert_eq!(field(body, "identifier").unwrap(), "ada@example.com");
    assert_eq!(field(body, "password").unwrap(), "a b+c&=é");
    assert_eq!(field(body, "empty").unwrap(), "");
    assert_eq!(field(body, "flag").unwrap(), "");
    assert_eq!(field(body, "missing").unwrap(), "");
    assert_eq!(field("", "x").unwrap(), "");
    assert_eq!(field("a=b=c", "a").unwrap(), "b=c");
}

#[test]
fn refuses_what_could_be_read_in_two_ways() {
    for bad in ["a=1&a=2", "a=1&%61=2", "a=%", "a=%4", "a=%zz", "a=%FF", "a=%C0%AF", "%=1"] {
        assert!(Form::parse(bad.as_bytes()).is_err(), "{bad}");
    }
    assert!(Form::parse(b"a=\xff").is_err());
    let many = |count: usize| (0..count).map(|at| format!("f{at}=x")).collect::<Vec<_>>().join("&");
    assert!(Form::parse(many(MAX_FIELDS).as_bytes()).is_ok());
    assert!(Form::parse(many(MAX_FIELDS + 1).as_bytes()).is_err());
}
