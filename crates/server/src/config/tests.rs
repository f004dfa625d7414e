use super::*;

mod accounts;
mod claims;
mod encryption;
mod headers;
mod paths;
mod prefix;
mod schema;
mod sense;
mod sessions;
mod upstream;

fn from(text: &str) -> Result<Settings, ConfigError> {
    read(text, "v.toml", Path::new("/srv"), &[])
}

fn with(text: &str, variables: &[(&str, &str)]) -> Result<Settings, ConfigError> {
    let variables: Vec<(String, String)> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    read(text, "v.toml", Path::new("/srv"), &variables)
}

#[track_caller]
fn refusal(result: Result<Settings, ConfigError>) -> String {
    match result {
        Ok(_) => panic!("this configuration was to be refused"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn an_empty_file_is_a_valid_and_safe_configuration() {
    let settings = from("").unwrap();
    assert_eq!(settings.data_dir, Path::new("/srv/vestibule-data"));
    assert_eq!(settings.store.file(), Some(Path::new("/srv/vestibule-data/vestibule.db")));
    assert!(settings.listen.public.ip().is_loopback() && settings.listen.internal.ip().is_loopback());
    assert_eq!(settings.public_url.as_str(), "http://127.0.0.1:8080");
    assert_eq!(settings.session_cookie.as_str(), "vestibule");
    assert!(settings.routes.is_empty() && settings.audiences.is_empty() && settings.dangers.is_empty());
    assert!(settings.public_proxies.is_empty());
}

#[test]
fn the_configuration_of_the_contract_is_understood() {
    let settings = from(
        r#"
        data_dir = "vestibule-data"
        public_url = "https://app.example.com"
        [listen]
        public = "127.0.0.1:8080"
        internal = "127.0.0.1:8081"
        [store]
        url = "sqlite:vestibule-data/vestibule.db"
        sessions = "same"
        [sessions]
        cookie = "vestibule"
        idle = "30m"
        absolute = "12h"
        remember = { enabled = false, idle = "7d", absolute = "30d" }
        max_per_account = 0
        [passwords]
        min_length = 15
        [tokens]
        access = "10m"
        refresh = { idle = "14d", absolute = "30d", replay_window = "10s" }
        algorithm = "ES256"
        cookies = false
        [keys]
        rotate_every = "30d"
        publish_ahead = "24h"
        [trusted_proxies]
        forward_auth = ["127.0.0.1/32"]
        [[audience]]
        name = "orders"
        lifetime = "120s"
        claims = { department = "account.traits.department", email = "account.identifier" }
        [[route]]
        host = "app.example.com"
        path = "/orders/"
        methods = []
        require = "signed-in"
        accept = ["session-cookie", "session-header", "token-header"]
        audience = "orders"
        csrf = "token"
        assertion_header = "authorization"
        headers = { "x-auth-department" = "department" }
        upstream = "http://127.0.0.1:9000"
    "#,
    )
    .unwrap();
    assert_eq!(settings.session_cookie.as_str(), "__Host-Http-vestibule");
    assert_eq!(settings.pre_session_cookie.as_str(), "__Host-Http-vestibule_pre");
    assert_eq!(settings.routes.len(), 1);
    assert_eq!(settings.routes[0].audience.as_deref(), Some("orders"));
}

/// Every refusal names the place, the key, what is wrong and what would be right.
#[test]
fn bad_configurations_are_refused_in_so_many_words() {
    let cases: &[(&str, &str)] = &[
        ("data_dir = \"x", "v.toml:1:14: "),
        ("colour = 1", "v.toml:1:1: colour: unknown field `colour`, expected one of `data_dir`"),
        (
            "[listen]\npubic = \"x\"",
            "v.toml:2:1: listen.pubic: unknown field `pubic`, expected one of `public`",
        ),
        (
            "[sessions]\nidle = 30",
            "v.toml:2:8: sessions.idle: invalid type: integer `30`, expected a string; write it with its unit, like \"30m\", \"12h\" or \"1h30m\"",
        ),
        (
            "[sessions]\nidle = \"30 minutes\"",
            "v.toml:2:8: sessions.idle: \"30 minutes\" is not a length of time; write it like \"90s\", \"30m\", \"12h\" or \"7d\"",
        ),
        (
            "[sessions]\nidle = \"13h\"",
            "v.toml:2:1: sessions.idle: 13h is longer than `sessions.absolute` (12h); make it shorter",
        ),
        ("[sessions]\nidle = \"1s\"", "v.toml:2:1: sessions.idle: 1s is too short; 1m is the least"),
        (
            "[sessions]\ncookie = \"a b\"",
            "v.toml:2:1: sessions.cookie: a cookie name is 1 to 64 characters out of a-z, 0-9, - and _",
        ),
        (
            "[listen]\npublic = \"localhost\"",
            "v.toml:2:1: listen.public: \"localhost\" is not an address with a port; write it like \"127.0.0.1:8080\"",
        ),
        (
            "[listen]\npublic = \"0.0.0.0:8080\"",
            "v.toml: public_url: is missing: beyond loopback browsers need an https origin",
        ),
        (
            "[listen]\ninternal = \"0.0.0.0:8081\"",
            "v.toml:2:1: listen.internal: \"0.0.0.0:8081\" is beyond loopback",
        ),
        (
            "public_url = \"http://app.example.com\"",
            "v.toml:1:1: public_url: \"http://app.example.com\": http:// is for loopback alone",
        ),
        (
            "public_url = \"app.example.com\"",
            "v.toml:1:1: public_url: \"app.example.com\" is not an origin: expected http://host or https://host",
        ),
        (
            "public_url = \"https://app.example.com/auth\"",
            "v.toml:1:1: public_url: \"https://app.example.com/auth\" is not an origin",
        ),
        (
            "public_url = \"http://127.0.0.1:8080\"\n[listen]\npublic = \"0.0.0.0:8080\"",
            "v.toml:1:1: public_url: \"http://127.0.0.1:8080\": with an http:// origin `listen.public` must be a loopback address",
        ),
        (
            "[passwords]\nmin_length = 8",
            "v.toml:2:1: passwords.min_length: 8 is out of range: 15 is the least",
        ),
        (
            "[passwords]\nguesses_per_minute = 59",
            "v.toml:2:1: passwords.guesses_per_minute: 59 is out of range: fewer than 60 would keep",
        ),
        (
            "[passwords]\nguesses_per_minute = 60001",
            "v.toml:2:1: passwords.guesses_per_minute: 60001 is out of range",
        ),
        ("[passwords]\nmemory_kib = 1024", "v.toml:1:2: passwords: Argon2id needs at least 19456 KiB"),
        (
            "[tokens]\nalgorithm = \"HS256\"",
            "v.toml:2:1: tokens.algorithm: \"HS256\" does not sign here; choose ES256, EdDSA, RS256 or PS256",
        ),
        ("[tokens]\naccess = \"59s\"", "v.toml:2:1: tokens.access: 59s is too short; 1m is the least"),
        ("[tokens]\naccess = \"61m\"", "v.toml:2:1: tokens.access: 1h1m is too long; 1h is the most"),
        (
            "[tokens]\ncookies = true\nrefresh = { replay_window = \"0s\" }",
            "v.toml:3:13: tokens.refresh.replay_window: 0s forgives nothing, and two tabs",
        ),
        (
            "[tokens]\nrefresh = { replay_window = \"61s\" }",
            "v.toml:2:13: tokens.refresh.replay_window: 1m1s is too long; 1m is the most",
        ),
        (
            "[tokens]\nrefresh = { idle = \"31d\" }",
            "v.toml:2:13: tokens.refresh.idle: 31d is longer than `tokens.refresh.absolute` (30d)",
        ),
        ("[tokens]\nalgorithm = \"none\"", "v.toml:2:1: tokens.algorithm: \"none\" does not sign here"),
        (
            "[keys]\npublish_ahead = \"30d\"",
            "v.toml:2:1: keys.publish_ahead: 30d is not shorter than `keys.rotate_every` (30d)",
        ),
        (
            "[trusted_proxies]\nforward_auth = [\"127.0.0.1/32\", \"all\"]",
            "v.toml:2:33: trusted_proxies.forward_auth[1]: \"all\" is not a network; write it like \"10.0.0.0/8\"",
        ),
        ("[[audience]]\nlifetime = \"60s\"", "v.toml:1:1: audience[0]: missing field `name`"),
        (
            "[[audience]]\nname = \"a\"\nlifetime = \"1h\"",
            "v.toml:3:1: audience[0].lifetime: a lifetime is 1s to 300s",
        ),
        (
            "[[audience]]\nname = \"a\"\nclaims = { sub = \"account.identifier\" }",
            "v.toml:3:1: audience[0].claims: claim \"sub\" is a standard claim",
        ),
        (
            "[[audience]]\nname = \"a\"\nclaims = { x = \"env.HOME\" }",
            "v.toml:3:1: audience[0].claims: claim \"x\": \"env.HOME\" is no source; use account.identifier or account.traits.NAME",
        ),
        (
            "[[audience]]\nname = \"a\"\n[[audience]]\nname = \"a\"",
            "v.toml:4:1: audience[1].name: \"a\" is the name of two audiences",
        ),
        ("[[audience]]\nname = \"http://127.0.0.1:8080\"", "v.toml:2:1: audience[0].name: is `public_url`"),
        (
            "[[route]]\npath = \"/a\"",
            "v.toml:1:1: route[0].audience: is missing: a service behind a signed-in route gets a JWT",
        ),
        (
            "[[route]]\npath = \"/a\"\naudience = \"b\"",
            "v.toml:3:1: route[0].audience: \"b\" is no audience; add an [[audience]] with that name",
        ),
        (
            "[[route]]\npath = \"a\"\nrequire = \"public\"",
            "v.toml:2:1: route[0].path: \"a\" is not a plain path; begin with /",
        ),
        (
            "[[route]]\npath = \"/a//b\"\nrequire = \"public\"",
            "v.toml:2:1: route[0].path: \"/a//b\" is not a plain path",
        ),
        (
            "[[route]]\npath = \"/auth/x\"\nrequire = \"public\"",
            "v.toml:2:1: route[0].path: \"/auth/x\" is at or below paths.prefix (\"/auth\"), which is Vestibule's own",
        ),
        (
            "[[route]]\npath = \"/.well-known/jwks.json\"\nrequire = \"public\"",
            "v.toml:2:1: route[0].path: \"/.well-known/jwks.json\" is a document of Vestibule's own",
        ),
        (
            "[[route]]\npath = \"/a\"\nrequire = \"login\"",
            "v.toml:3:1: route[0].require: \"login\" is no requirement; use \"signed-in\" or \"public\"",
        ),
        (
            "[[route]]\npath = \"/a\"\nrequire = \"public\"\nmethods = [\"get\"]",
            "v.toml:4:12: route[0].methods[0]: \"get\" is not a method; write it in capitals",
        ),
        (
            "[[route]]\npath = \"/a\"\nrequire = \"public\"\naccept = []",
            "v.toml:4:1: route[0].accept: is empty: nobody could pass",
        ),
        (
            "[[route]]\npath = \"/a\"\nrequire = \"public\"\naccept = [\"cookie\"]",
            "v.toml:4:11: route[0].accept[0]: \"cookie\" is no credential",
        ),
        (
            "[[route]]\npath = \"/a\"\nrequire = \"public\"\ncsrf = \"no\"",
            "v.toml:4:1: route[0].csrf: \"no\" is no policy; use \"token\", \"origin\" or \"off\"",
        ),
        (
            "[[route]]\npath = \"/a\"\nrequire = \"public\"\nhost = \"https://a\"",
            "v.toml:4:1: route[0].host: \"https://a\" is not a host",
        ),
        (
            "[[route]]\npath = \"/a\"\nrequire = \"public\"\nhost = \"[::1\"",
            "v.toml:4:1: route[0].host: \"[::1\" is not a host",
        ),
        (
            "[[route]]\npath = \"/a\"\nrequire = \"public\"\nassertion_header = \"cookie\"",
            "v.toml:4:1: route[0].assertion_header: \"cookie\" already has a meaning of its own",
        ),
        (
            "[[route]]\npath = \"/a\"\nrequire = \"public\"\nheaders = { x_a = \"b\" }",
            "v.toml:4:13: route[0].headers.x_a: \"x_a\": proxies and servers read _ and . in names in different ways; use -",
        ),
        (
            "[[route]]\npath = \"/a\"\nrequire = \"public\"\nheaders = { x-a = \"b\" }",
            "v.toml:4:13: route[0].headers.x-a: \"b\" is no claim of the route's audience",
        ),
        (
            "[[route]]\npath = \"/a\"\nrequire = \"public\"\nupstream = \"127.0.0.1:9000\"",
            "v.toml:4:1: route[0].upstream: \"127.0.0.1:9000\" is not an http:// URL; write it like \"http://127.0.0.1:9000\"",
        ),
        (
            "[[route]]\npath = \"/a\"\nrequire = \"public\"\nupstream = \"http://127.0.0.1:9000/base\"",
            "v.toml:4:1: route[0].upstream: \"http://127.0.0.1:9000/base\" has a path or query",
        ),
        (
            "[[route]]\npath = \"/a/\"\nrequire = \"public\"\n[[route]]\npath = \"/a/\"\nrequire = \"public\"",
            "v.toml:5:1: route[1].path: \"/a/\" is already covered, for the same host and methods, by a route above",
        ),
    ];
    each_is_refused(cases);
}

#[track_caller]
fn each_is_refused(cases: &[(&str, &str)]) {
    let mut wrong = String::new();
    for (text, expected) in cases {
        let message = refusal(from(text));
        if !message.starts_with(expected) || message.contains('\n') {
            wrong.push_str(&format!("for {text:?}\nexpected {expected}\nbut got  {message}\n\n"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_look_is_read_and_judged_with_the_rest() {
    let folder = std::env::temp_dir().join(format!("vestibule-look-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("logo.svg"), "<svg xmlns=\"http://www.w3.org/2000/svg\"/>").unwrap();
    std::fs::write(folder.join("logo.gif"), "GIF89a").unwrap();
    std::fs::write(folder.join("large.png"), vec![0; 128 * 1024 + 1]).unwrap();
    let look = |text: &str| read(text, "v.toml", &folder, &[]);
    let settings =
        look("[theme]\nname = \"Orchard & Sons\"\naccent = \"#0B6E4F\"\nlogo_file = \"logo.svg\"").unwrap();
    assert_eq!(settings.look.name, "Orchard & Sons");
    assert_eq!(settings.look.accent.unwrap().to_string(), "#0b6e4f");
    assert!(settings.look.logo.is_some());
    let plain = from("").unwrap().look;
    assert!(plain.name == "Vestibule" && plain.accent.is_none() && plain.logo.is_none());
    let refused = [
        ("name = \"\"", "theme.name: must be 1 to 60 characters"),
        ("name = \" Orchard\"", "theme.name: must be 1 to 60 characters"),
        ("name = \"Orch\\nard\"", "theme.name: must be 1 to 60 characters"),
        ("accent = \"red\"", "theme.accent: \"red\" is not a colour; write it like \"#3949ab\""),
        ("accent = \"#fff}\"", "theme.accent: \"#fff}\" is not a colour"),
        ("logo_file = \"logo.gif\"", "theme.logo_file: "),
        ("logo_file = \"large.png\"", "theme.logo_file: "),
        ("logo_file = \"nowhere.png\"", "theme.logo_file: cannot read "),
        ("logo_file = \".\"", "theme.logo_file: "),
        ("logo_alone = true", "theme.logo_alone: needs a logo"),
        ("css = \"body{}\"", "theme.css: "),
        ("home_url = \"javascript:alert(1)\"", "theme.home_url: \"javascript:alert(1)\" is no link"),
        ("home_url = \"//elsewhere.example\"", "theme.home_url: \"//elsewhere.example\" is no link"),
        ("home_url = \"\"", "theme.home_url: \"\" is no link"),
        ("links.help = \"https://user@host/\"", "theme.links.help: "),
        ("links.privacy = \"/a b\"", "theme.links.privacy: "),
        ("links.imprint = \"data:text/html,x\"", "theme.links.imprint: "),
    ];
    for (text, expected) in refused {
        let message = refusal(look(&format!("[theme]\n{text}")));
        let message = message.split_once(": ").unwrap().1;
        assert!(message.contains(expected) || message.starts_with(expected), "for {text}: {message}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn texts_are_read_and_judged_with_the_rest() {
    let folder = std::env::temp_dir().join(format!("vestibule-texts-{}", std::process::id()));
    let write = |name: &str, text: &str| {
        std::fs::remove_dir_all(folder.join("texts")).ok();
        std::fs::create_dir_all(folder.join("texts/..data")).unwrap();
        std::fs::write(folder.join("texts").join(name), text).unwrap();
    };
    let read = |text: &str| read(text, "v.toml", &folder, &[]);
    write("fr.ftl", "sign-in = Se connecter");
    assert!(read("[texts]\nfolder = \"texts\"\ndefault_language = \"fr\"").is_ok());
    assert!(read("[texts]\ndefault_language = \"de\"").is_ok(), "German is there without a folder");
    let refused = |text: &str| refusal(read(&format!("[texts]\n{text}")));
    assert!(
        refused("default_language = \"fr\"").contains("texts.default_language: there are no texts in \"fr\"")
    );
    assert!(refused("folder = \"nowhere\"").contains("texts.folder: cannot read "));
    for (name, text, expected) in [
        ("fr.ftl", "# ours\nsign-inn = Hi", "fr.ftl:2: there is no text named sign-inn"),
        ("fr.ftl", "sign-in = { $oops }", "fr.ftl:1: sign-in names $oops"),
        ("fr.ftl", "sign-in Hi", "fr.ftl:1: "),
        ("french.txt", "sign-in = Hi", "french.txt is no file of texts; name it like fr.ftl"),
        ("f!.ftl", "sign-in = Hi", "is no language tag"),
    ] {
        write(name, text);
        let message = refused("folder = \"texts\"");
        assert!(message.contains("texts.folder: ") && message.contains(expected), "{name}: {message}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn what_comes_later_is_known_by_name_and_refused() {
    let cases: &[(&str, &str)] = &[
        (
            "[listen]\ntls = { cert_file = \"a\", key_file = \"b\" }",
            "v.toml:2:1: listen.tls: TLS on the listeners",
        ),
        (
            "[store]\nsessions = \"redis://h\"",
            "v.toml:2:1: store.sessions: a second store for sessions is not available yet",
        ),
        (
            "[[route]]\npath = \"/a\"\nrequire = \"aal2\"",
            "v.toml:3:1: route[0].require: a second factor is not available yet",
        ),
        ("[store]\nurl = \"redis://h\"", "v.toml:2:1: store.url: Redis is not available yet"),
    ];
    for (text, expected) in cases {
        let message = refusal(from(text));
        assert!(message.starts_with(expected), "for {text:?}\nexpected {expected}\nbut got  {message}");
    }
}

#[test]
fn a_password_in_a_store_url_is_not_repeated() {
    let message = refusal(from("[store]\nurl = \"postgres://vestibule:hunter2-canary@db/v\""));
    assert!(message.contains("PostgreSQL is not available yet"), "{message}");
    assert!(!message.contains("canary"), "{message}");
    let message = refusal(with("", &[("VESTIBULE__STORE__URL", "mysql://u:hunter2-canary@db/v")]));
    assert!(!message.contains("canary"), "{message}");
}

#[test]
fn variables_override_and_are_typed_as_their_key_wants() {
    let settings = with(
        "[sessions]\nidle = \"10m\"\n[passwords]\nmin_length = 15",
        &[
            ("VESTIBULE__SESSIONS__IDLE", "20m"),
            ("VESTIBULE__PASSWORDS__MIN_LENGTH", "20"),
            ("VESTIBULE__DATA_DIR", "123"),
            ("VESTIBULE__TRUSTED_PROXIES__FORWARD_AUTH", "[\"10.0.0.0/8\"]"),
            ("VESTIBULE__LISTEN__PUBLIC", "\"127.0.0.1:9090\""),
        ],
    )
    .unwrap();
    assert_eq!(settings.session_limits.idle.as_secs(), 1200);
    assert_eq!(settings.passwords.min_length, 20);
    assert_eq!(settings.passwords.guesses, vestibule_core::throttle::STRANGERS);
    assert_eq!(settings.data_dir, Path::new("/srv/123"));
    assert_eq!(settings.forward_auth_proxies.len(), 1);
    assert_eq!(settings.listen.public.port(), 9090);
}

#[test]
fn a_bad_variable_is_named() {
    let cases = [
        (
            "VESTIBULE__SESSIONS__IDEL",
            "20m",
            "environment variable VESTIBULE__SESSIONS__IDEL: sessions.idel: unknown field `idel`",
        ),
        (
            "VESTIBULE__PASSWORDS__MIN_LENGTH",
            "many",
            "environment variable VESTIBULE__PASSWORDS__MIN_LENGTH: passwords.min_length: invalid type: string",
        ),
        (
            "VESTIBULE__PASSWORDS__MIN_LENGTH",
            "3",
            "environment variable VESTIBULE__PASSWORDS__MIN_LENGTH: passwords.min_length: 3 is out of range",
        ),
        (
            "VESTIBULE__NOTHING",
            "1",
            "environment variable VESTIBULE__NOTHING: nothing: unknown field `nothing`",
        ),
        (
            "VESTIBULE__PUBLIC_URL",
            "http://example.com",
            "environment variable VESTIBULE__PUBLIC_URL: public_url: \"http://example.com\": http:// is for loopback alone",
        ),
    ];
    for (name, value, expected) in cases {
        let message = refusal(with("", &[(name, value)]));
        assert!(message.starts_with(expected), "expected {expected}\nbut got  {message}");
    }
}

#[test]
fn what_weakens_a_gate_is_on_the_list() {
    let settings = from(
        "[listen]\ninternal = \"0.0.0.0:8081\"\ndanger_internal_beyond_loopback = true\n\
         [[audience]]\nname = \"a\"\n[[route]]\npath = \"/a\"\naudience = \"a\"\ncsrf = \"off\"",
    )
    .unwrap();
    let keys: Vec<&str> = settings.dangers.iter().map(|danger| danger.key.as_str()).collect();
    assert_eq!(keys, ["listen.danger_internal_beyond_loopback", "route /a csrf = \"off\""]);
}

#[test]
fn loopback_origins_may_be_http() {
    for url in
        ["http://localhost:8080", "http://app.localhost:8080", "http://127.0.0.9", "http://[::1]:8080/"]
    {
        assert!(from(&format!("public_url = \"{url}\"")).is_ok(), "{url}");
    }
    for url in ["http://localhost.example.com", "http://127.0.0.1.example.com", "http://10.0.0.1"] {
        assert!(from(&format!("public_url = \"{url}\"")).is_err(), "{url}");
    }
}

#[test]
fn the_shipped_configuration_is_valid_and_says_the_defaults() {
    let shipped = from(include_str!("template.toml")).unwrap();
    let default = from("").unwrap();
    let text = |settings: &Settings| {
        let mut raw = settings.raw.clone();
        (raw.secrets.seal_key_file, raw.secrets.pepper_file) = (None, None);
        toml::to_string(&raw).unwrap()
    };
    assert_eq!(text(&shipped), text(&default));
}
