//! Orders to a running load: keys on a terminal, signals from a script.
//!
//! Looked at ten times a second by the collector, whose thread no shard waits for. What was
//! ordered between two looks is one order, so that a key that is held down is no flood of them.

use std::cell::RefCell;

use super::signals::{Interrupts, Wish};
use super::terminal::Terminal;
use crate::engine::Command;

/// What each key does.
pub(super) const HINT: &str = "p pause/go on   + - level   0 as planned   d drain   ? keys";

/// A step of the level, in thousandths of the plan.
const STEP: u64 = 100;

/// Ten times what was planned.
const MOST: u64 = 10_000;

/// Looks for which the keys are shown: two seconds' worth.
const SHOWN: u32 = 20;

/// Who may change a running load.
#[derive(Debug)]
pub(super) struct Keys {
    interrupts: Interrupts,
    terminal: Option<Terminal>,
    panel: RefCell<Panel>,
}

/// What is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Level {
    paused: bool,
    /// In thousandths of the plan.
    share: u64,
}

const PLANNED: Level = Level { paused: false, share: 1_000 };

/// What was asked for, and what of it the engine knows. Pure.
#[derive(Debug)]
struct Panel {
    wanted: Level,
    told: Level,
    draining: bool,
    /// Looks for which the keys are still shown.
    shown: u32,
    pressed: Vec<u8>,
}

impl Keys {
    /// Listens to signals, and to the terminal if there is one and `interactive` says so.
    pub(super) fn new(interrupts: &Interrupts, interactive: bool) -> Self {
        let terminal = interactive.then(Terminal::open).flatten();
        let mut panel = Panel::new();
        panel.shown = if terminal.is_some() { SHOWN } else { 0 };
        Self { interrupts: interrupts.clone(), terminal, panel: RefCell::new(panel) }
    }

    /// How many wishes to end there were: signals, and one for any number of keys.
    pub(super) fn look(&self) -> u32 {
        let mut panel = self.panel.borrow_mut();
        panel.shown = panel.shown.saturating_sub(1);
        match self.interrupts.wish() {
            Some(Wish::Pause) => panel.wanted.paused = true,
            Some(Wish::GoOn) => panel.wanted.paused = false,
            None => {}
        }
        if let Some(terminal) = &self.terminal {
            let mut pressed = std::mem::take(&mut panel.pressed);
            terminal.keys(&mut pressed);
            pressed.iter().for_each(|key| panel.press(*key));
            panel.pressed = pressed;
        }
        self.interrupts.count() + u32::from(panel.draining)
    }

    /// The same without looking for more.
    pub(super) fn ends(&self) -> u32 {
        self.interrupts.count() + u32::from(self.panel.borrow().draining)
    }

    /// What the engine has not been told yet.
    pub(super) fn command(&self) -> Option<Command> {
        self.panel.borrow_mut().command()
    }

    /// `paused`, `level 120 %`, or nothing when all is as planned.
    pub(super) fn in_force(&self) -> String {
        self.panel.borrow().in_force()
    }

    /// Whether somebody wants to see the keys.
    pub(super) fn are_shown(&self) -> bool {
        self.panel.borrow().shown > 0
    }
}

impl Panel {
    const fn new() -> Self {
        Self { wanted: PLANNED, told: PLANNED, draining: false, shown: 0, pressed: Vec::new() }
    }

    fn press(&mut self, key: u8) {
        let Level { paused, share } = self.wanted;
        let level = |share| Level { paused: false, share };
        // Who knows the keys need not be shown them.
        self.shown = 0;
        match key {
            b'p' | b' ' => self.wanted.paused = !paused,
            b'+' | b'=' => self.wanted = level((share + STEP).min(MOST)),
            b'-' => self.wanted = level(share.saturating_sub(STEP)),
            b'0' => self.wanted = PLANNED,
            b'd' | b'q' => self.draining = true,
            b'?' => self.shown = SHOWN,
            _ => {}
        }
    }

    fn command(&mut self) -> Option<Command> {
        let Level { paused, share } = self.wanted;
        if share != self.told.share {
            // To the engine a level is an end of a pause, too.
            self.told = Level { paused: false, share };
            return Some(Command::Level(share));
        }
        if paused == self.told.paused {
            return None;
        }
        self.told.paused = paused;
        Some(if paused { Command::Pause } else { Command::Resume })
    }

    fn in_force(&self) -> String {
        match self.told {
            Level { paused: true, .. } => "paused".to_owned(),
            PLANNED => String::new(),
            Level { share, .. } => format!("level {} %", share / 10),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Command, Panel};

    /// The orders that keys come to when they are read at once, and what is in force then.
    fn told(panel: &mut Panel, keys: &str) -> (Vec<Command>, String) {
        keys.bytes().for_each(|key| panel.press(key));
        let orders = std::iter::from_fn(|| panel.command()).collect();
        (orders, panel.in_force())
    }

    #[test]
    fn keys_read_at_once_are_one_order() {
        let mut panel = Panel::new();
        assert_eq!(told(&mut panel, ""), (vec![], String::new()));
        let higher = (vec![Command::Level(1_500)], "level 150 %".to_owned());
        assert_eq!(told(&mut panel, "+++=+"), higher);
        assert_eq!(told(&mut panel, "pp"), (vec![], "level 150 %".to_owned()));
        assert_eq!(told(&mut panel, "+-xyz["), (vec![], "level 150 %".to_owned()));
        assert_eq!(told(&mut panel, "0"), (vec![Command::Level(1_000)], String::new()));
    }

    #[test]
    fn a_pause_ends_by_its_key_and_by_a_level() {
        let mut panel = Panel::new();
        assert_eq!(told(&mut panel, "p"), (vec![Command::Pause], "paused".to_owned()));
        assert_eq!(told(&mut panel, " "), (vec![Command::Resume], String::new()));
        let both = vec![Command::Level(900), Command::Pause];
        assert_eq!(told(&mut panel, "-p"), (both, "paused".to_owned()));
        let level = (vec![Command::Level(800)], "level 80 %".to_owned());
        assert_eq!(told(&mut panel, "-"), level);
        // Back to the level that it had: the engine knows it.
        told(&mut panel, "p");
        assert_eq!(told(&mut panel, "+-").0, [Command::Resume]);
    }

    #[test]
    fn levels_are_bounded() {
        let mut panel = Panel::new();
        assert_eq!(told(&mut panel, &"-".repeat(20)).0, [Command::Level(0)]);
        assert_eq!(told(&mut panel, &"+".repeat(200)).0, [Command::Level(10_000)]);
    }

    #[test]
    fn draining_and_help_are_no_orders() {
        let mut panel = Panel::new();
        assert_eq!(told(&mut panel, "d?").0, []);
        assert!(panel.draining && panel.shown > 0);
    }
}
