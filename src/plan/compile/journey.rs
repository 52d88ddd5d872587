//! Steps as flat instructions: jumps instead of nesting.

use super::names::leaf;
use super::request::{Belongs, Token, name_of};
use super::workload::{Scope, Wire};
use super::{Compiler, next};
use crate::plan::{Instruction, Kind, Mix, Program};
use crate::protocol::ws::CloseCode;
use crate::scenario::{self, Action, Diagnostic, Span, Spanned, Step, Think};

/// A program in the making.
struct Draft<'w> {
    scope: &'w mut Scope,
    instructions: Vec<Instruction>,
    /// The group that is open, the innermost.
    group: Option<u16>,
    /// Loops that are open.
    loops: u8,
}

impl<'w> Draft<'w> {
    const fn new(scope: &'w mut Scope) -> Self {
        Self { scope, instructions: Vec::new(), group: None, loops: 0 }
    }

    /// Where the next instruction will stand.
    fn here(&self) -> u32 {
        u32::try_from(self.instructions.len()).unwrap_or(u32::MAX)
    }

    fn push(&mut self, instruction: Instruction) -> usize {
        self.instructions.push(instruction);
        self.instructions.len() - 1
    }

    /// Lets a jump that was left open lead to the next instruction.
    fn land(&mut self, jump: usize) {
        let here = self.here();
        match self.instructions.get_mut(jump) {
            Some(
                Instruction::Jump(to)
                | Instruction::Chance { otherwise: to, .. }
                | Instruction::When { otherwise: to, .. },
            ) => *to = here,
            _ => debug_assert!(false, "no jump there"),
        }
    }

    fn finish(mut self) -> Program {
        self.push(Instruction::End);
        Program { instructions: self.instructions }
    }
}

