//! Finds the prior element of each configured element of a list.
//!
//! Elements of a list have no key, and their position changes when others are inserted or removed. What identifies an
//! element is therefore what the user wrote in it.

use crate::schema::{Attribute, AttributeKind, Attributes, Nesting, Presence};
use crate::value::Value;

/// Returns the prior element of each configured element; null for one that is new or has changed.
///
/// An element that has not changed keeps its prior element as long as both have the same position, whatever becomes of
/// unknown elements. Other elements are only matched once all are known, since one that is unknown may turn out equal
/// to them.
pub(super) fn prior_elements<'p>(
    attributes: &Attributes,
    configs: &[Value],
    priors: &'p [Value],
) -> Vec<&'p Value> {
    let positions = priors.iter().map(Some).chain(std::iter::repeat(None));
    let mut matched: Vec<Option<&Value>> = configs
        .iter()
        .zip(positions)
        .map(|(config, prior)| prior.filter(|prior| continues(attributes, config, prior)))
        .collect();
    if configs.iter().all(Value::is_wholly_known) {
        match_moved(attributes, configs, priors, &mut matched);
    }
    let matched = matched.into_iter();
    matched.map(|prior| prior.unwrap_or(&Value::Null)).collect()
}

/// Matches elements whose position has changed.
fn match_moved<'p>(
    attributes: &Attributes,
    configs: &[Value],
    priors: &'p [Value],
    matched: &mut [Option<&'p Value>],
) {
    let same = |config: &Value, prior: &Value| continues(attributes, config, prior);
    let free = priors.iter().enumerate();
    let free: Vec<&Value> = free
        .filter(|(index, _)| matched.get(*index).is_none_or(Option::is_none))
        .map(|(_, prior)| prior)
        .collect();
    let open: Vec<(&Value, &mut Option<&Value>)> = configs
        .iter()
        .zip(matched)
        .filter(|(_, prior)| prior.is_none())
        .collect();
    let wanted: Vec<&Value> = open.iter().map(|(config, _)| *config).collect();
    for (position, (config, slot)) in open.into_iter().enumerate() {
        let candidates: Vec<&Value> = free.iter().copied().filter(|p| same(config, p)).collect();
        let Some(first) = candidates.first() else {
            continue;
        };
        let is_rival = |config: &&&Value| same(config, first);
        // With more or fewer of the same elements than before, nothing tells which of them is new or gone.
        if candidates.len() == wanted.iter().filter(is_rival).count() {
            let earlier = wanted.iter().take(position).filter(is_rival).count();
            *slot = candidates.get(earlier).copied();
        }
    }
}

/// Returns `true` if the user wrote in the configuration of an object what the prior object has.
fn continues(attributes: &Attributes, config: &Value, prior: &Value) -> bool {
    let (Value::Object(_), Value::Object(_)) = (config, prior) else {
        return false;
    };
    attributes.iter().all(|(name, attribute)| {
        attribute_continues(attribute, config.attribute(name), prior.attribute(name))
    })
}

fn attribute_continues(attribute: &Attribute, config: &Value, prior: &Value) -> bool {
    if attribute.presence == Presence::WriteOnly {
        return true;
    }
    if config.is_null() {
        return match &attribute.default {
            Some(default) => default == prior,
            None => attribute.is_computed() || prior.is_null(),
        };
    }
    if let Some(same) = attribute.equivalent
        && !prior.is_null()
        && config.is_wholly_known()
        && same(prior, config)
    {
        return true;
    }
    let AttributeKind::Nested(nesting, children) = &attribute.kind else {
        return config == prior;
    };
    match (nesting, config, prior) {
        (Nesting::Single, config, prior) => continues(children, config, prior),
        (Nesting::List, Value::List(configs), Value::List(priors)) => {
            let mut pairs = configs.iter().zip(priors);
            configs.len() == priors.len() && pairs.all(|(c, p)| continues(children, c, p))
        }
        (Nesting::Map, Value::Map(configs), Value::Map(priors)) => {
            let mut pairs = configs.values().zip(priors.values());
            configs.keys().eq(priors.keys()) && pairs.all(|(c, p)| continues(children, c, p))
        }
        (Nesting::Set, Value::Set(configs), Value::Set(priors)) => {
            let is_in = |config: &Value| priors.iter().any(|p| continues(children, config, p));
            configs.len() == priors.len() && configs.iter().all(is_in)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Tf;

    /// An element with a path, a kind with a default, and a computed id.
    fn attributes() -> Attributes {
        let attributes = [
            ("path", Attribute::for_type::<String>()),
            (
                "kind",
                Attribute::for_type::<String>().default("file".to_owned()),
            ),
            ("id", Attribute::for_type::<Tf<String>>().stable()),
        ];
        let attributes = attributes.map(|(name, attribute)| (name.to_owned(), attribute));
        Attributes::from(attributes)
    }

    fn object(path: Value, kind: Value, id: Value) -> Value {
        Value::object([("path", path), ("kind", kind), ("id", id)])
    }

    /// Returns the ids of the prior elements of configured paths; "?" is an unknown path, and "-" no prior element.
    fn ids(configs: &[&str], priors: &[(&str, &str)]) -> Vec<String> {
        let configs = configs.iter().map(|path| {
            let path = match *path {
                "?" => Value::Unknown,
                path => Value::string(path),
            };
            object(path, Value::Null, Value::Null)
        });
        let priors = priors.iter().map(|(path, id)| {
            let kind = Value::string("file");
            object(Value::string(*path), kind, Value::string(*id))
        });
        let (configs, priors): (Vec<_>, Vec<_>) = (configs.collect(), priors.collect());
        let attributes = attributes();
        let matched = prior_elements(&attributes, &configs, &priors);
        let ids = matched.iter().map(|prior| prior.attribute("id").as_str());
        ids.map(|id| id.unwrap_or("-").to_owned()).collect()
    }

    const PRIORS: [(&str, &str); 2] = [("a", "1"), ("b", "2")];

    #[test]
    fn elements_are_found_again_wherever_they_are_moved() {
        assert_eq!(ids(&["a", "b"], &PRIORS), ["1", "2"]);
        assert_eq!(ids(&["new", "a", "b"], &PRIORS), ["-", "1", "2"]);
        assert_eq!(ids(&["a", "new", "b"], &PRIORS), ["1", "-", "2"]);
        assert_eq!(ids(&["b"], &PRIORS), ["2"]);
        assert_eq!(ids(&["b", "a"], &PRIORS), ["2", "1"]);
        assert_eq!(ids(&["a", "changed"], &PRIORS), ["1", "-"]);
    }

    #[test]
    fn an_element_among_equal_ones_is_only_matched_when_none_is_new_or_gone() {
        let twice = [("a", "1"), ("a", "2")];
        assert_eq!(ids(&["new", "a", "a"], &twice), ["-", "2", "1"]);
        assert_eq!(
            ids(&["new", "a"], &[("a", "1"), ("b", "2"), ("a", "3")]),
            ["-", "-"]
        );
        assert_eq!(ids(&["a", "a"], &[("b", "1"), ("a", "2")]), ["-", "2"]);
        assert_eq!(ids(&["b", "a", "a"], &[("a", "1")]), ["-", "-", "-"]);
    }

    #[test]
    fn an_element_that_moves_is_not_matched_while_another_is_unknown() {
        assert_eq!(ids(&["?", "a"], &PRIORS), ["-", "-"]);
        assert_eq!(ids(&["a", "?"], &PRIORS), ["1", "-"]);
    }
}
