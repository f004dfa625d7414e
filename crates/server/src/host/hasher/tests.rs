use super::*;
use crate::host::entropy::SystemEntropy;

const COST: PasswordCost = PasswordCost::FLOOR;

fn pool(threads: usize, queue: usize, longest_wait: Duration) -> Arc<HashingPool> {
    HashingPool::start(COST, Bounds { threads, queue, longest_wait }, Arc::new(SystemEntropy)).unwrap()
}

/// Each number is an address and an account of its own.
fn asker(number: usize) -> HashRequester {
    let number = u8::try_from(number).unwrap();
    HashRequester { address: [number; 32], account: [u8::MAX - number; 32] }
}

fn typed(text: &str) -> Password {
    Password::parse(text).unwrap()
}

/// So many guesses at an unknown account at once; what came of each.
async fn guess(pool: &Arc<HashingPool>, times: usize) -> Vec<Result<Verdict, Fault>> {
    let asked: Vec<_> = (0..times)
        .map(|number| {
            let pool = Arc::clone(pool);
            tokio::spawn(async move { pool.verify(typed("whatever it may be"), None, asker(number)).await })
        })
        .collect();
    let mut answers = Vec::new();
    for one in asked {
        answers.push(one.await.unwrap());
    }
    answers
}

#[tokio::test]
async fn a_password_matches_its_own_hash_alone_and_a_stranger_never() {
    let pool = pool(2, 8, Duration::from_secs(30));
    let hash = pool.hash(typed("correct horse battery staple"), asker(0)).await.unwrap();
    let verify = |text: &'static str, stored| pool.verify(typed(text), stored, asker(0));
    assert!(matches!(verify("correct horse battery staple", Some(hash.clone())).await, Ok(Verdict::Match)));
    assert!(matches!(verify("correct horse battery stable", Some(hash)).await, Ok(Verdict::Mismatch)));
    assert!(matches!(verify("correct horse battery staple", None).await, Ok(Verdict::Mismatch)));
}

#[tokio::test]
async fn a_hash_below_todays_cost_is_made_anew_on_a_match() {
    let cost = PasswordCost::new(19_456, 3, 1).unwrap();
    let bounds = Bounds { threads: 1, queue: 8, longest_wait: Duration::from_secs(30) };
    let pool = HashingPool::start(cost, bounds, Arc::new(SystemEntropy)).unwrap();
    let old = password::hash(&typed("correct horse battery staple"), &[1; 16], COST).unwrap();
    match pool.verify(typed("correct horse battery staple"), Some(old), asker(0)).await {
        Ok(Verdict::MatchOutdated(new)) => assert!(new.reveal().contains("t=3"), "{}", new.reveal()),
        _ => panic!("an outdated hash that matches is to be replaced"),
    }
}

/// AU-01: an imported hash is verified by its own scheme once, and is Argon2id of today's cost from then on.
#[tokio::test]
async fn an_imported_hash_is_upgraded_by_the_first_match() {
    let pool = pool(1, 8, Duration::from_secs(30));
    for text in [
        "$2b$06$abcdefghijklmnopqrstuu10cNU3mXRamSUZYs8I8M/Szu..qXq5K",
        "$scrypt$ln=10,r=8,p=2$c29tZXNhbHRzb21lc2FsdA$EyBkFLQkmOFLYlClaR7RHGlPJB6WBu3c4BT83PQ8KJw",
        "pbkdf2_sha256$1000$somesaltsomesalt$SCjY7SSTd+1t0YRKbVoolytKt+BeFjwwXJESGnfk9yY=",
    ] {
        let imported = password::import(text).unwrap();
        let verify = |text: &'static str, stored: &PasswordHash| {
            pool.verify(typed(text), Some(stored.clone()), asker(0))
        };
        let wrong = verify("correct horse battery stable", &imported).await;
        assert!(matches!(wrong, Ok(Verdict::Mismatch)), "{text}");
        let Ok(Verdict::MatchOutdated(new)) = verify("correct horse battery staple", &imported).await else {
            panic!("{text} is to be replaced");
        };
        assert!(new.reveal().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", new.reveal());
        assert!(matches!(verify("correct horse battery staple", &new).await, Ok(Verdict::Match)), "{text}");
    }
}

/// AU-04: a stand-in for an imported hash takes the work of the one it stands in for. Rough, as above.
#[tokio::test]
async fn a_stand_in_takes_the_time_of_its_pattern() {
    let pool = pool(1, 8, Duration::from_secs(60));
    let bcrypt = password::import("$2b$10$abcdefghijklmnopqrstuu10cNU3mXRamSUZYs8I8M/Szu..qXq5K").unwrap();
    let stand_in = password::stand_in_for(&bcrypt).unwrap();
    let mut fastest = [Duration::MAX; 2];
    for _ in 0..5 {
        for (class, stored) in [&bcrypt, &stand_in].into_iter().enumerate() {
            let began = Instant::now();
            pool.verify(typed("not that password at all"), Some(stored.clone()), asker(0)).await.unwrap();
            fastest[class] = fastest[class].min(began.elapsed());
        }
    }
    let [known, unknown] = fastest.map(|it| it.as_secs_f64());
    assert!((0.5..2.0).contains(&(unknown / known)), "unknown {unknown}, known {known}");
}

