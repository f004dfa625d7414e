//! The memory that Argon2 works in, kept from one hash to the next. In: a password and a stored hash. Out: whether they belong together.
//!
//! Asking the system for 19 MiB, having them zeroed and giving them back takes a few hundredths of the time of a hash; Argon2 writes
//! each block before it reads it, so what the hash before has left there changes nothing.

use argon2::password_hash::phc::{self, Output};
use argon2::{Algorithm, Argon2, Block, Params, Version};

use super::PasswordCost;
use crate::fault::Fault;

/// One thread's memory for hashing. No Debug: what is in it was made of a password.
#[derive(Default)]
pub struct HashingMemory(Vec<Block>);

impl HashingMemory {
    /// Gives back what an imported hash may have taken beyond what hashes of this cost need.
    pub fn shrink_to(&mut self, cost: PasswordCost) {
        if self.0.len() > usize::try_from(cost.memory_kib()).unwrap_or(usize::MAX) {
            self.0 = Vec::new();
        }
    }

    /// Whether the hash is this password's, at the cost and of the kind that it names. Compares in constant time.
    pub(super) fn matches(&mut self, password: &[u8], stored: &phc::PasswordHash) -> Result<bool, Fault> {
        let (Some(salt), Some(expected)) = (&stored.salt, &stored.hash) else { return Ok(false) };
        let corrupt = |cause: String| Fault::corrupt("a stored password hash", cause);
        let algorithm =
            Algorithm::try_from(stored.algorithm.as_str()).map_err(|cause| corrupt(cause.to_string()))?;
        let version = stored.version.map(Version::try_from).transpose();
        let version = version.map_err(|cause| corrupt(cause.to_string()))?.unwrap_or_default();
        let params = Params::try_from(stored).map_err(|cause| corrupt(cause.to_string()))?;
        let blocks = self.blocks(params.block_count());
        let mut computed = [0; Output::MAX_LENGTH];
        let computed = computed.get_mut(..expected.len()).ok_or(Fault::Bug("a digest exceeds its bound"))?;
        Argon2::new(algorithm, version, params)
            .hash_password_into_with_memory(password, salt, computed, blocks)
            .map_err(|cause| corrupt(cause.to_string()))?;
        // Comparing two of these takes the same time wherever they differ.
        Ok(Output::new(computed).map_err(|cause| corrupt(cause.to_string()))? == *expected)
    }

    fn blocks(&mut self, count: usize) -> &mut [Block] {
        if self.0.len() < count {
            // What there was goes first: both at once would be more than one hash's worth.
            self.0 = Vec::new();
            self.0.resize(count, Block::default());
        }
        &mut self.0
    }
}
