#![deny(rustdoc::broken_intra_doc_links)]
#![doc = include_str!("../README.md")]

pub mod apply;
pub mod apply_set;
pub mod cluster;
mod concurrently;
pub mod connection;
pub mod drift;
mod error_chain;
pub mod inventory;
pub mod lease;
pub mod live_objects;
pub mod object;
pub mod order;
pub mod ownership;
pub mod readiness;
pub mod single;
pub mod stored_versions;
pub mod wait;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::apply_set::{ApplyOptions, ApplySet, DeleteOptions, Parent};
    use crate::cluster::Cluster;
    use crate::connection::{Access, Limits};
    use crate::live_objects::LiveObjects;
    use crate::ownership::{Adoption, FieldManager, Label, Owner};
    use crate::readiness::Rules;

    fn require_send<T: Send>(_: &T) {}

    #[test]
    fn everything_can_be_awaited_on_any_thread() {
        let access = Access::new("https://127.0.0.1:1").unwrap();
        let cluster = Cluster::new(&access, Limits::default()).unwrap();
        let owner = Owner {
            field_manager: FieldManager::new("tool").unwrap(),
            label: Label::new("managed-by", "tool").unwrap(),
        };
        let parent = Parent {
            namespace: "default".to_owned(),
            name: "set".to_owned(),
        };
        let set = ApplySet::new(&cluster, owner.clone(), parent);
        let options = ApplyOptions::default();
        require_send(&set.apply(Vec::new(), &options));
        require_send(&set.check(Vec::new(), &options));
        require_send(&set.delete(&DeleteOptions::default()));
        let live = LiveObjects::new(&cluster, &owner.label);
        require_send(&set.drift(Vec::new(), None, &live));
        let rules = Rules::default();
        require_send(&set.wait_until_ready(&[], &rules, Duration::ZERO));
        let object = &crate::object::parse_yaml("{apiVersion: v1, kind: Pod, metadata: {name: a}}")
            .unwrap()[0];
        require_send(&cluster.apply(object, &owner, &Adoption::Never));
        require_send(&cluster.delete_own(object.reference(), "1", &owner, Duration::ZERO));
        let manager = &owner.field_manager;
        require_send(&cluster.modify(&object.kind(), None, "a", manager, |_| ()));
        require_send(&cluster.require_uid("1"));
    }
}
