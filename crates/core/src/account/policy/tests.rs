use super::*;

const ADA: &[&str] = &["ada.lovelace@example.com"];

fn policy() -> Policy {
    Policy::new(15, &["portal.wonderland.test"]).unwrap()
}

/// AU-02: the bounds are code points after normalisation, both ends included; nothing is too long or too odd to be counted.
#[test]
fn fifteen_to_256_code_points_whatever_they_are() {
    let policy = policy();
    let of_length = |unit: &str, length: usize| -> String {
        // No two neighbours alike and no period: only the length is judged here.
        unit.chars().cycle().take(length - 4).chain("9#k%".chars()).collect()
    };
    let letters =
        "correct horse battery staple under the moon of jupiter while nobody counts these characters";
    for (length, expected) in [
        (14, Err(PasswordReject::TooShort { min: 15 })),
        (15, Ok(())),
        (72, Ok(())),
        (73, Ok(())),
        (256, Ok(())),
        (257, Err(PasswordReject::TooLong)),
    ] {
        assert_eq!(policy.read(&of_length(letters, length), ADA).map(drop), expected, "{length}");
        let emoji = "🦀🌙🔭🧮📐🗝🧵🪡🏔🌊🍋🥁🎻🚲🧊🪁🛶🧭🕯📎🧷🪞🔔";
        assert_eq!(policy.read(&of_length(emoji, length), ADA).map(drop), expected, "{length} emoji");
        let nuls = of_length("a\0q\0z\0m\0w\0l\0e\0", length);
        assert_eq!(policy.read(&nuls, ADA).map(drop), expected, "{length} with NUL");
    }
}

/// A letter with its mark is one code point after NFKC, however it was typed; a ligature that becomes many counts as many.
#[test]
fn length_is_counted_after_normalisation() {
    let policy = policy();
    let fourteen = "\u{fc}ber den W\u{f6}lk1";
    assert_eq!(fourteen.chars().count(), 14);
    let marks = fourteen.replace('\u{fc}', "u\u{308}").replace('\u{f6}', "o\u{308}");
    assert_eq!(marks.chars().count(), 16);
    assert_eq!(policy.read(&marks, &[]).map(drop), Err(PasswordReject::TooShort { min: 15 }));
    // Three hundred typed code points, 150 of them marks that melt into their letters.
    let long: String = "rthglqmbzkxwv".chars().cycle().take(143).chain("e\u{308}a\u{30a}".chars()).collect();
    assert_eq!(policy.read(&long, &[]).map(drop), Ok(()));
    let marked = "e\u{301}\u{16b}o\u{302}\u{e7}".repeat(64);
    assert!(Password::parse(&marked).is_some_and(|it| it.code_points() <= 256));
    // U+FDFA is eighteen code points long in NFKC.
    assert_eq!(policy.read(&"\u{FDFA}".repeat(15), &[]).map(drop), Err(PasswordReject::TooLong));
}

/// AU-02, AU-07: what cannot be a password is refused by its length alone.
#[test]
fn ten_kilobytes_are_refused_before_anything_else_is_done() {
    let began = std::time::Instant::now();
    for _ in 0..1000 {
        assert_eq!(
            policy_of_nothing().read(&"x".repeat(10_240), &[]).map(drop),
            Err(PasswordReject::TooLong)
        );
    }
    assert!(began.elapsed() < std::time::Duration::from_secs(1), "{:?}", began.elapsed());
}

fn policy_of_nothing() -> &'static Policy {
    static POLICY: std::sync::LazyLock<Policy> = std::sync::LazyLock::new(policy);
    &POLICY
}

/// AU-03: no rules of composition.
#[test]
fn good_passwords_pass_in_any_alphabet_without_digits_or_signs() {
    let policy = policy();
    for good in [
        "correct horse battery staple",
        "correcthorsebatterystaple2",
        "my other bicycle is made of glass",
        "kupfer mond fahrrad nebel",
        "восемь зелёных велосипедов",
        "月の光が窓から静かに差し込んでいた夜",
        "739184719851034",
        "kX9#vQ2$mL7!pR4",
        "aB3dE5gH7jK9mN1",
        "f3a9c17be04d5826",
        "the ada programming language is fine",
        "i read portal reviews on sundays only",
    ] {
        assert_eq!(policy.read(good, ADA).map(drop), Ok(()), "{good}");
    }
}

