use super::*;

/// A literal, so that a change of `HARD_WAIT` fails here.
const ONE_DAY: Duration = Duration::from_secs(86_400);

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_seconds(1_000_000 + seconds)
}

fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn attempt(account: u8, source: u8, by: AttemptKind) -> Attempt {
    Attempt { account: [account; 32], source: [source; 32], by }
}

/// At an account of its own.
fn from(source: u16, number: u64, by: AttemptKind) -> Attempt {
    let mut attempt = attempt(0xee, 0xee, by);
    attempt.account[..8].copy_from_slice(&number.to_be_bytes());
    attempt.source[..2].copy_from_slice(&source.to_be_bytes());
    attempt
}

fn reserved(reservation: Reservation) -> Receipt {
    match reservation {
        Reservation::Reserved(receipt) => receipt,
        Reservation::Wait(wait) => panic!("wait {wait:?}"),
    }
}

fn wait(reservation: Reservation) -> Duration {
    match reservation {
        Reservation::Reserved(_) => Duration::ZERO,
        Reservation::Wait(wait) => wait,
    }
}

const STRANGER: AttemptKind = AttemptKind::Stranger(STRANGERS);

#[test]
fn five_are_free_then_the_wait_doubles_to_a_quarter_of_an_hour() {
    let mut tally = AccountCounter::FRESH;
    let mut now = at(0);
    for _ in 0..5 {
        tally = tally.count(now).unwrap();
    }
    for expected in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
        assert_eq!(tally.count(now), Err(Duration::from_secs(expected)));
        now = now.after(Duration::from_secs(expected));
        tally = tally.count(now).unwrap();
    }
}

#[test]
fn a_hundred_in_a_row_slow_a_guesser_to_one_a_day_and_never_lock() {
    let tally = AccountCounter { failures: 99, not_before: at(0), counted_at: at(0) };
    let tally = tally.count(at(0)).unwrap();
    assert_eq!(tally.count(at(1)), Err(ONE_DAY - Duration::from_secs(1)));
    assert!(tally.count(at(24 * 60 * 60)).is_ok());
}

/// AU-05: many tallies together wait for nothing that one of them did, up to the stop, which they have in common.
#[test]
fn together_there_is_no_wait_but_at_the_stop() {
    let mut tally = AccountCounter::FRESH;
    for _ in 0..100 {
        tally = tally.count_together(at(0)).unwrap();
    }
    assert_eq!(tally.count_together(at(1)), Err(ONE_DAY - Duration::from_secs(1)));
    assert_eq!(tally.count_together(at(24 * 60 * 60)).unwrap().failures, 100 + 1);
}

#[test]
fn what_was_never_evaluated_costs_nothing() {
    let five = (0..5).fold(AccountCounter::FRESH, |tally, _| tally.count(at(0)).unwrap());
    assert!(five.count(at(0)).is_err());
    assert_eq!(five.give_back(at(0)).count(at(0)).unwrap().failures, 5);
    assert_eq!(full().count(SOURCE, at(0)).unwrap().give_back(SOURCE).left, full().left);
    // Nor can more than what was there be given back.
    assert_eq!(full().give_back(SOURCE), full());
}

#[test]
fn a_source_has_sixty_at_once_and_twenty_a_minute() {
    let mut tally = full();
    for _ in 0..60 {
        tally = tally.count(SOURCE, at(0)).unwrap();
    }
    assert_eq!(tally.count(SOURCE, at(0)), Err(Duration::from_secs(3)));
    assert!(tally.count(SOURCE, at(3)).is_ok());
    let mut later = tally;
    for _ in 0..20 {
        later = later.count(SOURCE, at(60)).unwrap();
    }
    assert!(later.count(SOURCE, at(60)).is_err());
}

