//! The warm-up: a length, or a bound for one that the load itself ends.

use super::{Fields, Reader};
use crate::scenario::keys::WARMUP;
use crate::scenario::model::Warmup;
use crate::scenario::place::Spanned;
use crate::scenario::tree::Value;
use crate::stdx::{Nanos, units};

/// What `auto` by itself means.
const BOUND: Nanos = Nanos::from_secs(60);

impl Reader<'_> {
    /// `10s`, `auto`, or `{auto: 60s}`.
    pub(super) fn warmup(&mut self, fields: &Fields<'_>) -> Option<Spanned<Warmup>> {
        // Without the key nothing is wrong.
        fields.get("warmup")?;
        self.keyed(fields, "warmup", |reader, node, shape| {
            if matches!(node.value, Value::Mapping(_)) {
                let fields = reader.fields(node, &WARMUP)?;
                let bound = reader.lasting(&fields, "auto")?;
                return Some(Spanned::new(Warmup::Auto(bound.value), node.span));
            }
            let read = reader.quantity(node, shape, |text| match text.trim() {
                "auto" => Ok(Warmup::Auto(BOUND)),
                text => units::duration(text).map(Warmup::Fixed),
            })?;
            Some(Spanned::new(read.value, node.span))
        })
    }
}
