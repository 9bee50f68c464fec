//! The model through its public interface.

#[cfg(test)]
mod golden;
#[cfg(test)]
mod manifest;
#[cfg(test)]
mod yaml;