/// How long it is until there is one: what is missing, at the pace at which it comes.
#[test]
fn an_empty_bucket_says_when_there_is_one_again() {
    for (left, per_minute, wait) in
        [(0, 20, 3000), (400, 20, 1800), (999, 20, 3), (999, 7, 8), (250, 300, 150), (999, 60_000, 1)]
    {
        let bucket = Bucket { left, counted_at: at(0) };
        let allowance = Allowance::per_minute(per_minute);
        assert_eq!(bucket.count(allowance, at(0)), Err(millis(wait)), "{left} at {per_minute}");
    }
    let one = Bucket { left: 1000, counted_at: at(0) };
    assert_eq!(one.count(SOURCE, at(0)), Ok(Bucket { left: 0, counted_at: at(0) }));
}

fn full() -> Bucket {
    Bucket::full(SOURCE)
}

/// AU-05: beyond one attempt a minute of each source's own, the breaker slows all strangers to five a second, and nobody else.
#[test]
fn the_breaker_slows_strangers_and_nobody_else() {
    let mut book = CounterTable::default();
    let mut number = 0;
    let mut next = |book: &mut CounterTable, source, by, now| {
        number += 1;
        book.reserve(from(source, number, by), now)
    };
    // Twenty sources, each with its own attempt and 45 of the crowd's 900.
    for source in 0..20 {
        for nth in 0..46 {
            let receipt = reserved(next(&mut book, source, STRANGER, at(0)));
            assert_eq!(receipt.taken_from.is_none(), nth == 0, "{source} {nth}");
        }
    }
    for source in 0..20 {
        assert_eq!(wait(next(&mut book, source, STRANGER, at(0))), millis(200));
        reserved(next(&mut book, source, AttemptKind::Session { address: [7; 32] }, at(0)));
    }
    reserved(next(&mut book, 0, STRANGER, at(0).after(millis(200))));
    assert_eq!(wait(next(&mut book, 1, STRANGER, at(0).after(millis(200)))), millis(200));
    // A source that nobody used has one, and one more a minute later.
    assert_eq!(reserved(next(&mut book, 20, STRANGER, at(0).after(millis(200)))).taken_from, None);
    assert_eq!(wait(next(&mut book, 20, STRANGER, at(0).after(millis(200)))), millis(200));
}

/// AU-05: who takes all that strangers have together keeps nobody out who comes from elsewhere. Sixteen sources do for ten minutes
/// what they are let; meanwhile somebody signs in each second, each from a place of their own, at the first attempt.
#[test]
fn sixteen_sources_close_the_door_for_nobody_else() {
    let mut book = CounterTable::default();
    let (mut number, mut of_the_crowd, mut own) = (0, 0, [0; 16]);
    let mut next = |book: &mut CounterTable, source, now| {
        number += 1;
        book.reserve(from(source, number, STRANGER), now)
    };
    for second in 0..600 {
        for source in 0..16 {
            while let Reservation::Reserved(receipt) = next(&mut book, source, at(second)) {
                match receipt.taken_from {
                    Some(_) => of_the_crowd += 1,
                    None => own[usize::from(source)] += 1,
                }
            }
        }
        let receipt = reserved(next(&mut book, 1000 + second as u16, at(second)));
        book.succeeded(&receipt);
    }
    // 900 at once, and five in each second after the first.
    assert_eq!(of_the_crowd, 900 + 599 * 5);
    assert!(own.iter().all(|own| (1..=10).contains(own)), "one a minute at most: {own:?}");
}

/// AU-07: those who know one password wait, from however many addresses they sign in; other accounts do not.
#[test]
fn an_account_is_signed_in_to_twenty_times_a_minute() {
    let mut book = CounterTable::default();
    let mut source = 0;
    let mut signs_in = |book: &mut CounterTable, account, now| {
        source += 1;
        let mut attempt = from(source, 0, STRANGER);
        attempt.account = [account; 32];
        match book.reserve(attempt, now) {
            Reservation::Reserved(receipt) => {
                book.succeeded(&receipt);
                Duration::ZERO
            }
            Reservation::Wait(wait) => wait,
        }
    };
    for _ in 0..40 {
        assert_eq!(signs_in(&mut book, 1, at(0)), Duration::ZERO);
    }
    assert_eq!(signs_in(&mut book, 1, at(0)), Duration::from_secs(3));
    assert_eq!(signs_in(&mut book, 2, at(0)), Duration::ZERO);
    for _ in 0..20 {
        assert_eq!(signs_in(&mut book, 1, at(60)), Duration::ZERO);
    }
    assert_eq!(signs_in(&mut book, 1, at(60)), Duration::from_secs(3));
    book.forget(at(60));
    assert_eq!(signs_in(&mut book, 1, at(60)), Duration::from_secs(3), "forgotten too early");
}

