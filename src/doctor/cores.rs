//! The cores that this process may use, and those that its user chose.

use std::collections::BTreeSet;

/// Cores in the order in which shards are put on them, without repetition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cores(Vec<usize>);

/// Why a choice of cores cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CoreError {
    /// Not a list.
    #[error("'{0}' is no list of cores; expected numbers and ranges such as 0,2-5")]
    Syntax(String),
    /// Outside the affinity mask.
    #[error(
        "core {core} is not among those this process may use ({allowed}): choose one of them, \
         or widen the mask (taskset, cpuset, Slurm's binding)"
    )]
    NotAllowed {
        /// The core.
        core: usize,
        /// The mask.
        allowed: String,
    },
    /// More shards than cores.
    #[error(
        "{shards} shards need {shards} cores and there are {cores} ({list}): use fewer shards \
         (-t), or name more cores (--cores)"
    )]
    TooFew {
        /// Shards asked for.
        shards: usize,
        /// Cores there are.
        cores: usize,
        /// Which.
        list: String,
    },
    /// The mask could not be read.
    #[error("the cores that this process may use could not be read: name them with --cores")]
    Unknown,
}

impl Cores {
    /// The affinity mask of this process.
    ///
    /// # Errors
    /// When the kernel does not say.
    pub fn allowed() -> Result<Self, CoreError> {
        let ids = core_affinity::get_core_ids().ok_or(CoreError::Unknown)?;
        let ids: BTreeSet<usize> = ids.into_iter().map(|core| core.id).collect();
        if ids.is_empty() { Err(CoreError::Unknown) } else { Ok(Self(ids.into_iter().collect())) }
    }

    /// Those of `list` (as `0,2-5`), all of which must be in the mask.
    ///
    /// # Errors
    /// When it is no list, or names a core outside the mask.
    pub fn choose(&self, list: &str) -> Result<Self, CoreError> {
        let mut chosen = Vec::new();
        for core in parse(list)? {
            if !self.0.contains(&core) {
                return Err(CoreError::NotAllowed { core, allowed: self.to_string() });
            }
            if !chosen.contains(&core) {
                chosen.push(core);
            }
        }
        Ok(Self(chosen))
    }

    /// The first `shards` of them.
    ///
    /// # Errors
    /// When there are fewer.
    pub fn first(&self, shards: usize) -> Result<&[usize], CoreError> {
        self.0.get(..shards).ok_or_else(|| CoreError::TooFew {
            shards,
            cores: self.0.len(),
            list: self.to_string(),
        })
    }

    /// The last one: where a target beside the shards goes.
    #[must_use]
    pub fn last(&self) -> Self {
        Self(self.0.last().copied().into_iter().collect())
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[usize] {
        &self.0
    }
}

impl std::fmt::Display for Cores {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        out.write_str(&names.join(","))
    }
}

/// More cores than any machine has: a range beyond it is a slip of the finger.
const MOST_CORES: usize = 4_096;

fn parse(list: &str) -> Result<Vec<usize>, CoreError> {
    let wrong = || CoreError::Syntax(list.to_owned());
    let number = |text: &str| text.trim().parse::<usize>().ok().filter(|core| *core < MOST_CORES);
    let mut cores = Vec::new();
    for part in list.split(',') {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (from, to) = (number(from).ok_or_else(wrong)?, number(to).ok_or_else(wrong)?);
        if from > to {
            return Err(wrong());
        }
        cores.extend(from..=to);
    }
    Ok(cores)
}

#[cfg(test)]
mod tests {
    use super::{CoreError, Cores};

    #[test]
    fn lists_and_ranges() {
        let allowed = Cores(vec![0, 1, 2, 3, 6]);
        assert_eq!(allowed.choose("2-3,0,2").unwrap().all(), [2, 3, 0]);
        assert!(matches!(allowed.choose("4"), Err(CoreError::NotAllowed { core: 4, .. })));
        for wrong in ["", "a", "3-1", "1,,2", "-1", "99999"] {
            assert!(matches!(allowed.choose(wrong), Err(CoreError::Syntax(_))), "{wrong}");
        }
        assert_eq!(allowed.first(2).unwrap(), [0, 1]);
        assert!(matches!(allowed.first(6), Err(CoreError::TooFew { .. })));
    }
}
