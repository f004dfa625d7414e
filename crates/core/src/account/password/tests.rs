use super::*;

#[test]
fn costs_below_the_floor_are_refused() {
    assert!(PasswordCost::new(19_455, 2, 1).is_err());
    assert!(PasswordCost::new(19_456, 1, 1).is_err());
    assert!(PasswordCost::new(19_456, 2, 0).is_err());
    assert_eq!(PasswordCost::new(19_456, 2, 1), Ok(PasswordCost::FLOOR));
}

#[test]
fn a_hash_is_argon2id_at_the_asked_cost_and_matches_only_its_password() {
    let password = Password::parse("correct horse battery staple").unwrap();
    let stored = hash(&password, &[3; 16], PasswordCost::FLOOR).unwrap();
    assert!(stored.reveal().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", stored.reveal());
    assert!(verify(&password, &stored).unwrap());
    assert!(!verify(&Password::parse("correct horse battery stapler").unwrap(), &stored).unwrap());
    assert!(!is_outdated(&stored, PasswordCost::FLOOR));
    assert!(is_outdated(&stored, PasswordCost::new(19_456, 3, 1).unwrap()));
}

/// AU-01: at today's cost, and all the same not what is made today.
#[test]
fn an_older_version_and_a_shorter_digest_are_outdated() {
    let (salt, digest) = ("c29tZXNhbHRzb21lc2FsdA", "K13EBUiG7JV+9ZxztmHFTdb7J0WQsnj2V8bZaqyPptE");
    for (version, digest, expected) in [(19, digest, false), (16, digest, true), (19, &digest[..22], true)] {
        let text = format!("$argon2id$v={version}$m=19456,t=2,p=1${salt}${digest}");
        assert_eq!(
            is_outdated(&PasswordHash::from_phc(text), PasswordCost::FLOOR),
            expected,
            "{version} {digest}"
        );
    }
}

#[test]
fn a_hash_made_by_the_reference_implementation_is_understood() {
    // echo -n "password" | argon2 somesaltsomesalt -id -t 2 -k 19456 -p 1 -e
    let stored = PasswordHash::from_phc(REFERENCE.to_owned());
    assert!(verify(&Password::parse("password").unwrap(), &stored).unwrap());
}

const REFERENCE: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$K13EBUiG7JV+9ZxztmHFTdb7J0WQsnj2V8bZaqyPptE";

/// AU-01: RFC 9106, section 5.3, with its secret and associated data.
#[test]
fn argon2id_is_the_one_of_the_rfc() {
    let mut builder = argon2::ParamsBuilder::new();
    builder.m_cost(32).t_cost(3).p_cost(4).data(argon2::AssociatedData::new(&[4; 12]).unwrap());
    let params = builder.build().unwrap();
    let hasher = Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params).unwrap();
    let mut tag = [0; 32];
    hasher.hash_password_into(&[1; 32], &[2; 16], &mut tag).unwrap();
    let expected = "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659";
    assert_eq!(data_encoding::HEXLOWER.encode(&tag), expected);
}

#[test]
fn what_is_no_hash_is_a_fault_and_not_a_no() {
    let password = Password::parse("x").unwrap();
    for text in ["", "plain", "$argon2id$v=19$m=19456,t=2,p=1$", "$2b$12$abcdefghijklmnopqrstuv"] {
        assert!(verify(&password, &PasswordHash::from_phc(text.to_owned())).is_err(), "{text:?}");
    }
}

const TYPED: &str = "correct horse battery staple";

/// Each scheme as other implementations write it: libxcrypt, CPython's hashlib (OpenSSL), the reference argon2, and the RFCs' vectors.
#[test]
fn imported_hashes_match_their_passwords_alone_and_are_outdated() {
    for (password, text) in BCRYPT.iter().chain(SCRYPT).chain(PBKDF2).chain(ARGON2) {
        let stored = import(text).unwrap_or_else(|cause| panic!("{text}: {cause}"));
        assert!(verify(&Password::parse(password).unwrap(), &stored).unwrap(), "{text}");
        let other = format!("x{password}");
        assert!(!verify(&Password::parse(&other).unwrap(), &stored).unwrap(), "{text}");
        assert!(is_outdated(&stored, PasswordCost::FLOOR), "{text}");
        let again = import(stored.reveal()).unwrap();
        assert!(again == stored, "what is stored is in the one form: {text}");
    }
}