impl Compiler<'_> {
    /// One of several steps in each iteration, and a pause behind it.
    pub(super) fn mix(
        &mut self,
        steps: &[Step],
        think: Option<&Spanned<Think>>,
        scope: &mut Scope,
    ) -> Program {
        let mut draft = Draft::new(scope);
        self.choice(steps, &mut draft);
        if let Some(think) = think {
            let think = self.think(&think.value, think.span);
            draft.push(Instruction::Think(think));
        }
        self.asks_something(&draft, steps);
        draft.finish()
    }

    /// Steps one after the other.
    pub(super) fn journey(&mut self, steps: &[Step], scope: &mut Scope) -> Program {
        let mut draft = Draft::new(scope);
        self.steps(steps, &mut draft);
        self.asks_something(&draft, steps);
        draft.finish()
    }

    /// A workload that asks nothing of any target would only spin.
    fn asks_something(&mut self, draft: &Draft<'_>, steps: &[Step]) {
        let asks = |instruction: &Instruction| {
            matches!(
                instruction,
                Instruction::Http(_)
                    | Instruction::Open(_)
                    | Instruction::Send(_)
                    | Instruction::Receive(_)
            )
        };
        // What is wrong with a step has been said, and left no instruction.
        if self.problems.is_empty() && !draft.instructions.iter().any(asks) {
            let place = steps.first().map_or_else(Span::default, |step| step.action.span);
            let what = "steps that ask nothing of the target";
            self.add(Diagnostic::new(place, what, "a request or a WebSocket, somewhere"));
        }
    }

    /// The choice, then each step and the jump behind all of them.
    fn choice(&mut self, steps: &[Step], draft: &mut Draft<'_>) {
        let weight = |step: &Step| u32::try_from(step.weight.value).unwrap_or(u32::MAX);
        let weights: Vec<u32> = steps.iter().map(weight).collect();
        let mix = Mix::new(&weights);
        let choose = draft.push(Instruction::Choose { mix: mix.clone(), to: Vec::new() });
        let mut to = Vec::with_capacity(steps.len());
        let mut jumps = Vec::with_capacity(steps.len());
        for step in steps {
            to.push(draft.here());
            self.step(step, draft);
            jumps.push(draft.push(Instruction::Jump(0)));
        }
        jumps.into_iter().for_each(|jump| draft.land(jump));
        if let Some(instruction) = draft.instructions.get_mut(choose) {
            *instruction = Instruction::Choose { mix, to };
        }
    }

    fn steps(&mut self, steps: &[Step], draft: &mut Draft<'_>) {
        let mut rest = steps.iter();
        while let Some(step) = rest.next() {
            // A message and the answer that is awaited right behind it are one operation.
            let answer = rest.as_slice().first().filter(|answer| is_exchange(step, answer));
            match answer {
                Some(answer) => {
                    rest.next();
                    self.exchange(step, answer, draft);
                }
                None => self.step(step, draft),
            }
        }
    }

    fn step(&mut self, step: &Step, draft: &mut Draft<'_>) {
        let chance = step
            .chance
            .filter(|chance| *chance < 1.0)
            .map(|chance| draft.push(Instruction::Chance { share: share(chance), otherwise: 0 }));
        let when = step.when.as_ref().and_then(|when| self.value(when));
        let when = when.map(|condition| draft.push(Instruction::When { condition, otherwise: 0 }));
        self.action(step, draft);
        chance.into_iter().chain(when).for_each(|jump| draft.land(jump));
    }

    fn action(&mut self, step: &Step, draft: &mut Draft<'_>) {
        let place = step.action.span;
        match &step.action.value {
            Action::Request(request) => self.http(step, request, draft),
            Action::Think(think) => {
                let think = self.think(think, place);
                draft.push(Instruction::Think(think));
            }
            Action::OneOf(steps) => self.choice(steps, draft),
            Action::Group { name, steps } => {
                let group = self.group(&name.value, name.span);
                let outer = draft.group.replace(group);
                draft.push(Instruction::Enter(group));
                self.steps(steps, draft);
                draft.push(Instruction::Leave(group));
                draft.group = outer;
            }
            Action::Repeat { times, steps } => {
                let counter = draft.loops;
                draft.loops = draft.loops.saturating_add(1);
                draft.push(Instruction::Begin(counter));
                let to = draft.here();
                self.steps(steps, draft);
                draft.push(Instruction::Again { counter, times: *times, to });
                draft.loops = counter;
            }
            Action::Block(steps) => self.steps(steps, draft),
            Action::Open(websocket) => {
                let name = step.name.as_ref().map(|name| name.value.as_str());
                let group = draft.group;
                if let Some(socket) = self.socket(websocket, name, group, draft.scope) {
                    draft.push(Instruction::Open(socket));
                }
            }
            Action::Send(message) => {
                let sent = self.sent(step, message, None, draft.scope.workload, draft.group);
                draft.instructions.extend(sent.map(Instruction::Send));
            }
            Action::Receive { expect, save } => {
                let (workload, group) = (draft.scope.workload, draft.group);
                let awaited = self.awaited(step, expect, save, workload, group);
                draft.instructions.extend(awaited.map(Instruction::Receive));
            }
            Action::Close(code) => self.close(*code, place, draft),
        }
    }

    fn exchange(&mut self, send: &Step, answer: &Step, draft: &mut Draft<'_>) {
        let (Action::Send(message), Action::Receive { expect, save }) =
            (&send.action.value, &answer.action.value)
        else {
            return;
        };
        let (workload, group) = (draft.scope.workload, draft.group);
        let answer = Some((answer, expect, save.as_slice()));
        let sent = self.sent(send, message, answer, workload, group);
        draft.instructions.extend(sent.map(Instruction::Send));
    }

    fn http(&mut self, step: &Step, request: &scenario::Request, draft: &mut Draft<'_>) {
        let name = name_of(step.name.as_ref(), request);
        let target = self.target_named(request.target.as_ref());
        let leaf = leaf(name.clone(), Kind::Http, draft.scope.workload, draft.group);
        let leaf = self.leaf(leaf, request.path.span);
        let channel = draft.scope.channel(target, Wire::Http);
        let carries = self.scenario.auth.is_some() && !request.anonymous;
        let token = if carries { Token::Carried } else { Token::Left };
        let belongs = Belongs { leaf, target, channel };
        if let Some(request) = self.request(&name, request, belongs, token) {
            draft.push(Instruction::Http(next(&self.plan.requests)));
            self.plan.requests.push(request);
        }
    }

    fn close(&mut self, code: u64, place: Span, draft: &mut Draft<'_>) {
        let code = u16::try_from(code).ok().and_then(CloseCode::new);
        match code {
            Some(code) => drop(draft.push(Instruction::Close(code.number()))),
            None => {
                let what = "a code that no close frame may have (RFC 6455, 7.4)";
                let expected = "1000 to 1003, 1007 to 1014, or 3000 to 4999";
                self.add(Diagnostic::new(place, what, expected).help("1000 is a normal end"));
            }
        }
    }
}

/// Whether the second step awaits what the first one asks, and both are always done.
fn is_exchange(first: &Step, second: &Step) -> bool {
    let always = |step: &Step| step.chance.is_none() && step.when.is_none();
    let kinds = (&first.action.value, &second.action.value);
    matches!(kinds, (Action::Send(_), Action::Receive { .. })) && always(first) && always(second)
}

/// Out of 2^32.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "from 0 to 1 times 2^32 fits, and rounding is meant"
)]
fn share(chance: f64) -> u64 {
    (chance * 4_294_967_296.0).round() as u64
}
