//! The whole state of an instance, apart from its repositories.

use std::collections::HashMap;

use super::deploy_token::DeployToken;
use super::event::Event;
use super::hook::Hook;
use super::job::Job;
use super::key::{Key, KeyLink};
use super::member::{Member, Share};
use super::namespace::Namespace;
use super::project::{Project, Redirect};
use super::protection::ProtectedBranch;
use super::route::Routes;
use super::settings::Settings;
use super::switches::Switches;
use super::table::{Id, Persistent, Singleton, Table};
use super::token::{AccessToken, TokenDigest};
use super::user::User;

/// A changed row: table, number, and content; `None` if it was removed.
pub type Change = (&'static str, u64, Option<serde_json::Value>);

macro_rules! state {
    ($($(#[$doc:meta])* $table:ident: $type:ty,)*) => {
        /// The tables and indexes of an instance.
        #[derive(Debug, Default)]
        pub struct State {
            $($(#[$doc])* pub $table: $type,)*
            /// Full paths of groups and projects; derived, hence not stored.
            pub routes: Routes,
            /// Access tokens by digest; derived, hence not stored.
            pub token_digests: HashMap<TokenDigest, Id<AccessToken>>,
        }

        impl State {
            /// Returns the rows that changed since the last call.
            pub fn take_changes(&mut self) -> Vec<Change> {
                let mut changes = Vec::new();
                $(
                    let rows = self.$table.take_changes();
                    changes.extend(rows.into_iter().map(|(id, row)| (stringify!($table), id, row)));
                )*
                changes
            }

            /// Marks all rows as changed.
            pub fn touch_all(&mut self) {
                $(self.$table.touch_all();)*
            }

            /// Restores a row. A row of an unknown table comes from a newer release and is an
            /// error.
            pub fn restore(
                &mut self,
                table: &str,
                number: u64,
                row: Option<serde_json::Value>,
            ) -> serde_json::Result<()> {
                match table {
                    $(stringify!($table) => self.$table.restore(number, row),)*
                    other => Err(serde::de::Error::custom(format!("no table {other}"))),
                }
            }
        }
    };
}

state! {
    /// Settings of the instance.
    settings: Singleton<Settings>,
    /// Switches of the emulator.
    switches: Singleton<Switches>,
    /// Accounts.
    users: Table<User>,
    /// Groups and personal namespaces.
    namespaces: Table<Namespace>,
    /// Projects.
    projects: Table<Project>,
    /// Old paths of projects.
    redirects: Table<Redirect>,
    /// Access tokens.
    tokens: Table<AccessToken>,
    /// Direct memberships.
    members: Table<Member>,
    /// Shares with groups.
    shares: Table<Share>,
    /// Keys of users, and deploy keys.
    keys: Table<Key>,
    /// Uses of deploy keys by projects.
    key_links: Table<KeyLink>,
    /// Protected branches.
    protected_branches: Table<ProtectedBranch>,
    /// The last ID of an access entry of a protection.
    last_access_entry: Singleton<u64>,
    /// Deploy tokens.
    deploy_tokens: Table<DeployToken>,
    /// Webhooks.
    hooks: Table<Hook>,
    /// Activity.
    events: Table<Event>,
    /// Pending background work.
    jobs: Table<Job>,
}