/// AU-07: attempts that are evaluated at once take what later ones would have: in ten minutes there are 20 a minute, not 20 times as many.
#[test]
fn sign_ins_at_the_same_time_are_paid_for() {
    let mut book = CounterTable::default();
    let (mut source, mut signed_in) = (0, 0);
    for second in 0..600 {
        let mut receipts = Vec::new();
        // Five are free, and then a success frees five more: ten at once.
        for _ in 0..10 {
            source = (source + 1) % 1000;
            let mut attempt = from(source, 0, STRANGER);
            attempt.account = [1; 32];
            if let Reservation::Reserved(receipt) = book.reserve(attempt, at(second)) {
                receipts.push(receipt);
            }
            book.forgive(&[[1; 32]]);
        }
        signed_in += receipts.len();
        receipts.iter().for_each(|receipt| book.succeeded(receipt));
    }
    assert!((230..=60 + 200).contains(&signed_in), "{signed_in}");
}

/// A clock that was set back keeps nobody out until it comes to the time of the last sign-in again.
#[test]
fn sign_ins_go_on_when_the_clock_was_set_back() {
    let empty = Bucket { left: 0, counted_at: at(86_400) };
    let attempt = attempt(1, 1, STRANGER);
    let tallies = AttemptCounters { sign_ins: empty, ..AttemptCounters::fresh(&attempt) };
    let (counted, receipt) = tallies.count(attempt, at(0)).unwrap();
    assert_eq!(counted.succeeded(&receipt).sign_ins, Bucket { left: 0, counted_at: at(0) });
    let later = AttemptCounters { sign_ins: Bucket { left: 0, counted_at: at(0) }, ..tallies };
    assert_eq!(later.count(attempt, at(0)), Err(Duration::from_secs(63)));
    assert_eq!(later.count(attempt, at(60)), Err(Duration::from_secs(3)));
    assert!(later.count(attempt, at(63)).is_ok());
}

/// AU-05: guesses use up none of an account's sign-ins, nor do attempts that were never evaluated.
#[test]
fn guesses_at_an_account_use_up_no_sign_in() {
    let mut book = CounterTable::default();
    for source in 0..100 {
        reserved(book.reserve(attempt(1, source, STRANGER), at(0)));
        book.forgive(&[[1; 32]]);
        let receipt = reserved(book.reserve(attempt(1, 100 + source, STRANGER), at(0)));
        book.give_back(&receipt);
        book.forgive(&[[1; 32]]);
    }
    for source in 216..=255 {
        let receipt = reserved(book.reserve(attempt(1, source, STRANGER), at(0)));
        book.succeeded(&receipt);
    }
}

/// A sign-in on a known device or within a session, and a registration, use up no sign-in of strangers.
#[test]
fn known_devices_use_up_no_sign_in_of_strangers() {
    let known = [
        AttemptKind::Device { devices: [8; 32], address: [7; 32] },
        AttemptKind::Newcomer,
        AttemptKind::Session { address: [7; 32] },
    ];
    for by in known {
        assert_eq!(attempt(1, 2, by).sign_ins(), None);
    }
    assert_eq!(attempt(1, 2, STRANGER).sign_ins(), Some([0xfe; 32]));
}

