//! Password hashing on threads of its own, so that logins cannot starve requests that only need a decision: so many at once,
//! so many waiting, the rest is told to come back. Askers take turns. In: passwords, and for whom. Out: hashes and verdicts; for an
//! account that does not exist the same work on a decoy.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;
use vestibule_core::Fault;
use vestibule_core::account::PasswordHash;
use vestibule_core::account::password::memory::HashingMemory;
use vestibule_core::account::password::{self, PasswordCost};
use vestibule_core::port::{Entropy, Hasher, Verdict};
use vestibule_core::secret::Password;
use vestibule_core::throttle::HashRequester;

mod queue;

use queue::FairQueue;

#[cfg(test)]
mod tests;

/// Counts every hashing, and so shows that a sign-in costs the same whether the account is there or not: name and meaning.
pub(crate) const HASHINGS: (&str, &str) =
    ("vestibule_password_hashings_total", "Passwords hashed, decoys included");

/// How far hashing steps back behind requests: of the 19 steps there are so many that a request preempts it at once, and so few
/// that another busy program on the machine does not keep everybody from signing in.
#[cfg(target_os = "linux")]
const BEHIND_REQUESTS: i32 = 10;

/// How much hashing may be going on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Hashes at once; each takes `memory_kib` of memory and one core.
    pub(crate) threads: usize,
    /// Jobs that may wait; one more is refused, or another whose asker has more of them.
    pub(crate) queue: usize,
    /// How long a job may wait; one that waited longer is refused unhashed.
    pub(crate) longest_wait: Duration,
}

/// The bounded pool. Its threads end when it is dropped.
pub(crate) struct HashingPool {
    jobs: Arc<Jobs>,
    longest_wait: Duration,
}

/// What waits, and who waits for it.
struct Jobs {
    queue: Mutex<Queue>,
    has_come: Condvar,
}

struct Queue {
    waiting: FairQueue<Job>,
    is_closed: bool,
}

struct Job {
    work: Work,
    asked_at: Instant,
    answer: oneshot::Sender<Result<Done, Fault>>,
}

enum Work {
    Hash(Password),
    Verify(Password, Option<PasswordHash>),
}

enum Done {
    Hashed(PasswordHash),
    Verified(Verdict),
}

/// What every thread needs.
struct WorkerParts {
    cost: PasswordCost,
    /// A hash of a random password at today's cost: what unknown accounts are compared with.
    decoy: PasswordHash,
    entropy: Arc<dyn Entropy>,
    longest_wait: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, |cores| cores.get());
        Self { threads, queue: 64, longest_wait: Duration::from_secs(2) }
    }
}

impl HashingPool {
    /// Starts the threads and makes the decoy.
    pub(crate) fn start(
        cost: PasswordCost,
        bounds: Bounds,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Arc<Self>, Fault> {
        let decoy = decoy(cost, entropy.as_ref())?;
        let bench = Arc::new(WorkerParts { cost, decoy, entropy, longest_wait: bounds.longest_wait });
        let queue = Queue { waiting: FairQueue::new(bounds.queue), is_closed: false };
        let jobs = Arc::new(Jobs { queue: Mutex::new(queue), has_come: Condvar::new() });
        // Made first: where a thread cannot be started, those before it end with the pool.
        let pool = Arc::new(Self { jobs: Arc::clone(&jobs), longest_wait: bounds.longest_wait });
        for number in 0..bounds.threads.max(1) {
            let (bench, jobs) = (Arc::clone(&bench), Arc::clone(&jobs));
            std::thread::Builder::new()
                .name(format!("hasher-{number}"))
                .spawn(move || {
                    step_back();
                    bench.serve(&jobs);
                })
                .map_err(|cause| Fault::unavailable("a thread for password hashing", cause))?;
        }
        Ok(pool)
    }

    async fn ask(&self, work: Work, asker: HashRequester) -> Result<Done, Fault> {
        let (answer, answered) = oneshot::channel();
        let job = Job { work, asked_at: Instant::now(), answer };
        let given_up = self.jobs.queue.lock().waiting.push(asker, job);
        self.jobs.has_come.notify_one();
        if let Some(job) = given_up {
            job.answer.send(Err(overloaded(self.longest_wait))).ok();
        }
        answered.await.map_err(|_| Fault::Bug("a hashing thread dropped its work"))?
    }
}

impl Drop for HashingPool {
    fn drop(&mut self) {
        self.jobs.queue.lock().is_closed = true;
        self.jobs.has_come.notify_all();
    }
}

impl Jobs {
    /// The next one, once there is one; `None` when there will be no more.
    fn next(&self) -> Option<Job> {
        let mut queue = self.queue.lock();
        loop {
            if queue.is_closed {
                return None;
            }
            if let Some(job) = queue.waiting.pop() {
                return Some(job);
            }
            self.has_come.wait(&mut queue);
        }
    }
}

#[async_trait]
impl Hasher for HashingPool {
    async fn hash(&self, password: Password, asker: HashRequester) -> Result<PasswordHash, Fault> {
        match self.ask(Work::Hash(password), asker).await? {
            Done::Hashed(hash) => Ok(hash),
            Done::Verified(_) => Err(Fault::Bug("asked for a hash, got a verdict")),
        }
    }

