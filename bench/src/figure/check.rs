//! What a check costs a server: processor time per request beside a bare hyper that answers 200 to the same bytes, in turns, so that
//! what slows one down slows both down. In: 100 000 warm sessions. Out: ratios.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Result;

use super::program;
use crate::Scale;
use crate::child::Started;
use crate::home::{Home, Homes};
use crate::host;
use crate::load::{Expected, Load, request};
use crate::report::{Progress, Row, Unit};
use crate::sample::{Median, Shuffle};

const SESSIONS: u64 = 100_000;
const REQUESTS: u64 = 10_000;
const ROUNDS: u64 = 151;
/// What a check may cost at most.
const CHECK: Promise = Promise { figure: "check", at_most: 1.40 };

/// What is promised of a ratio, in which figure.
#[derive(Clone, Copy)]
pub(super) struct Promise {
    pub(super) figure: &'static str,
    pub(super) at_most: f64,
}

/// A server to be measured.
pub(super) struct Side {
    pub(super) process: u32,
    load: Load,
    expected: Expected,
}

impl Side {
    pub(super) fn new(process: u32, server: SocketAddr, expected: Expected) -> Result<Self> {
        Ok(Self { process, load: Load::on(server)?, expected })
    }
}

pub(crate) fn measure(scale: Scale, homes: &mut Homes, program: Option<&Path>) -> Result<Vec<Row>> {
    let home = homes.with(scale.of(SESSIONS))?;
    let requests: Vec<Vec<u8>> = (0..home.sessions()).map(request).collect();
    let mut rows = door(scale, &home, &requests)?;
    if let Some(program) = program {
        rows.extend(whole_program(scale, &home, &requests, program)?);
    }
    Ok(rows)
}

fn door(scale: Scale, home: &Home, requests: &[Vec<u8>]) -> Result<Vec<Row>> {
    let (floor, mut said) = Started::own(&["--serve".as_ref(), "bare".as_ref()])?;
    let mut floor = (Side::new(floor.id(), said.next()?.parse()?, Expected::Ok)?, floor);
    let folder = home.folder().as_os_str();
    let (door, mut said) = Started::own(&["--serve".as_ref(), "check".as_ref(), "--home".as_ref(), folder])?;
    let mut door = (Side::new(door.id(), said.next()?.parse()?, Expected::Swapped)?, door);
    let names = ["the door on hyper", "bare hyper answering 200"];
    in_turns(scale, CHECK, [&mut door.0, &mut floor.0], requests, names)
}

fn whole_program(scale: Scale, home: &Home, requests: &[Vec<u8>], file: &Path) -> Result<Vec<Row>> {
    let (floor, mut said) = Started::own(&["--serve".as_ref(), "bare-shared".as_ref()])?;
    let mut floor = (Side::new(floor.id(), said.next()?.parse()?, Expected::Ok)?, floor);
    let (program, address) = program::start(file, home)?;
    let mut program = (Side::new(program.id(), address, Expected::Swapped)?, program);
    let names = ["the whole program", "bare hyper, same runtime"];
    in_turns(scale, CHECK, [&mut program.0, &mut floor.0], requests, names)
}

/// Warms both up, then measures one after the other, again and again.
pub(super) fn in_turns(
    scale: Scale,
    promise: Promise,
    sides: [&mut Side; 2],
    requests: &[Vec<u8>],
    names: [&'static str; 2],
) -> Result<Vec<Row>> {
    let [over, under] = sides;
    for side in [&mut *over, &mut *under] {
        // Every session gets its JWT, and is asked for twice.
        side.load.run(requests.iter().chain(requests), side.expected)?;
    }
    let each = scale.of(REQUESTS);
    let progress = Progress::of("requests", each * ROUNDS * 2);
    let (mut over_costs, mut under_costs) = (Vec::new(), Vec::new());
    let mut shuffle = Shuffle::new(1);
    for _ in 0..ROUNDS {
        let order: Vec<u64> = (0..each).map(|_| shuffle.below(requests.len() as u64)).collect();
        over_costs.push(over.cost(&order, requests)?);
        under_costs.push(under.cost(&order, requests)?);
        progress.step(each * 2);
    }
    let [over_name, under_name] = names;
    let time = |name: &str, costs: &[f64]| {
        Row::new(
            promise.figure,
            format!("{name}: CPU per request"),
            Median::of_rounds(costs),
            Unit::Nanoseconds,
        )
    };
    let ratio = Median::of_ratios(&over_costs, &under_costs);
    let what = format!("{over_name} ÷ {under_name}");
    Ok(vec![
        Row::new(promise.figure, what, ratio, Unit::Ratio)
            .at_most(promise.at_most)
            .note(format!("{} sessions, {ROUNDS} × {each} requests each, in turns", requests.len())),
        time(over_name, &over_costs),
        time(under_name, &under_costs),
    ])
}

impl Side {
    /// Nanoseconds of the server's processor time per request.
    fn cost(&mut self, order: &[u64], requests: &[Vec<u8>]) -> Result<f64> {
        let before = host::processor_time(self.process)?;
        let chosen = order.iter().filter_map(|number| requests.get(usize::try_from(*number).ok()?));
        self.load.run(chosen, self.expected)?;
        let spent = host::processor_time(self.process)?.saturating_sub(before);
        Ok(spent as f64 / order.len() as f64)
    }
}
