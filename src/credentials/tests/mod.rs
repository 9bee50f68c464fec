//! The whole of it against an emulated GitLab and a real `OpenBao`.

mod access_token;
mod crash;
mod deploy_key;
mod distribution;
mod inspection;
mod operators;
mod owner;
mod world;
