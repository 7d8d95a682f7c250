//! Makes the schemas that the macros write as plain as a person would write them, and puts the examples to them.

use std::collections::BTreeMap;

use utoipa::openapi::schema::{AdditionalProperties, AllOf, ArrayItems, Object, OneOf, SchemaType, Type};
use utoipa::openapi::{Content, OpenApi, Ref, RefOr, Schema};

use super::each_operation;
use super::errors;
use super::examples::Example;

const PREFIX: &str = "#/components/schemas/";

/// Prefix by which the macros name a success; the name of the answer in it follows.
const SUCCESS: &str = "Success_";

/// Texts that are types of their own in Rust and nothing but texts on the wire.
const TEXTS: [&str; 2] = ["Sensitive", "Timestamp"];

/// Gives successes the names of their answers, writes texts out where they are used, and says `null` beside a type
/// instead of in a schema of its own.
pub(super) fn tidy(document: &mut OpenApi) {
    let Some(components) = &mut document.components else { return };
    components.schemas.extend(errors::schemas());
    let schemas = std::mem::take(&mut components.schemas);
    let (texts, others) =
        schemas.into_iter().partition::<BTreeMap<_, _>, _>(|(name, _)| TEXTS.contains(&&**name));
    let (successes, mut kept) =
        others.into_iter().partition::<BTreeMap<_, _>, _>(|(name, _)| name.starts_with(SUCCESS));
    for (name, schema) in successes {
        kept.insert(name[SUCCESS.len()..].to_owned(), as_one_object(schema));
    }
    let flattened: Vec<_> = kept
        .iter()
        .filter(|(_, schema)| matches!(schema, RefOr::T(Schema::AllOf(_))))
        .filter_map(|(name, schema)| Some((name.clone(), whole(schema, &kept)?.into())))
        .collect();
    kept.extend(flattened);
    components.schemas = kept;
    each_schema(document, &mut |schema| {
        tidy_one(schema, &texts);
    });
    each_operation(document, |_, _, operation| {
        for parameter in operation.parameters.iter_mut().flatten() {
            let RefOr::T(parameter) = parameter else { continue };
            // There is no way to say `null` outside JSON: what is optional is left out.
            if let Some(RefOr::T(Schema::Object(object))) = &mut parameter.schema {
                drop_null(object);
            }
        }
    });
}

/// Writes a success as the one object that it is on the wire: `ok`, always `true`, before the answer's own
/// fields. The macro writes a flattened field as an `allOf` of two.
fn as_one_object(success: RefOr<Schema>) -> RefOr<Schema> {
    let RefOr::T(Schema::AllOf(AllOf { items, .. })) = success else { return success };
    let mut objects = items.into_iter().filter_map(|item| match item {
        RefOr::T(Schema::Object(object)) => Some(object),
        _ => None,
    });
    let (Some(mut answer), Some(mut whole)) = (objects.next(), objects.next()) else {
        return RefOr::T(Schema::default());
    };
    if let Some(RefOr::T(Schema::Object(ok))) = whole.properties.get_mut("ok") {
        ok.enum_values = Some(vec![true.into()]);
    }
    whole.properties.append(&mut answer.properties);
    whole.required.append(&mut answer.required);
    (answer.properties, answer.required) = (whole.properties, whole.required);
    answer.into()
}

/// Writes a type with flattened fields as the one object that it is on the wire: its own fields, then theirs. The macro writes an
/// `allOf` of references, which generators of clients and readers have to put together.
fn whole(schema: &RefOr<Schema>, all: &BTreeMap<String, RefOr<Schema>>) -> Option<Object> {
    match schema {
        RefOr::Ref(reference) => whole(all.get(reference.ref_location.strip_prefix(PREFIX)?)?, all),
        RefOr::T(Schema::Object(object)) => Some(object.clone()),
        RefOr::T(Schema::AllOf(AllOf { items, description, .. })) => {
            let (own, flattened) = items.split_last()?;
            let mut object = whole(own, all)?;
            for part in flattened {
                let mut part = whole(part, all)?;
                object.properties.append(&mut part.properties);
                object.required.append(&mut part.required);
            }
            object.description.clone_from(description);
            Some(object)
        }
        RefOr::T(_) => None,
    }
}

