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