/// AU-06.
#[test]
fn common_passwords_are_refused_and_so_is_what_is_built_on_one() {
    let policy = policy();
    for common in [
        // Listed as they are.
        "1qaz2wsx3edc4rfv",
        "passwordpassword",
        "PasswordStandard",
        "thisismypassword",
        "qwertyuiop12345",
        // Case, width, compatibility forms.
        "1QAZ2WSX3EDC4RFV",
        "\u{FF50}\u{FF41}\u{FF53}\u{FF53}word1234567",
        // Something at the ends.
        "password1234567",
        "12345password!!!",
        "Password!!!!!!!!",
        "!!!! dragon 2024 !!!!",
        "iloveyou30091987",
        "sunshine        ",
        "letmein🦀🦀🦀🦀🦀🦀🦀🦀",
        "monkey\u{200B}\u{200B}\u{200B}1\u{200B}2\u{200B}3\u{200B}4",
        // Reaching the length by repetition or a sequence.
        "passwordaaaaaaaa",
        "passwordddddddddd",
        "aaaaaaapasswordzzzzzzz",
        "passwordabcdefgh",
        "Password1Password1",
        "password1password2",
        "superman-superman",
        "charliecharliecharl",
        "dragon.dragon.dragon",
        // Spelled otherwise, or spread out.
        "p@ssw0rd1234567",
        "P4$$w0rd!!!!!!!",
        "1l0vey0u!!!!!!!!",
        "p-a-s-s-w-o-r-d",
        "p a s s w o r d 1 2",
        // No word at all.
        "aaaaaaaaaaaaaaa",
        "aaaaaaaaaaaaaab",
        "123456789012345",
        "098765432109876",
        "abcdefghijklmno",
        "qwertyuiopasdfgh",
        "qazwsxedcrfvtgb",
        "qwertzuiopasdfg",
        "azertyuiopqsdfg",
        "abcabcabcabcabc",
        "ababababababababab",
        "1212121212121212",
        "aaabbbcccdddeee",
        "123123123123123",
        "               ",
        "🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀",
    ] {
        assert_eq!(policy.read(common, ADA).map(drop), Err(PasswordReject::Common), "{common}");
    }
}

#[test]
fn words_of_the_account_and_the_site_count_as_nothing() {
    let policy = policy();
    for contextual in [
        "ada.lovelace@example.com",
        "ADA.LOVELACE@EXAMPLE.COM",
        "adalovelace1815",
        "1815-ada-lovelace",
        "lovelacelovelace",
        "lovelace12101815",
        "L0vel4ce!!!!!!!!",
        "example.com-7hG!",
        "vestibule123456!",
        "Vestibule2026!!!",
        "vestibulepassword",
        "portal.wonderland.test",
        "wonderland-portal",
        "wonderlandwonderland",
        "w0nderl4nd-2026-w0nderl4nd",
    ] {
        assert_eq!(policy.read(contextual, ADA).map(drop), Err(PasswordReject::Contextual), "{contextual}");
    }
    assert_eq!(policy.read("lovelace stands by a green window", ADA).map(drop), Ok(()));
    assert_eq!(policy.read("adalovelace-kXvQmLpR", ADA).map(drop), Ok(()), "eight good ones are left");
    assert_eq!(policy.read("12101815-Xx-byron-annabella", &["byron"]).map(drop), Ok(()));
    for odd in ["", "@", "a@b", "--", "\u{200B}"] {
        assert_eq!(policy.read("kX9#vQ2$mL7!pR4", &[odd]).map(drop), Ok(()), "{odd:?}");
    }
}

#[test]
fn the_bundled_list_is_folded_sorted_and_found_again_whole() {
    let common = CommonPasswords::bundled().unwrap();
    let mut last = "";
    let mut count = 0;
    for entry in common.iter() {
        assert!(last < entry, "{last:?} stands before {entry:?}");
        let folded = fold(entry);
        assert!(entry.is_ascii() && folded.iter().copied().eq(entry.chars()), "{entry:?} is not folded");
        assert!((SHORTEST_WORD..=LONGEST_WORD).contains(&entry.len()), "{entry:?}");
        assert!(common.contains(&folded), "{entry:?} is not found");
        last = entry;
        count += 1;
    }
    assert_eq!(count, 251_110);
    for absent in
        ["", "\n", "passwor d", "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", "\u{0}", "~~~~~~~~~~~~", "päss"]
    {
        assert!(!common.contains(&fold(absent)), "{absent:?}");
    }
}

/// A sample of all: long entries are refused as they are, and the others when something behind them makes them long enough.
#[test]
fn listed_words_are_refused_as_they_are_and_with_a_tail() {
    let policy = policy();
    let words = policy.common.iter().filter(|it| it.chars().any(char::is_alphabetic)).step_by(397);
    let mut checked = 0;
    for word in words {
        let is_long = word.len() >= 15;
        for tail in ["1234567890123", "!!!!!!!!!!!!!"].into_iter().chain(is_long.then_some("")) {
            let typed = format!("{word}{tail}");
            assert!(policy.read(&typed, &[]).is_err(), "{typed}");
        }
        checked += 1;
    }
    assert!(checked > 500, "{checked}");
}

#[test]
fn judging_the_worst_takes_no_time_to_speak_of() {
    let policy = policy();
    let digits: String =
        (0..240_u32).map(|at| char::from_digit(at * at * 7 % 11 % 10, 10).unwrap()).collect();
    let around_one_letter = "7391".repeat(40) + "q" + &"8264".repeat(20);
    for worst in [
        around_one_letter,
        format!("{digits}a{digits:.15}"),
        format!("{digits:.120}ab{digits:.120}"),
        "a1!".repeat(85),
    ] {
        let password = Password::parse(&worst).unwrap();
        let began = std::time::Instant::now();
        policy.judge(&password, ADA).ok();
        assert!(began.elapsed() < std::time::Duration::from_secs(2), "{:?}", began.elapsed());
    }
}

#[test]
fn every_refusal_has_a_sentence_and_a_code() {
    let all = [
        PasswordReject::Common,
        PasswordReject::Contextual,
        PasswordReject::TooLong,
        PasswordReject::TooShort { min: 15 },
    ];
    for reject in all {
        assert!(reject.to_string().ends_with('.') && reject.code().starts_with("password-"));
    }
    assert!(PasswordReject::TooShort { min: 20 }.to_string().contains("20 characters"));
}