const ARGON2: &[(&str, &str)] = &[
    (TYPED, "$argon2i$v=19$m=256,t=2,p=2$c29tZXNhbHRzb21lc2FsdA$y9n46w2Q+g5QoCAnqRHGXEdjU1FFzwex6vXzahgvdr0"),
    (TYPED, "$argon2d$v=19$m=256,t=2,p=2$c29tZXNhbHRzb21lc2FsdA$lMwDZyDxzMTgClKJQqobzPHeG480o4FJIEKcXoQ90cQ"),
    (
        TYPED,
        "$argon2id$v=16$m=128,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$acWn/KRG9DTjtEoJ3px5Jm4xCQZOmwY2UDdJPhv83eQ",
    ),
    // Django's.
    (
        TYPED,
        "argon2$argon2i$v=19$m=256,t=2,p=2$c29tZXNhbHRzb21lc2FsdA$y9n46w2Q+g5QoCAnqRHGXEdjU1FFzwex6vXzahgvdr0",
    ),
];

const BCRYPT: &[(&str, &str)] = &[
    ("a", "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe"),
    ("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
    (TYPED, "$2a$06$abcdefghijklmnopqrstuu10cNU3mXRamSUZYs8I8M/Szu..qXq5K"),
    (TYPED, "$2b$06$abcdefghijklmnopqrstuu10cNU3mXRamSUZYs8I8M/Szu..qXq5K"),
    (TYPED, "$2y$06$abcdefghijklmnopqrstuu10cNU3mXRamSUZYs8I8M/Szu..qXq5K"),
];

const SCRYPT: &[(&str, &str)] = &[
    // RFC 7914, section 12.
    (
        "password",
        "$scrypt$ln=10,r=8,p=16$TmFDbA$/bq+HJ00cgB4VucZDQHp/nxq18vII3gw53N2Y0s3MWIurzDZLiKjiG/xCSedmDDaxyevuUqD7m2DYMvfoswGQA",
    ),
    (TYPED, "$scrypt$ln=10,r=8,p=2$c29tZXNhbHRzb21lc2FsdA$EyBkFLQkmOFLYlClaR7RHGlPJB6WBu3c4BT83PQ8KJw"),
];

const PBKDF2: &[(&str, &str)] = &[
    // RFC 6070 and RFC 7914, section 11.
    (
        "passwordPASSWORDpassword",
        "$pbkdf2$i=4096,l=25$c2FsdFNBTFRzYWx0U0FMVHNhbHRTQUxUc2FsdFNBTFRzYWx0$PS7sT+QchJuAyNg2YsDkSospGpZM8vBwOA",
    ),
    (
        "Password",
        "$pbkdf2-sha256$i=80000,l=64$TmFDbA$TdzY9guYviGDDO5e8icB+WQaRBjQTAQUrv8Ih2s0q1ah1CWhIlgzVJrbhBtRybMXaicr3ruh0HhHj2Kzl/M8jQ",
    ),
    // PHC, passlib, Django.
    (TYPED, "$pbkdf2-sha1$i=1000,l=20$c29tZXNhbHRzb21lc2FsdA$xiyANeGLsyMSyaOnlmzZPFiWnFc"),
    (TYPED, "$pbkdf2$1000$c29tZXNhbHRzb21lc2FsdA$xiyANeGLsyMSyaOnlmzZPFiWnFc"),
    (TYPED, "pbkdf2_sha1$1000$somesaltsomesalt$xiyANeGLsyMSyaOnlmzZPFiWnFc="),
    (TYPED, "$pbkdf2-sha256$i=1000,l=32$c29tZXNhbHRzb21lc2FsdA$SCjY7SSTd+1t0YRKbVoolytKt+BeFjwwXJESGnfk9yY"),
    (TYPED, "$pbkdf2-sha256$i=1000$c29tZXNhbHRzb21lc2FsdA$SCjY7SSTd+1t0YRKbVoolytKt+BeFjwwXJESGnfk9yY"),
    (TYPED, "$pbkdf2-sha256$1000$c29tZXNhbHRzb21lc2FsdA$SCjY7SSTd.1t0YRKbVoolytKt.BeFjwwXJESGnfk9yY"),
    (TYPED, "pbkdf2_sha256$1000$somesaltsomesalt$SCjY7SSTd+1t0YRKbVoolytKt+BeFjwwXJESGnfk9yY="),
    (
        TYPED,
        "$pbkdf2-sha512$i=1000,l=64$c29tZXNhbHRzb21lc2FsdA$y1EmqmYYnTHUB+UALeZkA05jv7uV9/8fYP8tgPRwi9WSfmXwaBYgL/rnxeonBOso/iB8LFUMKKjeSyCxg7t8XA",
    ),
    (
        TYPED,
        "pbkdf2_sha512$1000$somesaltsomesalt$y1EmqmYYnTHUB+UALeZkA05jv7uV9/8fYP8tgPRwi9WSfmXwaBYgL/rnxeonBOso/iB8LFUMKKjeSyCxg7t8XA==",
    ),
];

/// bcrypt never saw more than 72 bytes: an imported account is opened by its first 72, once, and by the whole password from then on.
#[test]
fn bcrypt_looks_at_72_bytes_and_what_replaces_it_at_all() {
    let stored = import("$2b$05$abcdefghijklmnopqrstuujf8SX2ahXLwp9w/B.Y5XdysS6yR576q").unwrap();
    let of = |length| Password::parse(&"x".repeat(length)).unwrap();
    assert!(!verify(&of(71), &stored).unwrap());
    assert!(verify(&of(72), &stored).unwrap());
    assert!(verify(&of(73), &stored).unwrap());
    let upgraded = hash(&of(73), &[1; 16], PasswordCost::FLOOR).unwrap();
    assert!(verify(&of(73), &upgraded).unwrap());
    assert!(!verify(&of(72), &upgraded).unwrap());
    assert!(!verify(&of(74), &upgraded).unwrap());
}

/// Other programs hash what was typed; `²` is `2` in NFKC, so the normalised form alone would lock its owner out.
#[test]
fn an_imported_hash_is_of_what_was_typed() {
    let stored = import("$2b$05$abcdefghijklmnopqrstuuCDRT6Z1pLhDuzqYekVO9mo8XkSwyoAK").unwrap();
    assert!(verify(&Password::parse("Grüße \u{b5}\u{b2} aus Köln").unwrap(), &stored).unwrap());
    assert!(!verify(&Password::parse("Grüße \u{3bc}2 aus Köln").unwrap(), &stored).unwrap());
    let ours = hash(&Password::parse("Grüße \u{b5}\u{b2} aus Köln").unwrap(), &[1; 16], PasswordCost::FLOOR)
        .unwrap();
    assert!(verify(&Password::parse("Grüße \u{3bc}2 aus Köln").unwrap(), &ours).unwrap());
}

#[test]
fn hostile_and_broken_hashes_are_refused_with_a_reason() {
    let salt = "c29tZXNhbHRzb21lc2FsdA";
    let digest = "SCjY7SSTd+1t0YRKbVoolytKt+BeFjwwXJESGnfk9yY";
    let bcrypt = "abcdefghijklmnopqrstuu10cNU3mXRamSUZYs8I8M/Szu..qXq5K";
    let too_costly = [
        format!("$argon2id$v=19$m=262145,t=1,p=1${salt}${digest}"),
        format!("$argon2id$v=19$m=262144,t=5,p=1${salt}${digest}"),
        format!("$argon2id$v=19$m=65536,t=4294967295,p=1${salt}${digest}"),
        format!("$argon2id$v=19$m=65536,t=2,p=255${salt}${digest}"),
        format!("$2b$15${bcrypt}"),
        format!("$2b$31${bcrypt}"),
        format!("$scrypt$ln=19,r=8,p=1${salt}${digest}"),
        format!("$scrypt$ln=63,r=8,p=1${salt}${digest}"),
        format!("$scrypt$ln=10,r=4294967295,p=4294967295${salt}${digest}"),
        format!("$scrypt$ln=99999999999,r=8,p=1${salt}${digest}"),
        format!("$pbkdf2-sha256$i=5000001,l=32${salt}${digest}"),
        format!("pbkdf2_sha256$4294967295$salty${digest}="),
        // 43 characters are 32 bytes, which SHA-1 gives in two blocks.
        format!("$pbkdf2$i=2500001,l=32${salt}${digest}"),
    ];
    for text in &too_costly {
        assert!(matches!(import(text), Err(NotAHash::TooCostly(_))), "{text}");
    }
    let malformed = [
        format!("$argon2id$v=19$m=19456,t=2,p=1${salt}"),
        format!("$argon2id$v=19$m=19456,t=2,p=1${salt}$AAAA"),
        format!("$argon2id$v=99$m=19456,t=2,p=1${salt}${digest}"),
        format!("$argon2id$m=19456,t=2,p=1${salt}${digest}"),
        "$argon2id$".to_owned(),
        format!("$2b$3${bcrypt}"),
        format!("$2b$03${bcrypt}"),
        format!("$2b$+9${bcrypt}"),
        format!("$2b$06${bcrypt}$"),
        format!("$2b$06$é{bcrypt:.51}"),
        "$2b$06$tooshort".to_owned(),
        format!("$scrypt$ln=0,r=8,p=1${salt}${digest}"),
        format!("$scrypt$ln=10,r=0,p=1${salt}${digest}"),
        format!("$scrypt$r=8,p=1,ln=10${salt}${digest}"),
        format!("$scrypt$ln=10,r=8,p=1,x=1${salt}${digest}"),
        format!("$scrypt$ln=10,r=8,p=1${salt}$c2hvcnQ"),
        format!("$pbkdf2-sha256$i=0,l=32${salt}${digest}"),
        format!("$pbkdf2-sha256$i=+9,l=32${salt}${digest}"),
        format!("$pbkdf2-sha256$i=1000,l=31${salt}${digest}"),
        format!("$pbkdf2-sha256$i=1000,l=32$${digest}"),
        format!("$pbkdf2-sha256$i=1000,l=32$!!!${digest}"),
        format!("$pbkdf2-sha256$i=1000,l=32${salt}${digest}$"),
        "pbkdf2_sha256$1000$salt".to_owned(),
        format!("$argon2id${}", "x".repeat(600)),
    ];
    for text in &malformed {
        let refused = import(text).err();
        assert!(matches!(refused, Some(NotAHash::Malformed(_))), "{text}: {refused:?}");
    }
    for text in
        ["", "hunter2", "$1$salt$digest", "$2x$06$abc", "$6$rounds=5000$salt$digest", "{SSHA}AAAA", "md5$a$b"]
    {
        assert_eq!(import(text).err(), Some(NotAHash::UnknownKind), "{text}");
    }
}

/// AU-04: a stand-in costs what its pattern costs, byte for byte the same but for the digest, and matches nothing, not even the
/// pattern's own password.
#[test]
fn a_stand_in_takes_the_same_work_and_matches_nothing() {
    let ours = hash(&Password::parse(TYPED).unwrap(), &[1; 16], PasswordCost::FLOOR).unwrap();
    let samples =
        [BCRYPT, SCRYPT, PBKDF2].into_iter().flat_map(|it| it.last()).map(|(_, text)| import(text).unwrap());
    for stored in samples.chain([ours]) {
        assert!(verify(&Password::parse(TYPED).unwrap(), &stored).unwrap());
        let stand_in = stand_in_for(&stored).unwrap();
        assert!(!verify(&Password::parse(TYPED).unwrap(), &stand_in).unwrap(), "{}", stored.reveal());
        let before = |hash: &PasswordHash| hash.reveal().get(..29).map(str::to_owned);
        assert_eq!(stand_in.reveal().len(), stored.reveal().len());
        assert_eq!(before(&stand_in), before(&stored));
    }
    assert!(stand_in_for(&PasswordHash::from_phc("plain".to_owned())).is_none());
}

/// What somebody else wrote is never more than refused, whatever a byte of it becomes.
#[test]
fn a_changed_byte_is_refused_or_still_bounded() {
    let vectors = BCRYPT.iter().chain(SCRYPT).chain(PBKDF2).chain(ARGON2);
    let mut taken = 0;
    for (_, text) in vectors {
        for at in 0..text.len() {
            for byte in ["", "$", "0", "9", "=", ",", "-", "\0", "\u{e9}", "99999999999999999999"] {
                let changed = format!("{}{byte}{}", &text[..at], &text[at + 1..]);
                let Ok(hash) = import(&changed) else { continue };
                assert!(hash.reveal().len() <= LONGEST_HASH, "{changed}");
                assert!(import(hash.reveal()).is_ok_and(|again| again == hash), "{changed}");
                assert!(stand_in_for(&hash).is_some(), "{changed}");
                taken += 1;
            }
        }
    }
    assert!(taken > 100, "{taken}: digits of salts and digests can be others");
}

/// What one hash leaves behind changes nothing about the next, whatever kind and size it is of.
#[test]
fn memory_is_used_again_and_every_verdict_stays_what_it_was() {
    let mut memory = HashingMemory::default();
    let right = Password::parse(TYPED).unwrap();
    let wrong = Password::parse("incorrect horse battery staple").unwrap();
    for (algorithm, version, kib, passes, lanes, length) in [
        (Algorithm::Argon2id, Version::V0x13, 19_456, 2, 1, 32),
        (Algorithm::Argon2i, Version::V0x13, 512, 3, 2, 16),
        (Algorithm::Argon2d, Version::V0x10, 1024, 1, 4, 64),
        (Algorithm::Argon2id, Version::V0x10, 40_000, 1, 1, 24),
        (Algorithm::Argon2id, Version::V0x13, 19_456, 2, 1, 32),
        (Algorithm::Argon2i, Version::V0x10, 64, 1, 1, 32),
    ] {
        let params = Params::new(kib, passes, lanes, Some(length)).unwrap();
        let fresh = Argon2::new(algorithm, version, params);
        let stored = fresh.hash_password_with_salt(right.reveal(), &[7; 16]).unwrap();
        let stored = PasswordHash::from_phc(stored.to_string());
        for _ in 0..2 {
            assert!(verify_in(&mut memory, &right, &stored).unwrap(), "{}", stored.reveal());
            assert!(!verify_in(&mut memory, &wrong, &stored).unwrap(), "{}", stored.reveal());
        }
        memory.shrink_to(PasswordCost::FLOOR);
    }
}