/// AU-07: what does not fit into the queue is refused at once, and everything that was taken is answered.
#[tokio::test]
async fn one_job_too_many_is_overload_and_the_others_are_answered() {
    let answers = guess(&pool(1, 4, Duration::from_secs(60)), 40).await;
    let answered = answers.iter().filter(|it| matches!(it, Ok(Verdict::Mismatch))).count();
    let refused = answers
        .iter()
        .filter(|it| matches!(it, Err(Fault::Overloaded { retry_after, .. }) if !retry_after.is_zero()))
        .count();
    assert_eq!(answered + refused, 40);
    assert!(answered >= 4, "{answered} were answered by a pool of one thread and four places");
    assert!(refused >= 20, "{refused} were refused by a pool of one thread and four places");
}

#[tokio::test]
async fn what_waited_too_long_is_refused_unhashed() {
    let answers = guess(&pool(1, 64, Duration::from_millis(1)), 20).await;
    let refused = answers.iter().filter(|it| matches!(it, Err(Fault::Overloaded { .. }))).count();
    assert!(refused >= 15, "{refused} of 20 were refused");
}

/// AU-07: the runtime's only thread goes on while every hashing thread is busy.
#[tokio::test(flavor = "current_thread")]
async fn hashing_does_not_block_the_runtime() {
    let pool = pool(1, 64, Duration::from_secs(60));
    let busy = tokio::spawn(async move { guess(&pool, 10).await });
    let mut turns = 0;
    while !busy.is_finished() {
        tokio::time::sleep(Duration::from_millis(1)).await;
        turns += 1;
    }
    assert!(turns > 20, "the runtime had {turns} turns during ten hashes");
}

/// AU-04: an unknown account costs what a known one costs. Rough on purpose; the fine comparison is a measurement of its own.
#[tokio::test]
async fn an_unknown_account_takes_the_same_work() {
    let pool = pool(1, 8, Duration::from_secs(60));
    let hash = pool.hash(typed("correct horse battery staple"), asker(0)).await.unwrap();
    let mut fastest = [Duration::MAX; 2];
    for _ in 0..5 {
        for (class, stored) in [None, Some(hash.clone())].into_iter().enumerate() {
            let began = Instant::now();
            pool.verify(typed("not that password at all"), stored, asker(0)).await.unwrap();
            fastest[class] = fastest[class].min(began.elapsed());
        }
    }
    let [unknown, known] = fastest.map(|it| it.as_secs_f64());
    assert!((0.5..2.0).contains(&(unknown / known)), "unknown {unknown}, known {known}");
}

/// Random bytes that fail like a defect while they are told to.
struct Defective(std::sync::atomic::AtomicBool);

impl Entropy for Defective {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Fault> {
        assert!(!self.0.load(std::sync::atomic::Ordering::Relaxed), "a defect");
        SystemEntropy.fill(bytes)
    }
}

/// With every thread gone nobody could sign in until a restart.
#[tokio::test]
async fn a_panic_costs_one_answer_and_no_thread() {
    let entropy = Arc::new(Defective(false.into()));
    let bounds = Bounds { threads: 1, queue: 8, longest_wait: Duration::from_secs(30) };
    let pool = HashingPool::start(COST, bounds, Arc::<Defective>::clone(&entropy)).unwrap();
    entropy.0.store(true, std::sync::atomic::Ordering::Relaxed);
    for _ in 0..3 {
        assert!(matches!(pool.hash(typed("whatever it may be"), asker(0)).await, Err(Fault::Bug(_))));
    }
    entropy.0.store(false, std::sync::atomic::Ordering::Relaxed);
    assert!(pool.hash(typed("whatever it may be"), asker(0)).await.is_ok(), "the thread is gone");
}

/// AU-07: one address that asks without end, for many accounts, keeps nobody else waiting longer than a few hashes, and is refused
/// itself for what there is no room for.
#[tokio::test]
async fn one_address_that_floods_refuses_its_own() {
    let pool = pool(1, 16, Duration::from_secs(60));
    let ask = |asker: HashRequester| {
        let pool = Arc::clone(&pool);
        tokio::spawn(async move { pool.verify(typed("whatever it may be"), None, asker).await })
    };
    let flooding: Vec<_> =
        (0..200).map(|account| ask(HashRequester { address: [0; 32], account: [account; 32] })).collect();
    tokio::time::sleep(Duration::from_millis(20)).await;
    let owners: Vec<_> = (1..=12).map(|owner| ask(asker(owner))).collect();
    for owner in owners {
        assert!(matches!(owner.await.unwrap(), Ok(Verdict::Mismatch)), "an owner was refused");
    }
    let mut refused = 0;
    for one in flooding {
        refused += usize::from(matches!(one.await.unwrap(), Err(Fault::Overloaded { .. })));
    }
    assert!(refused >= 180, "{refused} of the flood were refused");
}
