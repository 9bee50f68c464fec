//! The `MessagePack` format of values on the wire (Terraform's object wire format; go-cty `cty/msgpack`).

use std::collections::BTreeMap;

use rmp::Marker;
use rmp::decode;
use rmp::encode as write;

use super::{Number, Path, Type, Value};

/// A message does not contain a value of the expected type.
#[derive(Debug, thiserror::Error)]
#[error("cannot decode the value at \"{path}\": {reason}")]
pub struct CodecError {
    /// The place in the value.
    pub path: String,
    /// What is wrong.
    pub reason: String,
}

/// Decodes a value of the given type. The whole input must be one value.
pub fn decode(bytes: &[u8], kind: &Type) -> Result<Value, CodecError> {
    let mut reader = Reader { rest: bytes };
    let value = reader.value(kind, &Path::root())?;
    if reader.rest.is_empty() {
        Ok(value)
    } else {
        Err(codec_error(
            &Path::root(),
            format!("{} bytes follow the value", reader.rest.len()),
        ))
    }
}

/// Encodes a value of the given type. Objects have every attribute of the type, null where the value has none.
pub fn encode(value: &Value, kind: &Type) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_value(&mut bytes, value, kind);
    bytes
}

fn codec_error(path: &Path, reason: impl std::fmt::Display) -> CodecError {
    CodecError {
        path: path.to_string(),
        reason: reason.to_string(),
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn marker(&self, path: &Path) -> Result<Marker, CodecError> {
        let first = self
            .rest
            .first()
            .ok_or_else(|| codec_error(path, "the message ends early"))?;
        Ok(Marker::from_u8(*first))
    }

    fn value(&mut self, kind: &Type, path: &Path) -> Result<Value, CodecError> {
        match self.marker(path)? {
            Marker::Null => {
                decode::read_nil(&mut self.rest).map_err(|error| codec_error(path, error))?;
                return Ok(Value::Null);
            }
            // Every extension is an unknown value. Its refinement is not needed.
            Marker::FixExt1
            | Marker::FixExt2
            | Marker::FixExt4
            | Marker::FixExt8
            | Marker::FixExt16
            | Marker::Ext8
            | Marker::Ext16
            | Marker::Ext32 => {
                let meta = decode::read_ext_meta(&mut self.rest)
                    .map_err(|error| codec_error(path, error))?;
                self.take(meta.size, path)?;
                return Ok(Value::Unknown);
            }
            _ => {}
        }
        match kind {
            Type::Bool => decode::read_bool(&mut self.rest)
                .map(Value::Bool)
                .map_err(|error| codec_error(path, error)),
            Type::Number => self.number(path).map(Value::Number),
            Type::String => self.string(path).map(Value::string),
            Type::List(element) => {
                let elements = self.elements(path, |index| (element, path.index(index)))?;
                Ok(Value::List(elements))
            }
            Type::Set(element) => {
                let elements = self.elements(path, |_| (element, path.set_element()))?;
                Ok(Value::set(elements))
            }
            Type::Tuple(kinds) => {
                let count = self.length(path)?;
                if count != kinds.len() {
                    return Err(codec_error(
                        path,
                        format!("the tuple has {count} elements, not the expected number"),
                    ));
                }
                let elements = kinds.iter().enumerate();
                elements
                    .map(|(index, kind)| self.value(kind, &path.index(index)))
                    .collect::<Result<_, _>>()
                    .map(Value::List)
            }
            Type::Map(element) => {
                let mut elements = BTreeMap::new();
                for _ in 0..self.map_length(path)? {
                    let key = self.string(path)?;
                    let value = self.value(element, &path.key(&key))?;
                    elements.insert(key, value);
                }
                Ok(Value::Map(elements))
            }
            Type::Object(attributes) => self.object(attributes, path),
            Type::Dynamic => self.dynamic(path),
        }
    }

    fn object(&mut self, kinds: &BTreeMap<String, Type>, path: &Path) -> Result<Value, CodecError> {
        let mut attributes = BTreeMap::new();
        for _ in 0..self.map_length(path)? {
            let name = self.string(path)?;
            let path = path.attribute(&name);
            let kind = kinds
                .get(&name)
                .ok_or_else(|| codec_error(&path, "the schema has no such attribute"))?;
            let value = self.value(kind, &path)?;
            attributes.insert(name, value);
        }
        match kinds.keys().find(|name| !attributes.contains_key(*name)) {
            Some(missing) => Err(codec_error(
                &path.attribute(missing),
                "the attribute is missing",
            )),
            None => Ok(Value::Object(attributes)),
        }
    }

    fn dynamic(&mut self, path: &Path) -> Result<Value, CodecError> {
        if self.length(path)? != 2 {
            return Err(codec_error(
                path,
                "a dynamic value must be a type and a value",
            ));
        }
        let length =
            decode::read_bin_len(&mut self.rest).map_err(|error| codec_error(path, error))?;
        let json = self.take(length, path)?;
        let json = serde_json::from_slice(json).map_err(|error| codec_error(path, error))?;
        let kind = Type::from_json(&json).map_err(|error| codec_error(path, error))?;
        Ok(match self.value(&kind, path)? {
            Value::Null => Value::Null,
            Value::Unknown => Value::Unknown,
            value => Value::Dynamic(Box::new((kind, value))),
        })
    }

    fn elements<'k>(
        &mut self,
        path: &Path,
        describe: impl Fn(usize) -> (&'k Type, Path),
    ) -> Result<Vec<Value>, CodecError> {
        let count = self.length(path)?;
        let mut elements = Vec::new();
        for index in 0..count {
            let (kind, path) = describe(index);
            elements.push(self.value(kind, &path)?);
        }
        Ok(elements)
    }

    fn number(&mut self, path: &Path) -> Result<Number, CodecError> {
        match self.marker(path)? {
            Marker::F32 => {
                let number =
                    decode::read_f32(&mut self.rest).map_err(|error| codec_error(path, error))?;
                Number::try_from(f64::from(number)).map_err(|error| codec_error(path, error))
            }
            Marker::F64 => {
                let number =
                    decode::read_f64(&mut self.rest).map_err(|error| codec_error(path, error))?;
                Number::try_from(number).map_err(|error| codec_error(path, error))
            }
            Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => self
                .string(path)?
                .parse()
                .map_err(|error| codec_error(path, error)),
            Marker::U64 => decode::read_u64(&mut self.rest)
                .map(Number::from)
                .map_err(|e| codec_error(path, e)),
            _ => decode::read_int::<i64, _>(&mut self.rest)
                .map(Number::from)
                .map_err(|error| codec_error(path, error)),
        }
    }

    fn string(&mut self, path: &Path) -> Result<String, CodecError> {
        let length =
            decode::read_str_len(&mut self.rest).map_err(|error| codec_error(path, error))?;
        let bytes = self.take(length, path)?;
        std::str::from_utf8(bytes)
            .map(str::to_owned)
            .map_err(|error| codec_error(path, error))
    }

    fn length(&mut self, path: &Path) -> Result<usize, CodecError> {
        let length =
            decode::read_array_len(&mut self.rest).map_err(|error| codec_error(path, error))?;
        usize::try_from(length).map_err(|error| codec_error(path, error))
    }

    fn map_length(&mut self, path: &Path) -> Result<u32, CodecError> {
        decode::read_map_len(&mut self.rest).map_err(|error| codec_error(path, error))
    }

    fn take(&mut self, length: u32, path: &Path) -> Result<&'a [u8], CodecError> {
        let length = usize::try_from(length).map_err(|error| codec_error(path, error))?;
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or_else(|| codec_error(path, "the message ends early"))?;
        self.rest = rest;
        Ok(taken)
    }
}

