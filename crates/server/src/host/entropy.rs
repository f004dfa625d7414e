//! The operating system's random generator behind core's port: the one place where it is asked.

use vestibule_core::Fault;
use vestibule_core::port::Entropy;

/// The operating system's generator.
pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), Fault> {
        #[expect(clippy::disallowed_methods, reason = "this is the port's implementation")]
        getrandom::fill(buffer).map_err(|cause| Fault::unavailable("the random generator", cause.to_string()))
    }
}

#[cfg(test)]
mod tests;
