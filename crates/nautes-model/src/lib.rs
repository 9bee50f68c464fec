//! The Nautes model: entities, names, references, repository layout and validation.
