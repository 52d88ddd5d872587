//! A profile laid over the scenario: mappings by key, all else replaced, nothing takes away.

use super::{Entry, Node, Value};

/// `base` with what `over` says instead.
pub(crate) fn merged(base: Node, over: Node) -> Node {
    if over.is_null() {
        return base;
    }
    let Node { span, value } = over;
    match (base.value, value) {
        (Value::Mapping(mut entries), Value::Mapping(overs)) => {
            for entry in overs {
                lay(&mut entries, entry);
            }
            Node { span: base.span, value: Value::Mapping(entries) }
        }
        (_, value) => Node { span, value },
    }
}

fn lay(entries: &mut Vec<Entry>, over: Entry) {
    let Some(at) = entries.iter().position(|entry| entry.key.value == over.key.value) else {
        if !over.value.is_null() {
            entries.push(over);
        }
        return;
    };
    if over.value.is_null() {
        entries.remove(at);
    } else if let Some(entry) = entries.get_mut(at) {
        let nothing = Node { span: entry.value.span, value: Value::Sequence(Vec::new()) };
        let base = std::mem::replace(&mut entry.value, nothing);
        entry.value = merged(base, over.value);
        entry.key = over.key;
    }
}
