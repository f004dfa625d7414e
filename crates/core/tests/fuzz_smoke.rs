//! The bodies of the fuzz targets on stable: bounded and seeded, so that they run everywhere and fail the same way twice.

#![expect(clippy::indexing_slicing, reason = "a failure here is a failed test")]

#[expect(clippy::unwrap_used, reason = "a failure here is a failed test")]
#[path = "../../../fuzz/fuzz_targets/bodies/cookie.rs"]
mod cookie;
#[expect(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failed test")]
#[path = "../../../fuzz/fuzz_targets/bodies/request.rs"]
mod request;

use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};

const ROUNDS: usize = 50_000;

/// Seeds close to what passes: most of the code lies behind the first right character.
const COOKIES: [&str; 9] = [
    "paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU",
    "vst_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEcs1uhC",
    "__Host-Http-vestibule=paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU",
    "a=1; __Host-Http-vestibule=paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU; b=\"2\"",
    "a=1\n__Host-Http-vestibule=paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU\n__Host-Http-vestibule_pre=x",
    "a=1; __Host-Http-vestibule_access=a.b.c",
    "__Host-Http-vestibule_access=a.b.c; __Host-Http-vestibule=paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU",
    "__Host-Http-vestibule=paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU\0Bearer a.b.c",
    "theme=dark\0Bearer vst_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEcs1uhC",
];

/// The first character chooses the part: `0` addresses, `1` targets, `2` origins, `3` where a request comes from, `4` forms, `5` paths.
const REQUESTS: [&str; 22] = [
    "0203.0.113.7",
    "0203.0.113.7, 10.1.2.3\n127.0.0.2",
    "0[2001:db8::1]:443, 10.0.0.1",
    "0\"[2001:db8::1]\", for=\"[::1]\"",
    "0::ffff:10.0.0.1, ::ffff:203.0.113.7",
    "1x-forwarded-method:GET\nx-forwarded-host:app.test:8443\nx-forwarded-uri:/orders/?a=1",
    "1x-original-method:POST\nx-original-url:https://app.test/orders/%C3%A9",
    "1x-original-method:GET\nx-original-url:http://[::1]:80/\nx-forwarded-method:GET\nx-forwarded-host:[::1]\nx-forwarded-uri:/",
    "1x-forwarded-method:GET\nx-forwarded-host:a_b.test\nx-forwarded-uri:/",
    "2https://app.test",
    "2HTTPS://App.Test:443",
    "2http://[::1]:8080",
    "2https://b\u{fc}cher.test",
    "3ssame-origin\nohttps://app.test",
    "3snone",
    "3scross-site\nohttps://app.test\nonull",
    "4a+b%2Bc%2b%FF",
    "4%C3%A9%00%25%",
    "5/orders/%C3%A9/[slug]|x",
    "5/a/%7E%2D%5F/b.c/...",
    "5/a;jsessionid=1//%2e%2E/%252e",
    "5/%EF%BC%8F%e2%84%aa",
];

#[test]
fn fifty_thousand_mutations_of_cookies_break_nothing() {
    fuzz(&COOKIES, b"=;, \"$_-+/\t\nA", cookie::run);
}

#[test]
fn fifty_thousand_mutations_of_requests_break_nothing() {
    fuzz(&REQUESTS, b"012345/.%:;[]@#?\\ ,\"\n2eEfF", request::run);
}

fn fuzz(seeds: &[&str], favourites: &[u8], run: fn(&[u8])) {
    for seed in seeds {
        run(seed.as_bytes());
    }
    let mut rng = TestRng::from_seed(RngAlgorithm::ChaCha, b"the same thirty-two bytes always");
    for _ in 0..ROUNDS {
        run(&mutated(&mut rng, seeds, favourites));
    }
}

/// A seed with up to eight small wounds.
fn mutated(rng: &mut impl Rng, seeds: &[&str], favourites: &[u8]) -> Vec<u8> {
    let mut below = |limit: usize| (rng.next_u64() % limit as u64) as usize;
    let mut bytes = seeds[below(seeds.len())].as_bytes().to_vec();
    for _ in 0..below(9) {
        let at = below(bytes.len() + 1);
        match below(6) {
            0 => bytes.insert(at, below(256) as u8),
            1 => bytes.insert(at, favourites[below(favourites.len())]),
            2 => bytes.truncate(at),
            3 => {
                let from = below(bytes.len() + 1);
                let piece = bytes[from.min(at)..from.max(at)].to_vec();
                bytes.splice(at..at, piece);
            }
            _ if at < bytes.len() && below(2) == 0 => drop(bytes.remove(at)),
            _ if at < bytes.len() => bytes[at] ^= 1 << below(8),
            _ => {}
        }
    }
    bytes
}
