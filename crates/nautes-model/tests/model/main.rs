//! Tests of the model's public interface.

#[cfg(test)]
mod arbitrary;
#[cfg(test)]
mod deploy_key;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod kustomization;
#[cfg(test)]
mod manifest;
#[cfg(test)]
mod shop;
#[cfg(test)]
mod tree;
#[cfg(test)]
mod validation;
#[cfg(test)]
mod vault;
#[cfg(test)]
mod yaml;
