//! Queries and forms with nested names, parsed like Rack does: `scopes[]=api`, `headers[][key]=a`.

use serde_json::{Map, Value};

/// Parses `a=1&b[]=2` into a JSON object.
pub(crate) fn parse(text: &str) -> Map<String, Value> {
    let mut map = Map::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        insert(&mut map, &decode(name), decode(value));
    }
    map
}

/// Inserts a value at its nested name.
pub(crate) fn insert(map: &mut Map<String, Value>, name: &str, value: String) {
    let (first, rest) = name.find('[').map_or((name, ""), |at| name.split_at(at));
    let keys: Vec<&str> = rest
        .split('[')
        .skip(1)
        .map(|key| key.strip_suffix(']').unwrap_or(key))
        .collect();
    put(
        map.entry(first.to_owned()).or_insert(Value::Null),
        &keys,
        value,
    );
}

fn put(slot: &mut Value, keys: &[&str], value: String) {
    let Some((key, deeper)) = keys.split_first() else {
        *slot = Value::String(value);
        return;
    };
    if key.is_empty() {
        if !slot.is_array() {
            *slot = Value::Array(Vec::new());
        }
        let Value::Array(items) = slot else { return };
        // A key that the last element already has starts the next element.
        let begins_next = match (items.last(), deeper.first()) {
            (Some(Value::Object(last)), Some(next)) => last.contains_key(*next),
            _ => true,
        };
        if begins_next {
            items.push(Value::Null);
        }
        if let Some(last) = items.last_mut() {
            put(last, deeper, value);
        }
    } else {
        if !slot.is_object() {
            *slot = Value::Object(Map::new());
        }
        if let Value::Object(inner) = slot {
            put(
                inner.entry((*key).to_owned()).or_insert(Value::Null),
                deeper,
                value,
            );
        }
    }
}

fn decode(text: &str) -> String {
    let unescaped = text.replace('+', " ");
    percent_encoding::percent_decode_str(&unescaped)
        .decode_utf8_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nested_names_become_arrays_and_objects() {
        let parsed = parse("a=1+2&s[]=x&s[]=y%26&h[][key]=k&h[][value]=v&h[][key]=l&o[p][q]=r");
        let expected = json!({
            "a": "1 2",
            "s": ["x", "y&"],
            "h": [{ "key": "k", "value": "v" }, { "key": "l" }],
            "o": { "p": { "q": "r" } },
        });
        assert_eq!(Value::Object(parsed), expected);
    }
}
