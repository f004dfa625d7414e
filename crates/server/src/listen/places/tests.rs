use super::*;

const LIMITS: Limits = Limits {
    connections: 4,
    per_source: 2,
    header_block: 0,
    uri: 0,
    header_time: Duration::ZERO,
    idle_time: Duration::from_secs(30),
    stuck_time: Duration::from_secs(30),
    slowest_body: 0,
};

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// Milliseconds are what tells who was quiet for longer.
async fn a_moment() {
    tokio::time::sleep(Duration::from_millis(5)).await;
}

#[test]
fn a_source_is_an_address_or_a_subscribers_network() {
    let same = |one, other| source_of(address(one)) == source_of(address(other));
    assert!(same("192.0.2.1", "::ffff:192.0.2.1"));
    assert!(!same("192.0.2.1", "192.0.2.2"));
    assert!(same("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"));
    assert!(!same("2001:db8:1:2::1", "2001:db8:1:3::1"));
}

#[tokio::test]
async fn proxies_have_no_share_and_strangers_have_theirs() {
    let proxy: IpNet = "192.0.2.1/32".parse().unwrap();
    let (places, drain) = (Places::new(LIMITS, vec![proxy], "test"), CancellationToken::new());
    let mut held = Vec::new();
    for _ in 0..2 {
        for source in ["192.0.2.1", "2001:db8::1"] {
            let taken = places.admit(address(source), &drain).await.expect("a share");
            taken.seat.pulse.beat(Phase::Busy);
            held.push(taken);
        }
    }
    a_moment().await;
    assert!(places.admit(address("2001:db8::2"), &drain).await.is_none(), "a third of one /64");
    held.truncate(3);
    let third = places.admit(address("192.0.2.1"), &drain).await;
    assert!(third.is_some(), "the proxy has no share");
}

/// Who waits for us is at work, and who has us wait is not; one that sends enough of a body begins afresh.
#[tokio::test]
async fn who_dawdles_over_a_body_makes_room_and_who_sends_it_does_not() {
    let limits = Limits { per_source: 4, ..LIMITS };
    let (places, drain) = (Places::new(limits, vec![], "test"), CancellationToken::new());
    let mut held = Vec::new();
    for source in 1..=4 {
        let taken = places.admit(address(&format!("198.51.100.{source}")), &drain).await.expect("a place");
        taken.seat.pulse.beat(Phase::Busy);
        held.push(taken);
    }
    a_moment().await;
    // One waits for its answer, one drips, one goes on sending, one has sent all.
    for seat in [1, 2, 3].map(|at: usize| &held[at].seat) {
        seat.waits();
    }
    a_moment().await;
    held[1].seat.came(1);
    held[2].seat.came(WORTH_A_WHILE as usize);
    for seat in [1, 2].map(|at: usize| &held[at].seat) {
        seat.waits();
    }
    held[3].seat.is_over();
    let since = held.iter().map(|taken| taken.seat.dawdles_since()).collect::<Vec<_>>();
    assert!(since[0].is_none() && since[3].is_none(), "{since:?}");
    assert!(since[1].unwrap() < since[2].unwrap(), "{since:?}");
    a_moment().await;
    let admitted = tokio::spawn({
        let (places, drain) = (Arc::clone(&places), drain.clone());
        async move { places.admit(address("203.0.113.1"), &drain).await }
    });
    while !held[1].seat.leave.is_cancelled() {
        tokio::task::yield_now().await;
    }
    assert!([0, 2, 3].iter().all(|at| !held[*at].seat.leave.is_cancelled()));
    drop(held.remove(1));
    assert!(admitted.await.unwrap().is_some());
}

#[tokio::test]
async fn who_was_quiet_for_longest_goes_and_proxies_last() {
    let proxy: IpNet = "192.0.2.1/32".parse().unwrap();
    let (places, drain) = (Places::new(LIMITS, vec![proxy], "test"), CancellationToken::new());
    let mut held = Vec::new();
    for source in ["192.0.2.1", "198.51.100.1", "198.51.100.2", "198.51.100.3"] {
        held.push(places.admit(address(source), &drain).await.expect("a place"));
        a_moment().await;
    }
    // The oldest stranger asked something lately, and so did nobody after him.
    held[1].seat.pulse.beat(Phase::Busy);
    held[1].seat.pulse.beat(Phase::Idle);
    held[1].seat.look();
    a_moment().await;
    let (mut left, mut stays) = (Vec::new(), Vec::new());
    for number in 0..4 {
        let (places, drain) = (Arc::clone(&places), drain.clone());
        let source = address(&format!("203.0.113.{number}"));
        let admitted = tokio::spawn(async move { places.admit(source, &drain).await });
        let gone = loop {
            if let Some(index) = held.iter().position(|taken| taken.seat.leave.is_cancelled()) {
                break held.remove(index);
            }
            tokio::task::yield_now().await;
        };
        left.push(gone.source.to_string());
        drop(gone);
        let newcomer = admitted.await.unwrap().expect("the place that was made");
        newcomer.seat.pulse.beat(Phase::Busy);
        stays.push(newcomer);
    }
    assert_eq!(left, ["198.51.100.2", "198.51.100.3", "198.51.100.1", "192.0.2.1"]);
}