/// A source that keeps trying has its own attempt a minute after the last one that was let through, and says so.
#[test]
fn an_empty_crowd_leaves_each_source_one_a_minute() {
    let mut book = CounterTable::default();
    let stingy = AttemptKind::Stranger(Allowance::per_minute(1));
    reserved(book.reserve(from(0, 0, stingy), at(0)));
    for number in 1..=3 {
        reserved(book.reserve(from(0, number, stingy), at(0)));
    }
    let mut let_through = vec![];
    for second in 0..=300 {
        let other = from(1, 1000 + second, stingy);
        if let Reservation::Reserved(receipt) = book.reserve(from(0, 4 + second, stingy), at(second)) {
            let_through.push((second, receipt.taken_from.is_some()));
        }
        // The other source takes whatever the crowd gains.
        book.reserve(other, at(second));
    }
    assert_eq!(let_through.first(), Some(&(60, false)));
    assert!(let_through.windows(2).all(|pair| pair[1].0 - pair[0].0 <= 60), "{let_through:?}");
    let untouched = from(2, 5000, stingy);
    assert_eq!(reserved(book.reserve(untouched, at(300))).taken_from, None);
}

/// What a source had of its own gives the crowd nothing back: whoever succeeds often cannot fill it for others to guess with.
#[test]
fn no_more_is_given_back_than_was_taken() {
    let mut book = CounterTable::default();
    let receipts: Vec<_> = (0..20 * 46)
        .map(|number| reserved(book.reserve(from(number / 46, number.into(), STRANGER), at(0))))
        .collect();
    let (own, taken) = (receipts[0], receipts[1]);
    assert_eq!((own.taken_from, taken.taken_from), (None, STRANGER.crowd()));
    let probe = |book: &mut CounterTable, number| wait(book.reserve(from(1, number, STRANGER), at(0)));
    assert_eq!(probe(&mut book, 10_000), millis(200));
    book.succeeded(&own);
    book.give_back(&own);
    assert_eq!(probe(&mut book, 10_000), millis(200));
    for settle in [CounterTable::succeeded, CounterTable::give_back] {
        settle(&mut book, &taken);
        assert_eq!(probe(&mut book, 10_001), Duration::ZERO);
        assert_eq!(probe(&mut book, 10_002), millis(200));
    }
}

/// Whoever makes accounts takes nothing from those who sign in, and the other way round.
#[test]
fn newcomers_and_strangers_are_two_crowds() {
    for (one, other) in [(AttemptKind::Newcomer, STRANGER), (STRANGER, AttemptKind::Newcomer)] {
        let mut book = CounterTable::default();
        let mut number = 0;
        for source in 0..20 {
            for _ in 0..46 {
                number += 1;
                reserved(book.reserve(from(source, number, one), at(0)));
            }
        }
        assert_eq!(wait(book.reserve(from(0, 10_000, one), at(0))), millis(200));
        let receipt = reserved(book.reserve(from(0, 10_001, other), at(0)));
        assert_eq!(receipt.taken_from, other.crowd());
    }
}

#[test]
fn a_clock_that_was_set_back_lets_one_attempt_through_and_then_counts_on() {
    let tally = AccountCounter { failures: 7, not_before: at(86_400), counted_at: at(86_396) };
    let tally = tally.count(at(0)).unwrap();
    assert_eq!((tally.failures, tally.count(at(0))), (8, Err(Duration::from_secs(8))));
    let bucket = Bucket { left: 0, counted_at: at(3600) }.count(SOURCE, at(0)).unwrap();
    assert_eq!(bucket.count(SOURCE, at(0)), Err(Duration::from_secs(3)));
    assert!(bucket.count(SOURCE, at(3)).is_ok());
}

