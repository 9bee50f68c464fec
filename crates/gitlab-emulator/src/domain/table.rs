//! Rows by number; each table tracks the changes since the last write to disk.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The number of a row. Numbers of different tables have different types.
pub struct Id<T>(u64, PhantomData<fn() -> T>);

impl<T> Id<T> {
    /// Creates a number, of a row that need not exist.
    pub const fn new(number: u64) -> Self {
        Self(number, PhantomData)
    }

    /// Parses a number from a path or parameter. Like GitLab's `INTEGER_ID_REGEX`, accepts every text of
    /// digits with an optional minus sign; a number outside the range becomes zero, which no row has.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| Self::new(text.parse().unwrap_or(0)))
    }

    /// Returns the number, as the API shows it.
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Id<T> {}
impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<T> Eq for Id<T> {}
impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}
impl<T> Hash for Id<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}
impl<T> fmt::Display for Id<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}
impl<T> Serialize for Id<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}
impl<'de, T> Deserialize<'de> for Id<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u64::deserialize(deserializer).map(Self::new)
    }
}

/// Rows, sorted by number. Numbers are never reused.
#[derive(Debug)]
pub struct Table<T> {
    rows: BTreeMap<u64, T>,
    last: u64,
    touched: BTreeSet<u64>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            rows: BTreeMap::new(),
            last: 0,
            touched: BTreeSet::new(),
        }
    }
}

impl<T> Table<T> {
    /// Adds a row, built by `make` from its new number.
    pub fn add(&mut self, make: impl FnOnce(Id<T>) -> T) -> Id<T> {
        self.last += 1;
        let id = Id::new(self.last);
        self.rows.insert(self.last, make(id));
        self.touched.insert(self.last);
        id
    }

    /// Returns the row with this number.
    pub fn get(&self, id: Id<T>) -> Option<&T> {
        self.rows.get(&id.0)
    }

    /// Returns the row with this number for changing.
    pub fn get_mut(&mut self, id: Id<T>) -> Option<&mut T> {
        let row = self.rows.get_mut(&id.0)?;
        self.touched.insert(id.0);
        Some(row)
    }

    /// Removes and returns the row with this number.
    pub fn remove(&mut self, id: Id<T>) -> Option<T> {
        let row = self.rows.remove(&id.0)?;
        self.touched.insert(id.0);
        Some(row)
    }

    /// Removes the rows for which `keep` is false.
    pub fn retain(&mut self, keep: impl Fn(&T) -> bool) {
        let touched = &mut self.touched;
        self.rows.retain(|number, row| {
            let kept = keep(row);
            if !kept {
                touched.insert(*number);
            }
            kept
        });
    }

    /// Returns all rows, sorted by number.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.rows.values()
    }

    /// Returns the first row for which `is_wanted` is true.
    pub fn find(&self, is_wanted: impl Fn(&T) -> bool) -> Option<&T> {
        self.rows.values().find(|row| is_wanted(row))
    }

    /// Returns whether `is_wanted` is true for a row.
    pub fn any(&self, is_wanted: impl Fn(&T) -> bool) -> bool {
        self.find(is_wanted).is_some()
    }

    /// Returns the number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Returns whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// A table, for the store.
pub trait Persistent {
    /// Returns the changed rows, with `None` for removed ones, and resets the tracking.
    fn take_changes(&mut self) -> Vec<(u64, Option<serde_json::Value>)>;
    /// Marks every row as changed. The last number is kept as a removed row.
    fn touch_all(&mut self);
    /// Restores a stored row.
    fn restore(&mut self, number: u64, row: Option<serde_json::Value>) -> serde_json::Result<()>;
}

impl<T: Serialize + for<'de> Deserialize<'de>> Persistent for Table<T> {
    fn take_changes(&mut self) -> Vec<(u64, Option<serde_json::Value>)> {
        std::mem::take(&mut self.touched)
            .into_iter()
            .map(|number| {
                let row = self
                    .rows
                    .get(&number)
                    .and_then(|row| serde_json::to_value(row).ok());
                (number, row)
            })
            .collect()
    }

    fn touch_all(&mut self) {
        self.touched.extend(self.rows.keys());
        if self.last > 0 {
            self.touched.insert(self.last);
        }
    }

    fn restore(&mut self, number: u64, row: Option<serde_json::Value>) -> serde_json::Result<()> {
        self.last = self.last.max(number);
        match row {
            Some(row) => {
                self.rows.insert(number, serde_json::from_value(row)?);
            }
            None => {
                self.rows.remove(&number);
            }
        }
        Ok(())
    }
}

/// A single value, stored like the only row of a table.
#[derive(Debug, Default)]
pub struct Singleton<T> {
    value: T,
    is_touched: bool,
}

impl<T> Singleton<T> {
    /// Returns the value.
    pub fn get(&self) -> &T {
        &self.value
    }

    /// Returns the value for changing.
    pub fn get_mut(&mut self) -> &mut T {
        self.is_touched = true;
        &mut self.value
    }
}

impl<T: Serialize + for<'de> Deserialize<'de>> Persistent for Singleton<T> {
    fn take_changes(&mut self) -> Vec<(u64, Option<serde_json::Value>)> {
        if !std::mem::take(&mut self.is_touched) {
            return Vec::new();
        }
        vec![(0, serde_json::to_value(&self.value).ok())]
    }

    fn touch_all(&mut self) {
        self.is_touched = true;
    }

    fn restore(&mut self, _number: u64, row: Option<serde_json::Value>) -> serde_json::Result<()> {
        if let Some(row) = row {
            self.value = serde_json::from_value(row)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_not_reused_after_a_restart() {
        let mut table = Table::<String>::default();
        table.add(|_| "a".to_owned());
        let second = table.add(|_| "b".to_owned());
        table.remove(second);
        table.touch_all();

        let mut again = Table::<String>::default();
        for (number, row) in table.take_changes() {
            again.restore(number, row).unwrap();
        }
        assert_eq!(again.iter().collect::<Vec<_>>(), ["a"]);
        assert_eq!(again.add(|_| "c".to_owned()).number(), 3);
    }
}