    async fn verify(
        &self,
        password: Password,
        stored: Option<PasswordHash>,
        asker: HashRequester,
    ) -> Result<Verdict, Fault> {
        match self.ask(Work::Verify(password, stored), asker).await? {
            Done::Verified(verdict) => Ok(verdict),
            Done::Hashed(_) => Err(Fault::Bug("asked for a verdict, got a hash")),
        }
    }
}

impl WorkerParts {
    fn serve(&self, jobs: &Jobs) {
        let mut memory = HashingMemory::default();
        while let Some(job) = jobs.next() {
            // Whoever asked has gone: nobody wants the answer.
            if job.answer.is_closed() {
                continue;
            }
            let done = if job.asked_at.elapsed() > self.longest_wait {
                Err(overloaded(self.longest_wait))
            } else {
                self.work_unharmed(job.work, &mut memory)
            };
            memory.shrink_to(self.cost);
            job.answer.send(done).ok();
        }
    }

    /// A defect that panics costs one answer, and not the thread: with the last of them nobody could sign in any more.
    fn work_unharmed(&self, work: Work, memory: &mut HashingMemory) -> Result<Done, Fault> {
        // Nothing that is shared is changed by hashing, and the memory is written before it is read: nothing is left half done.
        catch_unwind(AssertUnwindSafe(|| self.work(work, memory)))
            .unwrap_or(Err(Fault::Bug("hashing panicked")))
    }

    fn work(&self, work: Work, memory: &mut HashingMemory) -> Result<Done, Fault> {
        match work {
            Work::Hash(password) => self.hash(&password).map(Done::Hashed),
            Work::Verify(password, stored) => {
                self.verify(&password, stored.as_ref(), memory).map(Done::Verified)
            }
        }
    }

    fn hash(&self, password: &Password) -> Result<PasswordHash, Fault> {
        let mut salt = [0; 16];
        self.entropy.fill(&mut salt)?;
        metrics::counter!(HASHINGS.0).increment(1);
        password::hash(password, &salt, self.cost)
    }

    fn verify(
        &self,
        password: &Password,
        stored: Option<&PasswordHash>,
        memory: &mut HashingMemory,
    ) -> Result<Verdict, Fault> {
        metrics::counter!(HASHINGS.0).increment(1);
        let Some(stored) = stored else {
            password::verify_in(memory, password, &self.decoy)?;
            return Ok(Verdict::Mismatch);
        };
        if !password::verify_in(memory, password, stored)? {
            return Ok(Verdict::Mismatch);
        }
        if password::is_outdated(stored, self.cost) {
            return self.hash(password).map(Verdict::MatchOutdated);
        }
        Ok(Verdict::Match)
    }
}

/// Lets whoever answers requests go first: hashing on all cores takes what they leave, which is everything while they are idle,
/// and a request does not wait for a slice of time that a hash has begun. On Linux alone a thread has a priority of its own.
#[cfg(target_os = "linux")]
fn step_back() {
    if let Err(error) = rustix::process::nice(BEHIND_REQUESTS) {
        tracing::debug!(error = %error, "hashing runs with the priority of requests");
    }
}

#[cfg(not(target_os = "linux"))]
fn step_back() {}

fn decoy(cost: PasswordCost, entropy: &dyn Entropy) -> Result<PasswordHash, Fault> {
    let mut random = [0; 32];
    entropy.fill(&mut random)?;
    let (salt, typed) = random.split_at(16);
    let salt = salt.first_chunk().ok_or(Fault::Bug("16 of 32 bytes are fewer than 16"))?;
    let password = Password::parse(&data_encoding::HEXLOWER.encode(typed))
        .ok_or(Fault::Bug("32 hexadecimal digits are no password"))?;
    password::hash(&password, salt, cost)
}

fn overloaded(retry_after: Duration) -> Fault {
    Fault::Overloaded { what: "password hashing", retry_after }
}
