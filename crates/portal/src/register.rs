//! One attempt to register, the same for the page and for the API: what is logged of it, and when it is answered. In: what was typed
//! and the request's head. Out: core's outcome, at a moment that tells nothing.

use std::net::IpAddr;
use std::time::Duration;

use http::request::Parts;
use tokio::time::{Instant, sleep_until};
use vestibule_core::Fault;
use vestibule_core::registration::{RegistrationOutcome, RegistrationRequest};

use crate::sign_in::Typed;
use crate::{Portal, event};

/// Answers leave at whole multiples of this after their request. To write a new account down takes a disk some milliseconds more than
/// to find that there is one: the difference is to be lost in the wait.
const ANSWERED_EVERY: Duration = Duration::from_millis(500);

impl Portal {
    /// Tries to register.
    pub(crate) async fn register(
        &self,
        typed: Typed<'_>,
        parts: &Parts,
    ) -> Result<RegistrationOutcome, Fault> {
        let Some(registration) = &self.registration else {
            return Err(Fault::Bug("registration is asked for where it is closed"));
        };
        let source = self.source(parts);
        let identifier = typed.identifier;
        let request = RegistrationRequest { identifier, password: typed.password, source };
        // The log looks up whom a taken name belongs to. That takes time, too, so it is done before the answer is due.
        let logged = async {
            let outcome = registration.attempt(request).await;
            self.log_registration(identifier, &outcome, source).await;
            outcome
        };
        on_the_beat(logged, looked, ANSWERED_EVERY).await
    }

    async fn log_registration(
        &self,
        identifier: &str,
        outcome: &Result<RegistrationOutcome, Fault>,
        source: Option<IpAddr>,
    ) {
        match outcome {
            Ok(RegistrationOutcome::Registered { added: Some(subject) }) => {
                event::registered(*subject, source);
            }
            Ok(RegistrationOutcome::Registered { added: None }) => {
                event::registration_taken(self.login.whom(identifier).await, source);
            }
            Ok(RegistrationOutcome::Wait(_)) => {
                event::registration_throttled(self.login.whom(identifier).await, source);
            }
            Ok(RegistrationOutcome::IdentifierRefused(_) | RegistrationOutcome::PasswordRefused(_))
            | Err(_) => {}
        }
    }
}

/// Whether anybody's account was looked at. What was typed is no good by itself: that may be said at once.
fn looked(outcome: &Result<RegistrationOutcome, Fault>) -> bool {
    !matches!(
        outcome,
        Ok(RegistrationOutcome::IdentifierRefused(_) | RegistrationOutcome::PasswordRefused(_))
    )
}

/// Hands the outcome out at the next whole multiple of `beat` after the work began, if it is one to be kept back.
async fn on_the_beat<T>(work: impl Future<Output = T>, is_kept: impl Fn(&T) -> bool, beat: Duration) -> T {
    let began = Instant::now();
    let outcome = work.await;
    if is_kept(&outcome) {
        let gone_by = began.elapsed().as_millis() / beat.as_millis();
        let next = u32::try_from(gone_by).unwrap_or(u32::MAX).saturating_add(1);
        sleep_until(began + beat * next).await;
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_kept_back_waits_for_the_next_beat_and_nothing_else_does() {
        let beat = Duration::from_millis(60);
        for (work, at_least) in [(0, 60), (1, 60), (30, 60), (61, 120), (130, 180)] {
            let began = Instant::now();
            on_the_beat(tokio::time::sleep(Duration::from_millis(work)), |()| true, beat).await;
            assert!(began.elapsed() >= Duration::from_millis(at_least), "{:?}", began.elapsed());
        }
        let began = Instant::now();
        on_the_beat(std::future::ready(()), |()| false, Duration::from_secs(600)).await;
        assert!(began.elapsed() < Duration::from_secs(300), "what tells nothing is said at once");
    }
}