fn tidy_one(schema: &mut RefOr<Schema>, texts: &BTreeMap<String, RefOr<Schema>>) {
    match schema {
        RefOr::Ref(reference) => {
            let name = reference.ref_location.strip_prefix(PREFIX).unwrap_or_default();
            if let Some(RefOr::T(Schema::Object(text))) = texts.get(name) {
                *schema = RefOr::T(Schema::Object(written_out(reference, text)));
            } else if let Some(answer) = name.strip_prefix(SUCCESS) {
                reference.ref_location = format!("{PREFIX}{answer}");
            }
        }
        RefOr::T(Schema::OneOf(one_of)) => {
            if let Some(object) = nullable(one_of) {
                *schema = RefOr::T(Schema::Object(object));
            }
        }
        RefOr::T(_) => {}
    }
}

/// The text's schema, described as its use is.
fn written_out(reference: &Ref, text: &Object) -> Object {
    let mut text = text.clone();
    text.description = Some(reference.description.clone()).filter(|about| !about.is_empty());
    text.write_only = reference.write_only;
    text
}

/// A plain value or `null`, as one schema.
fn nullable(one_of: &OneOf) -> Option<Object> {
    let is_null = |object: &Object| object.schema_type == SchemaType::Type(Type::Null);
    let mut value = match &one_of.items[..] {
        [RefOr::T(Schema::Object(value)), RefOr::T(Schema::Object(null))] if is_null(null) => value.clone(),
        _ => return None,
    };
    let SchemaType::Type(kind) = value.schema_type else { return None };
    value.schema_type = SchemaType::Array(vec![kind, Type::Null]);
    value.description = one_of.description.clone().or(value.description);
    Some(value)
}

fn drop_null(object: &mut Object) {
    if let SchemaType::Array(kinds) = &object.schema_type
        && let [kind] = &kinds.iter().filter(|kind| **kind != Type::Null).collect::<Vec<_>>()[..]
    {
        object.schema_type = SchemaType::Type((*kind).clone());
    }
}

/// Puts each example to the schema that it is one of.
pub(super) fn add_examples(document: &mut OpenApi, examples: &[Example]) {
    let Some(components) = &mut document.components else { return };
    for example in examples {
        if let Some(RefOr::T(Schema::Object(object))) = components.schemas.get_mut(example.schema) {
            object.examples.push(example.value.clone());
        }
    }
}

/// Visits every schema of the document, the inner ones first.
fn each_schema(document: &mut OpenApi, visit: &mut impl FnMut(&mut RefOr<Schema>)) {
    each_operation(document, |_, _, operation| {
        for parameter in operation.parameters.iter_mut().flatten() {
            if let RefOr::T(parameter) = parameter {
                parameter.schema.iter_mut().for_each(|schema| walk(schema, visit));
            }
        }
        if let Some(RefOr::T(body)) = &mut operation.request_body {
            body.content.values_mut().for_each(|content| walk_content(content, visit));
        }
        for response in operation.responses.responses.values_mut() {
            if let RefOr::T(response) = response {
                response.content.values_mut().for_each(|content| walk_content(content, visit));
            }
        }
    });
    for schema in document.components.iter_mut().flat_map(|components| components.schemas.values_mut()) {
        walk(schema, visit);
    }
}

fn walk_content(content: &mut RefOr<Content>, visit: &mut impl FnMut(&mut RefOr<Schema>)) {
    if let RefOr::T(content) = content {
        content.schema.iter_mut().for_each(|schema| walk(schema, visit));
    }
}

fn walk(schema: &mut RefOr<Schema>, visit: &mut impl FnMut(&mut RefOr<Schema>)) {
    if let RefOr::T(schema) = schema {
        match schema {
            Schema::Object(object) => {
                object.properties.values_mut().for_each(|property| walk(property, visit));
                if let Some(AdditionalProperties::RefOr(more)) = object.additional_properties.as_deref_mut() {
                    walk(more, visit);
                }
            }
            Schema::Array(array) => {
                if let ArrayItems::RefOrSchema(items) = &mut array.items {
                    walk(items, visit);
                }
            }
            Schema::OneOf(one_of) => one_of.items.iter_mut().for_each(|item| walk(item, visit)),
            Schema::AllOf(all_of) => all_of.items.iter_mut().for_each(|item| walk(item, visit)),
            Schema::AnyOf(any_of) => any_of.items.iter_mut().for_each(|item| walk(item, visit)),
            _ => {}
        }
    }
    visit(schema);
}