/// Writing to a vector cannot fail, so the results of the writers are ignored.
fn write_value(bytes: &mut Vec<u8>, value: &Value, kind: &Type) {
    match (value, kind) {
        (Value::Unknown, _) => bytes.extend_from_slice(&[0xd4, 0, 0]),
        (Value::Dynamic(inner), _) => {
            let (kind, value) = inner.as_ref();
            let _ = write::write_array_len(bytes, 2);
            let _ = write::write_bin(bytes, kind.to_json().to_string().as_bytes());
            write_value(bytes, value, kind);
        }
        (Value::Bool(truth), _) => {
            let _ = write::write_bool(bytes, *truth);
        }
        // Terraform before 1.15 compares numbers of the stored and the refreshed state by their precision too. It parses
        // those of the state file from text, so only numbers that are strings here are equal to them.
        (Value::Number(number), _) => {
            let _ = write::write_str(bytes, &number.to_string());
        }
        (Value::String(text), _) => {
            let _ = write::write_str(bytes, text);
        }
        (Value::List(elements), Type::Tuple(kinds)) => {
            let _ = write::write_array_len(bytes, length(elements.len()));
            for (element, kind) in elements.iter().zip(kinds) {
                write_value(bytes, element, kind);
            }
        }
        (Value::List(elements) | Value::Set(elements), kind) => {
            let _ = write::write_array_len(bytes, length(elements.len()));
            elements
                .iter()
                .for_each(|element| write_value(bytes, element, element_type(kind)));
        }
        (Value::Map(elements), kind) => {
            let _ = write::write_map_len(bytes, length(elements.len()));
            for (key, element) in elements {
                let _ = write::write_str(bytes, key);
                write_value(bytes, element, element_type(kind));
            }
        }
        (Value::Object(_), Type::Object(kinds)) => {
            let _ = write::write_map_len(bytes, length(kinds.len()));
            for (name, kind) in kinds {
                let _ = write::write_str(bytes, name);
                write_value(bytes, value.attribute(name), kind);
            }
        }
        // An object without an object type is a bug. Terraform reports it better than a panic would.
        (Value::Null | Value::Object(_), _) => {
            let _ = write::write_nil(bytes);
        }
    }
}

fn element_type(kind: &Type) -> &Type {
    match kind {
        Type::List(element) | Type::Set(element) | Type::Map(element) => element,
        other => other,
    }
}

fn length(count: usize) -> u32 {
    // A message has at most 256 MiB, so the number of elements fits into u32.
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