/// AU-05: an earlier stamp is one that waited longer, and no clock that was set back, up to a minute.
#[test]
fn attempts_that_come_out_of_order_are_let_through_no_sooner() {
    let minute = Duration::from_secs(60);
    let stopped = AccountCounter { failures: 100, not_before: at(0).after(ONE_DAY), counted_at: at(0) };
    let empty = Bucket { left: 0, counted_at: at(0) };
    for earlier in [millis(1), Duration::from_secs(5), minute] {
        assert_eq!(stopped.count(at(0).before(earlier)), Err(ONE_DAY), "{earlier:?}");
        assert_eq!(empty.count(SOURCE, at(0).before(earlier)), Err(Duration::from_secs(3)), "{earlier:?}");
    }
    assert!(stopped.count(at(0).before(minute + millis(1))).is_ok());
    assert!(empty.count(SOURCE, at(0).before(minute + millis(1))).is_ok());
    // Nor does one that is let through move the tally's time back.
    let free = AccountCounter { failures: 1, not_before: at(0), counted_at: at(0) };
    assert_eq!(free.count(at(0).before(millis(9))).unwrap().counted_at, at(0));
    let some = Bucket { left: 5000, counted_at: at(0) };
    assert_eq!(
        some.count(SOURCE, at(0).before(millis(9))).unwrap(),
        Bucket { left: 4000, counted_at: at(0) }
    );
}

#[test]
fn an_attempt_that_was_given_back_owes_no_wait() {
    let due = AccountCounter { failures: 14, not_before: at(0), counted_at: at(0) };
    let counted = due.count(at(5)).unwrap();
    let back = counted.give_back(counted.counted_at);
    assert_eq!((back.failures, back.count(at(5)).unwrap().failures), (14, 15));
}

/// What is given back late leaves the wait that an attempt after it has to its name.
#[test]
fn giving_back_wipes_no_later_attempts_wait() {
    let due = AccountCounter { failures: 9, not_before: at(0), counted_at: at(0) };
    let first = due.count(at(0)).unwrap();
    let second = first.count(at(32)).unwrap();
    let back = second.give_back(first.counted_at);
    assert_eq!((back.failures, back.not_before), (10, second.not_before));
    assert!(back.count(at(33)).is_err());
}

#[test]
fn patience_does_not_reset_a_count_that_reached_the_stop() {
    let year = 365 * 24 * 60 * 60;
    let stopped = AccountCounter { failures: 100, not_before: at(0), counted_at: at(0) };
    assert_eq!(stopped.count(at(year)).unwrap().failures, 101);
}

/// A clock that is ahead for a moment resets no count: a sweep alone forgets, and it is done by a clock that goes steadily.
#[test]
fn a_clock_that_is_ahead_for_a_moment_resets_no_count() {
    let year = 365 * 24 * 60 * 60;
    let mut book = CounterTable::default();
    let mut now = at(0);
    for source in 0..9 {
        now = now.after(wait(book.reserve(attempt(1, source, STRANGER), now)));
        book.reserve(attempt(1, source, STRANGER), now);
    }
    reserved(book.reserve(attempt(1, 50, STRANGER), at(year)));
    assert!(wait(book.reserve(attempt(1, 51, STRANGER), at(year))) >= Duration::from_secs(8));
    book.forget(at(year).after(FORGET_AFTER));
    for source in 60..65 {
        reserved(book.reserve(attempt(1, source, STRANGER), at(2 * year)));
    }
}

#[test]
fn who_is_forgiven_starts_afresh_and_nobody_else_does() {
    let mut book = CounterTable::default();
    for number in 0..5 {
        for account in [1, 2] {
            reserved(book.reserve(attempt(account, number, STRANGER), at(0)));
        }
    }
    book.forgive(&[[1; 32], [77; 32]]);
    reserved(book.reserve(attempt(1, 9, STRANGER), at(0)));
    assert_eq!(wait(book.reserve(attempt(2, 9, STRANGER), at(0))), Duration::from_secs(1));
}

#[test]
fn a_bucket_is_full_again_when_it_may_be_forgotten() {
    for allowance in [SOURCE, STRANGERS, NEWCOMERS, Allowance::per_minute(0), Allowance::per_minute(7)] {
        let empty = Bucket { left: 0, counted_at: at(0) };
        let later = empty.count(allowance, at(0).after(FULL_AFTER)).unwrap();
        assert_eq!(later.left, Bucket::full(allowance).left - 1000, "{allowance:?}");
    }
}
